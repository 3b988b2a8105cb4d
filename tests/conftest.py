"""What tests stand on: the sandbox, and the bot running against it in this process."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from xdist.scheduler import LoadScopeScheduling, Scheduling
from yarl import URL

from bot.app import loop_factory, serve
from bot.downloads.connections import Timeouts
from bot.ledger.sqlite import SqliteStores, open_sqlite
from bot.scheduling.status_updates import Pace
from bot.settings import Settings
from sandbox.sandbox import Sandbox
from tests.images_made import make_image
from tests.invariants import find_contradictions
from tests.members import Person
from tests.openapi import find_violations
from tests.page import NO_BROWSER, TO_INSTALL

# How long an example takes says more of the machine than of what is tested.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

PATIENCE = 15
"""Seconds after which a test that waits has failed."""


def pytest_configure() -> None:
    """End the run at once if Discord's description was asked for and can't be read."""
    find_violations([])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each drill ten minutes, where every other test has one."""
    for item in items:
        if item.get_closest_marker("drill"):
            item.add_marker(pytest.mark.timeout(600))


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, since tests wait more than they compute."""
    return 1 + (os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """One process runs all tests of the page, so that browsers and pages start once."""

    class OneForThePage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return PAGE if nodeid.startswith(PAGE) else nodeid

    return OneForThePage(config, log)


PAGE = "tests/page/"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run in the loop that the bot has."""
    return {"loop": loop_factory() or asyncio.new_event_loop}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was not tested for want of a browser."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    number = sum(NO_BROWSER in str(report.longrepr) for report in skipped)
    if number:
        terminalreporter.write_line(f"Tests skipped, for {NO_BROWSER}: {number}. {TO_INSTALL}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a ledger that no bot has."""
    return tmp_path / "bot.db"


@pytest.fixture
async def stores(path: Path) -> AsyncGenerator[SqliteStores]:
    """That ledger, which is checked at the end."""
    async with open_sqlite(path) as opened:
        yield opened
    assert find_contradictions(path) == []


@pytest.fixture(autouse=True)
def sandboxes_close_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a test's end nobody waits any more for what a sandbox lets hang."""
    monkeypatch.setattr("sandbox.listener.SECONDS_TO_CLOSE", 0.01)


@pytest.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    """Discord and the edit API on loopback; at the end no request may have broken the rules."""
    async with Sandbox() as running:
        yield running
        assert find_violations(running.discord.requests) == []


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    """Settings that point the bot at the sandbox, and its files into the test's own folder."""
    return Settings(
        discord_token=sandbox.discord_token,
        edit_api_key=sandbox.edit_api_key,
        edit_api_url=URL(sandbox.edit_api_url),
        discord_api_url=URL(sandbox.discord_api_url),
        database=tmp_path / "bot.db",
        default_quota=80,
        operator_budget=None,
        servers=None,
        retention=None,
        edit_concurrency=8,
        member_limit=1_000,
        queue_limit=500,
        edit_timeout=20.0,
        edit_source="url",
        spool_dir=tmp_path / "spool",
        require_child_sandbox=False,
        shutdown_grace=25.0,
        log_level="debug",
    )


class Events:
    """The structured events that the bot logged, which tests can wait for."""

    def __init__(self) -> None:
        self.logged: list[Mapping[str, Any]] = []
        self._news = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        self.logged.append(dict(event))
        notice = asyncio.create_task(self._notify())
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)
        raise structlog.DropEvent

    async def logs(self, name: str, *, times: int = 1, **fields: Any) -> Mapping[str, Any]:
        """Wait until such an event was logged so many times; the last of them."""

        def found() -> list[Mapping[str, Any]]:
            return [
                event
                for event in self.logged
                if event["event"] == name and fields.items() <= event.items()
            ]

        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(found()) >= times)
            return found()[-1]

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()


@pytest.fixture
async def events() -> AsyncGenerator[Events]:
    """What the bot logs during the test."""
    recorded = Events()
    structlog.configure(processors=[structlog.stdlib.add_log_level, recorded])
    yield recorded
    structlog.reset_defaults()


@dataclass(frozen=True, slots=True)
class RunningBot:
    """The bot, and where it keeps its ledger."""

    settings: Settings
    _task: asyncio.Task[None]

    async def stop(self) -> None:
        """End it as a signal would, and wait until it has."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


StartBot = Callable[..., Awaitable[RunningBot]]


@pytest.fixture
async def start_bot(
    sandbox: Sandbox, settings: Settings, events: Events
) -> AsyncGenerator[StartBot]:
    """Starts the bot, with settings as the test says; its ledger is checked at the end."""
    events.logged.clear()
    bots: list[RunningBot] = []

    async def start(timeouts: Timeouts | None = None, **changes: Any) -> RunningBot:
        changed = replace(settings, **changes)
        task = asyncio.create_task(serve(changed, timeouts=timeouts))
        bots.append(RunningBot(changed, task))
        connected = asyncio.create_task(sandbox.discord.connected())
        await asyncio.wait({task, connected}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            connected.cancel()
            await task
        await connected
        return bots[-1]

    yield start
    for bot in bots:
        await bot.stop()
        assert find_contradictions(bot.settings.database) == []


@pytest.fixture
async def bot(start_bot: StartBot) -> RunningBot:
    """The bot as most tests want it."""
    return await start_bot()


@pytest.fixture
def ada(sandbox: Sandbox, settings: Settings) -> Person:
    """A member who runs commands."""
    return Person.join(sandbox, settings, "Ada")


@pytest.fixture
def small_results(sandbox: Sandbox) -> None:
    """The edit API answers with small pictures at once."""
    sandbox.edit_api.answer_with([make_image(width=64, height=48)])


@pytest.fixture
def cards_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits that wait show their cards almost at once, for tests of what comes after."""
    monkeypatch.setattr(
        "bot.scheduling.status_updates.Pace",
        partial(Pace, first_s=0.05, per_card_s=0.3, any_two_s=0.02),
    )


@pytest.fixture
def requests_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request at Discord that failed is made again after a tenth of the usual time."""
    monkeypatch.setattr("bot.discord_io.transport.FIRST_PAUSE_S", 0.025)
    monkeypatch.setattr("bot.discord_io.transport.UPLOAD_PAUSE_S", 0.1)


@pytest.fixture
def announces_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command whose answer takes its time is acknowledged after a tenth of the usual time."""
    monkeypatch.setattr("bot.editing.intake.HOLD_TIMEOUT_S", 0.1)
    monkeypatch.setattr("bot.discord_io.replies.DEFER_AFTER_S", 0.1)
