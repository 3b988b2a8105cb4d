"""Result cards in the browser: each button is pressed, and each form is filled in and sent."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from sandbox.page.running import RunningPage
from tests.members import forget_sources
from tests.page.browser import Tab
from tests.page.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def edit(tab: Tab, photo: Path, prompt: str = "make it blue") -> Locator:
    """Run `/edit`; the card that is posted."""
    await tab.edit(prompt, photo)
    card = tab.message("make it blue").filter(has=tab.page.get_by_role("button", name="Compare"))
    await expect(card.get_by_role("img", name="make it blue")).to_be_visible()
    return card


async def test_a_result_is_edited_again_by_a_form_and_run_again_by_anybody(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    ada = await open_tab(live)
    await edit(ada, photo)
    ben = await open_tab(live, "Ben")
    card = ben.message("make it blue")
    await card.get_by_role("button", name="Edit again").click()
    await ben.fill_in(What_to_change="make it red", Quality="High", How_many_pictures="2")
    again = ben.message("make it red")
    await expect(again.get_by_role("img", name="make it red")).to_have_count(2)
    await expect(again).to_contain_text("High · 4:3 · 32 credits")
    await expect(again).to_contain_text("@Ben")

    await card.get_by_role("button", name="Run again · 8").click()
    await expect(ben.message("make it blue")).to_have_count(2)
    await expect(ben.latest_edit).to_contain_text("captured 8")


async def test_a_source_that_discord_removed_is_asked_for_in_a_form(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    card = await edit(tab, photo)
    forget_sources(live.sandbox)
    await card.get_by_role("button", name="Run again").click()
    await expect(tab.form.get_by_role("textbox", name="What to change")).to_have_value(
        "make it blue"
    )
    async with tab.page.expect_file_chooser() as chooser:
        await tab.form.get_by_role("button", name="choose files").click()
    await (await chooser.value).set_files(photo)
    await tab.fill_in()
    await expect(tab.message("make it blue")).to_have_count(2)
    await expect(tab.messages.last.get_by_role("img", name="make it blue")).to_be_visible()

    await card.first.get_by_role("button", name="Compare").click()
    await expect(tab.message("Discord has removed the picture")).to_be_visible()


async def test_source_and_result_are_compared_and_a_long_prompt_is_unfolded(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    card = await edit(tab, photo, "make it blue and " * 30 + "green")
    await card.get_by_role("button", name="Compare").click()
    compared = tab.message("The source, and the result")
    await expect(compared.get_by_role("img")).to_have_count(2)
    await expect(compared).to_contain_text("Only you can see this")
    await expect(card).not_to_contain_text("green")
    await card.get_by_role("button", name="Whole prompt").click()
    await expect(tab.message("and green").filter(has_text="Only you can see this")).to_be_visible()


@pytest.mark.parametrize("private", [False, True])
async def test_a_card_is_deleted_after_one_question(
    live: RunningPage, open_tab: OpenTab, photo: Path, private: bool
):
    tab = await open_tab(live)
    await tab.edit("make it blue private:true" if private else "make it blue", photo)
    card = tab.message("make it blue")
    await expect(tab.latest_edit).to_contain_text("captured 8")
    # Until the question is gone, "Delete for good" stands there as well.
    delete = card.get_by_role("button", name="Delete", exact=True)
    await delete.click()
    question = tab.message("Delete this message for good?")
    if private:
        await question.get_by_role("button", name="Keep it").click()
        await delete.click()
    await question.get_by_role("button", name="Delete for good").click()
    await expect(card).to_have_count(0)
    if not private:
        await expect(tab.message("The message is deleted")).to_be_visible()


async def test_a_picture_of_any_message_is_edited_by_its_menu(
    live: RunningPage, open_tab: OpenTab, photo: Path, tmp_path: Path
):
    second = tmp_path / "second.png"
    second.write_bytes(photo.read_bytes())
    tab = await open_tab(live)
    await tab.choose(photo, second)
    await tab.writing.fill("look")
    await tab.press("Enter")
    await expect(tab.message("look").get_by_role("img")).to_have_count(2)
    await tab.message("look").get_by_text("look").click(button="right")
    await tab.page.get_by_role("menuitem", name="Edit image").click()
    await tab.fill_in(Which_picture="second.png", What_to_change="make it green", Size="21:9")
    await expect(tab.message("make it green").get_by_role("img")).to_be_visible()
    await expect(tab.message("make it green")).to_contain_text("21:9")


async def test_a_guided_edit_is_shown_before_it_is_made(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    for last in ("Discard", "Make it"):
        await tab.writing.fill("/edit-guided")
        await tab.press("Enter")
        await tab.choose(photo)
        await tab.press("Enter")
        await tab.fill_in(
            What_stays="the sky",
            What_changes="a red boat",
            The_look="oil paint",
            Text_in="AHOY",
        )
        shown = tab.message("This is what will be asked for")
        await expect(shown).to_contain_text('Text in the picture, exactly: "AHOY"')
        await expect(shown).to_contain_text("Medium × 1 costs 8 credits")
        await shown.get_by_role("button", name=last).click()
    await expect(tab.message("Discarded.")).to_be_visible()
    made = tab.messages.filter(has=tab.page.get_by_role("button", name="Edit again"))
    await expect(made).to_contain_text("a red boat")
