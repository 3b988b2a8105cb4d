"""What is made to go wrong from the page, and what becomes of edits then."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from cogs.text.outcomes import NOT_CHARGED
from sandbox.page.running import RunningPage
from tests.page.conftest import OpenTab
from tests.page.line import Line

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_fault_voids_an_edit_with_its_reason_until_it_is_switched_off(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    await tab.switch("Fails (500)")
    await expect(tab.panel.get_by_text("1 on")).to_be_visible()
    await tab.edit("make it blue", photo)
    steps = tab.latest_edit.get_by_role("listitem")
    await expect(steps.last).to_have_text("voided 8 · api failed")
    await expect(tab.message("Ada used /edit")).to_contain_text(NOT_CHARGED)
    await expect(tab.message("Ada used /edit").get_by_role("img")).to_have_count(0)
    other = await open_tab(live, "Ben")
    await other.switch("Fails (500)", on=False)
    await expect(tab.panel.get_by_role("switch", name="Fails (500)")).to_have_attribute(
        "aria-checked", "false"
    )
    await tab.edit("make it green", photo)
    await expect(steps.last).to_have_text("captured 8")
    await expect(tab.message("make it green").get_by_role("img")).to_be_visible()


async def test_a_killed_bot_delivers_what_was_rendered_without_a_second_call(
    own_page: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(own_page)
    await tab.switch("Answers fail (502)")
    await tab.edit("make it blue", photo)
    await expect(tab.latest_edit).to_contain_text("rendered 1")
    await tab.panel.get_by_role("button", name="kill -9").click()
    await expect(tab.panel.get_by_role("status")).to_have_text("offline")
    await tab.switch("Answers fail (502)", on=False)
    await tab.panel.get_by_role("button", name="Start").dblclick()
    await expect(tab.panel.get_by_role("status")).to_have_text("online")
    await expect(tab.message("make it blue").get_by_role("img")).to_be_visible()
    await expect(tab.latest_edit.get_by_role("listitem").last).to_have_text("captured 8")
    await expect(tab.latest_edit.get_by_text("captured 8")).to_have_count(1)
    assert len(own_page.sandbox.edit_api.calls) == 1
    assert own_page.bot.pid is not None


async def test_a_bot_that_is_killed_while_the_api_is_at_work_gives_the_hold_back(
    own_page: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(own_page)
    await tab.switch("Never answers")
    await tab.edit("make it blue", photo)
    await expect(tab.latest_edit).to_contain_text("sent")
    await expect(tab.message("Ada used /edit")).to_contain_text("thinking")
    await tab.panel.get_by_role("button", name="kill -9").click()
    await tab.panel.get_by_role("button", name="Start").click()
    await expect(tab.latest_edit.get_by_role("listitem").last).to_have_text(
        "voided 8 · interrupted"
    )
    await expect(tab.message("Ada used /edit")).to_contain_text(
        "Darkroom restarted while making your image."
    )
    assert len(own_page.sandbox.edit_api.calls) == 1


async def test_every_switch_goes_on_and_off_again_and_leaves_nothing_behind(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    async with Line.to(live.address) as line:
        lasting = [name for name, switch in line.records("switch") if not switch["once"]]
        for on in (True, True, False, False):
            for name in lasting:
                await line.do("switch", name=name, on=on)
    async with Line.to(live.address) as line:
        assert [name for name, switch in line.records("switch") if switch["on"]] == []
    tab = await open_tab(live)
    await tab.edit("make it blue", photo)
    await expect(tab.message("make it blue").get_by_role("img")).to_be_visible()
    await expect(tab.latest_edit.get_by_role("listitem").last).to_have_text("captured 8")


async def test_an_edit_is_posted_though_its_token_ran_out_and_the_gateway_was_cut(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    await tab.switch("Never answers")
    await tab.edit("make it blue", photo)
    await expect(tab.message("Ada used /edit")).to_contain_text("thinking")
    gateway = tab.panel.get_by_role("group", name="Gateway")
    await gateway.get_by_role("button", name="Cut the connection").click()
    await tab.panel.get_by_role("button", name="Tokens run out now").click()
    await tab.switch("Never answers", on=False)
    await expect(tab.message("make it blue").get_by_role("img")).to_be_visible()
    await expect(tab.latest_edit.get_by_role("listitem").last).to_have_text("captured 8")
    await expect(tab.panel.get_by_role("status")).to_have_text("online")
