"""The export of a server's edits: what it says, that it is harmless, and that it fits."""

import csv
import io
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.lifecycle import State
from bot.domain.pricing import Quality
from bot.ledger.usage import UsageRow
from bot.reports.usage_csv import HEADER, write_csv, write_csv_or_zip

HELD = datetime(2026, 11, 25, 2, 29, 27, 123_000, UTC)
ROW = UsageRow(
    held_at=HELD,
    edit_id=1_300_000_000_000_000_001,
    member_id=1_200_000_000_000_000_002,
    member_name="Ada",
    channel_id=1_100_000_000_000_000_003,
    quality=Quality.MEDIUM,
    size="16:9",
    count=4,
    posted=3,
    charged=24,
    state=State.DELIVERED,
    ended_at=HELD + timedelta(seconds=41, milliseconds=250),
)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def written(*rows: UsageRow) -> bytes:
    file = io.BytesIO()
    assert write_csv([rows], file) == len(rows)
    return file.getvalue()


def read(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def read_name(name: str) -> str:
    (row,) = read(written(replace(ROW, member_name=name)))
    return row["member_name"]


def batches(edits: int) -> Iterator[list[UsageRow]]:
    """That many rows with names that compress badly, each row unlike the others."""
    chance = random.Random(1)
    for start in range(0, edits, 100):
        yield [
            replace(ROW, edit_id=number, member_name=f'"{chance.randbytes(16).hex()}\r\n')
            for number in range(start, min(start + 100, edits))
        ]


def test_a_row_says_what_became_of_an_edit() -> None:
    assert written(ROW).decode("utf-8-sig") == (
        f"{HEADER}\r\n2026-11-25T02:29:27.123Z,1300000000000000001,1200000000000000002,Ada,"
        "1100000000000000003,medium,16:9,4,3,24,delivered,41.25\r\n"
    )


def test_the_file_begins_with_the_mark_by_which_spreadsheets_know_utf_8() -> None:
    assert written() == b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n"


def test_the_time_is_in_utc_and_python_reads_it() -> None:
    there = timezone(timedelta(hours=-8))
    (row,) = read(written(replace(ROW, held_at=HELD.astimezone(there))))
    assert row["time"].endswith("Z")
    assert datetime.fromisoformat(row["time"]) == HELD


def test_an_open_edit_has_no_seconds_and_an_erased_name_is_empty() -> None:
    (row,) = read(written(replace(ROW, state=State.HELD, ended_at=None, member_name=None)))
    assert (row["seconds"], row["member_name"]) == ("", "")


@pytest.mark.parametrize(
    ("microseconds", "seconds"), [(0, "0"), (10_000_000, "10"), (1_234_567, "1.235")]
)
def test_seconds_have_no_more_than_three_decimals(microseconds: int, seconds: str) -> None:
    ended = HELD + timedelta(microseconds=microseconds)
    (row,) = read(written(replace(ROW, ended_at=ended)))
    assert row["seconds"] == seconds


@pytest.mark.parametrize("first", DANGEROUS)
@pytest.mark.parametrize("rest", ["", "1+1", 'HYPERLINK("https://example.com","x")', "\n=1"])
def test_no_cell_begins_as_a_formula_does(first: str, rest: str) -> None:
    (row,) = read(written(replace(ROW, member_name=first + rest, size=first + rest)))
    for cell in (row["member_name"], row["size"]):
        assert cell[:2] == f"'{first}"
        assert cell.replace("'", "") == first + rest


@pytest.mark.parametrize(
    "name", ["Ada;=1+1", 'Ada;"=1+1', "Ada\n=1+1", "Ada\t @SUM(A1)", ' "=1+1', "Ada;\uff1d1"]
)
def test_no_cell_begins_so_where_a_spreadsheet_expects_no_commas(name: str) -> None:
    lines = written(replace(ROW, member_name=name)).decode("utf-8-sig").splitlines()
    cells = [cell.strip(' "') for line in lines for cell in line.replace("\t", ";").split(";")]
    names = [cell for text in cells for cell in text.split(',"')]
    assert not [cell for cell in names if cell.strip(' "').startswith(DANGEROUS)]
    assert read_name(name).replace("'", "") == name


@pytest.mark.parametrize("name", ["Ada - the first", "a+b=c", "e@mail", "Ada, =1", "'tis"])
def test_an_ordinary_name_is_left_as_it_is(name: str) -> None:
    assert read_name(name) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_survives_a_reader_but_for_apostrophes(name: str) -> None:
    cell = read_name(name)
    assert not cell.startswith(DANGEROUS)
    assert cell.replace("'", "") == name.replace("'", "")


@given(st.text(st.characters(categories=["Cs", "L", "Po"])))
def test_halves_of_surrogate_pairs_in_a_name_become_question_marks(name: str) -> None:
    whole = "".join("?" if "\ud800" <= letter <= "\udfff" else letter for letter in name)
    assert read_name(name).replace("'", "") == whole.replace("'", "")


def test_a_file_is_replaced_once_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_bytes(b"before")
    assert write_csv([[ROW], [ROW]], path) == 2
    assert path.read_bytes() == written(ROW, ROW)
    assert list(tmp_path.iterdir()) == [path]


def failing() -> Iterator[list[UsageRow]]:
    yield from batches(1000)
    raise ConnectionError


def test_a_failure_leaves_what_was_at_the_path_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_bytes(b"before")
    with pytest.raises(ConnectionError):
        write_csv(failing(), path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


SMALL, LARGE = 1_000, 10_000
"""Rows. A zip of them is less than half as large as the CSV file."""


def size_of(edits: int) -> int:
    file = io.BytesIO()
    write_csv(batches(edits), file)
    return len(file.getvalue())


def read_upload(path: Path) -> list[dict[str, str]]:
    if path.suffix != ".zip":
        return read(path.read_bytes())
    with ZipFile(path) as archive:
        assert archive.namelist() == [path.stem]
        return read(archive.read(path.stem))


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (size_of(LARGE), "usage.csv"),
        (size_of(LARGE) - 1, "usage.csv.zip"),
        (size_of(LARGE) // 2, "usage.csv.zip"),
    ],
    ids=["just fits", "one byte too large", "half"],
)
def test_an_export_is_one_csv_file_or_one_zip_with_every_row(
    tmp_path: Path, limit: int, name: str
) -> None:
    path = write_csv_or_zip(batches(LARGE), tmp_path, name="usage", limit=limit)
    assert path is not None
    assert path == tmp_path / name
    assert path.stat().st_size <= limit
    assert [int(row["edit_id"]) for row in read_upload(path)] == list(range(LARGE))


@pytest.mark.parametrize("limit", [0, 100, size_of(SMALL) // 8])
def test_an_export_that_fits_neither_way_is_no_file(tmp_path: Path, limit: int) -> None:
    assert write_csv_or_zip(batches(SMALL), tmp_path, name="usage", limit=limit) is None


def test_an_export_that_is_too_large_stops_before_it_fills_the_disk(tmp_path: Path) -> None:
    limit, unread = 100_000, batches(LARGE)
    assert write_csv_or_zip(unread, tmp_path, name="usage", limit=limit) is None
    assert next(unread, None)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4 * limit


def test_an_export_needs_no_more_memory_for_more_rows(tmp_path: Path) -> None:
    def peak(edits: int) -> int:
        limit = size_of(edits) - 1
        tracemalloc.start()
        assert write_csv_or_zip(batches(edits), tmp_path, name="usage", limit=limit)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < peak(2_000) + 100_000
