"""No secret passes the one place where logs are written."""

import asyncio
import json
import sys

import pytest

from bot.logs import REDACTED, redact

TOKEN = "aW50ZXJhY3Rpb246MTIz.s3cret"


@pytest.mark.parametrize(
    "line",
    [
        f"PATCH https://discord.com/api/v10/webhooks/12/{TOKEN}/messages/@original gave 404",
        f"POST http://127.0.0.1:1/interactions/34/{TOKEN}/callback?with_response=1",
        f"WebSocket Event: {{'id': '1', 'token': '{TOKEN}', 'version': 1}}",
        f'{{"event": "got", "payload": {{"token": "{TOKEN}"}}}}',
        f'{{"event": "got {{\\"token\\": \\"{TOKEN}\\"}}"}}',
    ],
)
def test_an_interactions_token_is_redacted_wherever_it_stands(line: str) -> None:
    assert TOKEN not in redact(line, [])
    assert REDACTED in redact(line, [])


def test_the_secrets_of_the_settings_are_redacted_in_any_line() -> None:
    line = "Authorization: Bot bot-s3cret, Bearer key-s3cret"
    assert "s3cret" not in redact(line, ["bot-s3cret", "key-s3cret"])


def test_other_words_stay() -> None:
    line = '{"event": "edit.charged", "edit": "1", "credits": 8}'
    assert redact(line, ["x" * 20]) == line


LOG_MUCH = """
import logging, structlog
from bot.logs import logging_to_stderr
with logging_to_stderr("debug", ["s3cret"]):
    for number in range(3_000):
        structlog.get_logger().info("much", number=number, text="s3cret" * 20)
    logging.getLogger("aiohttp").debug("s3cret")
    try:
        raise ValueError("s3cret")
    except ValueError:
        structlog.get_logger().exception("broken")
    print("done", flush=True)
"""


async def test_whoever_does_not_read_the_log_does_not_hold_up_the_bot() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LOG_MUCH,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    assert await asyncio.wait_for(child.stdout.readline(), 30) == b"done\n"

    lines = (await child.stderr.read()).splitlines()

    assert await child.wait() == 0
    assert [json.loads(line)["event"] for line in lines] == [
        *["much"] * 3_000,
        REDACTED,
        "broken",
    ]
    assert not [line for line in lines if b"s3cret" in line]
    assert "ValueError" in json.loads(lines[-1])["exception"]
