"""What images cost: a conversion's time and memory in its child, and what the bot itself pays.

    python -m benchmarks.images

First JPEGs of 24 megapixels are converted, each in a child of its own: the seconds from asking to
the answer, and the most memory that the child had. Then small images are converted in pairs, with
and without the system's confinement of the child, for the ratio of their times. Then files that
were made to do harm go through the whole bot, which runs as a process of its own: by how much it
grew, the longest that its loop stood still meanwhile, and what the member was told. Memory is the
peak of the resident set, as Linux counts it.
"""

import asyncio
import io
import os
import resource
import statistics
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.watching import forget_peak, lateness, peak
from bot.app import serve
from bot.images import conversions as module
from bot.images.conversions import Conversions
from bot.images.files import probe_file
from bot.logs import logging_to_stderr
from bot.settings import read_settings
from sandbox.bot_process import build_environment
from sandbox.sandbox import Sandbox, Upload
from tests.images_made import wide_profile

WIDTH, HEIGHT = 6000, 4000
ORIENTATION = 0x0112

WARM_UP = 3
"""Edits before the measured ones, so that what is loaded once is not counted."""


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = await asyncio.to_thread(draw_photo)
        for title, options in JPEGS.items():
            await measure_conversion(folder, title, photo, options)
        await measure_confinement(folder)
        print()
        await measure_bot(folder)


# A child.

JPEGS: dict[str, dict[str, Any]] = {
    "24 megapixels": {},
    "on its side": {"turned": True},
    "progressive": {"progressive": True},
    "of a wide gamut": {"wide": True},
    "CMYK": {"mode": "CMYK"},
}


async def measure_conversion(
    folder: Path, title: str, photo: Image.Image, options: dict[str, Any]
) -> None:
    """Convert one JPEG, three times, and print the fastest and the most memory."""
    file = folder / "photo.jpg"
    await asyncio.to_thread(save_jpeg, file, photo, **options)
    runs = [(await run_apart("convert", str(file))).split() for _ in range(3)]
    seconds, memory = min(float(run[0]) for run in runs), max(float(run[1]) for run in runs)
    print(f"{title:<20}{seconds:>6.2f} s{memory:>7.0f} MiB")


PAIRS = 21


async def measure_confinement(folder: Path) -> None:
    """Print how much longer a conversion takes when its child is confined."""
    file = folder / "small.bmp"
    Image.effect_noise((800, 600), 60).convert("RGB").save(file)
    conversions, image, ratios = Conversions(), probe_file(file), list[float]()
    confined, unconfined = module.JOB, replace(module.JOB, arguments=("-c", UNCONFINED))
    for _ in range(PAIRS):
        times: list[float] = []
        for module.JOB in (unconfined, confined):
            started = time.perf_counter()
            await conversions.to_edit(file, image, file.with_suffix(".converted"))
            times.append(time.perf_counter() - started)
        ratios.append(times[1] / times[0])
    print(f"a confined child takes {statistics.median(ratios):.3f} times as long as one that isn't")


UNCONFINED = """
from bot.images.worker import child
child.confine_this_process = lambda: None
child.main()
"""


def draw_photo() -> Image.Image:
    """Noise that is as fine as a camera's image."""
    coarse = Image.effect_noise((WIDTH // 4, HEIGHT // 4), 60).resize((WIDTH, HEIGHT))
    return Image.blend(coarse, Image.effect_noise((WIDTH, HEIGHT), 20), 0.3).convert("RGB")


def save_jpeg(
    file: Path,
    photo: Image.Image,
    *,
    turned: bool = False,
    progressive: bool = False,
    wide: bool = False,
    mode: str = "RGB",
) -> None:
    """Write a photo's file."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6 if turned else 1
    profile = wide_profile() if wide else None
    photo.convert(mode).save(
        file, "JPEG", quality=90, exif=exif, progressive=progressive, icc_profile=profile
    )


async def convert(file: str) -> None:
    """Convert one file, and print the seconds that it took and the memory of the child."""
    path = Path(file)
    conversions = Conversions()
    image = probe_file(path)
    started = time.perf_counter()
    await conversions.to_edit(path, image, path.with_suffix(".converted"))
    took = time.perf_counter() - started
    print(took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


# The bot.


async def measure_bot(folder: Path) -> None:
    """Send each of the files through the bot, and print what became of it."""
    async with Sandbox() as sandbox:
        environment = build_environment(sandbox.environment(), folder)
        bot = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.images", "bot"),
            env=environment | {"DEFAULT_QUOTA": "unlimited"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert bot.stdin is not None
        assert bot.stdout is not None
        await sandbox.discord.connected(timeout=30)
        for _ in range(WARM_UP):
            await edit(sandbox, Upload("photo.tif", small_tiff(), "image/tiff"))
        for title, upload in hostile_files(folder):
            bot.stdin.write(b"start\n")
            await bot.stdout.readline()
            said = await edit(sandbox, upload)
            bot.stdin.write(b"stop\n")
            growth, stall = map(float, (await bot.stdout.readline()).split())
            print(f"{title:<26}{growth:>6.1f} MiB{stall * 1000:>7.1f} ms  {said}")
        bot.terminate()
        await bot.wait()


async def edit(sandbox: Sandbox, image: Upload) -> str:
    """Edit an image; the beginning of what its member is told."""
    guild = sandbox.discord.guilds[0]
    member = sandbox.discord.add_member(guild, "Mallory")
    options = {"image": image, "prompt": "make it blue", "quality": "low"}
    command = await sandbox.discord.invoke(guild.channels[0], member, "edit", options)
    message = await command.settled(timeout=120)
    made = f"{len(message.files)} image. " if message.files else ""
    notes = [
        line for line in message.text.splitlines() if "first frame" in line or "resized" in line
    ]
    return made + (" ".join(notes) if made else message.text)[:90]


def hostile_files(folder: Path) -> Iterator[tuple[str, Upload]]:
    """Files that were made to do harm, one after the other."""
    file = folder / "hostile"
    file.write_bytes(blank_png(60_000, 60_000))
    yield "PNG of 60,000 x 60,000", Upload("a.png", file, "image/png", width=99, height=99)
    save_jpeg(file, draw_photo())
    with file.open("r+b") as cut:
        cut.truncate(file.stat().st_size // 2)
    yield "truncated JPEG", Upload("a.jpg", file, "image/jpeg")
    frames = [Image.new("L", (64, 48), shade % 256) for shade in range(3000)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    yield "GIF of 3,000 frames", Upload("a.gif", file, "image/gif")
    file.write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>')
    yield "SVG as .png", Upload("a.png", file, "image/png")
    Image.effect_noise((5770, 5770), 50).convert("RGB").save(file, "TIFF")
    yield f"TIFF of {file.stat().st_size / 1e6:.0f} MB", Upload("a.tif", file, "image/tiff")


def blank_png(width: int, height: int) -> bytes:
    """The first quarter of a gigabyte of black pixels of a PNG that says to have so many."""
    pixels = zlib.compress(bytes(2**28))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def small_tiff() -> bytes:
    """An image that is converted."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(file, "TIFF")
    return file.getvalue()


async def run_watched_bot() -> None:
    """Run the bot; after each two lines on the standard input, print what it took in between."""
    with logging_to_stderr("error", ()), lateness() as stalls:
        serving = asyncio.create_task(serve(read_settings(os.environ)))
        while await asyncio.to_thread(sys.stdin.readline):
            before = forget_peak()
            stalls.clear()
            print("started", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            print((peak() - before) / 1024, max(stalls), flush=True)
        serving.cancel()


async def run_apart(*arguments: str) -> str:
    """What this program prints when a process of its own runs it like this."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.images", *arguments), stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate()
    assert process.returncode == 0
    return answer.decode()


WAYS: dict[str, Callable[..., Coroutine[object, object, None]]] = {
    "convert": convert,
    "bot": run_watched_bot,
}

if __name__ == "__main__":
    way, *rest = sys.argv[1:] or [""]
    asyncio.run(WAYS.get(way, main)(*rest))
