"""Edits that wait, in the browser: what their cards say, and *Cancel*."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.faults import EditFault, Hang
from sandbox.page.running import RunningPage
from tests.images_made import photo as upload
from tests.page.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="package")


@asynccontextmanager
async def hanging(live: RunningPage, prompt: str) -> AsyncGenerator[Hang]:
    """Let the calls with a prompt hang until they are released, at the end at the latest."""
    called = Hang()
    fault = live.sandbox.faults.edit_api.add(EditFault(action=called, prompt=prompt, times=None))
    try:
        yield called
    finally:
        live.sandbox.faults.edit_api.remove(fault)
        called.release()


@asynccontextmanager
async def one_in_front(live: RunningPage) -> AsyncGenerator[Hang]:
    """Let an edit of Ben's be under way until it is released, at the end at the latest."""
    guild = live.sandbox.world.guilds[0]
    ben = next(each for each in guild.members.values() if each.name == "Ben")
    calls = len(live.sandbox.edit_api.calls)
    async with hanging(live, "^in front$") as called:
        options = {"image": upload(), "prompt": "in front"}
        edit = await live.sandbox.discord.invoke(guild.channels[0], ben, "edit", options)
        await live.sandbox.edit_api.called(calls + 1)
        yield called
    await edit.posted()


async def test_a_card_shows_the_place_in_the_line_then_a_bar_then_the_images(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    async with one_in_front(live) as in_front, hanging(live, "blue$") as called:
        await tab.edit("make it blue", photo)
        card = tab.messages.nth(1)
        await expect(card).to_contain_text("#1 in queue")
        await expect(card.get_by_role("button", name="Cancel")).to_be_visible()
        in_front.release()
        await expect(card).to_contain_text(re.compile(r"[▰▱]{20}\s\d+% · "))
        await expect(card.get_by_role("button", name="Cancel")).to_have_count(0)
        called.release()
        await expect(card.get_by_role("img", name="make it blue")).to_be_visible()
    await expect(card).not_to_contain_text("%")
    await expect(card).to_contain_text(re.compile(r"Before & after\s*Delete\s*\(edited\)"))


async def test_an_edit_that_waits_is_cancelled_at_no_cost_and_run_again_or_deleted(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    async with one_in_front(live):
        await tab.edit("make it blue", photo)
        card = tab.messages.nth(1)
        await card.get_by_role("button", name="Cancel").click()
        await expect(tab.message("Canceled. You weren't charged.").last).to_contain_text(
            "Only you can see this"
        )
        await expect(card).to_contain_text(
            re.compile(r"Edit canceled.*Run again \(8 credits\)\s*Delete\s*\(edited\)")
        )
        await expect(tab.latest_edit).to_contain_text("voided 8 · cancelled")

        await card.get_by_role("button", name="Run again").click()
        await expect(tab.messages.last).to_contain_text("#1 in queue")
    await expect(tab.messages.last.get_by_role("img", name="make it blue")).to_be_visible()

    await card.get_by_role("button", name="Delete").click()
    question = tab.message("Delete this edit?")
    await expect(question).not_to_contain_text("refunded")
    await question.get_by_role("button", name="Delete").click()
    await expect(tab.message("Edit canceled")).to_have_count(0)
