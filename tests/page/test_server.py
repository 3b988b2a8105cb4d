"""The page's server: whom it answers, with what, and what it tells nobody."""

import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from sandbox.bot_process import PROJECT
from sandbox.discord.guilds import Channel
from sandbox.page.running import RunningPage, running_page
from sandbox.page.server import STATIC
from sandbox.values import JsonObject, object_at
from tests.images_made import make_image
from tests.page.line import Line, Refused, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="package")

SECONDS_TO_START = 3
HALF_A_CHARACTER = "\\ud83d"


# Who is answered.


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/socket"), ("POST", "/uploads")]
)
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%F0%9F%94%91"])
async def test_without_the_token_nothing_is_answered(
    stage: RunningPage, method: str, path: str, query: str
):
    async with Visitor.of(stage.address) as visitor:
        answer = await visitor.send(method, path + query, Origin=visitor.origin)
        assert answer.status == 403
        assert "token" in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1"]
)
async def test_another_name_for_this_host_is_refused(stage: RunningPage, host: str):
    """Or else a site could have its own name point here, and be of the page's origin."""
    async with Visitor.of(stage.address) as visitor:
        named = host.format(port=visitor.host.partition(":")[2])
        for path in ("/?", "/static/any/main.js", "/uploads?"):
            assert (await visitor.send("GET", path, Host=named)).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_another_sites_requests_are_refused_even_with_the_token(
    stage: RunningPage, origin: str
):
    async with Visitor.of(stage.address) as visitor:
        assert (await visitor.send("GET", "/?", Origin=origin)).status == 403
        assert (await visitor.send("POST", "/uploads?", b"x", Origin=origin)).status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await aiohttp.ClientSession.ws_connect(
                visitor.session, f"{visitor.origin}/socket?{visitor.query}", origin=origin
            )
        assert refused.value.status == 403


async def test_what_changes_something_names_its_origin(stage: RunningPage):
    async with Visitor.of(stage.address) as visitor:
        assert (await visitor.send("POST", "/uploads?", b"x")).status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await visitor.session.ws_connect(f"{visitor.origin}/socket?{visitor.query}")
        assert refused.value.status == 403


async def test_the_page_is_served_under_localhost_too(stage: RunningPage):
    async with Visitor.of(stage.address.replace("127.0.0.1", "localhost")) as visitor:
        assert (await visitor.send("GET", "/?")).status == 200
        assert await visitor.upload("a.txt", b"words")


# With what.


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/?", 200),
        ("GET", "/", 403),
        ("GET", "/static/any/main.js", 200),
        ("GET", "/static/any/none.js", 404),
        ("GET", "/static/any/%2e%2e/server.py", 404),
        ("GET", "/static/any/", 404),
        ("GET", "/none", 404),
        ("PUT", "/?", 405),
        ("POST", "/uploads?", 413),
        ("GET", "/attachments/1/1/none.png", 404),
    ],
)
async def test_every_answer_says_what_the_page_may_do(
    stage: RunningPage, method: str, path: str, status: int
):
    async with Visitor.of(stage.address) as visitor:
        origin = {} if method == "GET" else {"Origin": visitor.origin}
        answer = await visitor.send(method, path, **origin)
    assert answer.status == status
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_a_browser_keeps_the_pages_files_until_one_of_them_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    files = shutil.copytree(STATIC, tmp_path / "static")
    monkeypatch.setattr("sandbox.page.server.STATIC", files)
    async with running_page(port=0) as running, Visitor.of(running.address) as visitor:
        page = await visitor.send("GET", "/?")
        assert page.headers["Cache-Control"] == "no-cache"
        (address,) = re.findall('src="([^"]*/main.js)"', page.text)
        assert "immutable" in (await visitor.send("GET", address)).headers["Cache-Control"]
        assert (await visitor.send("GET", "/?")).text == page.text
        # A copy that is put back is older than what was there.
        os.utime(files / "app.js", (0, 0))
        assert address not in (await visitor.send("GET", "/?")).text


async def test_a_posted_file_is_of_no_origin_when_it_is_opened(stage: RunningPage):
    """Such as a page that somebody uploads, which a click would open as the page's own."""
    channel, ada = place(stage)
    async with Visitor.of(stage.address) as visitor, Line.to(stage.address) as line:
        uploads = [await visitor.upload("evil.html", b"<script>alert(1)</script>")]
        await line.do("say", channel=str(channel.id), member=ada, text="", uploads=uploads)
        (message,) = stage.sandbox.discord.messages(channel)
        url = urlsplit(message.attachments[0].url)
        answer = await visitor.send("GET", f"{url.path}?{url.query}")
    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


async def test_an_empty_file_and_one_that_is_too_large_are_refused_in_words(
    stage: RunningPage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sandbox.page.uploads.LARGEST_UPLOAD", 9)
    async with Visitor.of(stage.address) as visitor:
        for data, words in ((b"", "a.png is empty."), (b"0123456789", "a.png is too large")):
            path = f"/uploads?name=a.png&{visitor.query}"
            answer = await visitor.send("POST", path, data, Origin=visitor.origin)
            assert answer.status == 413
            assert words in answer.text


# What a tab may send.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "null",
        "[]",
        '["invoke"]',
        "{}",
        '{"action": "fly"}',
        '{"action": ["kill"]}',
        '{"number": {}, "action": "say"}',
        "[" * 100_000,
        '{"a":' * 50_000,
        f'{{"action": "{HALF_A_CHARACTER}"}}',
    ],
    ids=lambda text: text[:20],
)
async def test_nonsense_is_answered_with_an_error_and_the_line_stays(stage: RunningPage, text: str):
    async with Line.to(stage.address) as line:
        assert isinstance((await line.say(text))["error"], str)
        assert await line.do("switch", name="slow", on=False) is None


async def test_whatever_stands_in_an_actions_fields_is_answered(stage: RunningPage):
    channel, ada = place(stage)
    actions = {
        "invoke": ("channel", "member", "command", "path", "options", "target"),
        "complete": ("channel", "member", "command", "path", "options", "focused"),
        "press": ("message", "member", "custom_id", "values"),
        "submit": ("form", "member", "values"),
        "close": ("form", "member"),
        "say": ("channel", "member", "text", "uploads"),
        "dismiss": ("message", "interaction"),
        "delete": ("message", "member"),
        "switch": ("name", "on"),
    }
    junk: list[object] = [
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        "",
        "0",
        "1" * 19,
        "x",
        [],
        [[]],
        {},
        {"a": {}},
        [None],
    ]
    right: JsonObject = {"channel": str(channel.id), "member": ada, "text": "hello", "uploads": []}
    async with Line.to(stage.address) as line:
        (command, _), *_ = line.records("command")
        right["command"] = command
        for action, fields in actions.items():
            for name in fields:
                for wrong in junk:
                    sent = {each: right.get(each) for each in fields} | {name: wrong}
                    with contextlib.suppress(Refused):
                        await line.do(action, **sent)


async def test_a_message_that_is_too_long_is_refused_in_words(stage: RunningPage):
    channel, ada = place(stage)
    async with Line.to(stage.address) as line:
        for text in ("x" * 2001, "x" * 200_000):
            with pytest.raises(Refused, match="2000 characters"):
                await line.do("say", channel=str(channel.id), member=ada, text=text, uploads=[])
    assert not stage.sandbox.discord.messages(channel)


async def test_what_is_larger_than_any_action_ends_that_line_alone(stage: RunningPage):
    async with Line.to(stage.address) as other, Line.to(stage.address) as line:
        await line.socket.send_str("x" * 300_000)
        closed = await line.socket.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1009)
        assert await other.do("switch", name="slow", on=False) is None


async def test_half_a_character_reaches_nobody(stage: RunningPage):
    """What cannot be sent on would end every tab's line for good."""
    channel, ada = place(stage)
    asked = json.dumps(
        {"number": 1, "action": "say", "channel": str(channel.id), "member": ada, "text": "?"}
    )
    async with Line.to(stage.address) as line:
        assert "error" in await line.say(asked.replace("?", HALF_A_CHARACTER))
        assert await line.do("switch", name="slow", on=False) is None
    async with Line.to(stage.address) as line:
        assert line.records("message") == []


# What is told to nobody.


async def test_no_secret_is_sent_to_a_tab(live: RunningPage):
    channel, ada = place(live)
    sandbox = live.sandbox
    async with Visitor.of(live.address) as visitor, Line.to(live.address) as line:
        commands = {command["name"]: each for each, command in line.records("command")}
        where: JsonObject = {"channel": str(channel.id), "member": ada, "path": []}
        image = await visitor.upload("photo.png", make_image())
        options = {"image": image, "prompt": "keep it secret"}
        edit = await line.do("invoke", **where, command=commands["edit"], options=options)
        await live.bot.event("edit.charged", edit=edit)
        private = await line.do("invoke", **where, command=commands["credits"], options={})
        await sandbox.discord.rest.interactions.by_id[int(str(private))].settled()
        async with Line.to(live.address) as other:
            await line.do("switch", name="slow", on=False)
            heard = [*line.heard, *other.heard]
    told = "\n".join(heard)
    assert "keep it secret" in told
    tokens = [each.token for each in sandbox.discord.interactions]
    secrets = [sandbox.discord_token, sandbox.edit_api_key, *tokens]
    assert [secret for secret in secrets if secret in told] == []
    assert str(live.bot.folder) not in told
    assert str(sandbox.folder) not in told


# The command line.


@asynccontextmanager
async def started(
    *arguments: str, cwd: Path
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """Run the page as a person would; where it says that it is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "sandbox",
        "--page",
        *arguments,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS_TO_START * 10):
            while not (line := await process.stdout.readline()).startswith(b"The page is at "):
                assert line
        yield process, line.decode().removeprefix("The page is at ").strip()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def test_the_page_starts_by_three_seconds_of_work(tmp_path: Path):
    before = seconds_of_children()
    async with started("--port", "0", cwd=tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    # How long that takes depends on what else this machine does; how much work it is does not.
    assert seconds_of_children() - before < SECONDS_TO_START


async def test_ctrl_c_ends_all_of_it_with_a_tab_open_and_an_edit_under_way(tmp_path: Path):
    async with (
        started("--port", "0", cwd=tmp_path) as (process, address),
        Visitor.of(address) as visitor,
        Line.to(address) as line,
    ):
        assert (await visitor.send("GET", "/?")).status == 200
        await line.do("switch", name="hangs", on=True)
        commands = {command["name"]: each for each, command in line.records("command")}
        (channel, value), *_ = line.records("channel")
        image = await visitor.upload("photo.png", make_image())
        await line.do(
            "invoke",
            channel=channel,
            member=next(iter(object_at(value, "rights"))),
            command=commands["edit"],
            path=[],
            options={"image": image, "prompt": "make it blue"},
        )
        # A terminal sends it to the whole group: to the bot, too.
        os.killpg(process.pid, signal.SIGINT)
        assert await process.wait() == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


def seconds_of_children() -> float:
    """The processor's time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_the_page_takes_the_next_port_that_is_free(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with started("--port", str(port), cwd=tmp_path) as (process, address):
            assert port < (urlsplit(address).port or 0) <= port + 100
            process.terminate()
            assert await process.wait() == 0


def place(running: RunningPage) -> tuple[Channel, str]:
    """A channel, and the id of Ada, who is there."""
    guild = running.sandbox.world.guilds[0]
    ada = next(member for member in guild.members.values() if member.name == "Ada")
    return guild.channels[0], str(ada.id)
