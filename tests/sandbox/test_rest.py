"""How the REST API authenticates, answers and records requests."""

import asyncio

from sandbox.values import text_at
from tests.sandbox.client import (
    Client,
)


async def test_a_wrong_token_is_refused_with_401_and_code_0(client: Client):
    answer = await client.send("GET", "/users/@me", authorization="Bot wrong")
    assert (answer.status, answer.body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_an_unknown_route_is_answered_404_and_code_0(client: Client):
    answer = await client.send("GET", "/nothing/here")
    assert (answer.status, answer.body) == (404, {"message": "404: Not Found", "code": 0})


async def test_json_is_sent_as_exactly_application_json(client: Client):
    answer = await client.send("GET", "/users/@me")
    assert answer.headers["Content-Type"] == "application/json"


async def test_the_gateway_is_found_by_rest(client: Client):
    answer = await client.send("GET", "/gateway/bot")
    assert text_at(answer.body, "url").startswith("ws://127.0.0.1:")
    assert answer.body["shards"] == 1


async def test_requests_are_recorded_without_secrets(client: Client):
    await client.send("POST", client.messages, {"content": "hello"})
    request = client.sandbox.discord.requests[-1]
    assert (request.method, request.path, request.status) == ("POST", client.messages, 200)
    assert request.json == {"content": "hello"}
    assert client.sandbox.discord_token not in repr(request)


async def test_a_request_can_be_awaited(client: Client):
    awaited = asyncio.create_task(client.sandbox.discord.requested("POST", "/messages$", times=2))
    for content in ("first", "second"):
        await client.send("POST", client.messages, {"content": content})
    assert (await awaited).json == {"content": "second"}
