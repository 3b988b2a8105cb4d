"""Whatever an application may send is drawn, or said to be not drawn."""

import asyncio
from textwrap import dedent
from typing import Any

import pytest
from playwright.async_api import expect

from sandbox.discord.guilds import Channel
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.page.running import RunningPage
from sandbox.values import JsonObject, as_array, as_object, object_at
from tests.page.conftest import OpenTab, Sent
from tests.page.samples import (
    BUTTONS,
    PUT,
    SELECTS,
    SENT,
    SPOILERS,
    button,
    gallery,
    row,
    text,
    v2,
)
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def channel(stage: RunningPage) -> Channel:
    """Where the page begins."""
    return stage.sandbox.world.guilds[0].channels[0]


async def test_each_kind_of_message_is_drawn_or_said_to_be_not_drawn(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel
):
    tab = await open_tab(stage)
    posted = [(sample, await sample.post(bot, channel)) for sample in (*SENT, *PUT)]
    for sample, message in posted:
        drawn = tab.page.locator(f"#message-{message.id}")
        await expect(drawn, sample.name).to_match_aria_snapshot(dedent(sample.drawn))
        for element in sample.elements:
            await expect(drawn.locator(element), sample.name).to_be_visible()


async def test_a_reply_shows_what_it_answers_until_that_is_gone(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel
):
    first = await bot.post(channel, {"content": "Which lamp?"})
    await bot.post(
        channel, {"content": "The old one", "message_reference": {"message_id": str(first.id)}}
    )
    tab = await open_tab(stage)
    reply = tab.message("The old one")
    await expect(reply).to_contain_text("Which lamp?")
    stage.sandbox.discord.delete(first)
    await expect(reply).to_contain_text("Original message was deleted")
    await expect(reply).not_to_contain_text("Which lamp?")


# Buttons.


async def test_every_button_waits_until_the_bot_answers(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel, sent: Sent
):
    message = await BUTTONS.post(bot, channel)
    tab = await open_tab(stage)
    pressable = {
        "Primary": "primary",
        "Secondary": "secondary",
        "Success": "success",
        "Danger": "danger",
        "🎨": "emoji",
        ":party:": "own",
    }
    for label, custom_id in pressable.items():
        button = tab.messages.get_by_role("button", name=label)
        await button.dblclick()
        interaction = await sent.next()
        pressed = object_at(interaction.payload, "data")
        assert (pressed["component_type"], pressed["custom_id"]) == (2, custom_id)
        assert object_at(interaction.payload, "message")["id"] == str(message.id)
        await expect(button).to_have_attribute("aria-busy", "true")
        # While it waits, it cannot be pressed again.
        await button.press("Enter")
        changed: JsonObject = {"content": f"Pressed {label}"}
        await bot.answer(interaction, CallbackType.UPDATE, changed)
        await expect(tab.message(f"Pressed {label}")).to_contain_text("(edited)")
        await expect(button).to_have_attribute("aria-busy", "false")
    assert sent.nothing


async def test_a_message_that_changes_while_its_button_is_answered_keeps_its_order(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel, sent: Sent
):
    tab = await open_tab(stage)
    message = await bot.post(channel, {"content": "In line", "components": [row(button(2, "Go"))]})
    # On a slow machine both changes are drawn in one frame.
    slowing: Any = await tab.page.context.new_cdp_session(tab.page)
    await slowing.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    await tab.messages.get_by_role("button", name="Go").click()
    pressed = await sent.next()
    changed: JsonObject = {"content": "", **v2(text("Done"))}
    await asyncio.gather(
        bot.answer(pressed, CallbackType.DEFERRED_UPDATE),
        bot.send("PATCH", f"/channels/{channel.id}/messages/{message.id}", changed),
    )
    await expect(tab.message("Done")).to_contain_text("Done(edited)")
    await slowing.detach()


async def test_links_shop_items_and_disabled_buttons_send_nothing(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel, sent: Sent
):
    await BUTTONS.post(bot, channel)
    tab = await open_tab(stage)
    link = tab.messages.get_by_role("link", name="Link")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    for name in ("Shop item", "Off"):
        await tab.messages.get_by_role("button", name=name).click(force=True)
    await tab.messages.get_by_role("button", name="Primary").click()
    assert (await sent.data())["custom_id"] == "primary"
    assert sent.nothing


async def test_a_press_that_nobody_answers_fails_after_three_seconds_until_the_next(
    stage: RunningPage,
    open_tab: OpenTab,
    bot: StandIn,
    channel: Channel,
    sent: Sent,
    monkeypatch: pytest.MonkeyPatch,
):
    await BUTTONS.post(bot, channel)
    ada, ben = await open_tab(stage), await open_tab(stage, "Ben")
    failed = ada.messages.get_by_text("This interaction failed")
    button = ada.messages.get_by_role("button", name="Danger")
    monkeypatch.setattr("sandbox.page.mirror.SECONDS_TO_ACKNOWLEDGE", 0.1)
    await button.click()
    await expect(failed).to_be_visible()
    await expect(button).to_have_attribute("aria-busy", "false")
    await expect(ben.messages.get_by_text("This interaction failed")).to_have_count(0)
    await ada.page.reload()
    await expect(failed).to_be_visible()

    monkeypatch.undo()
    await sent.next()
    await button.click()
    await expect(failed).to_have_count(0)
    await bot.answer(await sent.next(), CallbackType.DEFERRED_UPDATE)
    await expect(button).to_have_attribute("aria-busy", "false")
    await expect(failed).to_have_count(0)


async def test_an_answer_to_a_press_may_be_for_whoever_pressed_alone(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel, sent: Sent
):
    await BUTTONS.post(bot, channel)
    ada, ben = await open_tab(stage), await open_tab(stage, "Ben")
    await ada.messages.get_by_role("button", name="Primary").click()
    data: JsonObject = {"content": "Only for Ada", "flags": 1 << 6}
    await bot.answer(await sent.next(), CallbackType.MESSAGE, data)
    answer = ada.message("Only for Ada")
    await expect(answer.get_by_text("Only you can see this")).to_be_visible()
    await expect(ben.message("Only for Ada")).to_have_count(0)
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)
    await ada.page.reload()
    await expect(ada.message("Buttons")).to_be_visible()
    await expect(answer).to_have_count(0)


# Selects.


async def test_several_are_chosen_within_what_a_select_takes(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel, sent: Sent
):
    await SELECTS.post(bot, channel)
    tab = await open_tab(stage)
    select = tab.messages.get_by_role("combobox", name="Pick colours")
    options = tab.page.get_by_role("listbox", name="Pick colours")
    await select.click()
    await expect(options.get_by_role("option")).to_have_text(
        ["🍎RedAs apples", "Green", "Blue", "White"]
    )
    await options.get_by_role("option", name="Red").click()
    await tab.press("Escape")
    await expect(tab.messages.get_by_role("alert")).to_have_text("Choose at least 2.")

    await select.click()
    for name in ("Green", "Blue"):
        await options.get_by_role("option", name=name).click()
    white = options.get_by_role("option", name="White")
    await white.click(force=True)
    await expect(white).to_be_disabled()
    await expect(white).to_have_attribute("aria-selected", "false")
    await tab.press("Escape")
    chosen = await sent.data()
    assert (chosen["component_type"], chosen["custom_id"]) == (3, "colours")
    assert chosen["values"] == ["red", "green", "blue"]
    await expect(tab.messages.get_by_role("alert")).to_have_count(0)
    assert sent.nothing


async def test_people_roles_and_channels_are_found_by_typing(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel, sent: Sent
):
    await SELECTS.post(bot, channel)
    tab = await open_tab(stage)
    searches = [
        ("user", "be", 5, {"users": "Ben", "members": None}),
        ("role", "paint", 6, {"roles": "Painter"}),
        ("mentionable", "moder", 7, {"roles": "Moderator"}),
        ("channel", "imag", 8, {"channels": "images"}),
    ]
    for select, typed, kind, names in searches:
        box = tab.messages.get_by_role("combobox", name=f"Pick {select}")
        await box.press("Enter")
        await tab.type(typed)
        options = tab.page.get_by_role("listbox", name=f"Pick {select}").get_by_role("option")
        await expect(options).to_have_count(1)
        await tab.press("Enter", "Escape")
        interaction = await sent.next()
        chosen = object_at(interaction.payload, "data")
        assert (chosen["component_type"], chosen["custom_id"]) == (kind, select)
        resolved = object_at(chosen, "resolved")
        assert resolved.keys() == names.keys()
        assert as_array(chosen["values"]) == list(object_at(resolved, next(iter(names))))
        for key, name in names.items():
            (named,) = (as_object(each) or {} for each in object_at(resolved, key).values())
            assert name in {None, named.get("name"), named.get("global_name")}
        await expect(box).to_have_attribute("aria-busy", "true")
        await bot.answer(interaction, CallbackType.DEFERRED_UPDATE)
        await expect(box).to_have_attribute("aria-busy", "false")


async def test_a_channel_select_offers_what_its_types_and_the_person_allow(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel
):
    await SELECTS.post(bot, channel)
    tab = await open_tab(stage)
    await tab.messages.get_by_role("combobox", name="Pick channel").click()
    options = tab.page.get_by_role("listbox", name="Pick channel").get_by_role("option")
    await expect(options).to_contain_text(["general", "images"])


# Images.


async def test_an_image_is_enlarged_and_turned_to_the_next_and_closed_by_esc(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel
):
    await gallery(3).post(bot, channel)
    tab = await open_tab(stage)
    second = tab.messages.get_by_role("button", name="Image 2.png")
    await second.click()
    large = tab.page.get_by_role("dialog")
    await expect(large.get_by_role("img")).to_have_attribute("alt", "Image 2.png")
    await large.get_by_role("button", name="Next image").click()
    await expect(large.get_by_role("img")).to_have_attribute("alt", "Image 3.png")
    await tab.press("ArrowRight")
    await expect(large.get_by_text("1 of 3")).to_be_visible()
    await tab.press("Escape")
    await expect(large).to_have_count(0)
    await expect(second).to_be_focused()


async def test_a_spoiler_is_lifted_by_a_click_and_stays_so(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, channel: Channel
):
    await SPOILERS.post(bot, channel)
    tab = await open_tab(stage)
    covers = tab.messages.get_by_role("button", name="Spoiler: show it")
    for left in range(4, 0, -1):
        await expect(covers).to_have_count(left)
        await covers.first.click()
    await expect(covers).to_have_count(0)
    await expect(tab.messages.get_by_role("img", name="Hidden")).to_be_visible()
    for words in ("hidden words", "hidden.txt", "a secret"):
        await expect(tab.messages.get_by_text(words)).to_be_visible()
