"""The edits of a ledger in SQLite; each decision is made inside a guarded statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import apsw

from bot.domain.edits import (
    AlreadyHeld,
    Durations,
    Edit,
    Held,
    MessageRef,
    Order,
    OverLimit,
    OverQuota,
    PastEdit,
)
from bot.domain.images import SourceChange
from bot.domain.lifecycle import LEAVES_FROM, Reason, State
from bot.domain.pricing import Quality
from bot.domain.quotas import Balance, Member, OperatorLimits, day_of
from bot.ledger import Ledger
from bot.ledger.sqlite.accounts import hold_credits, read_balance, settle
from bot.ledger.sqlite.connection import milliseconds, moment, rows
from bot.ledger.sqlite.database import Store, read, write
from bot.ledger.sqlite.edit_rows import get_edit, read_edits


class SqliteLedger(Store, Ledger):
    """Edits and accounts in one database."""

    @write
    def hold(
        self,
        connection: apsw.Connection,
        order: Order,
        *,
        limits: OperatorLimits,
        owner: str,
        now: datetime,
    ) -> Held | OverQuota | OverLimit | AlreadyHeld:
        try:
            with connection:
                _hold(connection, order, limits, owner=owner, now=now)
        except _NotHeldError:
            return _explain_refusal(connection, order, limits, now)
        return Held(get_edit(connection, order.id))

    _ACKNOWLEDGE = """
    UPDATE edit SET message_id = :message_id, acknowledged_at = :now
    WHERE id = :edit_id AND acknowledged_at IS NULL
    """

    @write
    def acknowledge(
        self, connection: apsw.Connection, edit_id: int, *, message_id: int | None, now: datetime
    ) -> None:
        rows(
            connection,
            self._ACKNOWLEDGE,
            edit_id=edit_id,
            message_id=message_id,
            now=milliseconds(now),
        )

    _SUBMIT = """
    UPDATE edit SET
        state = 'submitted', ratio = :ratio, submitted_at = :now, source_changes = :changes
    WHERE id = :edit_id AND state = 'held'
    RETURNING id
    """

    @write
    def submit(
        self,
        connection: apsw.Connection,
        edit_id: int,
        *,
        ratio: str,
        now: datetime,
        changes: Sequence[SourceChange] = (),
    ) -> Edit | None:
        moved = rows(
            connection,
            self._SUBMIT,
            edit_id=edit_id,
            ratio=ratio,
            now=milliseconds(now),
            changes=json.dumps(list(changes)),
        )
        return get_edit(connection, edit_id) if moved else None

    _RENDER = """
    UPDATE edit SET state = 'rendered', rendered_at = :now
    WHERE id = :edit_id AND state = 'submitted'
    RETURNING id
    """
    _SET_RESULTS = "UPDATE edit_private SET results = :results WHERE edit_id = :edit_id"

    @write
    def render(
        self, connection: apsw.Connection, edit_id: int, results: Sequence[str], *, now: datetime
    ) -> Edit | None:
        if not rows(connection, self._RENDER, edit_id=edit_id, now=milliseconds(now)):
            return None
        rows(connection, self._SET_RESULTS, edit_id=edit_id, results=json.dumps(list(results)))
        return get_edit(connection, edit_id)

    _CAPTURE = """
    UPDATE edit SET
        state = 'delivered', posted = :posted, charged = price * :posted, ended_at = :now,
        message_id = coalesce(:message_id, message_id),
        message_channel_id = coalesce(nullif(:channel_id, channel_id), message_channel_id)
    WHERE id = :edit_id AND state = 'rendered'
    RETURNING guild_id, member_id, day, price * count, charged, submitted_at
    """

    @write
    def capture(
        self,
        connection: apsw.Connection,
        edit_id: int,
        *,
        posted: int,
        now: datetime,
        message: MessageRef | None = None,
    ) -> Edit | None:
        moved = rows(
            connection,
            self._CAPTURE,
            edit_id=edit_id,
            posted=posted,
            now=milliseconds(now),
            message_id=None if message is None else message.message_id,
            channel_id=None if message is None else message.channel_id,
        )
        if not moved:
            return None
        settle(connection, moved[0], reason=None)
        rows(connection, _ERASE_COPY, edit_id=edit_id)
        ended = get_edit(connection, edit_id)
        _erase_token(connection, edit_id)
        return replace(ended, order=replace(ended.order, token=None))

    _VOID = """
    UPDATE edit SET state = :state, reason = :reason, ended_at = :now
    WHERE id = :edit_id AND state IN (:from_1, :from_2, :from_3)
    RETURNING guild_id, member_id, day, price * count, charged, submitted_at
    """
    # Nobody paid for these results, so nobody may download them.
    _SET_DETAIL = """
    UPDATE edit_private SET detail = :detail, results = '[]' WHERE edit_id = :edit_id
    """

    @write
    def void(
        self,
        connection: apsw.Connection,
        edit_id: int,
        reason: Reason,
        *,
        detail: str | None,
        now: datetime,
    ) -> Edit | None:
        from_1, from_2, from_3 = (*LEAVES_FROM[reason.state], None, None)[:3]
        moved = rows(
            connection,
            self._VOID,
            edit_id=edit_id,
            state=reason.state,
            reason=reason,
            now=milliseconds(now),
            from_1=from_1,
            from_2=from_2,
            from_3=from_3,
        )
        if not moved:
            return None
        settle(connection, moved[0], reason=reason)
        rows(connection, _ERASE_COPY, edit_id=edit_id)
        rows(connection, self._SET_DETAIL, edit_id=edit_id, detail=detail)
        return get_edit(connection, edit_id)

    @write
    def forget_token(self, connection: apsw.Connection, edit_id: int) -> None:
        _erase_token(connection, edit_id)

    @read
    def find(self, connection: apsw.Connection, edit_id: int) -> Edit | None:
        found = read_edits(connection, "WHERE edit.id = :edit_id", edit_id=edit_id)
        return found[0] if found else None

    _UNFINISHED = """
    WHERE edit.id IN (SELECT edit_id FROM edit_token)
    ORDER BY edit.held_at, edit.id
    """

    @read
    def unfinished(self, connection: apsw.Connection) -> list[Edit]:
        return read_edits(connection, self._UNFINISHED)

    _LATEST_TIMES = """
    SELECT submitted_at, rendered_at, ended_at
    FROM edit
    WHERE quality = :quality AND state = 'delivered'
    ORDER BY ended_at DESC
    LIMIT :limit
    """

    @read
    def latest_times(
        self, connection: apsw.Connection, *, limit: int
    ) -> Mapping[Quality, Sequence[Durations]]:
        return {
            quality: [
                Durations(call=(rendered - submitted) / 1000, posting=(ended - rendered) / 1000)
                for submitted, rendered, ended in reversed(
                    rows(connection, self._LATEST_TIMES, quality=quality, limit=limit)
                )
            ]
            for quality in Quality
        }

    @read
    def balance(
        self, connection: apsw.Connection, member: Member, *, limits: OperatorLimits, now: datetime
    ) -> Balance:
        return read_balance(connection, member, limits, now)

    _PAST_EDITS = """
    SELECT held_at, state, quality, count, posted, charged
    FROM edit
    WHERE guild_id = :guild_id AND member_id = :member_id
    ORDER BY held_at DESC, id DESC
    LIMIT :limit
    """

    @read
    def statement(
        self,
        connection: apsw.Connection,
        member: Member,
        *,
        limits: OperatorLimits,
        now: datetime,
        latest: int,
    ) -> tuple[Balance, list[PastEdit]]:
        edits = rows(
            connection,
            self._PAST_EDITS,
            guild_id=member.guild_id,
            member_id=member.id,
            limit=latest,
        )
        return read_balance(connection, member, limits, now), [
            PastEdit(moment(held_at), State(state), Quality(quality), *numbers)
            for held_at, state, quality, *numbers in edits
        ]


class _NotHeldError(Exception):
    """Roll back a hold that a guard, or an edit of the same interaction, forbids."""


_COUNT_OPEN = "SELECT count(*) FROM edit WHERE member_id = :member_id AND ended_at IS NULL"


def _explain_refusal(
    connection: apsw.Connection, order: Order, limits: OperatorLimits, now: datetime
) -> OverQuota | OverLimit | AlreadyHeld:
    if read_edits(connection, "WHERE edit.id = :edit_id", edit_id=order.id):
        return AlreadyHeld()
    if limits.open_edits is not None:
        ((open_edits,),) = rows(connection, _COUNT_OPEN, member_id=order.member_id)
        if open_edits >= limits.open_edits:
            return OverLimit(limits.open_edits)
    return OverQuota(order.hold, read_balance(connection, order.member, limits, now))


_INSERT_EDIT = """
INSERT INTO edit (
    id, application_id, guild_id, channel_id, member_id, day, quality, size, count,
    private, upload_limit, source_public, price, owner, held_at, state
)
SELECT
    :id, :application_id, :guild_id, :channel_id, :member_id, :day, :quality, :size, :count,
    :private, :upload_limit, :source_public, :price, :owner, :held_at, 'held'
WHERE :open_edits IS NULL OR :open_edits > (
    SELECT count(*) FROM edit WHERE member_id = :member_id AND ended_at IS NULL
)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""

_INSERT_PRIVATE = """
INSERT INTO edit_private (
    edit_id, member_name, source_url, source_name, prompt, roles, held_at, source_edit_id
)
VALUES (
    :edit_id, :member_name, :source_url, :source_name, :prompt, :roles, :held_at, :source_edit_id
)
"""

_INSERT_TOKEN = "INSERT INTO edit_token (edit_id, token) VALUES (:edit_id, :token)"


def _hold(
    connection: apsw.Connection, order: Order, limits: OperatorLimits, *, owner: str, now: datetime
) -> None:
    """Set the order's price aside and insert its rows; raise _NotHeldError if either can't be."""
    if order.personal is None:
        raise ValueError("an order without its prompt can't be held")
    if not hold_credits(connection, order, limits=limits, now=now):
        raise _NotHeldError
    inserted = rows(
        connection,
        _INSERT_EDIT,
        id=order.id,
        application_id=order.application_id,
        guild_id=order.guild_id,
        channel_id=order.channel_id,
        member_id=order.member_id,
        day=day_of(now).isoformat(),
        quality=order.quality,
        size=order.size,
        count=order.count,
        private=int(order.private),
        upload_limit=order.upload_limit,
        source_public=int(order.source_public),
        price=order.quality.price,
        owner=owner,
        held_at=milliseconds(now),
        open_edits=limits.open_edits,
    )
    if not inserted:
        raise _NotHeldError
    rows(
        connection,
        _INSERT_PRIVATE,
        edit_id=order.id,
        member_name=order.personal.member_name,
        source_url=order.personal.source_url,
        source_name=order.personal.source_name,
        prompt=order.personal.prompt,
        roles=json.dumps(order.personal.role_ids),
        held_at=milliseconds(now),
        source_edit_id=order.personal.source_edit_id,
    )
    rows(connection, _INSERT_TOKEN, edit_id=order.id, token=order.token)


_ERASE_COPY = """
UPDATE edit_private SET source_url = '', source_name = ''
WHERE edit_id = :edit_id AND source_edit_id IS NOT NULL
"""

_ERASE_TOKEN = "DELETE FROM edit_token WHERE edit_id = :edit_id"
_ERASE_IF_REQUESTED = "DELETE FROM edit_private WHERE edit_id = :edit_id AND doomed = 1"


def _erase_token(connection: apsw.Connection, edit_id: int) -> None:
    """Erase an ended edit's token, and its personal data if the member asked for that."""
    rows(connection, _ERASE_TOKEN, edit_id=edit_id)
    rows(connection, _ERASE_IF_REQUESTED, edit_id=edit_id)


def rewrite_tokens(connection: apsw.Connection) -> None:
    """Rewrite the table of tokens, so that its pages keep none that were erased."""
    kept = rows(connection, "SELECT edit_id, token FROM edit_token")
    rows(connection, "DELETE FROM edit_token")
    for edit_id, token in kept:
        rows(connection, _INSERT_TOKEN, edit_id=edit_id, token=token)
