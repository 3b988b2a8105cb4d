"""Forms: opened by an answer, filled in, checked, sent, closed."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.discord.interactions.interactions import CallbackType, Interaction, InteractionType
from sandbox.page.running import RunningPage
from sandbox.values import JsonObject, as_array, object_at, objects_at
from tests.page.browser import Tab
from tests.page.conftest import OpenTab, Sent
from tests.page.samples import BOXES, BUTTONS, PLAIN, TEXTS
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def show(tab: Tab, stage: RunningPage, bot: StandIn, sent: Sent, form: JsonObject) -> None:
    """Let a button be answered with a form."""
    await BUTTONS.post(bot, stage.sandbox.world.guilds[0].channels[0])
    await tab.messages.get_by_role("button", name="Primary").click()
    await bot.answer(await sent.next(), CallbackType.MODAL, form)
    await expect(tab.form).to_be_visible()


def values_of(submitted: Interaction) -> dict[str, object]:
    """What a form was filled with, by custom id."""
    assert submitted.type is InteractionType.MODAL
    parts = objects_at(object_at(submitted.payload, "data"), "components")
    fields = [object_at(part, "component") for part in parts]
    fields += [field for part in parts for field in objects_at(part, "components")]
    return {
        str(field["custom_id"]): field.get("value", field.get("values"))
        for field in fields
        if field
    }


async def test_a_form_is_checked_before_it_is_sent_and_gone_once_it_is_answered(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    tab = await open_tab(stage)
    await show(tab, stage, bot, sent, TEXTS)
    form = tab.form
    await expect(form.get_by_role("heading")).to_have_text("Words and choices")
    await expect(form.get_by_text("Tell us all.")).to_be_visible()
    name = form.get_by_role("textbox", name="Name")
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description("As you are called")
    await expect(form.get_by_role("textbox", name="Story")).to_have_value("Once")

    await tab.press("Enter")
    await expect(form.get_by_role("alert")).to_have_text(["This field is required."] * 2)
    await expect(name).to_be_focused()
    await tab.type("Al")
    await tab.press("Enter")
    await expect(form.get_by_role("alert").first).to_have_text("Must be 3 or more in length.")
    await tab.type("exandrinaaaaa")
    await expect(name).to_have_value("Alexandrin")

    await form.get_by_role("combobox", name="Colours").click()
    for colour in ("Red", "Blue"):
        await form.get_by_role("option", name=colour).click()
    await tab.press("Escape")
    await form.get_by_role("combobox", name="Friends").click()
    await tab.type("mo")
    await tab.press("Enter", "Escape")
    await expect(form).to_be_visible()
    await form.get_by_role("button", name="Submit").dblclick()

    submitted = await sent.next()
    values = values_of(submitted)
    (friend,) = as_array(values.pop("friends")) or [None]
    assert values == {"name": "Alexandrin", "story": "Once", "colours": ["red", "blue"]}
    mona = next(
        each for each in stage.sandbox.world.guilds[0].members.values() if each.name == "Mona"
    )
    assert friend == str(mona.id)
    await expect(form.get_by_role("button", name="Submit")).to_be_disabled()
    thanks: JsonObject = {"content": "Thanks"}
    await bot.answer(submitted, CallbackType.MESSAGE, thanks)
    await expect(tab.message("Thanks")).to_be_visible()
    await expect(form).to_have_count(0)
    await expect(tab.messages.get_by_role("button", name="Primary")).to_be_focused()
    assert sent.nothing


async def test_boxes_are_ticked_and_files_come_from_the_one_input_or_by_a_drop(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent, photo: Path, tmp_path: Path
):
    notes = tmp_path / "notes.txt"
    notes.write_text("words")
    tab = await open_tab(stage)
    await show(tab, stage, bot, sent, BOXES)
    form = tab.form
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_role("alert")).to_have_text(["This field is required."] * 4)
    await form.get_by_role("radio", name="Small").check()
    for name in ("A", "C"):
        await form.get_by_role("checkbox", name=name, exact=True).check()
    await expect(form.get_by_role("checkbox", name="B", exact=True)).to_be_disabled()
    await form.get_by_role("checkbox", name="Agreed").check()
    await form.get_by_role("combobox", name="Where").click()
    await form.get_by_role("option", name="images").click()

    async with tab.page.expect_file_chooser() as chooser:
        await form.get_by_role("button", name="Proofs: choose files").click()
    await (await chooser.value).set_files([photo, notes])
    files = form.locator(".files").get_by_role("listitem")
    await expect(files).to_have_count(2)
    await form.get_by_role("button", name="Remove photo.png").click()
    await tab.drop(form.locator(".files"), photo, notes)
    await expect(files).to_contain_text(["notes.txt", "photo.png"])
    await form.get_by_role("button", name="Submit").click()

    submitted = await sent.next()
    values = values_of(submitted)
    data = object_at(submitted.payload, "data")
    attached = object_at(object_at(data, "resolved"), "attachments")
    assert values["proofs"] == list(attached)
    assert [object_at(attached, key)["filename"] for key in attached] == ["notes.txt", "photo.png"]
    assert (values["size"], values["extras"], values["agreed"]) == ("small", ["a", "c"], True)
    # Nothing of it was left in the composer behind.
    await bot.answer(submitted, CallbackType.DEFERRED_UPDATE)
    await expect(form).to_have_count(0)
    await expect(tab.page.get_by_role("list", name="Files to send")).to_have_count(0)


async def test_a_form_of_old_is_filled_in_with_the_selects_that_are_left(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    tab = await open_tab(stage)
    await show(tab, stage, bot, sent, PLAIN)
    await tab.type("Fog")
    await tab.form.get_by_role("combobox", name="Role").click()
    await tab.type("paint")
    await tab.press("Enter")
    await tab.form.get_by_role("combobox", name="Anybody").click()
    await tab.type("oliv")
    await tab.press("Enter")
    await tab.form.get_by_role("button", name="Submit").click()
    submitted = await sent.next()
    values = values_of(submitted)
    resolved = object_at(object_at(submitted.payload, "data"), "resolved")
    assert values == {
        "subject": "Fog",
        "role": list(object_at(resolved, "roles")),
        "anybody": list(object_at(resolved, "users")),
    }


async def test_a_form_is_closed_by_esc_and_by_cancel_and_gives_the_focus_back(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    tab = await open_tab(stage)
    for leave in ("Escape", "Cancel"):
        await show(tab, stage, bot, sent, TEXTS)
        if leave == "Escape":
            await tab.press("Escape", "Escape")
        else:
            await tab.form.get_by_role("button", name="Cancel").click()
        await expect(tab.form).to_have_count(0)
        await expect(tab.messages.get_by_role("button", name="Primary").first).to_be_focused()
        await tab.page.reload()
        await expect(tab.log).to_be_visible()
        await expect(tab.form).to_have_count(0)
        for message in stage.sandbox.discord.messages(stage.sandbox.world.guilds[0].channels[0]):
            stage.sandbox.discord.delete(message)
    assert sent.nothing


async def test_esc_closes_an_open_list_first_and_the_form_only_then(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    tab = await open_tab(stage)
    await show(tab, stage, bot, sent, TEXTS)
    await tab.form.get_by_role("combobox", name="Colours").click()
    await expect(tab.form.get_by_role("listbox")).to_be_visible()
    await tab.press("Escape")
    await expect(tab.form.get_by_role("listbox")).to_have_count(0)
    await expect(tab.form).to_be_visible()
    await tab.press("Escape")
    await expect(tab.form).to_have_count(0)


async def test_a_form_that_nobody_answers_says_so_keeps_what_was_written_and_is_sent_again(
    stage: RunningPage,
    open_tab: OpenTab,
    bot: StandIn,
    sent: Sent,
    monkeypatch: pytest.MonkeyPatch,
):
    tab = await open_tab(stage)
    await show(tab, stage, bot, sent, PLAIN)
    await tab.type("Fog")
    await tab.form.get_by_role("combobox", name="Role").click()
    await tab.press("Enter")
    monkeypatch.setattr("sandbox.page.mirror.SECONDS_TO_ACKNOWLEDGE", 0.1)
    await tab.form.get_by_role("button", name="Submit").click()
    (await sent.next()).too_late()
    await expect(tab.form.get_by_role("alert")).to_have_text("Something went wrong. Try again.")
    await expect(tab.form.get_by_role("textbox", name="Subject")).to_have_value("Fog")
    await tab.form.get_by_role("button", name="Submit").click()
    await bot.answer(await sent.next(), CallbackType.DEFERRED_UPDATE)
    await expect(tab.form).to_have_count(0)


async def test_a_form_survives_a_reload_and_is_shown_to_its_own_person_alone(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    ada, ben = await open_tab(stage), await open_tab(stage, "Ben")
    await show(ada, stage, bot, sent, PLAIN)
    await ada.page.reload()
    await expect(ada.form.get_by_role("heading")).to_have_text("As of old")
    await expect(ben.form).to_have_count(0)
    await ada.press("Escape")
    await expect(ada.form).to_have_count(0)
