"""What the disk does not take is not claimed to be there, costs nobody anything, and passes."""

import asyncio
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import LedgerFault
from bot.ledger import Held
from bot.ledger.sqlite import SqliteStores, open_sqlite
from bot.quotas import OperatorLimits
from bot.sandbox.faults import EditFault, declined
from bot.sandbox.server import Sandbox
from bot.states import Reason
from cogs.wording import LEDGER_SILENT
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person, closes
from tests.orders import order
from tests.store_faults import Disk, DiskFault, faulty_disk

pytestmark = pytest.mark.usefixtures("small_results")

LIMITS = OperatorLimits(80)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> Generator[Disk]:
    """The disk under every database of the test."""
    with faulty_disk(monkeypatch) as faulty:
        yield faulty


@pytest.fixture(autouse=True)
def _insistent(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """Let the bot ask its ledger again at once."""
    monkeypatch.setattr("bot.editing.LEDGER_RETRIES", (0.02,))


@pytest.fixture(params=list(DiskFault), ids=lambda fault: fault.value)
def fault(request: pytest.FixtureRequest) -> DiskFault:
    """Each of the ways in which the disk can fail."""
    return request.param


def copy_as_after_a_crash(database: Path, into: Path) -> Path:
    """What a bot that was killed would find; what only its memory had is gone."""
    into.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{database}{suffix}", into)
    return into / database.name


# What was said to be there is on the disk.


async def test_a_hold_and_a_capture_are_synced_before_they_are_told(
    disk: Disk, stores: SqliteStores
):
    ledger = stores.ledger

    async def is_synced_before_it_is_told(step: asyncio.Task[object]) -> None:
        async with asyncio.timeout(5), disk.slow_sync() as waiting:
            await waiting.wait()
            assert not step.done()
            written = disk.done[-1]
        assert written == "write bot.db-wal"
        await step
        assert disk.done[-1] == "sync bot.db-wal"

    hold = ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)
    await is_synced_before_it_is_told(asyncio.create_task(hold))
    await ledger.submit(1, ratio="1:1", now=NOON)
    await ledger.render(1, ["https://a/1.png"], now=NOON)
    capture = ledger.capture(1, posted=1, now=NOON)
    await is_synced_before_it_is_told(asyncio.create_task(capture))


# The ledger.


async def test_a_hold_that_the_disk_did_not_keep_does_not_come_back_after_a_crash(
    disk: Disk, stores: SqliteStores, path: Path, tmp_path: Path, fault: DiskFault
):
    ledger = stores.ledger
    await ledger.hold(order(1), limits=LIMITS, owner="test", now=NOON)
    disk.fault = fault
    with pytest.raises(LedgerFault):
        await ledger.hold(order(2), limits=LIMITS, owner="test", now=NOON)
    crashed = copy_as_after_a_crash(path, tmp_path / "crashed")
    disk.mend()
    async with open_sqlite(crashed) as left:
        assert [edit.order.id for edit in await left.ledger.unfinished()] == [1]
    assert isinstance(await ledger.hold(order(2), limits=LIMITS, owner="test", now=NOON), Held)
