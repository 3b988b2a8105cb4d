"""Notes how edits ended in the channels that servers chose for it.

It is a convenience: no edit waits for a note, and notes that Discord does not take are dropped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from bot.discord_replies import NO_MENTIONS
from bot.discord_rest import DiscordRest
from bot.editing import Journal
from bot.errors import LedgerFault
from bot.ledger import Edit
from bot.ledger.rulebook import Rulebook
from bot.server_settings import read_settings

LONGEST_MESSAGE = 2_000
"""Characters; notes that wait for one another share a message.

https://docs.discord.com/developers/resources/message#create-message-jsonform-params
"""

MOST_WAITING = 500
"""Notes of one server; beyond them the oldest are dropped."""

GIVE_UP_AFTER = 120.0
"""Seconds of trying to post one message."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True)
class _Backlog:
    """What one server is to be told yet, and the task that tells it."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    task: asyncio.Task[None] | None = None


class DiscordJournal(Journal):
    """`editing.Journal` in Discord's channels; one message at a time to each server."""

    def __init__(
        self, rulebook: Rulebook, rest: DiscordRest, describe: Callable[[Edit], str]
    ) -> None:
        self._rulebook = rulebook
        self._rest = rest
        self._describe = describe
        self._backlogs: dict[int, _Backlog] = {}
        self._closed = False

    def note(self, ended: Edit) -> None:
        if self._closed:
            return
        guild_id = ended.order.guild_id
        backlog = self._backlogs.setdefault(guild_id, _Backlog())
        backlog.lines.append(self._describe(ended))
        if backlog.task is None:
            backlog.task = asyncio.create_task(self._work_off(guild_id, backlog))

    async def close(self) -> None:
        """Stop; what was not noted yet is dropped."""
        self._closed = True
        tasks = [backlog.task for backlog in self._backlogs.values() if backlog.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work_off(self, guild_id: int, backlog: _Backlog) -> None:
        try:
            while backlog.lines:
                await self._post_some(guild_id, backlog)
        except LedgerFault as fault:
            log.warning("journal.dropped", guild=str(guild_id), fault=str(fault))
        finally:
            del self._backlogs[guild_id]

    async def _post_some(self, guild_id: int, backlog: _Backlog) -> None:
        settings = read_settings(await self._rulebook.list_settings(guild_id))
        if settings.log_channel_id is None:
            backlog.lines.clear()
            return
        text = _take_message(backlog.lines)
        posted = await self._rest.post(
            settings.log_channel_id,
            {"content": text, "allowed_mentions": NO_MENTIONS},
            patience=GIVE_UP_AFTER,
        )
        if posted is None or not posted.ok:
            log.warning("journal.not_posted", guild=str(guild_id))


def _take_message(lines: deque[str]) -> str:
    """Take as many lines as one message has room for."""
    taken = [lines.popleft()[:LONGEST_MESSAGE]]
    length = len(taken[0])
    while lines and length + 1 + len(lines[0]) <= LONGEST_MESSAGE:
        length += 1 + len(lines[0])
        taken.append(lines.popleft())
    return "\n".join(taken)
