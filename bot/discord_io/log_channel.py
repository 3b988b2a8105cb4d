"""Posts how edits ended to the log channels that servers choose.

This is best effort: no edit waits for a note, and a note that Discord refuses is dropped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import structlog

from bot.discord_io.replies import NO_MENTIONS
from bot.discord_io.responses import RestResponse, is_retryable
from bot.discord_io.rest import DiscordRest
from bot.discord_io.transport import in_seconds
from bot.domain.edits import Edit
from bot.domain.errors import LedgerError
from bot.domain.server_settings import read_settings
from bot.editing.ports import ServerLog
from bot.ledger.quota_rules import QuotaRules

MAX_MESSAGE_LENGTH = 2_000
"""Characters. Notes that wait share a message.

https://docs.discord.com/developers/resources/message#create-message-jsonform-params
"""

MAX_BACKLOG = 500
"""Notes of one server. The oldest ones above that are dropped, and their number is posted."""

POST_TIMEOUT_S = 120.0

TRIAL_TIMEOUT_S = 8.0
"""For the first message, which a moderator waits for."""

CLOSE_TIMEOUT_S = 2.0
"""For notes that still wait when the bot stops."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Trial(Enum):
    """The result of posting a first message to a channel."""

    TAKEN = "taken"
    REFUSED = "refused"
    """The bot may not post there, or the channel doesn't exist."""
    UNANSWERED = "unanswered"


@dataclass(slots=True)
class _Backlog:
    """The notes that wait for one server, and the task that posts them."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_BACKLOG))
    dropped: int = 0
    task: asyncio.Task[None] | None = None

    def add(self, line: str) -> None:
        if len(self.lines) == MAX_BACKLOG:
            self.dropped += 1
        self.lines.append(line)

    def pop_message(self) -> str:
        """Remove and return as many lines as fit in one message."""
        lines: list[str] = []
        if self.dropped:
            lines.append(f"{self.dropped} notes before these were too many to be posted.")
            self.dropped = 0
        lines.append(self.lines.popleft()[: MAX_MESSAGE_LENGTH // 2])
        length = len("\n".join(lines))
        while self.lines and length + 1 + len(self.lines[0]) <= MAX_MESSAGE_LENGTH:
            length += 1 + len(self.lines[0])
            lines.append(self.lines.popleft())
        return "\n".join(lines)


class DiscordJournal(ServerLog):
    """Implements `ServerLog` in Discord's channels, with one request at a time per server."""

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
            backlog.task = asyncio.create_task(self._post_all(guild_id, backlog))

    async def try_out(self, channel_id: int, text: str) -> Trial:
        """Post a first message, to see whether the bot can post there."""
        response = await self._post(channel_id, text, timeout=TRIAL_TIMEOUT_S)
        if response is not None and response.ok:
            return Trial.TAKEN
        return Trial.UNANSWERED if is_retryable(response) else Trial.REFUSED

    async def close(self) -> None:
        """Stop after a short time, and drop the notes that still wait."""
        self._closed = True
        tasks = [backlog.task for backlog in self._backlogs.values() if backlog.task is not None]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _post_all(self, guild_id: int, backlog: _Backlog) -> None:
        try:
            while backlog.lines:
                await self._post_message(guild_id, backlog)
        except LedgerError as fault:
            log.warning("journal.dropped", guild=str(guild_id), fault=str(fault))
        except Exception:
            log.exception("journal.dropped", guild=str(guild_id))
        finally:
            del self._backlogs[guild_id]

    async def _post_message(self, guild_id: int, backlog: _Backlog) -> None:
        settings = read_settings(await self._quota_rules.list_settings(guild_id))
        if settings.log_channel_id is None:
            backlog.lines.clear()
            return
        response = await self._post(
            settings.log_channel_id, backlog.pop_message(), timeout=POST_TIMEOUT_S
        )
        if response is not None and response.ok:
            return
        log.warning("journal.not_posted", guild=str(guild_id))
        if not is_retryable(response):
            # Discord would refuse the rest too, and bans an IP address for too many refusals.
            # https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
            backlog.lines.clear()

    async def _post(self, channel_id: int, text: str, *, timeout: float) -> RestResponse | None:
        body = {"content": text, "allowed_mentions": NO_MENTIONS}
        return await self._rest.post(channel_id, body, until=in_seconds(timeout))
