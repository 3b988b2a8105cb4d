"""Imitated edits: an image visibly made from the source, and visibly made by no model."""

import colorsys
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageEnhance, ImageFont, ImageOps

RATIOS = {
    "1:1": (1, 1),
    "4:3": (4, 3),
    "3:4": (3, 4),
    "16:9": (16, 9),
    "9:16": (9, 16),
    "21:9": (21, 9),
    "9:21": (9, 21),
    "2:1": (2, 1),
    "1:2": (1, 2),
}
LONG_SIDES = {"low": 1024, "medium": 1536, "high": 1536}
LABEL = "sandbox imitation"
LONGEST_SHOWN_PROMPT = 60
COLOURS = ("teal", "orange", "purple", "crimson", "seagreen", "royalblue", "goldenrod", "hotpink")


@dataclass(frozen=True, slots=True)
class Task:
    """One image to make."""

    prompt: str
    size: str | None = None
    quality: str = "medium"
    variation: int = 0


def imitate(source: Path | io.BytesIO, task: Task) -> bytes:
    """Return a PNG made from the source; raises OSError for one that is not an image.

    Takes 50 to 200 ms of one core, so it belongs in a thread.
    """
    side = LONG_SIDES[task.quality]
    with Image.open(source) as opened:
        opened.draft(opened.mode, (side, side))
        upright = ImageOps.exif_transpose(opened)
        transparent = upright.has_transparency_data
        image = upright.convert("RGBA" if transparent else "RGB")
    image = _shape(image, task.size, side)
    alpha = image.getchannel("A") if transparent else None
    image = _recolour(image.convert("RGB"), task)
    if alpha is not None:
        image.putalpha(alpha)
    _label(image, task)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=2)
    return out.getvalue()


def _shape(image: Image.Image, size: str | None, side: int) -> Image.Image:
    """Crop to a ratio, if there is one, and scale to a long side."""
    if size is None:
        return ImageOps.contain(image, (side, side), Image.Resampling.BILINEAR)
    across, down = RATIOS[size]
    longest = max(across, down)
    shape = (round(side * across / longest), round(side * down / longest))
    return ImageOps.fit(image, shape, Image.Resampling.BILINEAR)


def _colour(task: Task) -> tuple[int, int, int]:
    """Return the colour that the prompt names, or one of its own; each variation's differs."""
    named = next(
        (word for word in task.prompt.lower().split() if word in ImageColor.colormap), None
    )
    chosen = named or COLOURS[zlib.crc32(task.prompt.encode()) % len(COLOURS)]
    red, green, blue = ImageColor.getrgb(chosen)[:3]
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    turned = (hue + task.variation * 0.13) % 1
    rgb = colorsys.hls_to_rgb(turned, min(max(lightness, 0.35), 0.65), max(saturation, 0.5))
    return round(rgb[0] * 255), round(rgb[1] * 255), round(rgb[2] * 255)


def _recolour(image: Image.Image, task: Task) -> Image.Image:
    red, green, blue = _colour(task)
    grey = ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1)
    dark = (red // 6, green // 6, blue // 6)
    tinted = ImageOps.colorize(grey, black=dark, mid=(red, green, blue), white=(255, 248, 235))
    return Image.blend(ImageEnhance.Color(image).enhance(1.4), tinted, 0.55)


def _label(image: Image.Image, task: Task) -> None:
    width, height = image.size
    size = max(12, round(min(width, height) / 30))
    margin = size // 2
    strip = min(height, size * 2 + margin * 3)
    band = Image.new("RGB", (width, strip), (16, 18, 24))
    draw = ImageDraw.Draw(band)
    prompt = " ".join(task.prompt.split())
    if len(prompt) > LONGEST_SHOWN_PROMPT:
        prompt = prompt[: LONGEST_SHOWN_PROMPT - 1] + "…"
    title = LABEL if task.variation == 0 else f"{LABEL} · variation {task.variation + 1}"
    draw.text((margin, margin), title, fill=(255, 200, 90), font=ImageFont.load_default(size))
    below = (margin, margin * 2 + size)
    draw.text(below, prompt, fill=(240, 240, 240), font=ImageFont.load_default(size))
    image.paste(band, (0, height - strip))
