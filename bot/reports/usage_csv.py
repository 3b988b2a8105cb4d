"""Writes edits as comma-separated values, for spreadsheets and for programs.

Every file begins with the same header and is UTF-8 with CRLF line ends (RFC 4180) and the byte
order mark by which spreadsheets know UTF-8. Rows are written as they come and never held.
"""

import codecs
import csv
import re
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from bot.ledger.usage import UsageRow
from bot.reports.bounded_zip import BoundedZip

COLUMNS = (
    *("time", "edit_id", "member_id", "member_name", "channel_id", "quality", "size", "count"),
    *("posted", "credits", "state", "seconds"),
)
"""`time` is when the edit was held (ISO 8601, UTC), `credits` what was charged, and `seconds` how
long the edit took from then to its end, empty while it is open."""

Batches = Iterable[Sequence[UsageRow]]


def write_csv(batches: Batches, target: Path | BinaryIO) -> int:
    """Write one file, however long; what stood at a path is replaced once all is written.

    Returns:
        The number of edits.
    """
    if isinstance(target, Path):
        with _replacing(target) as file:
            return write_csv(batches, file)
    target.write(_HEADER)
    edits = 0
    for line in _lines(batches):
        target.write(line)
        edits += 1
    return edits


def write_parts(batches: Batches, folder: Path, *, name: str, limit: int) -> list[Path]:
    """Write files of at most `limit` bytes each into `folder`; a failure leaves none behind.

    A plain `<name>.csv` if that is small enough; else a compressed `<name>.csv.zip`; else
    `<name>-1.csv.zip`, `<name>-2.csv.zip` and so on, each holding one file with its own header.

    Returns:
        The files, in the order of their rows.

    Raises:
        ValueError: the limit is too small for the header and one row.
    """
    with TemporaryDirectory(dir=folder) as temporary:
        parts = _write_parts(_lines(batches), Path(temporary) / f"{name}.csv", limit)
        return [part.replace(folder / part.name) for part in parts]


def _write_parts(lines: Iterator[bytes], plain: Path, limit: int) -> list[Path]:
    unwritten = _write_plain(plain, chain([_HEADER], lines), limit)
    if unwritten is None:
        return [plain]
    with plain.open("rb") as written:
        next(written, None)
        return _write_zips(chain(_split(written), [unwritten], lines), plain, limit)


def _write_zips(lines: Iterator[bytes], plain: Path, limit: int) -> list[Path]:
    only = plain.with_name(f"{plain.name}.zip")
    unwritten = _write_zip(only, chain([_HEADER], lines), limit)
    if unwritten is None:
        return [only]
    names = (plain.with_name(f"{plain.stem}-{number}.csv.zip") for number in count(1))
    parts = [next(names)]
    _rename_zip(only, parts[0])
    while unwritten is not None:
        parts.append(next(names))
        unwritten = _write_zip(parts[-1], chain([_HEADER, unwritten], lines), limit)
    return parts


def _write_plain(path: Path, lines: Iterable[bytes], limit: int) -> bytes | None:
    """Write lines as long as they fit; the first that does not."""
    left = limit
    with path.open("wb") as file:
        for line in lines:
            left -= len(line)
            if left < 0:
                return line
            file.write(line)
    return None


def _write_zip(path: Path, lines: Iterable[bytes], limit: int) -> bytes | None:
    """Write lines into a compressed file as long as they surely fit; the first that does not.

    Raises:
        ValueError: it is the header, or the first after it.
    """
    with path.open("wb") as file, BoundedZip(file, path.stem, limit) as archive:
        for position, line in enumerate(lines):
            if archive.holds(len(line)):
                archive.write(line)
            elif position > 1:
                return line
            else:
                raise ValueError(f"{limit} bytes do not hold a header and a row")
    return None


def _rename_zip(path: Path, new: Path) -> None:
    """Write an archive again under a new name, which the file in it takes on too."""
    with (
        ZipFile(path) as archive,
        archive.open(path.stem) as member,
        ZipFile(new, "w", ZIP_DEFLATED) as renamed,
        renamed.open(new.stem, "w") as target,
    ):
        shutil.copyfileobj(member, target)
    path.unlink()


def _split(file: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of what was written, where a line break within quotes ends none."""
    line = b""
    for piece in file:
        line += piece
        if line.count(b'"') % 2 == 0:
            yield line
            line = b""


def _lines(batches: Batches) -> Iterator[bytes]:
    writer = csv.writer(_Lines())
    for batch in batches:
        for row in batch:
            yield writer.writerow(_cells(row))


class _Lines:
    """A file that hands each line back to whoever had it written."""

    def write(self, line: str) -> bytes:
        # Half a surrogate pair, which a broken name may have, is no UTF-8; it becomes "?".
        return line.encode("utf-8", "replace")


def _cells(row: UsageRow) -> tuple[str | int, ...]:
    return (
        _moment(row.held_at),
        row.edit_id,
        row.member_id,
        _harmless(row.member_name or ""),
        row.channel_id,
        row.quality,
        _harmless(row.size),
        row.count,
        row.posted,
        row.charged,
        row.state,
        "" if row.ended_at is None else _seconds(row.held_at, row.ended_at),
    )


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _seconds(start: datetime, end: datetime) -> str:
    return f"{(end - start).total_seconds():.3f}".rstrip("0").rstrip(".")


def _harmless(text: str) -> str:
    """The text, with an apostrophe before whatever a spreadsheet could take for a formula.

    That is at its beginning, and also within it, after what separates cells where a spreadsheet
    does not expect commas: then quotes protect nothing, and a new cell begins there.
    """
    return _FORMULA.sub("'", text)


_FORMULA = re.compile(
    r"^(?=[\t\r\n])"
    r"|(?:^|(?<=[;\t\r\n]))(?=[\x00-\x20\"\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
"""https://owasp.org/www-community/attacks/CSV_Injection"""

_HEADER = codecs.BOM_UTF8 + ",".join(COLUMNS).encode() + b"\r\n"


@contextmanager
def _replacing(path: Path) -> Generator[BinaryIO]:
    """A file that takes the path's place once all is written; a device is written to as it is."""
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    with TemporaryDirectory(dir=path.parent) as temporary:
        written = Path(temporary) / path.name
        with written.open("wb") as file:
            yield file
        written.replace(path)
