"""A real browser for the tests, and a tab in it as somebody at the page uses it."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from tests.page import NO_BROWSER

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
"""What browsers that Playwright can drive are called on the PATH."""

QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
"""Keeps Chromium from calling home."""

PATIENCE_MS = 10_000
COPY = 1
"""What a drag may do, in the words of Chromium's protocol."""

FIND_OVERFLOW = """() => {
    const page = document.scrollingElement;
    const names = ".log, .composer, .picker, .form-body, .panel, .places";
    const parts = [page, ...document.querySelectorAll(names)];
    const wide = parts.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
    const high = page.scrollHeight > innerHeight ? [page] : [];
    return [...wide, ...high].map(({ tagName, className }) => `${tagName} ${className}`);
}"""

WIDE = (1280, 800)
PHONE = (360, 740)


class NoBrowser(Exception):
    """None was found."""


@asynccontextmanager
async def launched_browser() -> AsyncGenerator[Browser]:
    """Run the first browser that is found; raises NoBrowser."""
    async with async_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        found = next(filter(None, map(shutil.which, NAMES)), str(own) if own.exists() else None)
        if found is None:
            raise NoBrowser(NO_BROWSER)
        # Chromium's own sandbox does not run as root.
        sandboxed = os.name == "nt" or os.geteuid() != 0
        browser = await playwright.chromium.launch(
            executable_path=found, args=QUIET, chromium_sandbox=sandboxed
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(slots=True)
class Tab:
    """One open tab, and what the browser had to complain of in it."""

    page: Page
    address: str = ""
    complaints: list[str] = field(default_factory=list[str])
    expected: tuple[str, ...] = ()
    """Words of complaints that belong to what is tested."""

    def watch(self) -> None:
        """Note errors, dialogs and requests to other hosts from now on."""

        def note_request(url: str) -> None:
            host = urlsplit(self.address).netloc
            if urlsplit(url.removeprefix("blob:")).netloc != host:
                self.complaints.append(f"request to {url}")

        page = self.page
        page.on(
            "console",
            lambda told: self.complaints.append(told.text) if told.type == "error" else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        # Without a listener from the start Playwright may hear of the first chooser too late.
        page.on("filechooser", lambda _: None)
        page.on("request", lambda request: note_request(request.url))
        page.on("websocket", lambda socket: note_request(socket.url))

    async def open(self, address: str) -> None:
        """Go to a page's address."""
        self.address = address
        await self.page.goto(address)
        await self.log.wait_for()

    async def leave(self) -> bool:
        """Leave the page, and forget all that was kept of it; False if that cannot be."""
        if self.page.is_closed() or self.unexpected():
            return False
        try:
            async with asyncio.timeout(PATIENCE_MS / 1000):
                # Within one site the browser keeps the process, which takes longest to begin.
                await self.page.goto(urljoin(self.address, "/static/any/theme.js"))
                await self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        except (PlaywrightError, TimeoutError):
            return False
        return len(self.page.context.pages) == 1

    def forget(self) -> None:
        """Have nothing to complain of and expect nothing, as a new tab."""
        self.complaints.clear()
        self.expected = ()

    def unexpected(self) -> list[str]:
        """The complaints that do not belong to what is tested."""
        return [
            each for each in self.complaints if not any(words in each for words in self.expected)
        ]

    # What is on the page.

    @property
    def log(self) -> Locator:
        """The messages."""
        return self.page.get_by_role("log")

    @property
    def messages(self) -> Locator:
        """Each message."""
        return self.log.get_by_role("article")

    def message(self, text: str) -> Locator:
        """The message that has such a text."""
        return self.messages.filter(has_text=text)

    @property
    def writing(self) -> Locator:
        """The composer."""
        return self.page.get_by_role("textbox", name="Message")

    @property
    def picker(self) -> Locator:
        """The list above the composer, with its title and hint."""
        return self.page.locator(".picker")

    def choice(self, name: str) -> Locator:
        """What can be picked from that list by a name."""
        return self.picker.get_by_role("option").filter(
            has=self.page.locator("strong").get_by_text(name, exact=True)
        )

    @property
    def panel(self) -> Locator:
        """What a real Discord has not."""
        return self.page.get_by_role("complementary", name="Backstage")

    @property
    def latest_edit(self) -> Locator:
        """The ledger's newest edit."""
        return self.panel.locator(".edits > li").first

    @property
    def form(self) -> Locator:
        """The form that is open."""
        return self.page.locator("dialog.form")

    # What somebody does.

    async def become(self, name: str) -> None:
        """Be somebody else."""
        people = self.page.get_by_role("region", name="Who you are")
        await people.get_by_role("button", name=name).click()

    async def go(self, server: str, channel: str | None = None) -> None:
        """Go to a server, and a channel of it."""
        await self.page.get_by_role("navigation", name="Servers").get_by_label(server).click()
        if channel is not None:
            places = self.page.get_by_role("navigation", name="Channels")
            await places.get_by_role("button", name=channel).click()

    async def type(self, text: str) -> None:
        """Type as fast as the keyboard lets one."""
        await self.page.keyboard.type(text)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def command(self, text: str) -> None:
        """Write a whole command into the composer, in one go."""
        await self.writing.fill(text)

    async def edit(self, prompt: str, image: Path) -> None:
        """Run `/edit` on an image."""
        await self.choose(image)
        await self.command(f"/edit prompt:{prompt}")
        await self.press("Enter")

    async def fill_in(self, **values: str) -> None:
        """Write into the open form, choose in it, and send it; labels have `_` for spaces."""
        await expect(self.form).to_be_visible()
        for label, value in values.items():
            name = label.replace("_", " ")
            field = self.form.get_by_role("textbox", name=name)
            if await field.count():
                await field.fill(value)
            else:
                await self.form.get_by_role("combobox", name=name).click()
                await self.form.get_by_role("option", name=value).click()
        await self.form.get_by_role("button", name="Submit").click()
        await expect(self.form).to_have_count(0)

    async def switch(self, label: str, *, on: bool = True) -> None:
        """Let something go wrong from now on, or go right again."""
        switch = self.panel.get_by_role("switch", name=label)
        if not await switch.is_visible():
            await self.panel.get_by_text("What can go wrong").click()
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", str(on).lower())

    async def overflowing(self) -> list[str]:
        """Which parts have to be scrolled sideways, and the document if it has to be at all."""
        return await self.page.evaluate(FIND_OVERFLOW)

    async def drop(self, on: Locator, *files: Path) -> None:
        """Drag files from outside of the browser and drop them in the middle of something."""
        box = await on.bounding_box()
        assert box is not None
        where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": COPY}
        session: Any = await self.page.context.new_cdp_session(self.page)
        for kind in ("dragEnter", "dragOver", "drop"):
            await session.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
        await session.detach()

    async def choose(self, *files: Path) -> None:
        """Choose files by the page's one file input."""
        await self.page.locator("input[type=file]").set_input_files(files)
