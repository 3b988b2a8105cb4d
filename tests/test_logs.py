"""No secret passes the one place where logs are written."""

import ast
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.logs import REDACTED, Redactor

TOKEN = "aW50ZXJhY3Rpb246MTIz.s3cret"


def redact(text: str, *secrets: str) -> str:
    """The text as the log has it."""
    return Redactor(secrets).redact(text)


def payload(token: str) -> dict[str, Any]:
    """A payload of the gateway, in short."""
    return {"id": "1", "token": token, "version": 1}


ESCAPES: list[tuple[Callable[[str], str], Callable[[str], Any]]] = [
    (repr, ast.literal_eval),
    (ascii, ast.literal_eval),
    (json.dumps, json.loads),
    (lambda text: json.dumps(text, ensure_ascii=False), json.loads),
    (lambda text: repr(text.encode()), lambda text: ast.literal_eval(text).decode()),
    (quote, unquote),
    (lambda text: quote(text, safe=""), unquote),
]
"""What is done to a text on its way into a log line, and how it is undone."""

SECRETS = st.text(
    st.one_of(
        st.sampled_from("\"'\\%{}[],:/xué€\U0001f600"),
        st.characters(codec="utf-8", exclude_categories=["Cc", "Z"]),
    ),
    min_size=4,
    max_size=20,
)


ODD = (
    "s3.cret",
    's3"cret',
    "s3'cret",
    r"s3\cret",
    's3\\\\"cret',
    "s3', cret",
    's3", cret',
    "s3écret",
)
"""Tokens such as no interaction ever had."""

AGAIN: list[Callable[[str], str]] = [str, json.dumps, repr, lambda text: json.dumps(repr(text))]
"""What is done to the text of a payload on its way into a log line."""


@pytest.mark.parametrize("token", ODD)
@pytest.mark.parametrize("quoting", [repr, json.dumps])
@pytest.mark.parametrize("again", AGAIN)
def test_an_interactions_token_is_redacted_in_a_payload_however_it_is_quoted(
    token: str, quoting: Callable[[Any], str], again: Callable[[str], str]
) -> None:
    text = redact(again(f"got {quoting(payload(token))}"))
    assert "s3" not in text
    assert "cret" not in text
    assert REDACTED in text
    assert "version" in text


@pytest.mark.parametrize(
    "line",
    [
        "PATCH https://discord.com/api/v10/webhooks/12/{}/messages/@original gave 404",
        "POST http://127.0.0.1:1/interactions/34/{}/callback?with_response=1",
        "'http://127.0.0.1:1/webhooks/34/{}'",
        "/interactions%2F34%2F{}%2Fcallback",
        "/interactions%252F34%252F{}%252Fcallback",
        r"\/webhooks\/34\/{}\/messages",
    ],
)
@pytest.mark.parametrize("token", [TOKEN, *(each for each in ODD if " " not in each)])
def test_an_interactions_token_is_redacted_in_an_address(line: str, token: str) -> None:
    text = redact(line.format(token))
    assert token not in text
    assert "cret" not in text
    assert REDACTED in text


@pytest.mark.parametrize("text", ["Response(id=5, token='{}')", '{{"token" : "{}"}}'])
def test_a_token_is_redacted_in_the_representation_of_an_object(text: str) -> None:
    assert redact(text.format(TOKEN)) == text.format(REDACTED)


def test_a_field_that_is_a_token_is_redacted() -> None:
    event = {"event": "got", "token": TOKEN, "payload": {"data": [payload(TOKEN)]}}
    said = Redactor([])(None, "info", event)
    assert TOKEN not in repr(said)
    assert said["payload"] == {"data": [payload(REDACTED)]}


@given(SECRETS, st.lists(st.sampled_from(ESCAPES), max_size=3))
def test_a_secret_is_redacted_however_often_it_is_escaped_and_nothing_else(
    secret: str, escapes: list[tuple[Callable[[str], str], Callable[[str], Any]]]
) -> None:
    # After a secret that ends with a backslash, an escape's own backslash is taken for more of it.
    before, after = "said “", "z” to é"
    assume(secret not in before + after)
    text = before + secret + after
    for escape, _ in escapes:
        text = escape(text)
    text = redact(text, secret)
    for _, undo in reversed(escapes):
        text = undo(text)
    assert text == before + REDACTED + after


LOG_SECRETS = """
import json, logging, sys, threading, warnings, structlog
from pathlib import Path
from bot.logs import logging_to_stderr
on_terminal, *secrets = json.loads(sys.argv[1])
sys.stderr.isatty = lambda: on_terminal
log = structlog.get_logger()
with logging_to_stderr("debug", secrets):
    for secret in secrets:
        log.info("it is " + secret)
        log.info(secret)
        log.info("it", **{secret: 1})
        log.info("it", said=secret, again={"a": [secret, {secret: (secret,)}]})
        log.info("it", said=repr(secret), again=json.dumps({"a": secret}))
        log.info("it", said=ValueError(secret), path=Path(secret), many={secret})
        logging.getLogger("aiohttp").warning("it is %r", {"a": secret})
        logging.getLogger("aiohttp").warning("it", extra={"said": [secret]})
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("broken", said=secret)
            logging.getLogger("aiohttp").exception("broken")
        endless = {"said": secret}
        endless["itself"] = endless
        log.info("it", said=endless)
        logging.getLogger("aiohttp").info("%d " + secret, secret)
        warnings.warn(secret)
        crash = threading.Thread(target=lambda: int(secret))
        crash.start()
        crash.join()
"""


@pytest.mark.parametrize("on_terminal", [False, True])
async def test_no_secret_gets_through_whatever_is_logged(on_terminal: bool) -> None:
    secrets = ['s3"cret', r"s3\cret", "\\s3cret\\\\", "s3'\"é€cret", "s3%22cret"]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LOG_SECRETS, json.dumps([on_terminal, *secrets])),
        stderr=asyncio.subprocess.PIPE,
    )
    _, written = await asyncio.wait_for(child.communicate(), 30)
    assert child.returncode == 0
    lines = written.decode().splitlines()
    assert not [line for line in lines if "s3" in line or "cret" in line]
    assert written.decode().count(REDACTED) >= 15 * len(secrets)
    if not on_terminal:
        assert len([json.loads(line) for line in lines]) == 14 * len(secrets)


@pytest.mark.timeout(20)
def test_a_secret_is_redacted_in_time_however_many_backslashes_there_are() -> None:
    redactor = Redactor(['a\\b"\\\\c', "\\\\\\"])
    text = "a" + "\\" * 200_000 + '"token' + "\\" * 200_000
    assert len(redactor.redact(text)) < len(text)


def test_other_words_stay() -> None:
    event = {"event": "edit.charged", "edit": "1", "credits": 8, "left": None, "x": [1.5, True]}
    assert Redactor(["x" * 20])(None, "info", dict(event)) == event


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
