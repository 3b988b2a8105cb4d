"""The way of an edit through the page."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.page.running import RunningPage
from tests.page.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_dropped_image_becomes_an_edit_that_is_posted_and_captured(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    await tab.writing.fill("/ed")
    await tab.choice("/edit").click()
    await tab.drop(tab.writing, photo)
    await tab.type("make it blue")
    await tab.press("Enter")

    card = tab.message("make it blue")
    image = card.get_by_role("img", name="make it blue")
    await expect(image).to_be_visible()
    assert await image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    await expect(card.get_by_text("Ada used /edit")).to_be_visible()
    await expect(tab.latest_edit.get_by_role("listitem")).to_contain_text(
        ["held 8", "acknowledged", "sent", "rendered 1", "posted 1", "captured 8"]
    )
    await expect(tab.writing).to_have_value("")
    await expect(tab.writing).to_be_focused()

    await image.click()
    large = tab.page.get_by_role("dialog", name="make it blue")
    await expect(large.get_by_role("img")).to_be_visible()
    await tab.press("Escape")
    await expect(large).to_have_count(0)


async def test_an_image_may_be_dropped_anywhere_on_the_page(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    for place in (tab.log, tab.panel, tab.writing):
        await tab.drop(place, photo)
    files = tab.page.get_by_role("list", name="Files to send").get_by_role("listitem")
    await expect(files).to_have_count(3)
    assert len(tab.page.context.pages) == 1


async def test_an_edit_of_the_sample_image_is_imitated_in_a_thread(
    own_page: RunningPage, open_tab: OpenTab
):
    own_page.sandbox.edit_api.answer_with([])
    tab = await open_tab(own_page)
    await tab.go("Lighthouse", "Harbour at dawn")
    await tab.page.get_by_role("button", name="Use a sample image").click()
    await expect(tab.page.get_by_role("list", name="Files to send")).to_contain_text("sample.jpg")
    await tab.command("/edit prompt:let the sun rise quality:low count:2 ")
    await tab.press("Enter")
    await expect(tab.message("let the sun rise").get_by_role("img")).to_have_count(2)
    await expect(tab.latest_edit).to_contain_text("captured 8")


# Quotas.


async def test_a_moderator_sets_a_quota_and_the_member_is_refused_with_nothing_held(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    await tab.go("Sketch Club", "images")
    await tab.become("Mona")
    await tab.writing.focus()
    await tab.type("/quota us")
    await tab.press("Enter")
    await tab.type("ben")
    await tab.press("Enter")
    # The bot itself says what a sum buys.
    await tab.type("4")
    await expect(tab.choice("4 · 1 Low")).to_be_visible()
    await expect(tab.choice("40 · 2 High or 5 Medium or 10 Low")).to_be_visible()
    await tab.press("Enter")
    await tab.press("Enter")
    told = tab.message("Mona used /quota user")
    await expect(told).to_contain_text("@Ben")
    await expect(told).to_contain_text("4 credits")
    await expect(told).to_contain_text("Only you can see this")

    await tab.become("Ben")
    await expect(told).to_have_count(0)
    edits = await tab.panel.locator(".edits > li").count()
    await tab.edit("make it blue", photo)
    refused = tab.message("Ben used /edit")
    await expect(refused).to_contain_text("4 left")
    await expect(refused).to_contain_text("Only you can see this")
    await expect(tab.panel.locator(".edits > li")).to_have_count(edits + 1)
    await expect(tab.latest_edit.get_by_role("listitem")).to_contain_text(["refused"])
    await tab.edit("make it grey quality:low", photo)
    await expect(tab.message("make it grey").get_by_role("img")).to_be_visible()
    await expect(tab.latest_edit).to_contain_text("captured 4")


async def test_an_autocompletion_that_finds_nothing_or_gets_no_answer_says_so(
    live: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(live, "Mona")
    await tab.command("/quota default credits:lots")
    await expect(tab.picker).to_contain_text("No options match your search.")
    await tab.press("Enter")
    await expect(tab.message("/quota default")).to_contain_text("lots isn't valid for credits")
