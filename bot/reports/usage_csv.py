"""Write edits as CSV, for spreadsheets and for programs.

A file is UTF-8 with CRLF line ends (RFC 4180). It starts with a byte order mark, by which
spreadsheets recognize UTF-8. Rows are written as they arrive and never collected.
"""

import codecs
import csv
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from bot.ledger.usage import UsageRow

HEADER = (
    "time,edit_id,member_id,member_name,channel_id,quality,size,count,posted,credits,state,seconds"
)
"""`time` is when the edit was held (ISO 8601, UTC), `credits` is what was charged, and `seconds` is
how long the edit took from then on, empty while it's open."""

Batches = Iterable[Sequence[UsageRow]]


def write_csv(batches: Batches, target: Path | BinaryIO) -> int:
    """Write one file and return the number of edits; replace an existing file at the end."""
    if isinstance(target, Path):
        with _replacing(target) as file:
            return write_csv(batches, file)
    target.write(_HEADER)
    edits = 0
    for line in _lines(batches):
        target.write(line)
        edits += 1
    return edits


def write_csv_or_zip(batches: Batches, folder: Path, *, name: str, limit: int) -> Path | None:
    """Write a CSV file of at most `limit` bytes, or a zip of it, or return None if neither fits.

    Stop writing once both are too large, so that the disk never holds much more than twice `limit`.
    """
    plain = folder / f"{name}.csv"
    zipped = folder / f"{name}.csv.zip"
    with (
        plain.open("wb") as plain_file,
        zipped.open("wb") as zip_file,
        ZipFile(zip_file, "w", ZIP_DEFLATED) as archive,
        archive.open(plain.name, "w") as member,
    ):
        for line in chain([_HEADER], _lines(batches)):
            if plain_file.tell() <= limit:
                plain_file.write(line)
            elif zip_file.tell() > limit:
                return None
            member.write(line)
    return next((path for path in (plain, zipped) if path.stat().st_size <= limit), None)


def _lines(batches: Batches) -> Iterator[bytes]:
    writer = csv.writer(_Lines())
    for batch in batches:
        for row in batch:
            yield writer.writerow(_cells(row))


class _Lines:
    """A file whose `write` returns the line, so that `csv.writer` returns it too."""

    def write(self, line: str) -> bytes:
        # A broken name can have half a surrogate pair, which isn't valid UTF-8. It becomes "?".
        return line.encode("utf-8", "replace")


def _cells(row: UsageRow) -> tuple[str | int, ...]:
    return (
        _timestamp(row.held_at),
        row.edit_id,
        row.member_id,
        _escape_formulas(row.member_name or ""),
        row.channel_id,
        row.quality,
        _escape_formulas(row.size),
        row.count,
        row.posted,
        row.charged,
        row.state,
        "" if row.ended_at is None else _seconds(row.held_at, row.ended_at),
    )


def _timestamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _seconds(start: datetime, end: datetime) -> str:
    return f"{(end - start).total_seconds():.3f}".rstrip("0").rstrip(".")


def _escape_formulas(text: str) -> str:
    """Put an apostrophe before everything that a spreadsheet could read as a formula.

    A formula can also start inside the text: a spreadsheet that splits at semicolons or tabs
    instead of commas ignores the quotes around it.
    """
    return _FORMULA.sub("'", text)


_FORMULA = re.compile(
    r"^(?=[\t\r\n])"
    r"|(?:^|(?<=[;\t\r\n]))(?=[\x00-\x20\"\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
"""https://owasp.org/www-community/attacks/CSV_Injection"""

_HEADER = codecs.BOM_UTF8 + HEADER.encode() + b"\r\n"


@contextmanager
def _replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file that replaces the one at `path` at the end; write to a device directly."""
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    with TemporaryDirectory(dir=path.parent) as temporary:
        complete = Path(temporary) / path.name
        with complete.open("wb") as file:
            yield file
        complete.replace(path)
