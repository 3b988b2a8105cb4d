"""`python -m bot usage`: what every server spent, for the operator who pays for the API key."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from io import BufferedWriter, FileIO
from itertools import chain
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bot.domain.quotas import Window, window_at, window_before
from bot.ledger.usage import ServerUse, UsageBook, UsageRow
from bot.reports.usage_csv import write_csv
from bot.reports.usage_rows import in_batches

DONE = 0
FAILED = 1

LARGEST_ID = 2**63 - 1

STANDARD_OUTPUT = "-"

OpenBook = Callable[[], AbstractAsyncContextManager[UsageBook]]


class Span(StrEnum):
    """The period that each server's use is summed over."""

    THIS = "this"
    LAST = "last"
    ALL = "all"
    """All time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the subcommand's arguments."""
    parser.description = (
        "Show what every server spent: posted edits and images, and the credits charged for them, "
        "sent to the edit API and not surely refused by it, and held for edits in progress. It "
        "reads the database of DATABASE_URL, also while the bot runs."
    )
    parser.add_argument("--guild", type=_guild, metavar="ID", help="only this server")
    parser.add_argument(
        "--window",
        choices=[span.value for span in Span],
        default=Span.THIS.value,
        help="each server's current period, the previous one, or all time (default: %(default)s)",
    )
    parser.add_argument(
        "--csv",
        metavar="FILE",
        help="write a row for every held edit; - writes to standard output and prints no table",
    )


async def report(
    options: argparse.Namespace,
    open_book: OpenBook,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Print the report, and return the exit status.

    Raises:
        LedgerUnusableError: the database can't be opened.
        LedgerError: it can't be read.
    """
    guild_id: int | None = options.guild
    async with open_book() as book:
        uses = await look_up(book, guild_id, Span(options.window), clock())
        if guild_id is not None and not uses:
            _complain(f"Nothing was ever held or granted in a server with the id {guild_id}.")
            return FAILED
        if options.csv != STANDARD_OUTPUT:
            # A program that reads this needs unwrapped lines.
            width = None if sys.stdout.isatty() else 1_000
            Console(width=width, highlight=False).print(as_table(uses))
        if options.csv is None:
            return DONE
        return await _write(book, uses, options.csv)


async def look_up(
    book: UsageBook, guild_id: int | None, span: Span, now: datetime
) -> list[ServerUse]:
    """Sum one server's use, or that of all, each over its own period."""
    return [
        await book.server(server_id, await _window(book, server_id, span, now))
        for server_id in await book.servers()
        if guild_id in {None, server_id}
    ]


def as_table(uses: Sequence[ServerUse]) -> Table:
    """Return a table with a row for each server, and the totals."""
    table = Table(box=box.SIMPLE)
    table.add_column("server", no_wrap=True)
    table.add_column("window")
    for name in ("edits", "pictures", "charged", "sent", "held"):
        table.add_column(name, justify="right")
    rows = [(use.edits, use.images, use.charged, use.sent, use.held) for use in uses]
    for use, row in zip(uses, rows, strict=True):
        table.add_row(str(use.guild_id), _span(use.window), *map(str, row))
    table.add_section()
    totals = [sum(column) for column in zip(*rows, strict=True)] or [0] * 5
    table.add_row("total", "", *map(str, totals))
    return table


async def _window(book: UsageBook, guild_id: int, span: Span, now: datetime) -> Window | None:
    if span is Span.ALL:
        return None
    period = await book.period(guild_id)
    window = window_at(now, period)
    return window_before(window, period) if span is Span.LAST else window


def _span(window: Window | None) -> str:
    if window is None:
        return "all"
    last = window.end - timedelta(days=1)
    return str(last) if last == window.first else f"{window.first} to {last}"


async def _write(book: UsageBook, uses: Sequence[ServerUse], file: str) -> int:
    loop = asyncio.get_running_loop()
    rows = chain.from_iterable(in_batches(book, use.guild_id, use.window, loop) for use in uses)
    try:
        edits = await asyncio.to_thread(_write_to, file, rows)
    except OSError as fault:
        _complain(f"{_named(file)} can't be written: {fault.strerror}")
        return FAILED
    if file != STANDARD_OUTPUT:
        Console(highlight=False).print(f"{edits} rows in {file}", markup=False, soft_wrap=True)
    return DONE


def _write_to(file: str, rows: Iterator[Sequence[UsageRow]]) -> int:
    if file != STANDARD_OUTPUT:
        return write_csv(rows, Path(file))
    with BufferedWriter(FileIO(sys.stdout.fileno(), "wb", closefd=False)) as output:
        return write_csv(rows, output)


def _named(file: str) -> str:
    return "Standard output" if file == STANDARD_OUTPUT else file


def _complain(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)


def _guild(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= LARGEST_ID:
        raise argparse.ArgumentTypeError(f"got {given!r}; it takes a server's id, a whole number")
    return int(given)
