"""Put the bot's parts together, connect it to Discord, and keep it connected."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path

import aiohttp
import discord
import structlog

from bot.discord_io.client import DiscordClient
from bot.discord_io.custom_ids import CustomIds
from bot.discord_io.edit_messages import DiscordEditMessages
from bot.discord_io.log_channel import DiscordJournal
from bot.discord_io.message_images import TrustedHosts
from bot.discord_io.posted_images import PostedImages
from bot.discord_io.replies import Replies
from bot.discord_io.rest import DiscordRest
from bot.domain.errors import (
    BadSettingsError,
    ChildFailedError,
    DiscordRefusedError,
    LedgerError,
    LedgerUnusableError,
    LoginRefusedError,
)
from bot.downloads.connections import Connections, Timeouts
from bot.downloads.results import ResultDownloads
from bot.downloads.sources import SourceDownloads
from bot.edit_api.client import EditClient
from bot.editing.delivery import Delivery
from bot.editing.editor import Editor
from bot.editing.fitting import Fitting
from bot.editing.intake import Intake
from bot.editing.sources import Sources
from bot.editing.spool import Spool
from bot.images.conversions import Conversions
from bot.ledger.retention import keeping_retention
from bot.ledger.sqlite import open_sqlite
from bot.logs import logging_to_stderr
from bot.reports.charts import Charts
from bot.reports.exports import Exports
from bot.scheduling.call_schedule import CallSchedule
from bot.scheduling.reply_priority import ReplyPriority
from bot.settings import Settings, read_settings
from bot.subprocesses.confinement import hide_memory
from bot.subprocesses.pool import Job, ProcessPool
from cogs.cancel import CancelButton
from cogs.credits import CreditsCog
from cogs.delete_button import DeleteButton
from cogs.edit import EditCog
from cogs.edit_guided import EditGuidedCog
from cogs.edit_image import EditImage
from cogs.help import HelpCog
from cogs.history import HistoryCog
from cogs.privacy import PrivacyCog
from cogs.quota import QuotaCog
from cogs.quota_pages import QuotaPages
from cogs.result_buttons import ResultButtons
from cogs.settings import SettingsCog
from cogs.text.log_channel import log_note
from cogs.ui.admission import Admission
from cogs.ui.cards import EditCards
from cogs.ui.component_router import ComponentRouter
from cogs.ui.edit_forms import EDIT_FORM
from cogs.ui.failures import FailureHandler
from cogs.ui.order_intake import Orders
from cogs.usage import UsageCog

KEEP_ALIVE_S = 60
DNS_CACHE_S = 300
"""Long, because a cold connection can make the first command after a pause miss its 3 s."""

USER_AGENT = f"DiscordBot (https://github.com/Rapptz/discord.py, {discord.__version__})"
"""https://docs.discord.com/developers/reference#user-agent"""

AUTHENTICATION_FAILED = 4004
"""https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway"""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def run_bot() -> None:
    """Run the bot until a signal stops it. Raises OperatorError."""
    hide_memory()
    os.umask(0o077)
    settings = read_settings(os.environ)
    secrets = (settings.discord_token, settings.edit_api_key)
    with (
        suppress(KeyboardInterrupt, asyncio.CancelledError),
        logging_to_stderr(settings.log_level, secrets),
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        runner.run(_serve_until_signal(settings))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where uvloop is available."""
    if sys.platform == "win32":
        return None
    return import_module("uvloop").new_event_loop


async def _serve_until_signal(settings: Settings) -> None:
    """Serve until SIGTERM, which lets edits finish. A second SIGTERM stops at once."""
    serving = asyncio.current_task()
    stopping = asyncio.Event()

    def stop() -> None:
        if stopping.is_set() and serving is not None:
            serving.cancel()
        stopping.set()

    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await serve(settings, stopping=stopping)


async def serve(
    settings: Settings,
    *,
    timeouts: Timeouts | None = None,
    stopping: asyncio.Event | None = None,
) -> None:
    """Run the bot until it's cancelled; `timeouts` apply to the edit API and to images.

    Once `stopping` is set, refuse new edits and return when those in progress have finished or
    their grace period is over.

    Raises:
        OperatorError: the bot can't start or go on, and the operator can fix that.
    """
    await asyncio.to_thread(_check_spool, settings.spool_dir)
    await _check_confinement(required=settings.require_child_sandbox)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_sqlite(settings.database))
        await stack.enter_async_context(
            keeping_retention(stores.archive, stores.drafts, settings.retention)
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=_connector(), headers={"User-Agent": USER_AGENT})
        )
        connections = await stack.enter_async_context(Connections(timeouts=timeouts or Timeouts()))
        source_downloads = SourceDownloads(connections)
        rest = DiscordRest(session, settings.discord_api_url, settings.discord_token)
        replies = Replies(rest)
        journal = DiscordJournal(stores.quota_rules, rest, log_note)
        stack.push_async_callback(journal.close)
        conversions = Conversions()
        trusted_hosts = TrustedHosts(settings.discord_api_url.origin())
        schedule = CallSchedule(
            concurrency=settings.edit_concurrency, queue_limit=settings.queue_limit
        )
        spool = Spool(settings.spool_dir)
        reply_priority = ReplyPriority()
        sources = Sources(source_downloads, conversions, reply_priority)
        messages = DiscordEditMessages(rest, replies, EditCards())
        editor = Editor(
            stores.ledger,
            schedule,
            Intake(
                stores.ledger,
                stores.quota_rules,
                schedule,
                sources,
                messages,
                reply_priority,
                settings.limits,
                trusted_hosts.has,
            ),
            sources,
            EditClient(
                settings.edit_api_url,
                settings.edit_api_key,
                connections,
                timeout=settings.edit_timeout,
                source_mode=settings.edit_source,
            ),
            Delivery(
                stores.ledger,
                stores.quota_rules,
                ResultDownloads(connections, settings.edit_api_url),
                Fitting(conversions),
                messages,
                spool,
                settings.limits,
            ),
            messages,
            journal,
            spool,
            reply_priority,
        )
        stack.push_async_callback(editor.close)
        admission = Admission(replies, settings.servers)
        failures = FailureHandler(replies)
        custom_ids = CustomIds(settings.discord_token)
        quota_pages = QuotaPages(stores.quota_rules, replies, custom_ids, settings.limits)
        quota = QuotaCog(
            stores.quota_rules,
            stores.ledger,
            replies,
            settings.limits,
            quota_pages.limits,
            quota_pages.log,
        )
        server_settings = SettingsCog(stores.quota_rules, journal, replies, custom_ids)
        exports = Exports(settings.spool_dir)
        privacy = PrivacyCog(stores.archive, replies, custom_ids, exports)
        posted = PostedImages(rest, trusted_hosts)
        history = HistoryCog(stores.archive, posted, replies, custom_ids)
        orders = Orders(
            editor,
            stores.quota_rules,
            stores.drafts,
            replies,
            trusted_hosts,
            source_downloads.is_gone,
        )
        edit_image = EditImage(orders, trusted_hosts)
        edit_guided = EditGuidedCog(orders, editor, stores.drafts, replies, custom_ids)
        results = ResultButtons(orders, stores.ledger, replies, posted, trusted_hosts)
        delete = DeleteButton(stores.ledger, stores.archive, rest, replies, custom_ids)
        cancel = CancelButton(stores.ledger, editor, replies)
        components = ComponentRouter(
            custom_ids,
            replies,
            admission,
            failures,
            signed={
                **quota_pages.signed,
                **server_settings.signed,
                **privacy.signed,
                **edit_guided.signed,
                **delete.signed,
                **history.signed,
            },
            persistent={**results.persistent, **delete.persistent, **cancel.persistent},
            forms={EDIT_FORM: orders.take_form, **edit_guided.forms},
        )
        discord_client = await stack.enter_async_context(
            DiscordClient(
                api_url=settings.discord_api_url,
                connector=_connector(),
                cogs=[
                    EditCog(editor),
                    edit_guided,
                    CreditsCog(stores.ledger, replies, settings.limits),
                    quota,
                    UsageCog(stores.usage, Charts(), replies, exports),
                    server_settings,
                    privacy,
                    history,
                    HelpCog(replies),
                    components,
                ],
                menus=[edit_image.menu],
                admits=admission.admits,
                answer_failure=failures.handle,
            )
        )
        with _as_operator_errors(settings):
            await _stay_connected(discord_client, editor, settings, stopping or asyncio.Event())


async def _stay_connected(
    discord_client: DiscordClient, editor: Editor, settings: Settings, stopping: asyncio.Event
) -> None:
    """Serve Discord until cancelled or told to stop.

    Cancel the connection until it ends: before Python 3.12 `asyncio.wait_for`, which discord.py
    connects with, could swallow a cancellation. https://github.com/python/cpython/issues/86296
    """

    async def connect() -> None:
        await discord_client.login(settings.discord_token)
        try:
            await editor.resume()
        except LedgerError as error:
            raise LedgerUnusableError(
                f"Can't read the database {settings.database}: {error}. Check it with "
                "`python -m bot doctor`."
            ) from error
        await discord_client.connect()

    connection = asyncio.create_task(connect())
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({connection, stop}, return_when=asyncio.FIRST_COMPLETED)
        if connection.done():
            await connection
        else:
            await editor.drain(settings.shutdown_grace)
    finally:
        stop.cancel()
        while not connection.done():
            connection.cancel()
            await asyncio.wait({connection}, timeout=0.1)


def _check_spool(folder: Path) -> None:
    """Make the spool private, and check that results can be written. Raises BadSettingsError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadSettingsError(
            f"SPOOL_DIR is '{folder}', which can't be written to ({error.strerror}); "
            "it takes a folder's path."
        ) from error


async def _check_confinement(*, required: bool) -> None:
    """Check before the first image that child processes can be confined.

    Raises:
        BadSettingsError: they can't, and confinement is required.
    """
    try:
        async with ProcessPool(1).start(CONFINEMENT_CHECK) as ask:
            missing = (await ask(b"")).decode()
    except ChildFailedError as error:
        missing = str(error)
    if missing and required:
        raise BadSettingsError(
            f"REQUIRE_CHILD_SANDBOX is on, but this system can't confine child processes "
            f"({missing}). Run the bot on Linux on x86-64 or arm64, allow seccomp in its "
            "container, or turn the setting off: SECURITY.md says what that means."
        )
    if missing:
        log.warning("child.unconfined", why=missing)


CONFINEMENT_CHECK = Job(("-m", "bot.subprocesses.confinement"), timeout_s=30, max_result=1_000)


def _connector() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=DNS_CACHE_S)


@contextmanager
def _as_operator_errors(settings: Settings) -> Generator[None]:
    """Tell the operator what to do when Discord doesn't let the bot in."""
    try:
        yield
    except discord.LoginFailure as error:
        raise LoginRefusedError from error
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise LoginRefusedError from error
        raise DiscordRefusedError(
            f"Discord closed the connection with code {error.code}."
        ) from error
    except discord.ClientException as error:
        raise DiscordRefusedError(f"Discord doesn't let the bot in: {error}") from error
    except discord.HTTPException as error:
        raise DiscordRefusedError(
            f"Discord refused a request while the bot was starting: HTTP {error.status}, "
            f"code {error.code}: {error.text}"
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise DiscordRefusedError(
            f"Couldn't connect to Discord at {settings.discord_api_url} "
            f"({type(error).__name__}). Check the network and DISCORD_API_URL, and start the bot "
            "again."
        ) from error
