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
    card = tab.message("make it blue").filter(
        has=tab.page.get_by_role("button", name="Before & after")
    )
    await expect(card.get_by_role("img", name="make it blue")).to_be_visible()
    return card


async def test_a_result_is_edited_again_by_a_form_and_run_again_by_anybody(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    ada = await open_tab(live)
    await edit(ada, photo)
    ben = await open_tab(live, "Ben")
    card = ben.message("make it blue")
    await card.get_by_role("button", name="Edit this").click()
    await ben.fill_in(Prompt="make it red", Quality="High", Number_of_images="2")
    again = ben.message("make it red")
    await expect(again.get_by_role("img", name="make it red")).to_have_count(2)
    await expect(again).to_contain_text("High · 4:3 · 32 credits")
    await expect(again).to_contain_text("@Ben")

    await card.get_by_role("button", name="Run again (8 credits)").click()
    await expect(ben.message("make it blue")).to_have_count(2)
    await expect(ben.latest_edit).to_contain_text("captured 8")


async def test_a_source_that_discord_removed_is_asked_for_in_a_form(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    card = await edit(tab, photo)
    forget_sources(live.sandbox)
    await card.get_by_role("button", name="Run again").click()
    await expect(tab.form.get_by_role("textbox", name="Prompt")).to_have_value("make it blue")
    async with tab.page.expect_file_chooser() as chooser:
        await tab.form.get_by_role("button", name="choose files").click()
    await (await chooser.value).set_files(photo)
    await tab.fill_in()
    await expect(tab.message("make it blue")).to_have_count(2)
    await expect(tab.messages.last.get_by_role("img", name="make it blue")).to_be_visible()

    await card.first.get_by_role("button", name="Before & after").click()
    await expect(tab.message("The original image is no longer on Discord.")).to_be_visible()


async def test_source_and_result_are_compared_and_a_long_prompt_is_unfolded(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    card = await edit(tab, photo, "make it blue and " * 30 + "green")
    await card.get_by_role("button", name="Before & after").click()
    compared = tab.message("Before and after")
    await expect(compared.get_by_role("img")).to_have_count(2)
    await expect(compared).to_contain_text("Only you can see this")
    await expect(card).not_to_contain_text("green")
    await card.get_by_role("button", name="Full prompt").click()
    await expect(tab.message("and green").filter(has_text="Only you can see this")).to_be_visible()


@pytest.mark.parametrize("private", [False, True])
async def test_a_card_is_deleted_after_one_question(
    live: RunningPage, open_tab: OpenTab, photo: Path, private: bool
):
    tab = await open_tab(live)
    await tab.edit("make it blue private:true" if private else "make it blue", photo)
    card = tab.message("make it blue")
    await expect(tab.latest_edit).to_contain_text("captured 8")
    # Until the question is gone, "Delete" stands there as well.
    delete = card.get_by_role("button", name="Delete", exact=True)
    await delete.click()
    question = tab.message("Delete this edit?")
    if private:
        await question.get_by_role("button", name="Cancel").click()
        await delete.click()
    await question.get_by_role("button", name="Delete").click()
    await expect(card).to_have_count(0)
    if not private:
        await expect(tab.message("Deleted.")).to_be_visible()


async def test_an_image_of_any_message_is_edited_by_its_menu(
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
    await tab.fill_in(Which_image="second.png", Prompt="make it green", Aspect_ratio="21:9")
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
            What_to_keep="the sky",
            What_to_change="a red boat",
            Style_and_lighting="oil paint",
            Text_to_add="AHOY",
        )
        shown = tab.message("Here's your prompt")
        await expect(shown).to_contain_text('Text in the image, exactly: "AHOY"')
        await expect(shown).to_contain_text("1 Medium image · 8 credits")
        await shown.get_by_role("button", name=last).click()
    await expect(tab.message("Draft discarded.")).to_be_visible()
    made = tab.messages.filter(has=tab.page.get_by_role("button", name="Edit this"))
    await expect(made).to_contain_text("a red boat")
