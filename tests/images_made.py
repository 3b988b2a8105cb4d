"""Pictures that tests send, made when they are needed; HEIC alone comes from `tests/data`."""

import io
import math
import struct
from functools import cache
from pathlib import Path

from PIL import Image, ImageColor

from sandbox.sandbox import Upload

HEIC = Path(__file__).parent / "data" / "photo.heic"
"""300 by 200 pixels of `CORNERS` lying on their side, with a profile, a camera and a place."""

CORNERS = ("red", "lime", "blue", "white")
"""What is seen at the top left, top right, bottom left and bottom right of a picture of corners."""

ORIENTATION, CAMERA, GPS, LATITUDE = 0x0112, 0x0110, 0x8825, 2


@cache
def make_image(kind: str = "PNG", width: int = 320, height: int = 240) -> bytes:
    """A picture's bytes; the same ones each time."""
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def photo(name: str = "photo.png", width: int = 320, height: int = 240) -> Upload:
    """A PNG as a member would attach it."""
    return Upload(name=name, data=make_image("PNG", width, height), content_type="image/png")


def draw_corners(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    """A picture of which one sees how it is turned."""
    small = Image.new("RGB", (2, 2))
    for place, colour in enumerate(CORNERS):
        small.paste(colour, (place % 2, place // 2, place % 2 + 1, place // 2 + 1))
    return small.resize((width, height), Image.Resampling.NEAREST).convert(mode)


def see_corners(picture: Image.Image) -> tuple[str, ...]:
    """What colours a picture has nearest at its corners."""
    small = picture.convert("RGB").resize((2, 2), Image.Resampling.BOX).tobytes()
    seen = [tuple(small[place : place + 3]) for place in range(0, len(small), 3)]
    known = {colour: ImageColor.getrgb(colour) for colour in CORNERS}
    return tuple(min(known, key=lambda name: math.dist(known[name], each)) for each in seen)


def camera_exif(orientation: int = 1) -> Image.Exif:
    """What a camera writes: how it was held, which one it is, and where it was."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[CAMERA] = "Secret Camera 3000"
    exif.get_ifd(GPS).update({1: "N", LATITUDE: (48.0, 12.0, 30.5), 3: "E", 4: (11.0, 34.0, 1.0)})
    return exif


@cache
def wide_profile() -> bytes:
    """An ICC profile of a gamut wider than sRGB's, with a gamma of 2.2 (ICC.1:2001-04)."""
    white, red, green, blue = (
        *((0.9642, 1.0, 0.8249), (0.6097, 0.3111, 0.0195)),
        *((0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)),
    )
    gamma = b"curv" + struct.pack(">4xIH2x", 1, round(2.2 * 256))
    tags = {
        b"desc": b"desc" + struct.pack(">4xI", 5) + b"Wide\0" + bytes(78 + 3),
        b"cprt": b"text" + bytes(4) + b"None\0\0\0\0",
        b"wtpt": _icc_xyz(white),
        b"rXYZ": _icc_xyz(red),
        b"gXYZ": _icc_xyz(green),
        b"bXYZ": _icc_xyz(blue),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma),
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value
    header = struct.pack(
        ">I4xI12s12x4s28x", start + len(data), 0x02100000, b"mntrRGB XYZ ", b"acsp"
    )
    header = header[:68] + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + data


def _icc_xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))
