"""Several people at once, coming back, and a sandbox that is gone."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.page.running import RunningPage, running_page
from tests.page.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_two_tabs_are_two_people_at_once(live: RunningPage, open_tab: OpenTab, photo: Path):
    ada, mona = await open_tab(live), await open_tab(live, "Mona")
    await ada.command("/credits ")
    await ada.press("Enter")
    await expect(ada.message("Ada used /credits")).to_contain_text("Only you can see this")
    await ada.edit("make it blue", photo)
    for tab in (ada, mona):
        await expect(tab.message("make it blue").get_by_role("img")).to_be_visible()
    await expect(mona.messages).to_have_count(1)

    card = mona.message("make it blue")
    await card.hover()
    await card.get_by_role("button", name="More").click()
    await mona.page.get_by_role("menuitem", name="Delete Message").click()
    for tab in (ada, mona):
        await expect(tab.message("make it blue")).to_have_count(0)
    await expect(ada.message("Ada used /credits")).to_be_visible()


async def test_a_reload_loses_nothing(live: RunningPage, open_tab: OpenTab, photo: Path):
    tab = await open_tab(live, "Olive")
    await tab.go("Lighthouse", "images")
    await tab.page.get_by_role("button", name="Light theme").click()
    await tab.switch("Declines")
    await tab.writing.fill("ahoy")
    await tab.press("Enter")
    await tab.command("/credits ")
    await tab.press("Enter")
    await expect(tab.message("Olive used /credits")).to_be_visible()
    await tab.switch("Declines", on=False)
    await tab.switch("Never answers")
    await tab.edit("make it blue quality:low", photo)
    await expect(tab.latest_edit).to_contain_text(re.compile("Olive.*sent", re.DOTALL))
    before = await tab.log.aria_snapshot()

    await tab.page.reload()
    await expect(tab.message("Olive used /edit")).to_contain_text("thinking")
    assert await tab.log.aria_snapshot() == before
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("# images")
    await expect(tab.page.get_by_role("button", name="Olive")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(tab.page.get_by_role("button", name="Dark theme")).to_be_visible()
    await expect(tab.panel.get_by_text("1 on")).to_be_visible()
    await expect(tab.latest_edit).to_contain_text("held 4")
    await tab.switch("Never answers", on=False)
    await expect(tab.latest_edit).to_contain_text("captured 4")


async def test_a_page_whose_sandbox_ends_says_so(open_tab: OpenTab):
    async with running_page(port=0) as running:
        tab = await open_tab(running)
        tab.expected = ("WebSocket", "ERR_CONNECTION_REFUSED")
    await expect(tab.page.get_by_text("The sandbox does not answer; trying again…")).to_be_visible()
    await tab.writing.fill("ahoy")
    await tab.press("Enter")
    await expect(tab.page.get_by_role("alert")).to_have_text("The sandbox does not answer.")
    await expect(tab.writing).to_have_value("ahoy")


async def test_a_new_tab_has_the_systems_theme(live: RunningPage, open_tab: OpenTab):
    tab = await open_tab(live)
    await expect(tab.page.get_by_role("button", name="Light theme")).to_be_visible()
    await tab.page.emulate_media(color_scheme="light")
    await tab.page.reload()
    await expect(tab.page.get_by_role("button", name="Dark theme")).to_be_visible()
    await tab.page.emulate_media(color_scheme="dark")
