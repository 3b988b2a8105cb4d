"""The command line, and the one place where the parts are put together.

python -m bot            run the bot with the settings of the environment and `.env`
python -m bot usage      what every server spent, also while the bot runs
python -m bot doctor     whether the ledger is right, also while the bot runs
python -m bot sandbox    try it, with nothing but this project
"""

import argparse
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
    OperatorError,
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
from bot.ledger.sqlite import examine_sqlite, open_sqlite, open_sqlite_to_read
from bot.logs import logging_to_stderr
from bot.reports import usage_report
from bot.reports.charts import Charts
from bot.reports.exports import Exports
from bot.scheduling.call_schedule import CallSchedule
from bot.scheduling.reply_priority import ReplyPriority
from bot.settings import Settings, read_database, read_settings
from bot.subprocesses.confinement import hide_memory
from bot.subprocesses.pool import Job, ProcessPool
from cogs.cancel import CancelButton
from cogs.credits import CreditsCog
from cogs.edit import EditCog
from cogs.edit_guided import EditGuidedCog
from cogs.edit_image import EditImage
from cogs.help import HelpCog
from cogs.history import HistoryCog
from cogs.privacy import PrivacyCog
from cogs.quota import QuotaCog
from cogs.result_buttons import ResultButtons
from cogs.settings import SettingsCog
from cogs.text.log_channel import journal_line
from cogs.ui.admission import Admission
from cogs.ui.cards import EditCards
from cogs.ui.component_router import PressesCog
from cogs.ui.edit_forms import EDIT_FORM
from cogs.ui.failures import FailureHandler
from cogs.ui.order_intake import Orders
from cogs.usage import UsageCog
from sandbox import cli as sandbox

WRONG_SETTINGS = 2
FAILED = 1

KEEP_ALIVE = 60
DNS_CACHE = 300
"""Seconds: a cold connection is what makes the first command after a pause miss its 3 s."""

USER_AGENT = f"DiscordBot (https://github.com/Rapptz/discord.py, {discord.__version__})"
"""https://docs.discord.com/developers/reference#user-agent"""

AUTHENTICATION_FAILED = 4004
"""https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway"""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def main() -> int:
    """Run the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Darkroom")
    commands = parser.add_subparsers(dest="command", title="commands")
    sandbox.add_arguments(
        commands.add_parser("sandbox", help="one real edit with no account anywhere")
    )
    usage_report.add_arguments(commands.add_parser("usage", help="what every server spent"))
    commands.add_parser("doctor", help="whether the ledger is right").description = (
        "Check every row of the database of DATABASE_URL, also while the bot runs: that accounts "
        "are the sums of their edits, that nobody was charged for a picture that was not posted, "
        "and what SQLite itself can check. Prints ok, or a line for each broken row with status 1."
    )
    options = parser.parse_args()
    try:
        if options.command == "sandbox":
            return sandbox.main(options)
        if options.command == "usage":
            return report_usage(options)
        if options.command == "doctor":
            return examine()
        return run_bot()
    except BadSettingsError as fault:
        print(fault, file=sys.stderr)
        return WRONG_SETTINGS
    except OperatorError as fault:
        print(fault, file=sys.stderr)
        return FAILED


def report_usage(options: argparse.Namespace) -> int:
    """Print what was spent; the result is the exit status. Raises OperatorFault."""
    database = read_database(os.environ)
    try:
        return asyncio.run(usage_report.report(options, lambda: open_sqlite_to_read(database)))
    except LedgerError as fault:
        print(f"The database cannot be read: {fault}. Try again.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def examine() -> int:
    """Print what is broken in the ledger; the result is the exit status. Raises OperatorFault."""
    database = read_database(os.environ)
    try:
        broken = asyncio.run(examine_sqlite(database))
    except LedgerError as fault:
        print(f"The database {database} cannot be read to its end: {fault}.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    print("\n".join(broken) or "ok")
    return FAILED if broken else 0


def run_bot() -> int:
    """Run the bot until a signal ends it; the result is the exit status. Raises OperatorFault."""
    hide_memory()
    settings = read_settings(os.environ)
    secrets = (settings.discord_token, settings.edit_api_key)
    with (
        suppress(KeyboardInterrupt, asyncio.CancelledError),
        logging_to_stderr(settings.log_level, secrets),
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        runner.run(_serve_until_signal(settings))
    return 0


async def serve(
    settings: Settings,
    *,
    timeouts: Timeouts | None = None,
    stopping: asyncio.Event | None = None,
) -> None:
    """Run the bot until it is cancelled; `timeouts` is for the edit API and images.

    Once `stopping` is set it takes no edits any more, and ends when those under way have ended or
    their grace is over.

    Raises:
        OperatorFault: it cannot begin or go on, for a reason that its operator can mend.
    """
    await asyncio.to_thread(_check_spool, settings.spool_dir)
    await _check_confinement(required=settings.require_child_sandbox)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_sqlite(settings.database))
        await stack.enter_async_context(
            keeping_retention(stores.archive, stores.drafts, settings.retention)
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=_warm_pool(), headers={"User-Agent": USER_AGENT})
        )
        connections = await stack.enter_async_context(Connections(timeouts=timeouts or Timeouts()))
        source_downloads = SourceDownloads(connections)
        rest = DiscordRest(session, settings.discord_api_url, settings.discord_token)
        replies = Replies(rest)
        journal = DiscordJournal(stores.quota_rules, rest, journal_line)
        stack.push_async_callback(journal.close)
        conversions = Conversions()
        places = TrustedHosts(settings.discord_api_url.origin())
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
                places.has,
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
        quota = QuotaCog(stores.quota_rules, stores.ledger, replies, custom_ids, settings.limits)
        server_settings = SettingsCog(stores.quota_rules, journal, replies, custom_ids)
        exports = Exports(settings.spool_dir)
        privacy = PrivacyCog(stores.archive, replies, custom_ids, exports)
        posted = PostedImages(rest, places)
        history = HistoryCog(stores.archive, posted, replies, custom_ids)
        orders = Orders(
            editor, stores.quota_rules, stores.drafts, replies, places, source_downloads.is_gone
        )
        edit_image = EditImage(orders, places)
        edit_guided = EditGuidedCog(orders, editor, stores.drafts, replies, custom_ids)
        results = ResultButtons(
            orders, stores.ledger, stores.archive, rest, replies, custom_ids, posted, places
        )
        cancel = CancelButton(stores.ledger, editor, replies)
        presses = PressesCog(
            custom_ids,
            replies,
            admission,
            failures,
            actions={
                **quota.actions,
                **server_settings.actions,
                **privacy.actions,
                **edit_guided.actions,
                **results.actions,
                **history.actions,
            },
            lasting={**results.lasting, **cancel.lasting},
            forms={EDIT_FORM: orders.take_form, **edit_guided.forms},
        )
        discord_client = await stack.enter_async_context(
            DiscordClient(
                api_url=settings.discord_api_url,
                connector=_warm_pool(),
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
                    presses,
                ],
                menus=[edit_image.menu],
                admits=admission.admits,
                answer_failure=failures.answer,
            )
        )
        with _discord_faults(settings):
            await _stay_connected(discord_client, editor, settings, stopping or asyncio.Event())


async def _stay_connected(
    discord_client: DiscordClient, editor: Editor, settings: Settings, stopping: asyncio.Event
) -> None:
    """Serve Discord until cancelled or told to stop, which is passed on until it is obeyed.

    Until Python 3.12 `asyncio.wait_for`, which discord.py connects with, could swallow it.
    https://github.com/python/cpython/issues/86296
    """

    async def connect() -> None:
        await discord_client.login(settings.discord_token)
        try:
            await editor.resume()
        except LedgerError as fault:
            raise LedgerUnusableError(
                f"The database {settings.database} cannot be read: {fault}. Look at it with "
                "`python -m bot doctor`."
            ) from fault
        await discord_client.connect()

    connection = asyncio.create_task(connect())
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({connection, told}, return_when=asyncio.FIRST_COMPLETED)
        if connection.done():
            await connection
        else:
            await editor.drain(settings.shutdown_grace)
    finally:
        told.cancel()
        while not connection.done():
            connection.cancel()
            await asyncio.wait({connection}, timeout=0.1)


def _check_spool(folder: Path) -> None:
    """Find out before the first edit whether results can be written.

    Raises:
        BadSettings: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        raise BadSettingsError(
            f"SPOOL_DIR is '{folder}', where nothing can be written ({fault.strerror}); "
            "it takes a folder's path."
        ) from fault


async def _check_confinement(*, required: bool) -> None:
    """Find out before the first image whether the children that open images can be confined.

    Raises:
        BadSettings: they can't, and it is required.
    """
    try:
        async with ProcessPool(1).start(CONFINEMENT_CHECK) as ask:
            missing = (await ask(b"")).decode()
    except ChildFailedError as fault:
        missing = str(fault)
    if missing and required:
        raise BadSettingsError(
            f"REQUIRE_CHILD_SANDBOX is on, but this system can't confine child processes "
            f"({missing}). Run the bot on Linux on x86-64 or arm64, allow seccomp in its "
            "container, or turn the setting off: SECURITY.md says what that means."
        )
    if missing:
        log.warning("child.unconfined", why=missing)


CONFINEMENT_CHECK = Job(("-m", "bot.subprocesses.confinement"), timeout_s=30, max_result=1_000)


def _warm_pool() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, ttl_dns_cache=DNS_CACHE)


@contextmanager
def _discord_faults(settings: Settings) -> Generator[None]:
    """Say what the operator can do about a Discord that does not let the bot in."""
    try:
        yield
    except discord.LoginFailure as fault:
        raise LoginRefusedError from fault
    except discord.ConnectionClosed as fault:
        if fault.code == AUTHENTICATION_FAILED:
            raise LoginRefusedError from fault
        raise DiscordRefusedError(
            f"Discord ended the connection with code {fault.code}."
        ) from fault
    except discord.ClientException as fault:
        raise DiscordRefusedError(f"Discord does not let the bot in: {fault}") from fault
    except discord.HTTPException as fault:
        raise DiscordRefusedError(
            f"Discord refused a request of the bot's start: HTTP {fault.status}, "
            f"code {fault.code}: {fault.text}"
        ) from fault
    except (aiohttp.ClientError, OSError) as fault:
        raise DiscordRefusedError(
            f"Discord did not let the bot in at {settings.discord_api_url} "
            f"({type(fault).__name__}). Check the network and DISCORD_API_URL, and start it again."
        ) from fault


async def _serve_until_signal(settings: Settings) -> None:
    """Serve; SIGTERM lets edits end first, a second one does not. Windows has no such signal."""
    serving = asyncio.current_task()
    stopping = asyncio.Event()

    def stop() -> None:
        if stopping.is_set() and serving is not None:
            serving.cancel()
        stopping.set()

    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await serve(settings, stopping=stopping)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster loop, where there is one."""
    if sys.platform == "win32":
        return None
    return import_module("uvloop").new_event_loop


if __name__ == "__main__":
    sys.exit(main())
