"""Writes what is kept of a member as JSON, for their own eyes: newest edits first.

The file says itself what its keys mean. It is written page by page, in a thread, and zipped where
it would be larger than Discord takes; where even that is too large, it holds the newest edits that
fit and says how many it leaves out.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from bot.domain.edits import Edit, PersonalData
from bot.ledger.archive import Archive, MemberSummary
from bot.ledger.drafts import Draft
from bot.reports.bounded_zip import BoundedZip

NAME = "my-data.json"

PAGE = 500
"""Edits that are in memory at once, beside the file."""

KEYS: Mapping[str, str] = {
    "server_id, member_id": "the server and the member that this file is about",
    "made_at": "when this file was made; all times are ISO 8601, UTC",
    "accounts": "a member's credits by UTC day: granted on top of the quota, held for edits under "
    "way, spent on pictures that were posted, sent to the editing service",
    "drafts": "what was begun in the last hour and not ordered: the options, the prompt as far as "
    "it was written, and the pictures that can be chosen from",
    "edits": "every edit, the newest first",
    "edits_left_out": "older edits that did not fit into this file",
    "edits[].held_at, acknowledged_at, submitted_at, rendered_at, ended_at": "when its price was "
    "set aside, Discord took the answer, it was sent, pictures came, and it ended",
    "edits[].message": "the link of its message; null where that is not known",
    "edits[].quality, size, ratio, count, private": "what was asked for, and the ratio that the "
    "editing service was asked for",
    "edits[].price, posted, charged": "credits for one picture, pictures that were posted, and "
    "credits that were paid",
    "edits[].source_changes": "what was done to the picture before it was sent",
    "edits[].state, reason": "what became of it, and why if there are no pictures",
    "edits[].erased": "whether what follows was erased, and is null",
    "edits[].member_name, role_ids": "the name that the member had then, and the roles",
    "edits[].prompt, source_name, source_address": "what was asked for, and the "
    "original; its name and address are null if it's another member's, whose edit was run again",
    "edits[].result_addresses": "where the image service put the images, if all were posted",
    "edits[].detail": "what the editing service said, or a reference in the bot's log",
}
"""What the keys of the file mean."""


@dataclass(frozen=True, slots=True)
class MemberExport:
    """A file, and how many edits there are in it and were left out."""

    file: Path
    edits: int
    left_out: int
    days: int
    """Days of accounts, which are all in it."""


async def export_member(
    archive: Archive, guild_id: int, member_id: int, folder: Path, *, limit: int, now: datetime
) -> MemberExport:
    """Write all that is kept of a member in one server, or as much as `limit` bytes hold.

    Raises:
        LedgerFault: it could not be read.
    """
    sums = await archive.summary(guild_id, member_id)
    head = _head(guild_id, member_id, now, sums)

    async def write(target: _Target) -> int:
        """Write as many edits as fit; how many these are."""
        await asyncio.to_thread(target.write, head)
        written = 0
        last: Edit | None = None
        while page := await archive.edits(guild_id, member_id, before=last, limit=PAGE):
            fitted = await asyncio.to_thread(_write_page, target, page, first=last is None)
            written += fitted
            if fitted < len(page):
                break
            last = page[-1]
        await asyncio.to_thread(target.write, _foot(left_out=max(0, sums.edits - written)))
        return written

    path = folder / NAME
    with await asyncio.to_thread(path.open, "wb") as file:
        written = await write(_Plain(file, limit))
    if written < sums.edits:
        path = folder / f"{NAME}.zip"
        with (
            await asyncio.to_thread(path.open, "wb") as file,
            BoundedZip(file, NAME, limit) as target,
        ):
            written = await write(target)
    return MemberExport(
        file=path,
        edits=written,
        left_out=max(0, sums.edits - written),
        days=len(sums.accounts),
    )


class _Target(Protocol):
    """What is written into, up to a limit."""

    def holds(self, size: int) -> bool: ...

    def write(self, piece: bytes) -> None: ...


class _Plain(_Target):
    """A file of at most `limit` bytes, as it is."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit

    def holds(self, size: int) -> bool:
        return self._file.tell() + size <= self._limit

    def write(self, piece: bytes) -> None:
        self._file.write(piece)


def _write_page(target: _Target, edits: Sequence[Edit], *, first: bool) -> int:
    """Write edits as long as they and the foot fit; how many these are."""
    for place, edit in enumerate(edits):
        separator = "" if first and place == 0 else ","
        piece = f"{separator}\n    {_indented(_edit(edit), 4)}".encode()
        if not target.holds(len(piece) + _LONGEST_FOOT):
            return place
        target.write(piece)
    return len(edits)


def _head(guild_id: int, member_id: int, now: datetime, sums: MemberSummary) -> bytes:
    """The document, up to where the edits begin."""
    body = {
        "server_id": str(guild_id),
        "member_id": str(member_id),
        "made_at": _moment(now),
        "keys": KEYS,
        "accounts": [
            {
                "day": account.day.isoformat(),
                "granted": account.granted,
                "held": account.held,
                "spent": account.spent,
                "sent": account.sent,
            }
            for account in sums.accounts
        ],
        "drafts": [_draft(draft) for draft in sums.drafts],
    }
    opened = _indented(body, 0).removesuffix("\n}")
    return f'{opened},\n  "edits": ['.encode()


def _foot(*, left_out: int) -> bytes:
    return f'\n  ],\n  "edits_left_out": {left_out}\n}}\n'.encode()


_LONGEST_FOOT = len(_foot(left_out=2**63))


def _draft(draft: Draft) -> Mapping[str, object]:
    return {
        "id": str(draft.id),
        "quality": draft.quality,
        "size": draft.size,
        "count": draft.count,
        "private": draft.private,
        "prompt": draft.prompt,
        "sources": [{"name": each.name, "address": each.url} for each in draft.sources],
    }


def _edit(edit: Edit) -> Mapping[str, object]:
    order = edit.order
    return {
        "id": str(order.id),
        "held_at": _moment(edit.held_at),
        "acknowledged_at": _moment_or_none(edit.acknowledged_at),
        "submitted_at": _moment_or_none(edit.submitted_at),
        "rendered_at": _moment_or_none(edit.rendered_at),
        "ended_at": _moment_or_none(edit.ended_at),
        "channel_id": str(order.channel_id),
        "message": edit.link,
        "quality": order.quality,
        "size": order.size,
        "ratio": edit.ratio,
        "count": order.count,
        "private": order.private,
        "price": edit.price,
        "state": edit.state,
        "reason": edit.reason,
        "posted": edit.posted,
        "charged": edit.charged,
        "source_changes": edit.source_changes,
        "erased": edit.erased,
        **_personal_data(order.personal),
        "result_addresses": None if edit.erased else _paid_results(edit),
        "detail": edit.detail,
    }


def _paid_results(edit: Edit) -> Sequence[str]:
    """Return the results' addresses only if every one was posted, and so paid for."""
    return edit.results if edit.posted == len(edit.results) else ()


def _personal_data(personal: PersonalData | None) -> Mapping[str, object]:
    if personal is None:
        keys = ("member_name", "role_ids", "prompt", "source_name", "source_address")
        return dict.fromkeys(keys)
    return {
        "member_name": personal.member_name,
        "role_ids": [str(role_id) for role_id in personal.role_ids],
        "prompt": personal.prompt,
        "source_name": personal.source_name or None,
        "source_address": personal.source_url or None,
    }


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else _moment(moment)


def _indented(value: object, blanks: int) -> str:
    """A value as JSON; only the line breaks of its form are there, those in texts are escaped."""
    lines = json.dumps(value, indent=2, ensure_ascii=False)
    return lines.replace("\n", f"\n{' ' * blanks}")
