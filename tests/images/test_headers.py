"""Headers are probed as Pillow reads them, in any chunks, and nothing broken gets through."""

import hashlib
import io
import struct
import time
import tracemalloc
import zlib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from bot.domain.errors import NotAnImageError, TooManyPixelsError
from bot.domain.images import (
    EVERYWHERE,
    MAX_SENT_BYTES,
    MAX_SOURCE_BYTES,
    Format,
    ImageInfo,
    Source,
    check_source,
    looks_like_image,
)
from bot.images.headers import HeaderProbe
from tests.images_made import HEIC, ORIENTATION

ENCODED = [format_ for format_ in Format if format_ is not Format.HEIC]
"""The formats that Pillow can write."""

TURNED = [*EVERYWHERE, Format.AVIF, Format.TIFF]
"""Those whose files say how they are turned."""

SOI = b"\xff\xd8"
MANY = 2**22
"""Bytes of a file that is nothing but small parts."""

FRAME = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 30, 40, 3) + bytes(9)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *chunks, (b"IDAT", b""))
    )


@given(
    format_=st.sampled_from(ENCODED),
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    orientation=st.none() | st.integers(0, 9),
    little_endian=st.booleans(),
    mode=st.sampled_from(["RGB", "L", "RGBA"]),
    options=st.fixed_dictionaries(
        {}, optional={"progressive": st.booleans(), "lossless": st.booleans()}
    ),
)
def test_a_picture_is_as_large_as_pillow_shows_it(
    *,
    format_: Format,
    width: int,
    height: int,
    orientation: int | None,
    little_endian: bool,
    mode: str,
    options: dict[str, bool],
):
    exif = b"" if orientation is None else exif_block(orientation, little_endian=little_endian)
    file = drawn(format_, width, height, exif=exif, mode=mode, **options)

    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))

    assert (probed(file).format, probed(file).width, probed(file).height) == (format_, *shown.size)


@given(
    file=st.sampled_from(TURNED).map(lambda format_: drawn(format_, 12, 34, exif=exif_block(6))),
    cuts=st.lists(st.integers(1, 200), max_size=200),
)
def test_the_chunks_of_a_stream_make_no_difference(file: bytes, cuts: list[int]):
    assert probed(file, cuts=cuts).width == 34


@pytest.mark.parametrize("format_", Format)
def test_every_format_is_known_by_a_file_of_it(format_: Format):
    file = HEIC.read_bytes() if format_ is Format.HEIC else noise(format_, 300, 200)
    picture = probed(file)
    assert picture == ImageInfo(format_, 300, 200)
    assert Source(picture, len(file)).can_be_sent is (format_ in EVERYWHERE)
    assert not Source(picture, MAX_SENT_BYTES + 1).can_be_sent


PLAIN = [
    *[("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
    *[("JPEG", mode) for mode in ("L", "RGB")],
    *[("WEBP", mode) for mode in ("L", "RGB", "RGBA")],
]


@pytest.mark.parametrize(("kind", "mode"), PLAIN)
def test_what_every_program_reads_is_plain(kind: str, mode: str):
    assert probed(saved(Image.new(mode, (12, 34)), Format(kind.lower()), b"")).plain


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "I;16"), ("JPEG", "CMYK")])
def test_sixteen_bits_and_cmyk_are_not_plain(kind: str, mode: str):
    assert not probed(saved(Image.new(mode, (12, 34)), Format(kind.lower()), b"")).plain


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\xff\xc0" + struct.pack(">HBHHB", 17, 12, 30, 40, 3), id="12 bits"),
        pytest.param(b"\xff\xc3" + struct.pack(">HBHHB", 17, 8, 30, 40, 3), id="lossless"),
        pytest.param(b"\xff\xc9" + struct.pack(">HBHHB", 17, 8, 30, 40, 3), id="arithmetic"),
    ],
)
def test_rare_kinds_of_jpeg_are_not_plain(frame: bytes):
    assert probed(SOI + frame + bytes(9)) == ImageInfo(Format.JPEG, 40, 30, plain=False)


@pytest.mark.parametrize("format_", [Format.PNG, Format.WEBP])
def test_an_animation_is_not_plain(format_: Format):
    frames = [Image.new("RGB", (12, 34), colour) for colour in ("red", "blue")]
    file = saved(frames[0], format_, exif_block(6), save_all=True, append_images=frames[1:])
    assert probed(file) == ImageInfo(format_, 34, 12, plain=False)


def test_a_picture_of_twenty_five_megapixels_can_be_sent_and_one_more_row_cannot():
    assert Source(ImageInfo(Format.PNG, 5000, 5000), MAX_SENT_BYTES).can_be_sent
    assert not Source(ImageInfo(Format.PNG, 5000, 5001), 1).can_be_sent


@pytest.mark.parametrize("turns", range(4))
def test_a_heic_is_turned_as_its_properties_say(turns: int):
    file = HEIC.read_bytes()
    at = file.index(b"irot") + 4
    turned = file[:at] + bytes([turns]) + file[at + 1 :]
    shown = (300, 200) if turns % 2 else (200, 300)
    assert probed(turned) == ImageInfo(Format.HEIC, *shown)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_is_read_in_both_orders_and_sizes_wherever_its_directory_is(
    *, order: str, big: bool
):
    entries = [(0x100, 3, 34), (0x101, 4, 12), (0x112, 3, 6)]
    mark = b"II" if order == "<" else b"MM"
    layout = ("HHHQ", "Q", "HHQ") if big else ("HI", "H", "HHI")
    numbers = (43, 8, 0, 5000) if big else (42, 5000)
    file = (mark + struct.pack(f"{order}{layout[0]}", *numbers)).ljust(5000, b"x")
    file += struct.pack(f"{order}{layout[1]}", len(entries))
    for tag, kind, value in entries:
        packed = struct.pack(f"{order}{'H' if kind == 3 else 'I'}", value)
        file += struct.pack(f"{order}{layout[2]}", tag, kind, 1) + packed.ljust(8 if big else 4)
    assert probed(file) == ImageInfo(Format.TIFF, 12, 34)


@pytest.mark.parametrize(("length", "rest"), [(12, struct.pack("<HH", 40, 30)), (40, b"")])
def test_a_bmp_is_read_in_its_old_form_and_from_the_top_down(length: int, rest: bytes):
    size = rest or struct.pack("<ii", 40, -30)
    assert probed(b"BM" + bytes(12) + struct.pack("<I", length) + size) == ImageInfo(
        Format.BMP, 40, 30
    )


@given(
    st.sampled_from([b"", SOI, PNG_SIGNATURE, b"RIFF\xff\xff\xff\x00WEBPVP8X", SOI + b"\xff\xe1"]),
    st.binary(max_size=400),
)
def test_random_bytes_are_a_picture_or_none(start: bytes, rest: bytes):
    try:
        picture = probed(start + rest)
    except NotAnImageError:
        return
    assert picture.width > 0
    assert picture.height > 0


@given(st.sampled_from(TURNED), st.data())
def test_a_header_that_is_changed_anywhere_raises_nothing_else(
    format_: Format, data: st.DataObject
):
    file = bytearray(drawn(format_, 12, 34, exif=exif_block(6))[:500])
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        probed(bytes(file))
    except NotAnImageError:
        return


@pytest.mark.parametrize("format_", TURNED)
def test_a_header_that_is_cut_off_is_no_picture(format_: Format):
    file = drawn(format_, 12, 34, exif=exif_block(6))
    needed = next(end for end in range(len(file) + 1) if decides(file[:end]))
    for end in range(needed):
        with pytest.raises(NotAnImageError):
            probed(file[:end])


def test_a_picture_is_known_before_its_pixels_come():
    for format_ in {*ENCODED} - {Format.TIFF}:
        file = noise(format_, 300, 200)
        assert HeaderProbe().feed(file[:1000]) == ImageInfo(format_, 300, 200)


def test_webp_is_read_to_its_end_only_where_its_flags_say_that_exif_is_there():
    plain = noise(Format.WEBP, 300, 200)
    turned = noise(Format.WEBP, 300, 200, exif=exif_block(8))
    probe = HeaderProbe()

    assert HeaderProbe().feed(plain[:30]) == ImageInfo(Format.WEBP, 300, 200)
    assert probe.feed(turned[:-40]) is None
    assert probe.feed(turned[-40:]) == ImageInfo(Format.WEBP, 200, 300)


def test_a_webp_whose_flags_promise_exif_that_is_not_there_is_upright():
    file = bytearray(noise(Format.WEBP, 300, 200, exif=exif_block(8)))
    at = file.rindex(b"EXIF")
    file[at : at + 4] = b"NONE"

    assert probed(bytes(file)) == ImageInfo(Format.WEBP, 300, 200)


def test_a_webp_chunk_of_odd_length_is_padded():
    start = b"VP8X\x0a\0\0\0\x08\0\0\0" + bytes([33, 0, 0, 11, 0, 0])
    exif = exif_block(6)
    chunks = start + b"ICCP\3\0\0\0odd\0" + b"EXIF" + struct.pack("<I", len(exif)) + exif
    file = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks

    assert probed(file) == ImageInfo(Format.WEBP, 12, 34)


def test_exif_with_its_own_prefix_is_read_in_png_and_webp_too():
    assert probed(png(34, 12, (b"eXIf", b"Exif\0\0" + exif_block(6)))) == ImageInfo(
        Format.PNG, 12, 34
    )
    file = drawn(Format.WEBP, 34, 12, exif=b"Exif\0\0" + exif_block(6))
    assert probed(file) == ImageInfo(Format.WEBP, 12, 34)


@pytest.mark.parametrize("format_", ["ICO", "PDF", "PPM", "JPEG2000", "TGA"])
def test_other_formats_are_none_of_ours(format_: str):
    file = io.BytesIO()
    Image.new("RGB", (32, 32)).save(file, format_)
    with pytest.raises(NotAnImageError):
        probed(file.getvalue())


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        b"\0\0\0\x18ftypisom\0\0\0\0mp41mp42" + bytes(100),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x0cmeta" + bytes(4),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\x7f\xff\xff\xffmeta" + bytes(100),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\0mdat" + bytes(100),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x6cmeta" + bytes(100),
        b"GIF88a" + bytes(100),
        b"GIF89a" + bytes(100),
        b"BM" + bytes(100),
        b"II*\0" + struct.pack("<I", 4) + bytes(100),
        b"II*\0" + struct.pack("<IH", 8, 0xFFFF) + bytes(100),
        b"MM\0*" + struct.pack(">IH", 8, 0) + bytes(100),
        b"II+\0\x08\0\0\0" + b"\xff" * 100,
        b"%PDF-1.7\n" + bytes(100),
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(100),
        b"a text of some length, with words in it",
        SOI + b"\xff\xd9",
        SOI + b"\xff\xda" + bytes(100),
        SOI + b"\xff\xe0\x00\x01" + FRAME,
        SOI + FRAME.replace(b"\x00\x28", b"\x00\x00"),
        SOI + FRAME.replace(b"\x00\x1e", b"\x00\x00"),
        SOI + b"\0" + FRAME,
        PNG_SIGNATURE + b"\0\0\0\x0dCgBI" + bytes(100),
    ],
)
def test_broken_files_and_other_files_are_no_pictures(file: bytes):
    with pytest.raises(NotAnImageError):
        probed(file)


def test_a_png_whose_header_is_not_what_its_checksum_says_is_no_picture():
    with pytest.raises(NotAnImageError):
        probed(png(4, 5).replace(struct.pack(">II", 4, 5), struct.pack(">II", 4, 6)))


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (2**31, 5)])
def test_a_png_without_a_possible_size_is_no_picture(width: int, height: int):
    with pytest.raises(NotAnImageError):
        probed(png(width, height))


def test_what_was_refused_once_stays_refused():
    probe = HeaderProbe()
    with pytest.raises(NotAnImageError):
        probe.feed(b"%PDF-1.7")
    with pytest.raises(NotAnImageError):
        probe.feed(noise(Format.PNG, 3, 3))
    with pytest.raises(NotAnImageError):
        probe.finish()


def test_what_was_decided_once_stays_decided():
    probe = HeaderProbe()
    probe.feed(SOI + FRAME)
    assert probe.feed(b"anything") == probe.finish() == ImageInfo(Format.JPEG, 40, 30)


@pytest.mark.parametrize(
    "block",
    [
        b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0xFFFF),
        b"II*\0" + struct.pack("<I", 0xFFFFFFFF),
        b"II*\0" + struct.pack("<I", 4),
        b"MM\0*\0\0\0\x08" + b"\0\0" + b"\0\0\0\x08",
        b"II",
        b"",
        b"no tiff at all, but long enough for one",
    ],
)
def test_a_broken_exif_block_turns_nothing(block: bytes):
    assert probed(SOI + exif_segment(block) + FRAME) == ImageInfo(Format.JPEG, 40, 30)
    assert probed(png(40, 30, (b"eXIf", block))) == ImageInfo(Format.PNG, 40, 30)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(SOI + b"\xff" * MANY, id="fill bytes"),
        pytest.param(SOI + b"\xff\xe0\0\2" * (MANY // 4), id="empty segments"),
        pytest.param(
            PNG_SIGNATURE
            + (ihdr := b"\0\0\0\x0dIHDR" + struct.pack(">IIBBBBB", 4, 5, 8, 2, 0, 0, 0))
            + struct.pack(">I", zlib.crc32(ihdr[4:]))
            + b"\0\0\0\0tEXt\0\0\0\0" * (MANY // 12),
            id="empty chunks",
        ),
        pytest.param(
            b"RIFF\xff\xff\xff\x7fWEBPVP8X\x0a\0\0\0\x08"
            + bytes(9)
            + b"NONE\0\0\0\0" * (MANY // 8),
            id="empty chunks of WebP",
        ),
    ],
)
def test_a_file_of_nothing_but_small_parts_is_refused_after_a_few_thousand(file: bytes):
    began = time.process_time()
    with pytest.raises(NotAnImageError):
        probed(file)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(SOI + (b"\xff\xe1\xff\xff" + bytes(65533)) * 300, id="JPEG"),
        pytest.param(png(4, 5)[:33] + b"\x7f\xff\xff\xffzTXt", id="PNG"),
        pytest.param(png(4, 5)[:33] + b"\x7f\xff\xff\xffeXIf", id="PNG's Exif"),
        pytest.param(b"RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff\x08" + bytes(9), id="WebP"),
        pytest.param(
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\x7f\xff\xff\xffmeta", id="HEIF's properties"
        ),
        pytest.param(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**40), id="TIFF's directory"),
    ],
)
def test_large_segments_take_no_memory(start: bytes):
    probe = HeaderProbe()
    rest = bytes(2**16)
    tracemalloc.start()
    try:
        for position in range(0, len(start), 2**16):
            probe.feed(start[position : position + 2**16])
        for _ in range(MAX_SOURCE_BYTES // len(rest)):
            if probe.feed(rest) is not None:
                break
        _, peak = tracemalloc.get_traced_memory()
    except NotAnImageError:
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**19


def test_two_hundred_megapixels_are_taken_and_one_more_row_is_not():
    check_source(ImageInfo(Format.PNG, 20_000, 10_000))
    with pytest.raises(TooManyPixelsError):
        check_source(ImageInfo(Format.PNG, 20_000, 10_001))


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("a.png", "image/png"),
        ("a.JPG", "IMAGE/JPEG"),
        ("a.jpeg", "image/jpg"),
        ("a.webp", "image/webp; charset=binary"),
        ("a.png", None),
        ("a", None),
        ("", None),
        ("a.jfif", "image/jpeg"),
        ("photo.unheard-of", "image/png"),
        ("a.jpg", "image/png"),
        ("IMG_0001.HEIC", "image/heic"),
        ("a.heif", None),
        ("a.avif", "image/avif"),
        ("a.tif", "image/tiff"),
        ("a.bmp", "image/bmp"),
        ("a.gif", "image/gif"),
        ("a.gif", "image/png"),
        ("a.heic", "application/octet-stream"),
    ],
)
def test_what_may_be_a_picture_is_left_to_its_bytes(filename: str, content_type: str | None):
    assert looks_like_image(filename, content_type)


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("a.png", "text/plain"),
        ("a.png", "image/svg+xml"),
        ("a.png", ""),
        ("a.svg", None),
        ("a.ICO", "image/png"),
        ("a", "application/octet-stream"),
        ("a.pdf", None),
        ("a.svgz", None),
        ("a.png.gz", None),
        ("a.mp4", "image/png"),
    ],
)
def test_what_says_that_it_is_something_else_is_no_picture(filename: str, content_type: str | None):
    assert not looks_like_image(filename, content_type)


def test_formats_name_their_media_types_and_endings():
    assert [(format_.content_type, format_.suffix) for format_ in EVERYWHERE] == [
        ("image/png", ".png"),
        ("image/jpeg", ".jpg"),
        ("image/webp", ".webp"),
    ]


def probed(file: bytes, cuts: list[int] | None = None) -> ImageInfo:
    probe = HeaderProbe()
    position = 0
    for size in cuts or []:
        probe.feed(file[position : position + size])
        position += size
    for start in range(position, len(file), 2**16):
        probe.feed(file[start : start + 2**16])
    return probe.finish()


def decides(start: bytes) -> bool:
    return HeaderProbe().feed(start) is not None


def drawn(
    format_: Format,
    width: int,
    height: int,
    *,
    exif: bytes = b"",
    mode: str = "RGB",
    **options: object,
) -> bytes:
    if format_ is Format.JPEG:
        mode = mode.replace("RGBA", "CMYK")
    if format_ in {Format.GIF, Format.BMP}:
        mode = "L"
    return saved(Image.new(mode, (width, height)), format_, exif, **options)


def noise(format_: Format, width: int, height: int, exif: bytes = b"") -> bytes:
    pixels = hashlib.shake_128(b"noise").digest(width * height * 3)
    return saved(Image.frombytes("RGB", (width, height), pixels), format_, exif)


def saved(image: Image.Image, format_: Format, exif: bytes, **options: object) -> bytes:
    file = io.BytesIO()
    if exif and format_ is Format.TIFF:  # its own directory says how it is turned
        options["tiffinfo"] = {ORIENTATION: int.from_bytes(exif[30:32], byte_order(exif))}
    elif exif:
        options["exif"] = b"Exif\0\0" + exif if format_ is Format.JPEG else exif
    image.save(file, format_, **options)
    return file.getvalue()


def byte_order(exif: bytes) -> Literal["little", "big"]:
    return "little" if exif.startswith(b"II") else "big"


def exif_block(orientation: int, *, little_endian: bool = True) -> bytes:
    order, mark = ("<", b"II*\0") if little_endian else (">", b"MM\0*")
    first = struct.pack(f"{order}HHIHxx", 0x0100, 3, 1, 7)
    turned = struct.pack(f"{order}HHIHxx", 0x0112, 3, 1, orientation)
    return mark + struct.pack(f"{order}IH", 8, 2) + first + turned + bytes(4)


def exif_segment(block: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(block)) + b"Exif\0\0" + block
