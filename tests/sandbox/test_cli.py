"""The sandbox's command line, run as a person would run it, and the child beside it."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from bot.__main__ import main
from sandbox.bot_process import PROJECT, BotEnded, BotProcess, build_environment, child_environment
from sandbox.cli import DEMO, save
from sandbox.discord.cdn import StoredFile
from sandbox.discord.interactions.invocation import Upload
from sandbox.faults import EditFault, declined
from sandbox.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that came to its end."""

    status: int
    out: str
    errors: str


async def start(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "sandbox",
        *arguments,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(*arguments: str, cwd: Path, environment: Mapping[str, str] | None = None) -> Finished:
    process = await start(*arguments, cwd=cwd, environment=environment)
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    return Finished(process.returncode or 0, out.decode(), errors.decode())


async def test_the_demonstration_edit_shows_its_steps_and_saves_the_result(tmp_path: Path):
    done = await run(cwd=tmp_path)
    assert (done.status, done.errors) == (0, "")
    lines = done.out.splitlines()
    assert "only imitates" in lines[0]
    steps = [line.split()[0] for line in lines[1:]]
    assert steps == ["Held", "Acknowledged", "Sent", "Rendered", "Posted", "Charged", "Saved"]
    saved = tmp_path / "sandbox-results" / "demo-1.png"
    with Image.open(saved) as image:
        assert image.format == "PNG"


async def test_an_edit_of_ones_own_saves_each_image_and_overwrites_none(tmp_path: Path):
    source = tmp_path / "my lake.webp"
    Image.new("RGB", (300, 200), "teal").save(source)
    options = ["--quality", "low", "--size", "1:1", "--count", "2", "--out", "mine"]
    for _ in range(2):
        done = await run("--edit", str(source), "make it red", *options, cwd=tmp_path)
        assert done.status == 0, done.errors
    names = sorted(path.name for path in (tmp_path / "mine").iterdir())
    assert names == [f"my lake-{number}.png" for number in range(1, 5)]


async def test_a_refusal_is_told_as_the_member_reads_it_with_status_1(tmp_path: Path):
    source = tmp_path / "words.txt"
    source.write_text("no image")
    done = await run("--edit", str(source), "make it red", cwd=tmp_path)
    assert done.status == 1
    assert "can't edit that file" in done.errors
    assert not (tmp_path / "sandbox-results").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--edit", "none.png", "x"], "none.png cannot be read"),
        (["--edit", ".", "x"], "cannot be read"),
        (["--edit", "none.png"], "expected 2 arguments"),
        (["--count", "two"], "invalid int value"),
        (["--count", "5"], "count: takes 4 or less"),
        (["--quality", "best"], "quality: 'best' is not one of"),
        (["--serve", "--count", "2"], "--serve makes no edit"),
        (["--serve", "--open"], "--serve makes no edit and shows no page"),
        (["--page", "--edit", "a.png", "x"], "edits are made by hand, so --edit has no sense"),
        (["--port", "9000"], "Without --page there is no page, so --port has no sense"),
        (["--page", "--port", "70000"], "from 0 to 65535"),
        (["--api", "real"], "--api real needs EDIT_API_KEY"),
    ],
)
def test_a_wrong_command_line_is_explained_with_status_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDIT_API_KEY", raising=False)
    monkeypatch.setattr(sys, "argv", ["bot", "sandbox", *arguments])
    with pytest.raises(SystemExit) as ended:
        sys.exit(main())
    errors = capsys.readouterr().err
    assert ended.value.code == 2
    assert words in errors
    assert "Traceback" not in errors


async def test_serving_prints_where_and_ends_when_asked(tmp_path: Path):
    process = await start("--serve", cwd=tmp_path)
    assert process.stdout is not None
    told: dict[str, str] = {}
    for _ in range(4):
        name, _, value = (await process.stdout.readline()).decode().strip().partition("=")
        told[name] = value
    headers = {"Authorization": f"Bot {told['DISCORD_TOKEN']}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(told["DISCORD_API_URL"] + "/users/@me", headers=headers) as response,
    ):
        assert response.status == 200
    assert told["EDIT_API_URL"].startswith("http://127.0.0.1:")
    assert told["EDIT_API_KEY"]
    process.terminate()
    assert await process.wait() == 0


async def test_ctrl_c_ends_an_edit_and_the_bot_with_status_1(tmp_path: Path):
    process = await start("--quality", "high", "--count", "4", cwd=tmp_path)
    assert process.stdout is not None
    while not (await process.stdout.readline()).startswith(b"Held"):
        pass
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (1, "Stopped.\n")


async def test_neither_env_files_nor_secrets_of_outside_reach_the_bot(tmp_path: Path):
    """A `.env` that would break the bot, and an environment that would, change nothing."""
    (tmp_path / ".env").write_text("DEFAULT_QUOTA=0\nEDIT_CONCURRENCY=none\n")
    outside = {"DATABASE_URL": "postgresql://elsewhere/real", "DEFAULT_QUOTA": "0"}
    done = await run("--quality", "low", cwd=tmp_path, environment=outside)
    assert done.status == 0, done.errors


def test_the_childs_environment_is_built_and_not_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DISCORD_TOKEN", "real-token")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real-secret")
    built = build_environment({"DISCORD_TOKEN": "sandbox-token"}, tmp_path)
    assert "real-token" not in built.values()
    assert built["DATABASE_URL"] == f"sqlite:///{tmp_path}/ledger.db"
    assert "AWS_SECRET_ACCESS_KEY" not in built


def test_the_real_api_is_given_the_key_alone_and_images_as_data():
    urls = {"EDIT_API_URL": "http://127.0.0.1:1", "EDIT_API_KEY": "own", "DISCORD_TOKEN": "t"}
    assert child_environment(urls, "key-of-yours") == {
        "DISCORD_TOKEN": "t",
        "EDIT_API_KEY": "key-of-yours",
        "EDIT_SOURCE": "data",
    }
    assert child_environment(urls, None) == urls


async def test_a_bot_that_cannot_start_is_told_with_its_last_lines():
    async with Sandbox() as sandbox:
        environment = sandbox.environment() | {"DISCORD_TOKEN": "wrong"}
        async with BotProcess(environment) as bot:
            with pytest.raises(BotEnded) as ended:
                await bot.event("bot.ready")
            assert await bot.ended() == 1
    assert ended.value.status == 1
    assert "token" in str(ended.value).lower()


async def test_a_killed_bot_starts_again_on_the_same_ledger():
    async with Sandbox() as sandbox, BotProcess(sandbox.environment()) as bot:
        await sandbox.discord.connected()
        await bot.event("bot.ready")
        bot.kill()
        assert await bot.ended() != 0
        seen = len(bot.events)
        await bot.start()
        await bot.event("bot.ready", since=seen)
        assert bot.ledger.exists()
    assert bot.pid is None


async def test_an_edits_events_can_be_awaited():
    async with Sandbox() as sandbox, BotProcess(sandbox.environment()) as bot:
        sandbox.faults.edit_api.add(EditFault(action=declined("No faces, please.")))
        await bot.connected(sandbox.discord)
        guild = sandbox.discord.guilds[0]
        member = sandbox.discord.add_member(guild, "Ada")
        options = {"image": Upload("demo.jpg", DEMO), "prompt": "make it red"}
        declined_edit = await sandbox.discord.invoke(guild.channels[0], member, "edit", options)
        await bot.event("edit.voided", edit=str(declined_edit.id))
        told = await declined_edit.until(lambda message: "No faces, please." in message.text)
        assert not told.files
        edit = await sandbox.discord.invoke(guild.channels[0], member, "edit", options)
        charged = await bot.event("edit.charged", edit=str(edit.id))
        assert charged.fields["credits"] == 8
        assert len((await edit.settled()).files) == 1


def test_results_are_saved_byte_for_byte_under_the_first_free_name(tmp_path: Path):
    path = tmp_path / "posted"
    path.write_bytes(b"as posted")
    posted = StoredFile(1, "a.webp", path, 9, "image/webp", 1, 1, "attachments/1", "http://x/")
    first, second = (save(posted, "photo", tmp_path / "out") for _ in range(2))
    assert (first.name, second.name) == ("photo-1.webp", "photo-2.webp")
    assert second.read_bytes() == posted.path.read_bytes()


async def test_a_bot_is_started_once_however_often_it_is_asked_for():
    async with Sandbox() as sandbox, BotProcess(sandbox.environment()) as bot:
        pid = bot.pid
        assert await asyncio.gather(bot.start(), bot.start()) == [False, False]
        assert bot.pid == pid
        await bot.crash()
        assert (bot.killed, bot.pid) == (True, None)
        assert sorted(await asyncio.gather(bot.start(), bot.start())) == [False, True]
        # One that is only just starting can be killed as well.
        await bot.crash()
        assert bot.pid is None
