"""Edits in a ledger, and what is kept of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.edits import Edit, Held
from bot.domain.quotas import OperatorLimits
from bot.ledger import Ledger
from bot.ledger.archive import Archive
from tests.orders import order

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOMORROW = NOON + timedelta(days=1)
NO_LIMITS = OperatorLimits(None)
RESULTS = ("https://results.example/1.png", "https://results.example/2.png")


async def hold(
    ledger: Ledger, edit_id: int, now: datetime = NOON, *, submit: bool = False, **changes: Any
) -> None:
    wanted = order(edit_id, **changes)
    assert isinstance(await ledger.hold(wanted, limits=NO_LIMITS, owner="test", now=now), Held)
    if submit:
        await ledger.submit(edit_id, ratio="1:1", now=now)


async def deliver(
    ledger: Ledger, edit_id: int, now: datetime = NOON, *, posted: int = 1, **changes: Any
) -> None:
    await hold(ledger, edit_id, now, submit=True, **changes)
    await ledger.render(edit_id, RESULTS, now=now)
    await ledger.capture(edit_id, posted=posted, now=now)


async def kept(archive: Archive, guild_id: int = 20, member_id: int = 40) -> Sequence[Edit]:
    return await archive.edits(guild_id, member_id, before=None, limit=1_000)


async def kept_prompts(archive: Archive, guild_id: int = 20, member_id: int = 40) -> list[str]:
    return [
        edit.order.prompt for edit in await kept(archive, guild_id, member_id) if not edit.erased
    ]


def source_in(edit: Edit) -> tuple[str, str]:
    """Return the address and name of an edit's source."""
    assert edit.order.personal is not None
    return edit.order.personal.source_url, edit.order.personal.source_name


async def source_of(ledger: Ledger, edit_id: int) -> tuple[str, str]:
    """Return the address and name of the image that an edit would be run again with."""
    edit = await ledger.find(edit_id)
    assert edit is not None
    return source_in(edit)


async def kept_sources(archive: Archive, member_id: int = 40) -> Sequence[tuple[str, str]]:
    """Return the sources in a member's export."""
    return [source_in(edit) for edit in await kept(archive, 20, member_id)]
