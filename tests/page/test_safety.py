"""Whatever people, the bot and the edit API write is text, and nothing else."""

import unicodedata
from pathlib import Path

import pytest
from playwright.async_api import expect

from sandbox.faults import EditFault, declined
from sandbox.page.running import RunningPage
from sandbox.values import JsonObject
from tests.page.browser import Tab
from tests.page.conftest import OpenTab
from tests.page.samples import V2, button, option, row, select
from tests.page.stand_in import StandIn, put

pytestmark = pytest.mark.asyncio(loop_scope="package")

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(1)</script><svg onload=alert(1)>"
JAVASCRIPT = "javascript:alert(1)"
LINK = f"[click]({JAVASCRIPT})"
MARKS = "**bold** _slanted_ ||hidden|| # <@1> @everyone `code`"
BIDI = "left \u202eright\u2066 \u200f\u200b end"
HOSTILE = (IMAGE, SCRIPT, LINK, MARKS, BIDI)

FOREIGN = (
    "img[src='x'], script:not([src]), svg[onload], [onerror], a[href^='javascript:' i], iframe"
)
"""What would be there if text had been taken for HTML, or an address for one to follow."""


async def test_prompts_are_shown_as_they_were_written(
    live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(live)
    for number, prompt in enumerate(HOSTILE, 1):
        await tab.edit(prompt, photo)
        await expect(tab.messages).to_have_count(number)
        card = tab.messages.last
        await expect(card.get_by_role("img")).to_have_attribute("alt", prompt)
        shown = await card.locator("p").first.text_content() or ""
        assert without_invisible(shown) == without_invisible(prompt)
        await expect(card.locator(".message-body a, .message-body strong")).to_have_count(0)
    await expect(tab.page.locator(FOREIGN)).to_have_count(0)


async def test_messages_have_markdown_and_no_html(stage: RunningPage, open_tab: OpenTab):
    tab = await open_tab(stage)
    for text in (IMAGE, SCRIPT, LINK):
        await tab.writing.fill(text)
        await tab.press("Enter")
        await expect(tab.messages.last.locator(".content")).to_have_text(text)
    await expect(tab.messages.get_by_role("link")).to_have_count(0)
    await tab.writing.fill(f'**{IMAGE}** [{IMAGE}](https://a.example/?<b>"onclick=alert(1))')
    await tab.press("Enter")
    await expect(tab.messages.last.locator("strong")).to_have_text(IMAGE)
    await expect(tab.page.locator(FOREIGN)).to_have_count(0)


async def test_what_the_edit_api_says_is_text(live: RunningPage, open_tab: OpenTab, photo: Path):
    live.sandbox.faults.edit_api.add(EditFault(action=declined(f"{IMAGE} {LINK}")))
    tab = await open_tab(live)
    await tab.edit("make it blue", photo)
    await expect(tab.message("Ada used /edit")).to_contain_text(f"{IMAGE} {LINK}")
    await expect(tab.page.locator(FOREIGN)).to_have_count(0)


async def test_whatever_a_bot_puts_into_a_message_is_text(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn
):
    channel = stage.sandbox.world.guilds[0].channels[0]
    body: JsonObject = {
        "content": IMAGE,
        "embeds": [
            {
                "title": IMAGE,
                "url": JAVASCRIPT,
                "description": f"{IMAGE} {LINK}",
                "author": {"name": IMAGE, "url": JAVASCRIPT, "icon_url": JAVASCRIPT},
                "footer": {"text": IMAGE},
                "fields": [{"name": IMAGE, "value": LINK}],
                "image": {"url": JAVASCRIPT},
            }
        ],
        "components": [
            row(button(1, IMAGE), button(5, "Follow", url=JAVASCRIPT)),
            select(3, f"{IMAGE}!", options=[option(IMAGE, description=IMAGE)]),
        ],
    }
    await bot.post(channel, body)
    foreign: JsonObject = {"url": JAVASCRIPT, "content_type": "image/png"}
    hostile: JsonObject = {
        "flags": V2,
        "thread": {"id": "1", "name": IMAGE},
        IMAGE: [1],
        "components": [
            {"type": 12, "items": [{"media": foreign, "description": IMAGE}]},
            {"type": 13, "file": foreign},
            {"type": IMAGE},
        ],
    }
    put(stage.sandbox, channel, hostile)
    tab = await open_tab(stage)
    await expect(tab.messages).to_have_count(2)
    await tab.messages.first.get_by_role("combobox").click()
    await expect(tab.page.get_by_role("option", name=IMAGE)).to_be_visible()
    await tab.press("Escape")
    await tab.messages.first.get_by_text("Follow").click()
    await expect(tab.page.locator(FOREIGN)).to_have_count(0)
    assert len(tab.page.context.pages) == 1


async def test_a_files_name_is_text(stage: RunningPage, open_tab: OpenTab, tmp_path: Path):
    file = tmp_path / "<img src=x onerror=alert(1)>.txt"
    file.write_text("words")
    tab = await open_tab(stage)
    await tab.choose(file)
    await expect(tab.page.get_by_role("list", name="Files to send")).to_contain_text(file.name)
    await tab.writing.focus()
    await tab.press("Enter")
    await expect(tab.messages.get_by_role("link")).to_have_text("img_srcx_onerroralert1.txt")
    await expect(tab.page.locator(FOREIGN)).to_have_count(0)


async def test_the_layout_holds_whatever_the_length(
    stage: RunningPage, live: RunningPage, open_tab: OpenTab, photo: Path
):
    tab = await open_tab(stage)
    lines = "first" + "\n" * 1990 + "last"
    for text in (
        lines,
        "W" * 2000,
        "Z\u0351\u036b\u0343\u036a" * 400,
        "> " * 1000,
        "- " * 900,
        "||" * 1000,
    ):
        await write(tab, text)
        assert await tab.overflowing() == []
        await tab.press("Enter")
        await expect(tab.writing).to_have_value("")
        assert await tab.overflowing() == []
    await expect(tab.messages).to_have_count(6)
    await long_prompt(await open_tab(live), photo)


async def long_prompt(tab: Tab, photo: Path) -> None:
    """Run an edit whose prompt is 4,000 newlines, but for its ends."""
    await tab.choose(photo)
    await tab.command("/edit ")
    await expect(tab.page.locator(".pill.active")).to_contain_text("prompt")
    await write(tab, "first" + "\n" * 3990 + "last")
    assert await tab.overflowing() == []
    await tab.press("Enter")
    await expect(tab.message("Ada used /edit").get_by_role("img")).to_be_visible()
    assert await tab.overflowing() == []
    await expect(tab.latest_edit).to_be_in_viewport()


async def write(tab: Tab, text: str) -> None:
    """Put a text into the composer at once: Chromium takes seconds to type thousands of lines."""
    await tab.writing.evaluate(WRITE, text)


WRITE = """(area, text) => {
    area.focus();
    area.value = text;
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}"""


def without_invisible(text: str) -> str:
    """A text without marks that have no width, with which the bot parts mentions."""
    return "".join(each for each in text if unicodedata.category(each) != "Cf")
