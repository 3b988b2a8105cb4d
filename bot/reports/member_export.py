"""Export a member's data as JSON, newest edits first.

The file explains its own keys. It is written page by page in a thread, and zipped if it would be
too large for Discord. If even the zip is too large, the file has the newest edits that fit, and the
number of those left out.
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
"""Edits in memory at once."""

KEYS: Mapping[str, str] = {
    "server_id, member_id": "the server and the member that this file is about",
    "made_at": "when this file was made; all times are ISO 8601, UTC",
    "accounts": "your credits by UTC day: bonus credits granted, held for edits in progress, spent "
    "on posted images, and sent to the image service",
    "drafts": "edits begun in the last hour and not made: the options, the prompt so far, and the "
    "images to choose from",
    "edits": "every edit, newest first",
    "edits_left_out": "number of older edits that didn't fit into this file",
    "edits[].held_at, acknowledged_at, submitted_at, rendered_at, ended_at": "when its price was "
    "reserved, Discord accepted the response, it was sent, its images were ready, and it ended",
    "edits[].message": "link to its message; null if that isn't known",
    "edits[].quality, size, ratio, count, private": "the options, and the aspect ratio that was "
    "requested from the image service",
    "edits[].price, posted, charged": "credits per image, number of posted images, and credits "
    "charged",
    "edits[].source_changes": "how the original was changed before it was sent",
    "edits[].state, reason": "the outcome, and the reason if there are no images",
    "edits[].erased": "whether the fields below were erased and are null",
    "edits[].member_name, role_ids": "your name at that time, and your roles",
    "edits[].prompt, source_name, source_address": "the prompt and the original; its name and "
    "address are null if it belongs to another member, whose edit you ran again",
    "edits[].result_addresses": "the image service's addresses of the images, if all were posted",
    "edits[].detail": "what the image service said, or a reference to the bot's log",
}
"""Explanations of the file's keys."""


@dataclass(frozen=True, slots=True)
class MemberExport:
    """A file, and the numbers of edits in it and left out."""

    file: Path
    edits: int
    left_out: int
    days: int
    """Days of accounts, all of which are in it."""


async def export_member(
    archive: Archive, guild_id: int, member_id: int, folder: Path, *, limit: int, now: datetime
) -> MemberExport:
    """Write a member's data of one server, or as much as fits in `limit` bytes.

    Raises:
        LedgerError: the ledger couldn't be read.
    """
    sums = await archive.summary(guild_id, member_id)
    head = _head(guild_id, member_id, now, sums)

    async def write(target: _Target) -> int:
        """Write as many edits as fit, and return their number."""
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
    """A file with a size limit."""

    def holds(self, size: int) -> bool: ...

    def write(self, piece: bytes) -> None: ...


class _Plain(_Target):
    """An uncompressed file of at most `limit` bytes."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit

    def holds(self, size: int) -> bool:
        return self._file.tell() + size <= self._limit

    def write(self, piece: bytes) -> None:
        self._file.write(piece)


def _write_page(target: _Target, edits: Sequence[Edit], *, first: bool) -> int:
    """Write edits as long as they and the foot fit, and return their number."""
    for index, edit in enumerate(edits):
        separator = "" if first and index == 0 else ","
        piece = f"{separator}\n    {_indented(_edit(edit), 4)}".encode()
        if not target.holds(len(piece) + _LONGEST_FOOT):
            return index
        target.write(piece)
    return len(edits)


def _head(guild_id: int, member_id: int, now: datetime, sums: MemberSummary) -> bytes:
    """Return the document up to the first edit."""
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
        "sources": [{"name": link.name, "address": link.url} for link in draft.sources],
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
