"""The way of an edit through the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from bot.sandbox.page.running import RunningPage
    from tests.page.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_dropped_picture_becomes_an_edit_that_is_posted_and_captured(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    await tab.writing.fill("/ed")
    await tab.choice("/edit").click()
    await tab.drop(tab.writing, photo)
    await tab.type("make it blue")
    await tab.press("Enter")

    card = tab.message("make it blue")
    picture = card.get_by_role("img", name="make it blue")
    await expect(picture).to_be_visible()
    assert (
        await picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 64
    )
    await expect(card.get_by_text("Ada used /edit")).to_be_visible()
    await expect(tab.latest_edit.get_by_role("listitem")).to_contain_text(
        ["held 8", "acknowledged", "sent", "rendered 1", "posted 1", "captured 8"]
    )
    await expect(tab.writing).to_have_value("")
    await expect(tab.writing).to_be_focused()


async def test_a_picture_may_be_dropped_anywhere_on_the_page(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    for place in (tab.log, tab.panel, tab.writing):
        await tab.drop(place, photo)
    files = tab.page.get_by_role("list", name="Files to send").get_by_role("listitem")
    await expect(files).to_have_count(3)
    assert len(tab.page.context.pages) == 1
