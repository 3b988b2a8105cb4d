"""What the bot does with Discord's odd answers, request by request."""

from collections.abc import AsyncGenerator

import aiohttp
import pytest
from yarl import URL

from bot.discord_io.responses import is_too_large
from bot.discord_io.rest import DiscordRest, OriginalResponse, OwnMessage
from bot.discord_io.transport import MAX_BODY_BYTES, File, in_seconds
from sandbox.faults import Answer, banned, rate_limited
from sandbox.sandbox import Sandbox
from tests.services import at_discord, count

MESSAGE = OriginalResponse(application_id=1, token="token")


@pytest.fixture
async def rest(sandbox: Sandbox) -> AsyncGenerator[DiscordRest]:
    """The bot's own requests, without the bot."""
    async with aiohttp.ClientSession() as session:
        yield DiscordRest(session, URL(sandbox.discord_api_url), sandbox.discord_token)


@pytest.mark.parametrize(
    "limit", [rate_limited(60, everywhere=True), banned(60)], ids=["Discord's", "Cloudflare's"]
)
async def test_an_acknowledgement_goes_out_past_a_global_rate_limit(
    sandbox: Sandbox, rest: DiscordRest, limit: Answer
):
    at_discord(sandbox, limit, method="PATCH", path=MESSAGE.path)
    assert await rest.edit_once(MESSAGE, {"content": "#1 in queue"}) is not None

    blocked = await rest.get(OwnMessage(1, 2), until=in_seconds(1))
    acknowledged = await rest.respond(1, "token", {"type": 5})

    assert blocked is not None
    assert blocked.status == 429
    assert count(sandbox, "GET", "/messages/2") == 0
    assert acknowledged is not None
    assert acknowledged.status == 404
    assert count(sandbox, "POST", "/callback") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(sandbox: Sandbox, rest: DiscordRest, status: int):
    async with Sandbox() as other:
        elsewhere = {"Location": f"{other.discord_api_url}/{MESSAGE.path}"}
        at_discord(sandbox, Answer(status, headers=elsewhere), method="GET", path=MESSAGE.path)
        answer = await rest.get(MESSAGE, until=in_seconds(10))
        assert other.discord.requests == []
    assert answer is not None
    assert answer.status == status
    assert not answer.ok


async def test_a_413_without_one_of_discords_codes_means_too_large(
    sandbox: Sandbox, rest: DiscordRest
):
    too_large = Answer(413, body=b"<html>413 Request Entity Too Large</html>")
    at_discord(sandbox, too_large, method="POST", path="/messages$")
    files = [File("1.png", b"\x89PNG")]
    answer = await rest.post(1, {"content": "done"}, files=files, until=in_seconds(10))
    assert answer is not None
    assert answer.code == 0
    assert is_too_large(answer)


async def test_an_answer_is_read_no_further_than_its_limit(sandbox: Sandbox, rest: DiscordRest):
    padded = b'{"id": "7"}'.rjust(2 * MAX_BODY_BYTES)
    at_discord(sandbox, Answer(200, body=padded), method="DELETE", path=MESSAGE.path)
    answer = await rest.delete(MESSAGE, until=in_seconds(10))
    assert answer is not None
    assert answer.ok
    assert answer.body == {}


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("7", b"", 7),
        ("7", b'{"retry_after": 0.5}', 0.5),
        ("7", b'{"retry_after": NaN}', 7),
        ("7", b'{"retry_after": Infinity}', 7),
        ("7", b'{"retry_after": -1}', 7),
        ("7", b'{"retry_after": [7]}', 7),
        ("7", b'{"retry_after": "soon"}', 7),
        pytest.param("7", b'{"retry_after": 1%s}' % (b"0" * 400), 7, id="past any float"),
        ("inf", b"", 1),
        ("nan", b"", 1),
        ("-5", b"", 1),
        ("Sun, 01 Jun 2025 12:00:09 GMT", b"", 1),
    ],
)
async def test_a_wait_that_makes_no_sense_is_not_taken_from_a_429(
    sandbox: Sandbox, rest: DiscordRest, header: str, body: bytes, seconds: float
):
    limited = Answer(429, headers={"Retry-After": header}, body=body)
    at_discord(sandbox, limited, method="PATCH", path=MESSAGE.path)
    answer = await rest.edit_once(MESSAGE, {"content": "#1 in queue"})
    assert answer is not None
    assert answer.retry_after == seconds
