"""Running pages, and tabs in a real browser.

The tests of this folder share a loop, a browser and two running pages. What a test leaves behind in
these is taken away after it, so that the next one finds empty channels.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from sandbox.discord.interactions.interactions import CallbackType, Interaction, InteractionType
from sandbox.page.running import RunningPage, running_page
from sandbox.values import JsonObject, object_at
from tests.images_made import make_image
from tests.page.browser import PATIENCE_MS, WIDE, NoBrowser, Tab, launched_browser
from tests.page.line import Line
from tests.page.stand_in import StandIn

SETTINGS = {"DEFAULT_QUOTA": "unlimited", "EDIT_CONCURRENCY": "1"}

shared = pytest_asyncio.fixture(scope="package", loop_scope="package")
single = pytest_asyncio.fixture(loop_scope="package")


@shared
async def browser() -> AsyncGenerator[Browser]:
    """The browser; where there is none, whatever asks for it is skipped."""
    expect.set_options(timeout=PATIENCE_MS)
    try:
        async with launched_browser() as running:
            yield running
    except NoBrowser as none:
        # The README's command has to pass on a machine without one, and says what it left out;
        # `.ci/run` sees to it that there is one.
        pytest.skip(str(none))


@shared
async def page_with_bot() -> AsyncGenerator[RunningPage]:
    """A page with the bot, which is given small images at once."""
    async with running_page(port=0, settings=SETTINGS) as running:
        running.sandbox.edit_api.answer_with([make_image(width=64, height=48)])
        yield running


@shared
async def page_without_bot() -> AsyncGenerator[RunningPage]:
    """A page whose bot was killed, so that nobody answers but the test."""
    async with running_page(port=0, settings=SETTINGS) as running:
        running.bot.kill()
        await running.bot.ended()
        yield running


@single
async def live(page_with_bot: RunningPage) -> AsyncGenerator[RunningPage]:
    """The page with the bot, empty."""
    yield page_with_bot
    await tidy(page_with_bot)


@single
async def stage(page_without_bot: RunningPage) -> AsyncGenerator[RunningPage]:
    """The page without a bot, empty."""
    yield page_without_bot
    await tidy(page_without_bot)


@single
async def own_page() -> AsyncGenerator[RunningPage]:
    """A page that no other test has."""
    async with running_page(port=0, settings=SETTINGS) as running:
        running.sandbox.edit_api.answer_with([make_image(width=64, height=48)])
        yield running


async def tidy(running: RunningPage) -> None:
    """Switch everything off, take away all messages and whatever is open or failed."""
    async with Line.to(running.address) as line:
        for name, switch in line.records("switch"):
            if switch["on"]:
                await line.do("switch", name=name, on=False)
        for form_id, form in line.records("form"):
            await line.do("close", form=form_id, member=form["member"])
        for message_id, message in line.records("message"):
            only = object_at(message, "sandbox")["only"]
            if only is not None:
                await line.do("dismiss", message=message_id, member=only)
    for interaction in running.sandbox.discord.interactions:
        if interaction.acknowledgement is None:
            interaction.acknowledge(CallbackType.DEFERRED_UPDATE, 0, None, {})
    for channel in running.sandbox.world.channels.values():
        for message in running.sandbox.discord.messages(channel):
            running.sandbox.discord.delete(message)


class OpenTab(Protocol):
    """Opens a tab."""

    async def __call__(
        self,
        running: RunningPage,
        person: str = "Ada",
        *,
        size: tuple[int, int] = WIDE,
    ) -> Tab:
        """Open a tab at a page as one of the people."""
        ...


@pytest.fixture(scope="package")
def idle_tabs() -> dict[tuple[int, int], list[Tab]]:
    """Tabs by their size that nobody has now: to open a new one takes as long as a short test."""
    return defaultdict(list)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which tests failed: their tabs are not used again."""
    report = yield
    item.stash[HAS_FAILED] = report.failed
    return report


HAS_FAILED = pytest.StashKey[bool]()


@single
async def open_tab(
    request: pytest.FixtureRequest, browser: Browser, idle_tabs: dict[tuple[int, int], list[Tab]]
) -> AsyncGenerator[OpenTab]:
    """Opens tabs, each in a browser of its own; none may have had anything to complain of."""
    opened: list[tuple[tuple[int, int], Tab]] = []

    async def open_one(
        running: RunningPage, person: str = "Ada", *, size: tuple[int, int] = WIDE
    ) -> Tab:
        tab = idle_tabs[size].pop() if idle_tabs[size] else await new_tab(browser, size)
        opened.append((size, tab))
        await tab.open(running.address)
        if person != "Ada":
            await tab.become(person)
        return tab

    yield open_one
    complaints: list[str] = []
    for size, tab in opened:
        usable = await tab.leave() and not request.node.stash[HAS_FAILED]
        complaints += tab.unexpected()
        if usable:
            tab.forget()
            idle_tabs[size].append(tab)
        else:
            await tab.page.context.close()
    assert complaints == []


async def new_tab(browser: Browser, size: tuple[int, int]) -> Tab:
    """A tab that is at no page yet."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE_MS)
    tab = Tab(await context.new_page())
    tab.watch()
    return tab


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small image on the disk."""
    path = tmp_path / "photo.png"
    path.write_bytes(make_image())
    return path


class Sent:
    """The interactions that people's clients send, in order, to be awaited."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Interaction] = asyncio.Queue()

    def __call__(self, interaction: Interaction) -> None:
        if interaction.type is not InteractionType.AUTOCOMPLETE:
            self._queue.put_nowait(interaction)

    @property
    def nothing(self) -> bool:
        """Whether there is none that was not awaited."""
        return self._queue.empty()

    async def next(self) -> Interaction:
        """The next one."""
        return await asyncio.wait_for(self._queue.get(), PATIENCE_MS / 1000)

    async def data(self) -> JsonObject:
        """The next one's data."""
        return object_at((await self.next()).payload, "data")


@single
async def sent(stage: RunningPage) -> AsyncGenerator[Sent]:
    """What is sent at the page without a bot."""
    noted = Sent()
    stage.sandbox.discord.sent.append(noted)
    yield noted
    stage.sandbox.discord.sent.remove(noted)


@single
async def bot(stage: RunningPage) -> AsyncGenerator[StandIn]:
    """What answers at the page without a bot."""
    async with StandIn.at(stage.sandbox) as stand_in:
        yield stand_in
