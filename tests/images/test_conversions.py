"""Images of every format are converted as they should be."""

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw

from bot.domain.errors import (
    TooLargeError,
)
from bot.domain.images import (
    EVERYWHERE,
    MAX_SENT_BYTES,
    MAX_SENT_PIXELS,
    Format,
    ImageInfo,
    Source,
    SourceChange,
)
from bot.images.files import is_complete, probe_file
from tests.images.conversions import convert, cut, fit, png, see, smooth, write
from tests.images_made import (
    CORNERS,
    GPS,
    HEIC,
    camera_exif,
    draw_corners,
    see_corners,
    wide_profile,
)

MARKS = "http://cv.iptc.org/newscodes/digitalsourcetype/"


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's list of processes")

# Each format, for the edit API.

ANIMATED: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (300, 200))]}
FILES: list[Any] = [
    pytest.param("TIFF", {}, id="TIFF"),
    pytest.param("TIFF", {"compression": "tiff_lzw"}, id="compressed TIFF"),
    pytest.param("BMP", {}, id="BMP"),
    pytest.param("GIF", {}, id="GIF"),
    pytest.param("AVIF", {"quality": 90}, id="AVIF"),
]


@pytest.mark.parametrize(("kind", "options"), FILES)
async def test_other_formats_become_jpeg(tmp_path: Path, kind: str, options: dict[str, Any]):
    file = write(tmp_path / "a", draw_corners(), kind, **options)
    source, image = await convert(file)
    assert source.image == ImageInfo(Format.JPEG, 300, 200)
    assert source.changes == ()
    assert source.can_be_sent
    assert see_corners(image) == CORNERS


async def test_heic_is_turned_and_loses_its_camera_place_and_profile(tmp_path: Path):
    file = tmp_path / "a.heic"
    file.write_bytes(HEIC.read_bytes())
    source, image = await convert(file)
    assert source.image == ImageInfo(Format.JPEG, 300, 200)
    assert see_corners(image) == CORNERS
    assert is_clean(source)


TURNED: list[Any] = [
    *(pytest.param("JPEG", orientation) for orientation in range(1, 9)),
    *(
        # One shows that a format says how it is turned; a child for each takes its time.
        pytest.param(kind, orientation, marks=[] if orientation == 6 else pytest.mark.drill)
        for kind in ("TIFF", "AVIF", "PNG", "WEBP")
        for orientation in range(1, 9)
    ),
]


@pytest.mark.parametrize(("kind", "orientation"), TURNED)
async def test_a_picture_is_sent_upright_without_camera_and_place(
    tmp_path: Path, kind: str, orientation: int
):
    lying = draw_corners().transpose(UNTURNED[orientation]) if orientation > 1 else draw_corners()
    exif = camera_exif(orientation)
    file = write(tmp_path / "a", lying, kind, exif=exif, icc_profile=wide_profile())
    assert b"Secret Camera" in file.read_bytes()
    source, image = await convert(file)
    assert source.image == ImageInfo(Format.JPEG, 300, 200)
    assert see_corners(image) == CORNERS
    assert is_clean(source)


async def test_what_a_file_says_besides_its_pixels_is_not_sent(tmp_path: Path):
    told: dict[str, Any] = {
        "comment": b"Secret note",
        "exif": camera_exif(),
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.core.createProfile("sRGB")).tobytes(),
        "xmp": b"<x>XMP</x>",
    }
    source, _ = await convert(write(tmp_path / "a", draw_corners(mode="CMYK"), "JPEG", **told))
    assert is_clean(source)


UNTURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def is_clean(source: Source) -> bool:
    """Whether nothing of the camera, the place and the profile is left."""
    assert source.path is not None
    data, image = source.path.read_bytes(), see(source.path)
    exif = image.getexif()
    left = (b"Secret", b"Exif", b"ICC_PROFILE", b"iCCP", b"XMP", b"xmp")
    return not exif and not exif.get_ifd(GPS) and not any(each in data for each in left)


FIRST_FRAMES: list[Any] = [
    pytest.param("GIF", ANIMATED, id="GIF"),
    pytest.param("WEBP", {**ANIMATED, "quality": 95}, id="WebP"),
    pytest.param("PNG", ANIMATED, id="PNG"),
    pytest.param("AVIF", {**ANIMATED, "quality": 90}, id="AVIF"),
    pytest.param("TIFF", ANIMATED, id="pages of a TIFF"),
]


@pytest.mark.parametrize(("kind", "options"), FIRST_FRAMES)
async def test_of_several_frames_the_first_is_sent_and_that_is_said(
    tmp_path: Path, kind: str, options: dict[str, Any]
):
    file = write(tmp_path / "a", draw_corners(), kind, **options)
    assert not Source(probe_file(file), 1).can_be_sent
    source, image = await convert(file)
    assert source.changes == (SourceChange.FIRST_FRAME,)
    assert see_corners(image) == CORNERS


async def test_a_gif_of_three_thousand_frames_takes_no_longer_than_one(tmp_path: Path):
    frames = [Image.new("L", (8, 6), colour % 256) for colour in range(3000)]
    file = write(tmp_path / "a", frames[0], "GIF", save_all=True, append_images=frames[1:])
    source, _ = await convert(file)
    assert source.changes == (SourceChange.FIRST_FRAME,)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
async def test_cmyk_becomes_rgb(tmp_path: Path, kind: str):
    file = write(tmp_path / "a", draw_corners(mode="CMYK"), kind, quality=95)
    source, image = await convert(file)
    assert source.image == ImageInfo(Format.JPEG, 300, 200)
    assert image.mode == "RGB"
    assert see_corners(image) == CORNERS


@pytest.mark.parametrize(("bright", "seen"), [(0, 0), (128, 0), (128 * 257, 128), (65_535, 255)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
async def test_sixteen_bits_become_eight(tmp_path: Path, kind: str, bright: int, seen: int):
    file = write(tmp_path / "a", Image.new("I;16", (30, 20), bright), kind)
    assert not Source(probe_file(file), 1).can_be_sent
    _, image = await convert(file)
    assert image.mode == "L"
    assert image.getextrema() == (seen, seen)


@pytest.mark.parametrize(("bright", "seen"), [(0.5, 127), (128.0, 128), (32_767.5, 127)])
async def test_whatever_white_is_in_a_picture_of_fractions(
    tmp_path: Path, bright: float, seen: int
):
    _, image = await convert(write(tmp_path / "a", Image.new("F", (30, 20), bright), "TIFF"))
    assert image.getextrema() == (seen, seen)


async def test_sixteen_bits_in_colour_become_eight(tmp_path: Path):
    file = tmp_path / "a.png"
    rows = (b"\0" + struct.pack(">3H", 65_535, 128 * 257, 0) * 30) * 20
    file.write_bytes(png(30, 20, zlib.compress(rows), bits=16))
    assert not Source(probe_file(file), 1).can_be_sent
    _, image = await convert(file)
    assert image.mode == "RGB"
    assert near(image, Image.new("RGB", (1, 1), (255, 128, 0)))


async def test_colours_are_what_the_profile_means(tmp_path: Path):
    colour = (200, 100, 50)
    file = write(
        tmp_path / "a", Image.new("RGB", (30, 20), colour), "TIFF", icc_profile=wide_profile()
    )
    _, image = await convert(file)
    meant = ImageCms.profileToProfile(
        Image.new("RGB", (1, 1), colour),
        ImageCms.ImageCmsProfile(io.BytesIO(wide_profile())),
        ImageCms.ImageCmsProfile(ImageCms.core.createProfile("sRGB")),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert meant is not None
    assert near(image, meant)
    assert not near(image, Image.new("RGB", (1, 1), colour))


def near(image: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures have about the same colour."""
    seen, meant = (each.resize((1, 1)).tobytes() for each in (image, other))
    return all(abs(one - two) < 6 for one, two in zip(seen, meant, strict=True))


@pytest.mark.parametrize("profile", [b"no profile", wide_profile()[:200], bytes(5000)])
async def test_a_broken_profile_is_passed_over(tmp_path: Path, profile: bytes):
    file = write(tmp_path / "a", draw_corners(), "TIFF", icc_profile=profile)
    _, image = await convert(file)
    assert see_corners(image) == CORNERS


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "AVIF", "PNG"])
async def test_what_is_transparent_stays_so(tmp_path: Path, kind: str):
    picture = draw_corners(mode="RGBA")
    ImageDraw.Draw(picture).rectangle((0, 0, 149, 99), (0, 0, 0, 0))
    options = {"quality": 90} if kind == "AVIF" else {}
    source, image = await convert(write(tmp_path / "a", picture, kind, **options))
    assert source.image.format is Format.PNG
    assert image.getchannel("A").getpixel((40, 40)) == 0
    assert image.getchannel("A").getpixel((250, 150)) == 255


async def test_what_might_be_transparent_and_is_not_becomes_jpeg(tmp_path: Path):
    source, _ = await convert(write(tmp_path / "a", draw_corners(mode="RGBA"), "TIFF"))
    assert source.image.format is Format.JPEG


# Larger than the API should get.


@pytest.mark.parametrize(
    ("kind", "size"), [("JPEG", (5300, 5000)), ("PNG", (5300, 5000)), ("JPEG", (40_000, 700))]
)
@pytest.mark.drill
async def test_a_picture_of_too_many_pixels_is_made_smaller_and_that_is_said(
    tmp_path: Path, kind: str, size: tuple[int, int]
):
    file = write(tmp_path / "a", draw_corners(*size), kind, compress_level=1)
    source, image = await convert(file)
    assert source.changes == (SourceChange.MADE_SMALLER,)
    assert source.image.pixels <= MAX_SENT_PIXELS
    assert source.image.width / source.image.height == pytest.approx(size[0] / size[1], 0.01)
    assert see_corners(image) == CORNERS


async def test_a_picture_of_too_many_bytes_is_made_smaller_and_that_is_said(tmp_path: Path):
    file = write(tmp_path / "a", draw_corners(), "BMP")
    with file.open("ab") as end:
        end.truncate(MAX_SENT_BYTES + 1)
    source, _ = await convert(file)
    assert source.changes == (SourceChange.MADE_SMALLER,)
    assert source.size < MAX_SENT_BYTES


@pytest.mark.drill
async def test_two_hundred_megapixels_are_taken(tmp_path: Path):
    line = zlib.compressobj(1)
    blank = bytes(1 + 20_000)
    rows = b"".join(line.compress(blank) for _ in range(10_000)) + line.flush()
    file = tmp_path / "a.png"
    file.write_bytes(png(20_000, 10_000, rows, colour=0))
    source, _ = await convert(file)
    assert source.image.pixels == pytest.approx(MAX_SENT_PIXELS, 0.01)


# Results.


async def test_a_wasteful_png_becomes_a_smaller_one_without_loss(tmp_path: Path):
    file = write(tmp_path / "a", smooth(), "PNG", compress_level=0)
    source, image = await fit(file, file.stat().st_size // 2)
    assert source.image.format is Format.PNG
    assert source.changes == ()
    assert image.tobytes() == smooth().tobytes()


async def test_what_png_cannot_do_webp_does_without_loss(tmp_path: Path):
    gradient = Image.merge("RGB", [Image.effect_noise((600, 400), 4)] * 3)
    file = write(tmp_path / "a", gradient, "PNG")
    source, image = await fit(file, round(file.stat().st_size * 0.8))
    assert source.image == ImageInfo(Format.WEBP, 600, 400)
    assert image.convert("RGB").tobytes() == gradient.tobytes()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("part", [0.7, 0.3, 0.05, 0.01])
async def test_whatever_the_limit_the_best_that_fits_is_found(
    tmp_path: Path, noise: Image.Image, kind: str, part: float
):
    file = write(tmp_path / "a", noise, kind, quality=95)
    most = round(file.stat().st_size * part)
    source, _ = await fit(file, most)
    assert source.size > most / 3
    assert (SourceChange.MADE_SMALLER in source.changes) is (source.image.pixels < 240_000)


async def test_a_result_keeps_what_is_transparent(tmp_path: Path, noise: Image.Image):
    picture = noise.convert("RGBA")
    ImageDraw.Draw(picture).rectangle((0, 0, 149, 99), (0, 0, 0, 0))
    file = write(tmp_path / "a", picture, "PNG")
    source, image = await fit(file, file.stat().st_size // 8)
    assert source.image.format is Format.WEBP
    assert image.getchannel("A").getpixel((40, 40)) == 0


async def test_a_result_that_fits_in_no_way_is_given_up(tmp_path: Path, noise: Image.Image):
    file = write(tmp_path / "a", noise, "PNG")
    with pytest.raises(TooLargeError):
        await fit(file, 100)
    assert not (tmp_path / "fitted").exists()


def as_xmp(mark: str) -> bytes:
    return f'<x:xmpmeta><a Iptc4xmpExt:DigitalSourceType="{MARKS}{mark}"/></x:xmpmeta>'.encode()


MADE, MADE_INTO = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
MARKED: list[Any] = [
    pytest.param({}, b"", MADE, id="none"),
    pytest.param({"xmp": as_xmp(MADE)}, b"", MADE, id="XMP"),
    pytest.param({"xmp": as_xmp(MADE_INTO)}, b"", MADE_INTO, id="XMP of a composite"),
    pytest.param({"xmp": as_xmp("digitalCapture")}, b"", MADE, id="XMP that says otherwise"),
    pytest.param({}, b"jumb" + f"{MARKS}{MADE_INTO}".encode(), MADE_INTO, id="C2PA"),
]


@pytest.mark.parametrize(("options", "behind", "mark"), MARKED)
@pytest.mark.parametrize("part", [0.75, 0.1])
async def test_the_mark_of_a_picture_made_by_an_ai_is_kept_or_set(
    tmp_path: Path,
    noise: Image.Image,
    options: dict[str, Any],
    behind: bytes,
    mark: str,
    part: float,
):
    file = write(tmp_path / "a", noise, "WEBP", quality=95, **options)
    file.write_bytes(file.read_bytes() + behind)
    _, image = await fit(file, round(file.stat().st_size * part))
    assert f'DigitalSourceType="{MARKS}{mark}"'.encode() in image.info["xmp"]


async def test_the_mark_stands_in_a_png_too(tmp_path: Path):
    file = write(tmp_path / "a", smooth(), "PNG", compress_level=0)
    source, image = await fit(file, file.stat().st_size // 2)
    assert source.image.format is Format.PNG
    assert f"{MARKS}{MADE}".encode() in image.info["xmp"]


def test_every_format_that_is_posted_can_be_told_whole_from_cut_off(tmp_path: Path):
    for format_ in EVERYWHERE:
        file = write(tmp_path / "a", draw_corners(), format_.upper())
        assert is_complete(file, format_)
        with file.open("ab") as end:
            end.write(b"something behind it")
        assert is_complete(file, format_)
        cut(file, 0.5)
        assert not is_complete(file, format_)
