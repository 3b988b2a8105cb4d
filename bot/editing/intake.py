"""Refuses an order, or holds its price and queues it."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.clock import utc_now
from bot.domain.edits import AlreadyHeld, Edit, Held, Order, OverLimit, OverQuota
from bot.domain.errors import LedgerError
from bot.domain.quotas import OperatorLimits
from bot.domain.refusals import (
    CannotAfford,
    LedgerSilent,
    OrderRequest,
    PictureElsewhere,
    Refusal,
    SourcesPaused,
    TooManyOpen,
    refuse_here,
    refuse_order,
    refuse_place,
)
from bot.domain.server_settings import ServerSettings, read_settings
from bot.editing.ports import Acknowledgement, EditMessages, Outcome
from bot.editing.sources import Sources
from bot.ledger import Ledger
from bot.ledger.quota_rules import QuotaRules
from bot.scheduling.call_schedule import CallSchedule
from bot.scheduling.reply_priority import ReplyPriority

HOLD_TIMEOUT_S = 1.0
"""Seconds to wait for a hold before acknowledging first: Discord allows 3 s for that."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admitted:
    """An edit that is held and queued."""

    edit: Edit
    acknowledgement: Acknowledgement | None
    """Given already if the hold took long."""


class Intake:
    """Decides which orders become edits."""

    def __init__(
        self,
        ledger: Ledger,
        quota_rules: QuotaRules,
        schedule: CallSchedule,
        sources: Sources,
        messages: EditMessages,
        reply_priority: ReplyPriority,
        limits: OperatorLimits,
        is_hosted: Callable[[str], bool],
    ) -> None:
        """Set up; `is_hosted` says whether Discord hosts a source's URL."""
        self._ledger = ledger
        self._quota_rules = quota_rules
        self._schedule = schedule
        self._sources = sources
        self._messages = messages
        self._reply_priority = reply_priority
        self._limits = limits
        self._is_hosted = is_hosted
        self._owner = secrets.token_hex(8)

    async def admit(self, request: OrderRequest) -> Admitted | AlreadyHeld | None:
        """Hold the price and queue the edit; None if the order was refused."""
        order = request.order
        if refusal := self._refuse_early(request):
            return await self.refuse(order, refusal)
        with self._reply_priority.replying():
            holding = asyncio.create_task(self._hold(request))
            await asyncio.wait({holding}, timeout=HOLD_TIMEOUT_S)
            early = None if holding.done() else await self._messages.acknowledge(order)
        match await holding:
            case Held(edit):
                log.info("edit.held", edit=str(order.id), credits=edit.order.hold)
                return Admitted(edit, early)
            case AlreadyHeld() as repeated:
                log.warning("edit.repeated", edit=str(order.id))
                return repeated
            case refusal:
                return await self.refuse(order, refusal, early=early)

    async def refuse(
        self, order: Order, refusal: Refusal, *, early: Acknowledgement | None = None
    ) -> None:
        """Say why the order is refused, in the early response if there is one."""
        log.info("edit.refused", edit=str(order.id), refusal=type(refusal).__name__)
        if early is None:
            with self._reply_priority.replying():
                await self._messages.refuse(order, refusal, acknowledged=False)
        elif early.outcome is not Outcome.TOO_LATE:
            await self._messages.refuse(order, refusal, acknowledged=True)

    def _refuse_early(self, request: OrderRequest) -> Refusal | None:
        """Check what the command itself shows."""
        order = request.order
        if refusal := refuse_place(request) or refuse_order(order, request.source):
            return refusal
        if not self._is_hosted(order.source_url):
            return PictureElsewhere()
        wait_s = self._sources.paused_for(order.member_id)
        return SourcesPaused(wait_s) if wait_s else None

    async def _hold(self, request: OrderRequest) -> Held | AlreadyHeld | Refusal:
        try:
            guild_id = request.order.guild_id
            settings = read_settings(await self._quota_rules.list_settings(guild_id))
            order = request.completed(settings)
            refusal = await _refuse_here(order, request.place_id, settings)
            if refusal := refusal or self._schedule.refuse(order):
                return refusal
            outcome = await self._join_and_hold(order)
        except LedgerError:
            log.exception("ledger.silent", edit=str(request.order.id))
            return LedgerSilent()
        match outcome:
            case OverQuota():
                return CannotAfford(outcome, settings.max_count)
            case OverLimit(most):
                return TooManyOpen(most)
            case _:
                return outcome

    async def _join_and_hold(self, order: Order) -> Held | OverQuota | OverLimit | AlreadyHeld:
        """Queue the edit before the hold, so that it keeps its position, and stay only if held."""
        joined = self._schedule.join(order)
        held = False
        try:
            outcome = await self._ledger.hold(
                order, limits=self._limits, owner=self._owner, now=utc_now()
            )
            held = isinstance(outcome, Held)
            return outcome
        finally:
            if not held:
                self._schedule.leave(order.id, queued=joined)


async def _refuse_here(
    order: Order, parent_channel_id: int, settings: ServerSettings
) -> Refusal | None:
    if not settings.refused:
        return refuse_here(order, parent_channel_id, settings)
    # In a thread, since a prompt can be written so that the search takes long.
    return await asyncio.to_thread(refuse_here, order, parent_channel_id, settings)
