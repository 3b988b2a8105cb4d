"""The page for everybody: without violations of axe-core's rules, in dark and light."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.discord.interactions.interactions import CallbackType
from sandbox.page.running import RunningPage
from tests.page.browser import Tab
from tests.page.conftest import OpenTab, Sent
from tests.page.samples import FORMS, PUT, SENT
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")

AXE = files("axe_playwright_python") / "axe.min.js"


class Check:
    """Looks at a tab with axe-core, in one state after the other."""

    def __init__(self, tab: Tab) -> None:
        self.violations: list[str] = []
        self._tab = tab

    @classmethod
    async def of(cls, tab: Tab) -> Check:
        """Bring axe-core into a tab."""
        await tab.page.evaluate(AXE.read_text(encoding="utf-8"))
        return cls(tab)

    async def now(self, state: str) -> None:
        """Look at the page as it is now, in dark and light, which differ in colours alone."""
        for theme, rules in (("dark", None), ("light", ["color-contrast"])):
            found: list[str] = await self._tab.page.evaluate(FIND_VIOLATIONS, [theme, rules])
            self.violations += [f"{state}, {theme}: {each}" for each in found]


FIND_VIOLATIONS = """async ([theme, rules]) => {
    const { dataset } = document.documentElement;
    const chosen = dataset.theme;
    dataset.theme = theme;
    const options = { resultTypes: ["violations"], ...(rules && { runOnly: rules }) };
    const { violations } = await axe.run(options);
    dataset.theme = chosen;
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`)
    );
}"""


async def test_an_edit_has_no_violations(live: RunningPage, open_tab: OpenTab, photo: Path):
    tab = await open_tab(live)
    check = await Check.of(tab)
    await tab.writing.fill("/")
    await expect(tab.choice("/edit")).to_be_visible()
    await check.now("commands")
    await tab.command("/edit quality:high ")
    await tab.page.get_by_role("button", name="Send").click()
    await expect(tab.page.get_by_role("alert")).to_be_visible()
    await check.now("a missing option")
    await tab.press("Escape", "Escape")
    await tab.edit("make it blue", photo)
    image = tab.message("make it blue").get_by_role("img")
    await expect(image).to_be_visible()
    await tab.switch("Declines")
    await tab.edit("make it green", photo)
    await expect(tab.latest_edit).to_contain_text("voided")
    await tab.choose(photo)
    await check.now("cards, switches, the ledger, and a file to send")
    await image.click()
    await check.now("an enlarged image")
    await tab.press("Escape")
    await tab.message("make it blue").hover()
    await tab.message("make it blue").get_by_role("button", name="More").click()
    await check.now("a message's menu")
    assert not check.violations, "\n".join(check.violations)


async def test_samples_and_forms_have_no_violations(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn, sent: Sent
):
    tab = await open_tab(stage)
    check = await Check.of(tab)
    for form in FORMS:
        await tab.command("/credits ")
        await tab.press("Enter")
        await bot.answer(await sent.next(), CallbackType.MODAL, form)
        await expect(tab.form).to_be_visible()
        await tab.form.get_by_role("button", name="Submit").click()
        await expect(tab.form.get_by_role("alert").first).to_be_visible()
        await check.now(str(form["title"]))
        await tab.press("Escape")
        await expect(tab.form).to_have_count(0)
    for sample in (*SENT, *PUT):
        await sample.post(bot, stage.sandbox.world.guilds[0].channels[0])
    await tab.messages.get_by_role("combobox", name="Pick mentionable").click()
    await check.now("samples")
    assert not check.violations, "\n".join(check.violations)
