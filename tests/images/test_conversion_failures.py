"""Images that can't be converted, and children that fail, end in a clear error."""

import asyncio
import os
import re
import struct
import sys
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.domain.errors import (
    BrokenImageError,
    ChildFailedError,
    DarkroomError,
    SourceError,
    TooHeavyError,
    TooManyPixelsError,
)
from bot.domain.images import (
    Format,
    ImageInfo,
)
from bot.images import conversions as module
from bot.images.conversions import JOB, Conversions, OnCostly
from bot.images.files import probe_file
from tests.images.conversions import convert, cut, png, write
from tests.images_made import (
    HEIC,
    draw_corners,
    make_image,
)

MARKS = "http://cv.iptc.org/newscodes/digitalsourcetype/"


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's list of processes")


async def test_a_heic_that_deadlocked_a_decoder_is_refused_within_seconds(tmp_path: Path):
    file = tmp_path / "a"
    file.write_bytes(HEIC.with_name("hang.heic").read_bytes())
    async with asyncio.timeout(5):
        with pytest.raises(SourceError):
            await Conversions().to_edit(file, probe_file(file), tmp_path / "b")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIC"])
async def test_a_file_that_is_cut_off_is_broken(tmp_path: Path, noise: Image.Image, kind: str):
    file = tmp_path / "a"
    if kind == "HEIC":
        file.write_bytes(HEIC.read_bytes())
    else:
        options: dict[str, Any] = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
        write(file, noise, kind, **options)
    picture = probe_file(file)
    cut(file, 0.6)
    with pytest.raises(BrokenImageError):
        await Conversions().to_edit(file, picture, tmp_path / "b")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def bomb(file: Path) -> ImageInfo:
    """A PNG that says that it is small, of a file that says that it is large."""
    file.write_bytes(png(60_000, 60_000, zlib.compress(bytes(1000))))
    return ImageInfo(Format.PNG, 60, 60)


def heavy(file: Path) -> ImageInfo:
    """A GIF that says to the bot that it is small, and is 200 megapixels of it."""
    file.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 20_000, 10_000, 0, 0, 0) + GIF_REST)
    return ImageInfo(Format.GIF, 1, 1)


GIF_REST = b",\0\0\0\0" + struct.pack("<HHB", 20_000, 10_000, 0x80) + bytes(6) + b"\2\2\x4c\1\0;"


@pytest.mark.parametrize(
    ("make", "fault"),
    [(bomb, TooManyPixelsError), (heavy, TooHeavyError)],
    ids=["more pixels than are taken", "more memory than its header says"],
)
async def test_a_bomb_ends_only_the_child(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], ImageInfo],
    fault: type[DarkroomError],
):
    monkeypatch.setattr(module, "BASE_MEMORY", 200 * 2**20)
    picture = make(tmp_path / "a")
    with pytest.raises(fault):
        await Conversions().to_edit(tmp_path / "a", picture, tmp_path / "b")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@on_linux
@pytest.mark.parametrize(
    ("code", "fault", "costly"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", BrokenImageError, True),
        ("os.kill(os.getpid(), signal.SIGABRT)", BrokenImageError, True),
        ("os.kill(os.getpid(), signal.SIGSYS)", BrokenImageError, True),
        ("signal.pause()", TooHeavyError, True),
        (
            "print(json.dumps({'problem': 'broken', 'changes': [], 'seconds': 6}))",
            BrokenImageError,
            True,
        ),
        (
            "print(json.dumps({'problem': 'broken', 'changes': [], 'seconds': 4}))",
            BrokenImageError,
            False,
        ),
        # A machine that is short of memory or busy ends children whatever the image.
        ("os.kill(os.getpid(), signal.SIGKILL)", TooHeavyError, False),
        ("while True: pass", TooHeavyError, False),
    ],
)
async def test_only_what_the_image_itself_did_to_its_child_is_costly(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    fault: type[SourceError],
    costly: bool,
):
    run_instead(monkeypatch, code)
    costs = list[BaseException]()
    with pytest.raises(fault):
        await convert_corners(tmp_path, costs.append)
    assert len(costs) == costly
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def run_instead(monkeypatch: pytest.MonkeyPatch, code: str, timeout_s: float = 1.5) -> None:
    """Have children run other code, with less time."""
    program = f"import json, os, signal, sys\nsys.stdin.read()\n{code}"
    work = replace(JOB, arguments=("-c", program), timeout_s=timeout_s, idle_timeout_s=0.4)
    monkeypatch.setattr(module, "JOB", work)


async def convert_corners(folder: Path, on_costly: OnCostly) -> None:
    file = write(folder / "a", draw_corners(), "BMP")
    await Conversions().to_edit(file, probe_file(file), folder / "b", on_costly=on_costly)


BURN = "import time\nwhile time.process_time() < 0.8: pass\n"
BROKEN = "print(json.dumps({'problem': '%s', 'changes': [], 'seconds': 0}))"


@on_linux
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("while True: pass", id="its time is up"),
        pytest.param(f"{BURN}os.kill(os.getpid(), signal.SIGKILL)", id="killed by the system"),
        pytest.param(f"{BURN}os._exit(1)", id="exited"),
        pytest.param(f"{BURN}print('no report')", id="no report"),
        pytest.param(BURN + BROKEN % "broken", id="a report of less time"),
        pytest.param(BURN + BROKEN % "not_written", id="a report of a full disk"),
        pytest.param(
            f"{BURN}print(json.dumps({{'problem': None, 'changes': [], 'seconds': 0}}))",
            id="a report of success",
        ),
    ],
)
async def test_a_child_that_computed_for_long_in_vain_is_costly_however_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
):
    monkeypatch.setattr(module, "COSTLY_S", 0.2)
    run_instead(monkeypatch, code, timeout_s=3)
    costs = list[BaseException]()
    with pytest.raises((DarkroomError, OSError)):
        await convert_corners(tmp_path, costs.append)
    assert len(costs) == 1


@on_linux
async def test_a_child_that_computed_for_long_is_costly_also_if_it_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "COSTLY_S", 0.2)
    run_instead(monkeypatch, "while True: pass", timeout_s=30)
    costs = list[BaseException]()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await convert_corners(tmp_path, costs.append)
    assert len(costs) == 1


async def test_a_long_image_of_sixteen_bits_is_made_smaller(tmp_path: Path):
    file = write(tmp_path / "a", Image.new("I;16", (20_000, 30), 128 * 257), "TIFF")
    _, image = await convert(file)
    assert image.width < 20_000
    assert image.getextrema() == (128, 128)


@on_linux
async def test_a_picture_that_a_full_disk_does_not_take_is_not_taken_for_a_broken_one(
    tmp_path: Path,
):
    (tmp_path / "a").write_bytes(make_image())
    (tmp_path / "b").symlink_to("/dev/full")
    with pytest.raises(OSError, match="couldn't be written"):
        await Conversions().to_edit(tmp_path / "a", ImageInfo(Format.PNG, 320, 240), tmp_path / "b")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@on_linux
async def test_a_child_that_hangs_is_killed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    os.mkfifo(tmp_path / "a")
    monkeypatch.setattr(module, "JOB", replace(JOB, timeout_s=0.3))
    with pytest.raises(TooHeavyError):
        await Conversions().to_edit(tmp_path / "a", ImageInfo(Format.PNG, 9, 9), tmp_path / "b")
    assert find_children() == []


# What a child has, while it waits for the first byte of a picture that is a pipe.


@asynccontextmanager
async def working_on(pipe: Path, conversions: Conversions) -> AsyncGenerator[None]:
    """Within, a child reads the image, and has given up the rest; then it finds it broken."""
    into = pipe.with_name(f"{pipe.name}-converted")
    converting = asyncio.create_task(conversions.to_edit(pipe, ImageInfo(Format.JPEG, 9, 9), into))
    more_than_a_pipe_holds = b"\xff\xd8" + b"\xff" * 2**17
    async with asyncio.timeout(15):
        with await asyncio.to_thread(pipe.open, "wb", buffering=0) as image:
            await asyncio.to_thread(image.write, more_than_a_pipe_holds)
            yield
        with pytest.raises(BrokenImageError):
            await converting


@on_linux
async def test_a_child_has_no_secret_in_its_environment_and_no_file_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("DISCORD_TOKEN", "EDIT_API_KEY", "DATABASE_URL", "HOME"):
        monkeypatch.setenv(name, "secret")
    os.mkfifo(tmp_path / "a")
    async with working_on(tmp_path / "a", Conversions()):
        [child] = find_children()
        environment = (child / "environ").read_bytes()
        files = {str(each.readlink()) for each in (child / "fd").iterdir()}
        limits = (child / "limits").read_text()
    names = {each.partition(b"=")[0] for each in environment.split(b"\0") if each}
    assert names <= {b"PATH", b"LD_LIBRARY_PATH", b"LC_CTYPE", b"MALLOC_ARENA_MAX"}
    assert b"secret" not in environment
    assert {file for file in files if file.startswith("/")} <= {
        str(tmp_path / name) for name in ("a", "a-converted")
    }
    for kind in ("Max cpu time", "Max address space", "Max core file size"):
        assert re.search(rf"{kind} +[0-9]", limits), limits
    assert re.search(rf"Max open files +{len(files)} +{len(files)} ", limits), limits


def find_children() -> list[Path]:
    """The children of this process, as Linux says it."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    return [Path("/proc", each) for each in children.read_text().split()]


# What the bot makes of what a child wrote.


@on_linux
@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"not an image", "write an image"),
        (make_image("GIF"), "wasn't asked for"),
        (make_image("PNG", 2400, 1800), "wasn't asked for"),
        (png(2**31 - 1, 2**31 - 1, b""), "wasn't asked for"),
        (make_image()[:-20], "wasn't asked for"),
        (make_image("JPEG")[:-2], "wasn't asked for"),
        (make_image("WEBP")[:-20], "wasn't asked for"),
    ],
    ids=[
        *("no image", "a format that isn't posted", "too many bytes", "too many pixels"),
        *("a PNG without an end", "a JPEG without an end", "a WebP without an end"),
    ],
)
async def test_a_child_that_wrote_something_else_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes, why: str
):
    (tmp_path / "written").write_bytes(written)
    copy = (
        "import json, shutil, sys; task = json.load(sys.stdin); "
        f"shutil.copy({str(tmp_path / 'written')!r}, task['into']); "
        "print(json.dumps({'problem': None, 'changes': [], 'seconds': 0}))"
    )
    monkeypatch.setattr(module, "JOB", replace(JOB, arguments=("-c", copy)))
    source = write(tmp_path / "a", draw_corners(), "BMP")
    with pytest.raises(ChildFailedError, match=why):
        await Conversions().to_post(
            source, probe_file(source), tmp_path / "b", max_bytes=len(make_image("PNG"))
        )
    assert not (tmp_path / "b").exists()


@on_linux
@pytest.mark.parametrize(
    "report",
    [
        *("", "null", "[]", "{}", "[" * 900, "{'problem': None}"),
        '{"problem": "none of them", "changes": [], "seconds": 0}',
        '{"problem": ["broken"], "changes": [], "seconds": 0}',
        '{"problem": null, "changes": 1, "seconds": 0}',
        '{"problem": null, "changes": ["rotated"], "seconds": 0}',
        '{"problem": "broken", "changes": [], "seconds": {}}',
        '{"problem": "broken", "changes": [], "seconds": %s}' % ("9" * 400),
    ],
)
async def test_a_report_that_cannot_be_read_is_a_failed_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str
):
    say = f"import sys; sys.stdin.read(); sys.stdout.write({report!r})"
    monkeypatch.setattr(module, "JOB", replace(JOB, arguments=("-c", say)))
    source = write(tmp_path / "a", draw_corners(), "BMP")
    with pytest.raises(ChildFailedError, match="report can't be read"):
        await Conversions().to_edit(source, probe_file(source), tmp_path / "b")


@on_linux
async def test_large_images_are_worked_on_one_at_a_time_whatever_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_count_cores", lambda: 3)
    conversions = Conversions()
    large, small = ImageInfo(Format.PNG, 10_000, 5_000), ImageInfo(Format.PNG, 9, 9)
    for name in "abc":
        os.mkfifo(tmp_path / name)
    converting = [
        asyncio.create_task(conversions.to_edit(tmp_path / name, picture, tmp_path / f"{name}-to"))
        for name, picture in (("a", large), ("b", large), ("c", small))
    ]
    async with asyncio.timeout(15):
        first = await asyncio.to_thread((tmp_path / "a").open, "wb")
        third = await asyncio.to_thread((tmp_path / "c").open, "wb")
        assert len(find_children()) == 2
        first.close()
        third.close()
        (await asyncio.to_thread((tmp_path / "b").open, "wb")).close()
        ended = await asyncio.gather(*converting, return_exceptions=True)
    assert [type(each) for each in ended] == [BrokenImageError] * 3


@on_linux
async def test_no_more_pictures_are_worked_on_at_once_than_there_are_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_count_cores", lambda: 1)
    conversions = Conversions()
    os.mkfifo(tmp_path / "a")
    waiting = write(tmp_path / "b", draw_corners(), "BMP")
    async with working_on(tmp_path / "a", conversions):
        second = asyncio.create_task(
            conversions.to_edit(waiting, probe_file(waiting), tmp_path / "c")
        )
        await asyncio.sleep(0)
        assert len(find_children()) == 1
        assert not (tmp_path / "c").exists()
    assert (await second).image == ImageInfo(Format.JPEG, 300, 200)
