"""Whether a file is complete is known after a bounded number of steps, whatever is in it."""

import struct
import time
import zlib
from pathlib import Path

import pytest

from bot.domain.images import Format, ImageInfo
from bot.images.files import is_complete, probe_file

FRAME = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 30, 40, 3) + bytes(9)
MANY = 2**24
"""Bytes of a file that is nothing but small parts."""


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *chunks)
    )


END = b"\xff\xda\0\2" + b"\xff\xd9"
EMPTY_CHUNK = b"\0\0\0\0aaAa\0\0\0\0"


@pytest.mark.parametrize(
    ("format_", "file"),
    [
        pytest.param(
            Format.JPEG, jpeg(FRAME, b"\xff\xe0\0\2" * (MANY // 4), END), id="empty segments"
        ),
        pytest.param(Format.JPEG, jpeg(FRAME, b"\xff" * MANY, END), id="fill bytes"),
        pytest.param(
            Format.PNG,
            png((b"IDAT", b"")) + EMPTY_CHUNK * (MANY // len(EMPTY_CHUNK)) + png((b"IEND", b"")),
            id="empty chunks",
        ),
    ],
)
def test_a_file_of_nothing_but_small_parts_is_given_up_after_a_few_thousand(
    tmp_path: Path, format_: Format, file: bytes
):
    (tmp_path / "a").write_bytes(file)
    began = time.process_time()
    assert not is_complete(tmp_path / "a", format_)
    assert time.process_time() - began < 0.5


def test_a_large_image_in_small_parts_is_complete(tmp_path: Path):
    (tmp_path / "a").write_bytes(png(*[(b"IDAT", bytes(8192))] * 4_096, (b"IEND", b"")))
    assert is_complete(tmp_path / "a", Format.PNG)
    (tmp_path / "b").write_bytes(jpeg(*[b"\xff\xe2\xff\xff" + bytes(65_533)] * 300, FRAME, END))
    assert is_complete(tmp_path / "b", Format.JPEG)


ENTRIES = 5_400
LONG_EXIF = struct.pack("<2sHIH", b"II", 42, 8, ENTRIES) + bytes(12 * ENTRIES)
"""An Exif block of as many entries as fit in a JPEG segment."""

EXIF_SEGMENT = b"\xff\xe1" + struct.pack(">H", 8 + len(LONG_EXIF)) + b"Exif\0\0" + LONG_EXIF


@pytest.mark.parametrize(
    ("format_", "file"),
    [
        pytest.param(Format.JPEG, jpeg(*[EXIF_SEGMENT] * 500, FRAME), id="JPEG"),
        pytest.param(Format.PNG, png(*[(b"eXIf", LONG_EXIF)] * 500, (b"IDAT", b"")), id="PNG"),
    ],
)
def test_one_exif_block_of_a_file_is_read_however_many_it_has(
    tmp_path: Path, format_: Format, file: bytes
):
    (tmp_path / "a").write_bytes(file)
    began = time.process_time()
    assert probe_file(tmp_path / "a") == ImageInfo(format_, 40, 30)
    assert time.process_time() - began < 0.3
