"""Notes how edits ended in the channels that servers chose for it.

It is a convenience: no edit waits for a note, and notes that Discord does not take are dropped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

import structlog

from bot.discord_io.replies import NO_MENTIONS
from bot.discord_io.rest import Answer, DiscordRest, in_seconds, is_failure
from bot.domain.edits import Edit
from bot.domain.errors import LedgerError
from bot.domain.server_settings import read_settings
from bot.editing.ports import ServerLog
from bot.ledger.quota_rules import QuotaRules

LONGEST_MESSAGE = 2_000
"""Characters; notes that wait for one another share a message.

https://docs.discord.com/developers/resources/message#create-message-jsonform-params
"""

MOST_WAITING = 500
"""Notes of one server; beyond them the oldest are dropped, and their number is noted."""

GIVE_UP_AFTER = 120.0
"""Seconds of trying to post one message."""

TRY_FOR = 8.0
"""Seconds of trying to post the first one, for which a moderator waits."""

GRACE = 2.0
"""Seconds at the end in which notes that wait may still be posted."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Trial(Enum):
    """What Discord says to a first message in a channel."""

    TAKEN = "taken"
    REFUSED = "refused"
    """The bot may not write there, or there is no such channel."""
    UNANSWERED = "unanswered"


@dataclass(slots=True)
class _Backlog:
    """What one server is to be told yet, and the task that tells it."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    dropped: int = 0
    task: asyncio.Task[None] | None = None

    def add(self, line: str) -> None:
        if len(self.lines) == MOST_WAITING:
            self.dropped += 1
        self.lines.append(line)

    def take_message(self) -> str:
        """Take as many lines as one message has room for."""
        taken: list[str] = []
        if self.dropped:
            taken.append(f"{self.dropped} notes before these were too many to be posted.")
            self.dropped = 0
        taken.append(self.lines.popleft()[: LONGEST_MESSAGE // 2])
        length = len("\n".join(taken))
        while self.lines and length + 1 + len(self.lines[0]) <= LONGEST_MESSAGE:
            length += 1 + len(self.lines[0])
            taken.append(self.lines.popleft())
        return "\n".join(taken)


class DiscordJournal(ServerLog):
    """`editing.ServerLog` in Discord's channels; one message at a time to each server."""

    def __init__(
        self, quota_rules: QuotaRules, rest: DiscordRest, describe: Callable[[Edit], str]
    ) -> None:
        self._quota_rules = quota_rules
        self._rest = rest
        self._describe = describe
        self._backlogs: dict[int, _Backlog] = {}
        self._closed = False

    def note(self, ended: Edit) -> None:
        if self._closed:
            return
        guild_id = ended.order.guild_id
        backlog = self._backlogs.setdefault(guild_id, _Backlog())
        backlog.add(self._describe(ended))
        if backlog.task is None:
            backlog.task = asyncio.create_task(self._work_off(guild_id, backlog))

    async def try_out(self, channel_id: int, text: str) -> Trial:
        """Post a first message, to see whether notes can be posted there."""
        answer = await self._post(channel_id, text, patience=TRY_FOR)
        if answer is not None and answer.ok:
            return Trial.TAKEN
        return Trial.UNANSWERED if _may_pass_later(answer) else Trial.REFUSED

    async def close(self) -> None:
        """Stop; what was not noted soon is dropped."""
        self._closed = True
        tasks = [backlog.task for backlog in self._backlogs.values() if backlog.task is not None]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _work_off(self, guild_id: int, backlog: _Backlog) -> None:
        try:
            while backlog.lines:
                await self._post_some(guild_id, backlog)
        except LedgerError as fault:
            log.warning("journal.dropped", guild=str(guild_id), fault=str(fault))
        except Exception:
            log.exception("journal.dropped", guild=str(guild_id))
        finally:
            del self._backlogs[guild_id]

    async def _post_some(self, guild_id: int, backlog: _Backlog) -> None:
        settings = read_settings(await self._quota_rules.list_settings(guild_id))
        if settings.log_channel_id is None:
            backlog.lines.clear()
            return
        answer = await self._post(
            settings.log_channel_id, backlog.take_message(), patience=GIVE_UP_AFTER
        )
        if answer is not None and answer.ok:
            return
        log.warning("journal.not_posted", guild=str(guild_id))
        if not _may_pass_later(answer):
            # What waits would be refused, too, and too many refusals bar the bot from Discord.
            # https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
            backlog.lines.clear()

    async def _post(self, channel_id: int, text: str, *, patience: float) -> Answer | None:
        body = {"content": text, "allowed_mentions": NO_MENTIONS}
        return await self._rest.post(channel_id, body, until=in_seconds(patience))


def _may_pass_later(answer: Answer | None) -> bool:
    return answer is None or is_failure(answer) or answer.status == HTTPStatus.TOO_MANY_REQUESTS
