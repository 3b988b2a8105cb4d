"""`/history` and `/help` in the browser."""

import pytest
from playwright.async_api import expect

from sandbox.discord.messages import Message
from sandbox.page.running import RunningPage
from tests.images_made import photo as upload
from tests.page.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="package")

OVER_A_PAGE = 6


async def test_history_is_paged_and_goes_on_from_what_it_shows(
    live: RunningPage, open_tab: OpenTab
):
    guild = live.sandbox.world.guilds[1]
    olive = next(each for each in guild.members.values() if each.name == "Olive")
    posted: list[Message] = []
    for number in range(OVER_A_PAGE):
        options = {"image": upload(), "prompt": f"boat {number}", "quality": "low"}
        edit = await live.sandbox.discord.invoke(guild.channels[0], olive, "edit", options)
        posted.append(await edit.posted())
    live.sandbox.discord.delete(posted[-1])

    tab = await open_tab(live, "Olive")
    await tab.go("Sketch Club")
    await tab.command("/history ")
    await tab.press("Enter")
    history = tab.message("Your edits · ")
    await expect(history).to_contain_text("6 total · Page 1 of 2")
    await expect(history.get_by_role("img")).to_have_count(4)
    await expect(history.get_by_role("link", name="Open")).to_have_count(4)
    await expect(history).to_contain_text("Message deleted.")
    await expect(history).to_contain_text("Only you can see this")

    await history.get_by_role("button", name="Edit this").first.click()
    await tab.fill_in(Prompt="a bigger boat")
    await expect(tab.message("a bigger boat").get_by_role("img")).to_be_visible()
    await history.get_by_role("button", name="Next").click()
    await expect(history).to_contain_text("Page 2 of 2")
    await expect(history.get_by_role("img", name="boat 0")).to_be_visible()
    await history.get_by_role("button", name="Run again (4 credits)").last.click()
    await expect(tab.message("boat 0").last.get_by_role("img", name="boat 0")).to_be_visible()
    await expect(tab.latest_edit).to_contain_text("captured 4")


async def test_help_is_shown_as_lists_to_whoever_asks_alone(live: RunningPage, open_tab: OpenTab):
    tab = await open_tab(live)
    await tab.command("/help ")
    await tab.press("Enter")
    page = tab.message("Prompt tips")
    await expect(page).to_contain_text("4 (Low)")
    await expect(page.get_by_role("listitem")).to_have_count(6 + 4 + 3 + 3)
    await expect(page.locator("strong", has_text="Edit this").last).to_be_visible()
    await expect(page).to_contain_text("Only you can see this")
