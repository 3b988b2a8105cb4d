"""The page with all that is behind it: the sandbox, the bot, and the line between them and tabs."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sandbox.bot_process import BotProcess, child_environment
from sandbox.page.actions import Actions
from sandbox.page.feed import Feed
from sandbox.page.ledger_shown import ShownLedger
from sandbox.page.mirror import Mirror
from sandbox.page.server import PageServer
from sandbox.page.stage import set_stage
from sandbox.page.switches import Switchboard
from sandbox.page.uploads import Uploads
from sandbox.sandbox import Sandbox

FIRST_PORT = 8422

IMPATIENT_SETTINGS: Mapping[str, str] = {"EDIT_TIMEOUT": "20"}
"""An imitation is made in a second: whoever lets it hang need not wait for three minutes."""


@dataclass(frozen=True, slots=True)
class RunningPage:
    """What is behind the page, and where it is."""

    sandbox: Sandbox
    bot: BotProcess
    address: str


@asynccontextmanager
async def running_page(
    *,
    port: int = FIRST_PORT,
    real_key: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> AsyncGenerator[RunningPage]:
    """Run the sandbox, the bot and the page; raises BotEnded where the bot does not start."""
    sandbox = Sandbox()
    parts = set_stage(sandbox.world)
    async with sandbox:
        environment = child_environment(sandbox.environment(), real_key)
        real_api = real_key is not None
        if settings is None:
            settings = {} if real_api else IMPATIENT_SETTINGS
        bot = BotProcess(environment, settings=settings)
        feed = Feed()
        mirror = Mirror(sandbox, bot, parts, feed)
        mirror.begin(real_api=real_api)
        ShownLedger(sandbox.discord, bot, feed).begin()
        switchboard = Switchboard(sandbox, bot, feed, real_api=real_api)
        uploads = Uploads(sandbox.folder)
        actions = Actions(sandbox, bot, mirror, switchboard, uploads)
        # The page ends before the bot does, so that nobody starts another meanwhile.
        async with bot, PageServer(feed, actions, uploads, sandbox.cdn, port=port) as server:
            await bot.connected(sandbox.discord)
            yield RunningPage(sandbox, bot, server.address)
