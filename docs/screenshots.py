"""Takes the README's images from the sandbox's page.

    python -m docs.screenshots

The bot is the real one, and its edits are the sandbox's imitations. The image is the one that the
page offers to try.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from benchmarks.usage import FIRST_MEMBER, seed
from bot.ledger.sqlite.connection import connect_to_write, rows
from sandbox.cli import DEMO
from sandbox.faults import EditFault, Hang
from sandbox.page.running import RunningPage, running_page
from tests.page.browser import launched_browser

DOCS = Path(__file__).parent
PHOTO = DEMO
WIDTH, HEIGHT, HEIGHT_FOR_CHART = 1280, 800, 1200
QUALITY = 82
"""Of the JPEGs, in percent."""

PROMPT = "Make it a teal poster, and keep the reflections"
EDITS_BEFORE = 400
"""Made-up edits of the last 60 days, for the chart of `/usage`."""


async def main() -> None:
    """Take all images."""
    settings = {"EDIT_CONCURRENCY": "1"}
    async with running_page(port=0, settings=settings) as running, launched_browser() as browser:
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="dark",
            device_scale_factor=1.5,
        )
        await page.goto(running.address)
        await show_picker(page)
        await show_card(page)
        await take(page, "page")
        await show_form(page)
        await show_waiting(page, running)
        await show_refusal(page)
        await show_usage(page, running)


async def show_picker(page: Page) -> None:
    """The prices, as they stand at the choice of a quality."""
    await start_edit(page)
    await page.keyboard.type("quality:")
    await expect(page.get_by_role("option", name="16 credits each")).to_be_visible()
    await take(page, "picker", page.locator(".picker"), page.locator(".composer"))


async def show_card(page: Page) -> None:
    """What `/edit` posts."""
    await page.keyboard.type("high")
    await page.keyboard.press("Tab")
    await page.keyboard.type("count:2")
    await page.keyboard.press("Enter")
    card = page.get_by_role("article").last
    await expect(card.get_by_role("img")).to_have_count(2)
    await expect(page.get_by_text("captured 32")).to_be_visible()
    await card.scroll_into_view_if_needed()
    await take(page, "card", card)


async def show_form(page: Page) -> None:
    """What is asked under *Edit this*."""
    await page.get_by_role("button", name="Edit this").click()
    form = page.locator("dialog.form")
    await form.get_by_role("textbox").first.fill("Now let snow fall")
    await take(page, "form", form)
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)


async def show_waiting(page: Page, running: RunningPage) -> None:
    """What a member sees whose edit waits for another's."""
    others = Hang()
    running.sandbox.faults.edit_api.add(EditFault(action=others))
    await become(page, "Ben")
    await start_edit(page)
    await page.keyboard.press("Enter")
    await running.sandbox.edit_api.called()
    await become(page, "Ada")
    await start_edit(page)
    await page.keyboard.press("Enter")
    card = page.get_by_role("article").last
    await expect(card.get_by_role("button", name="Cancel")).to_be_visible()
    await take(page, "waiting", card)
    await card.get_by_role("button", name="Cancel").click()
    await expect(card).to_contain_text("cancelled")
    others.release()


async def show_refusal(page: Page) -> None:
    """What a member reads who has too little left."""
    await become(page, "Mona")
    await page.keyboard.type("/quota user ")
    await page.keyboard.type("Ada")
    await page.keyboard.press("Enter")
    await page.keyboard.type("44")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article")).to_have_count(4)
    await become(page, "Ada")
    await start_edit(page)
    await page.keyboard.type("quality:high")
    await page.keyboard.press("Tab")
    await page.keyboard.type("count:2")
    await page.keyboard.press("Enter")
    answer = page.get_by_role("article").last
    await expect(answer).to_contain_text("Only you can see this")
    await answer.scroll_into_view_if_needed()
    await take(page, "refusal", answer)


async def show_usage(page: Page, running: RunningPage) -> None:
    """The chart, over edits that were never made."""
    await running.bot.stop()
    await asyncio.to_thread(seed_edits, running)
    await running.bot.start()
    await running.bot.connected(running.sandbox.discord)
    await become(page, "Mona")
    await page.keyboard.type("/usage ")
    await page.keyboard.press("Enter")
    answer = page.get_by_role("article").last
    await expect(answer.get_by_role("img")).to_be_visible()
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT_FOR_CHART})
    await answer.scroll_into_view_if_needed()
    await take(page, "usage", answer)


def seed_edits(running: RunningPage) -> None:
    """Put a ledger of the people's edits in place of the one of the bot, which is stopped."""
    running.bot.ledger.unlink()
    guild = running.sandbox.world.guilds[0]
    people = [member for member in guild.members.values() if not member.user.bot]
    seed(running.bot.ledger, guild.id, EDITS_BEFORE, datetime.now(UTC).date(), len(people))
    connection = connect_to_write(running.bot.ledger)
    rows(connection, "PRAGMA foreign_keys = OFF")
    for made_up, member in enumerate(people, FIRST_MEMBER):
        for statement in (
            "UPDATE edit SET member_id = :id WHERE member_id = :made_up",
            "UPDATE account SET member_id = :id WHERE member_id = :made_up",
        ):
            rows(connection, statement, made_up=made_up, id=member.id)
        named = "UPDATE edit_private SET member_name = :name WHERE member_name = :made_up"
        rows(connection, named, made_up=f"Member {made_up}", name=member.name)
    connection.close()


async def start_edit(page: Page) -> None:
    """Write the command with its photo and its prompt, ready for more options."""
    await page.get_by_role("textbox", name="Message").click()
    await page.keyboard.type("/edit")
    await page.keyboard.press("Enter")
    await page.locator("input[type=file]").set_input_files(PHOTO)
    await page.keyboard.type(f"{PROMPT} ")


async def become(page: Page, name: str) -> None:
    """Be somebody else."""
    await page.get_by_role("button", name=name).click()
    await page.get_by_role("textbox", name="Message").click()


async def take(page: Page, name: str, *parts: Locator) -> None:
    """Save an image of the whole page, or of some of its parts."""
    boxes = [box for part in parts if (box := await part.bounding_box())]
    clip = None
    if boxes:
        left = min(box["x"] for box in boxes)
        top = min(box["y"] for box in boxes)
        right = max(box["x"] + box["width"] for box in boxes)
        bottom = max(box["y"] + box["height"] for box in boxes)
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    await page.mouse.move(0, 0)  # what is pointed at looks different
    path = DOCS / f"{name}.jpg"
    await page.screenshot(path=path, type="jpeg", quality=QUALITY, clip=clip)
    print(f"{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    asyncio.run(main())
