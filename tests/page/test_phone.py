"""The page on a phone, 360 pixels wide."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.discord.interactions.interactions import CallbackType
from sandbox.page.running import RunningPage
from tests.page.browser import PHONE
from tests.page.conftest import OpenTab, Sent
from tests.page.samples import FORMS, PUT, SENT
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_sides_are_drawers_that_open_and_close(live: RunningPage, open_tab: OpenTab):
    tab = await open_tab(live, size=PHONE)
    channels = tab.page.get_by_role("button", name="Channels")
    backstage = tab.page.get_by_role("button", name="Backstage")
    places = tab.page.get_by_role("navigation", name="Channels")
    await expect(places).to_have_count(0)
    await expect(tab.panel).to_have_count(0)

    await channels.click()
    await expect(channels).to_have_attribute("aria-expanded", "true")
    assert await tab.overflowing() == []
    await tab.become("Mona")
    await expect(places).to_have_count(0)
    await channels.click()
    await places.get_by_role("button", name="images").click()
    await expect(places).to_have_count(0)
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("# images")

    await backstage.click()
    await expect(tab.panel).to_be_in_viewport()
    await tab.switch("Fails (500)")
    await tab.switch("Fails (500)", on=False)
    assert await tab.overflowing() == []
    await backstage.click()
    await expect(tab.panel).to_have_count(0)
    await channels.click()
    await channels.click()
    await expect(places).to_have_count(0)


async def test_an_edit_is_made_without_scrolling_sideways(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live, size=PHONE)
    assert await tab.overflowing() == []
    await tab.writing.fill("/")
    await expect(tab.choice("/edit")).to_be_in_viewport()
    assert await tab.overflowing() == []
    await tab.choose(photo)
    await tab.command(f"/edit prompt:{'a very long word' * 20} size:16:9 quality:")
    await expect(tab.picker.get_by_role("option").first).to_be_in_viewport()
    assert await tab.overflowing() == []
    await tab.picker.get_by_role("option").first.click()
    await tab.press("Enter")
    image = tab.message("Ada used /edit").get_by_role("img")
    await expect(image).to_be_in_viewport()
    assert await tab.overflowing() == []
    await image.click()
    await expect(tab.page.get_by_role("dialog").get_by_role("img")).to_be_in_viewport(ratio=1)
    await expect(tab.page.get_by_role("button", name="Close")).to_be_in_viewport()
    await tab.page.get_by_role("button", name="Close").click()
    await tab.message("Ada used /edit").get_by_role("button", name="More").click(force=True)
    await expect(tab.page.get_by_role("menu")).to_be_in_viewport(ratio=1)
    assert await tab.overflowing() == []


async def test_samples_and_forms_keep_within_the_width(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    tab = await open_tab(stage, size=PHONE)
    for sample in (*SENT, *PUT):
        await sample.post(bot, stage.sandbox.world.guilds[0].channels[0])
    await expect(tab.messages).to_have_count(len(SENT) + len(PUT))
    assert await tab.overflowing() == []
    assert await tab.page.evaluate(FIND_CUT_OFF) == []
    for form in FORMS:
        await tab.command("/credits ")
        await tab.press("Enter")
        await bot.answer(await sent.next(), CallbackType.MODAL, form)
        await expect(tab.form).to_be_in_viewport(ratio=1)
        await tab.form.get_by_role("button", name="Submit").click()
        await expect(tab.form.get_by_role("alert").first).to_be_visible()
        assert await tab.overflowing() == []
        await tab.press("Escape")
        await expect(tab.form).to_have_count(0)


FIND_CUT_OFF = """() => [...document.querySelectorAll("article *")]
    .filter((element) => element.checkVisibility() && !element.closest(".visually-hidden"))
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => `${element.tagName} ${element.className}`)"""
