"""Reads edits with all that belongs to them, for the ledger and for members' archives."""

import json
from typing import Any

import apsw

from bot.domain.edits import Edit, Order, PersonalData
from bot.domain.images import SourceChange
from bot.domain.lifecycle import Reason, State
from bot.domain.pricing import Quality
from bot.ledger.sqlite.connection import Value, moment, moment_or_none, records

# A rerun keeps a copy of its source while it's open. After that it reads the original's.
_SELECT = """
SELECT
    edit.id, application_id, guild_id, channel_id, member_id, message_id, message_channel_id,
    quality, size, ratio, count, private, upload_limit, source_public, price,
    state, reason, posted, charged, source_changes,
    edit.held_at, acknowledged_at, submitted_at, rendered_at, ended_at,
    own.edit_id IS NULL AS erased, own.member_name, own.prompt, own.roles, own.source_edit_id,
    coalesce(nullif(own.source_url, ''), original.source_url, '') AS source_url,
    coalesce(nullif(own.source_name, ''), original.source_name, '') AS source_name,
    coalesce(own.results, '[]') AS results, own.detail, coalesce(own.doomed, 0) AS doomed, token,
    coalesce((
        SELECT first.member_id <> edit.member_id FROM edit AS first
        WHERE first.id = own.source_edit_id
    ), FALSE) AS borrowed
FROM edit
LEFT JOIN edit_private AS own ON own.edit_id = edit.id
LEFT JOIN edit_private AS original ON original.edit_id = own.source_edit_id
LEFT JOIN edit_token ON edit_token.edit_id = edit.id
"""


def read_edits(connection: apsw.Connection, clause: str, /, **values: Value) -> list[Edit]:
    """Read the edits that a constant clause selects."""
    return list(map(_edit, records(connection, _SELECT + clause, **values)))


def get_edit(connection: apsw.Connection, edit_id: int) -> Edit:
    """Read an edit that exists."""
    (edit,) = read_edits(connection, "WHERE edit.id = :edit_id", edit_id=edit_id)
    return edit


def _edit(row: dict[str, Any]) -> Edit:
    return Edit(
        order=Order(
            id=row["id"],
            application_id=row["application_id"],
            guild_id=row["guild_id"],
            channel_id=row["channel_id"],
            member_id=row["member_id"],
            token=row["token"],
            quality=Quality(row["quality"]),
            size=row["size"],
            count=row["count"],
            private=bool(row["private"]),
            upload_limit=row["upload_limit"],
            personal=None if row["erased"] else _personal(row),
            source_public=bool(row["source_public"]),
        ),
        price=row["price"],
        state=State(row["state"]),
        reason=None if row["reason"] is None else Reason(row["reason"]),
        detail=row["detail"],
        message_id=row["message_id"],
        ratio=row["ratio"],
        results=tuple(json.loads(row["results"])),
        posted=row["posted"],
        charged=row["charged"],
        held_at=moment(row["held_at"]),
        acknowledged_at=moment_or_none(row["acknowledged_at"]),
        submitted_at=moment_or_none(row["submitted_at"]),
        rendered_at=moment_or_none(row["rendered_at"]),
        ended_at=moment_or_none(row["ended_at"]),
        source_changes=tuple(map(SourceChange, json.loads(row["source_changes"]))),
        erase_when_done=bool(row["doomed"]),
        borrowed=bool(row["borrowed"]),
        message_channel_id=row["message_channel_id"],
    )


def _personal(row: dict[str, Any]) -> PersonalData:
    return PersonalData(
        member_name=row["member_name"],
        prompt=row["prompt"],
        source_url=row["source_url"],
        source_name=row["source_name"],
        source_edit_id=row["source_edit_id"],
        role_ids=tuple(json.loads(row["roles"])),
    )
