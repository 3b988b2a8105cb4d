"""What is being written stays where it was begun, and nothing of it is lost or sent unseen."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.page.running import RunningPage
from tests.page.conftest import OpenTab, Sent

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_each_person_has_a_draft_in_each_channel_over_a_reload_too(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.command("half a sent")
    await tab.become("Ben")
    await expect(tab.writing).to_have_value("")
    await tab.command("/edit prompt:make it blue")
    await tab.go("Lighthouse", "images")
    await expect(tab.writing).to_have_value("")
    await tab.go("Lighthouse", "general")
    await expect(tab.writing).to_have_value("make it blue")
    await tab.page.reload()
    await expect(tab.writing).to_have_value("make it blue")
    await expect(tab.page.locator(".line.command > strong")).to_have_text("/edit")
    await tab.become("Ada")
    await expect(tab.writing).to_have_value("half a sent")


async def test_words_behind_a_command_are_not_thrown_away(
    stage: RunningPage, open_tab: OpenTab, sent: Sent
):
    tab = await open_tab(stage)
    await tab.command("/credits ")
    await tab.type("and more")
    await tab.press("Enter")
    alert = tab.page.locator(".composer").get_by_role("alert")
    await expect(alert).to_have_text("/credits has no option “and more”.")
    await expect(tab.writing).to_have_value("and more")
    assert sent.nothing


async def test_a_file_too_many_is_said(stage: RunningPage, open_tab: OpenTab, photo: Path):
    tab = await open_tab(stage)
    await tab.command("/edit ")
    await tab.choose(photo, photo)
    alert = tab.page.locator(".composer").get_by_role("alert")
    await expect(alert).to_have_text("/edit takes one file.")
    await expect(tab.page.locator(".pill .file")).to_have_text("photo.png")


async def test_the_send_button_takes_the_command_that_is_marked(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    await tab.command("/credits")
    await tab.page.get_by_role("button", name="Send").click()
    await expect(tab.page.locator(".line.command > strong")).to_have_text("/credits")
    await expect(tab.messages).to_have_count(0)


async def test_ones_own_message_is_seen_wherever_one_had_scrolled_to(
    stage: RunningPage, open_tab: OpenTab
):
    tab = await open_tab(stage)
    guild = stage.sandbox.world.guilds[0]
    channel = guild.channels[0]
    mona = next(each for each in guild.members.values() if each.name == "Mona")
    for number in range(40):
        await stage.sandbox.discord.say(channel, mona, f"line {number}")
    await expect(tab.message("line 39")).to_be_in_viewport()
    await tab.log.evaluate("log => log.scrollTo(0, 0)")
    await expect(tab.page.get_by_text("Jump to the newest")).to_be_visible()
    await stage.sandbox.discord.say(channel, mona, "from somebody else")
    await expect(tab.message("from somebody else")).not_to_be_in_viewport()
    await tab.command("mine")
    await tab.press("Enter")
    await expect(tab.message("mine")).to_be_in_viewport()
    await expect(tab.page.get_by_text("Jump to the newest")).to_have_count(0)
