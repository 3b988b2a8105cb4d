"""What the sandbox's Discord answers has the shapes of Discord's own description of its API."""

import io
import json
import os
from collections.abc import AsyncGenerator, Mapping
from functools import cache
from pathlib import Path

import aiohttp
import pytest
from jsonschema_rs import Draft202012Validator
from PIL import Image

from sandbox.discord.interactions.invocation import Upload
from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, as_object, object_at, parse, text_at

DESCRIPTION = os.environ.get("DISCORD_OPENAPI")

pytestmark = pytest.mark.skipif(
    DESCRIPTION is None, reason="DISCORD_OPENAPI names no description of Discord's API"
)

COMMANDS = "/applications/{application_id}/commands"
COMMAND: JsonObject = {
    "name": "edit",
    "description": "Edit an image",
    "options": [
        {"type": 11, "name": "image", "description": "d", "required": True},
        {"type": 4, "name": "count", "description": "d", "min_value": 1, "max_value": 4},
        {
            "type": 3,
            "name": "quality",
            "description": "d",
            "choices": [{"name": "Low", "value": "low"}],
        },
    ],
}
ATTACHED = {"url": "attachment://a.png"}
CARD: JsonObject = {
    "flags": 1 << 15,
    "components": [
        {
            "type": 17,
            "components": [
                {"type": 12, "items": [{"media": ATTACHED, "description": "d"}]},
                {"type": 14},
                {
                    "type": 9,
                    "components": [{"type": 10, "content": "x"}],
                    "accessory": {"type": 11, "media": ATTACHED},
                },
                {"type": 13, "file": ATTACHED},
                {
                    "type": 1,
                    "components": [{"type": 2, "style": 1, "custom_id": "b", "label": "b"}],
                },
                {
                    "type": 1,
                    "components": [
                        {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "b"}]}
                    ],
                },
            ],
        }
    ],
}


AFRESH: JsonObject = {"attachments": [{"id": 0}]}
FOLLOW_UP: JsonObject = {"content": "more", "flags": 1 << 6}


@cache
def description() -> JsonObject:
    return as_object(parse(Path(DESCRIPTION or "").read_bytes())) or {}


def check(template: str, method: str, body: object) -> None:
    """Raise ValidationError unless a body is what the description has for a path's 200."""
    node = object_at(object_at(object_at(description(), "paths"), template), method.lower())
    for key in ("responses", "200", "content", "application/json", "schema"):
        node = object_at(node, key)
    schema = node | {"components": description()["components"]}
    Draft202012Validator(schema).validate(body)


class Client:
    """Sends requests and holds each answer against the description."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session

    async def send(
        self,
        method: str,
        template: str,
        ids: Mapping[str, object],
        body: object = None,
        file: bytes = b"",
    ) -> object:
        """Send a request to a path of the description, and check what comes back."""
        data = None
        if file:
            data = aiohttp.FormData({"payload_json": json.dumps(body)}, quote_fields=False)
            data.add_field("files[0]", io.BytesIO(file), filename="a.png")
            body = None
        url = self.sandbox.discord_api_url + template.format_map(ids)
        headers = {"Authorization": f"Bot {self.sandbox.discord_token}"}
        async with self._session.request(
            method, url, json=body, data=data, headers=headers
        ) as response:
            assert response.status == 200, await response.text()
            answer = parse(await response.read())
        check(template.partition("?")[0], method, answer)
        return answer


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        yield Client(sandbox, session)


def image() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "template",
    [
        "/users/@me",
        "/users/@me/guilds",
        "/users/{user_id}",
        "/applications/@me",
        "/oauth2/applications/@me",
        "/gateway/bot",
        "/guilds/{guild_id}",
        "/guilds/{guild_id}/channels",
        "/guilds/{guild_id}/roles",
        "/guilds/{guild_id}/roles/{role_id}",
        "/guilds/{guild_id}/members/{user_id}",
        "/channels/{channel_id}",
    ],
)
async def test_what_a_bot_reads_at_login_has_discords_shape(client: Client, template: str):
    guild = client.sandbox.discord.guilds[0]
    ids = {"guild_id": guild.id, "channel_id": guild.channels[0].id, "role_id": guild.id}
    await client.send("GET", template, ids | {"user_id": client.sandbox.application_id})


async def test_threads_have_discords_shape(client: Client):
    guild = client.sandbox.discord.guilds[0]
    thread = client.sandbox.discord.add_thread(guild.channels[0], "brushes")
    await client.send("GET", "/guilds/{guild_id}/threads/active", {"guild_id": guild.id})
    await client.send("GET", "/channels/{channel_id}", {"channel_id": thread.id})


async def test_commands_have_discords_shape(client: Client):
    ids = {"application_id": client.sandbox.application_id}
    await client.send("PUT", COMMANDS, ids, [COMMAND])
    await client.send("GET", COMMANDS, ids)


async def test_messages_have_discords_shape(client: Client):
    guild = client.sandbox.discord.guilds[0]
    channel = guild.channels[0]
    path = "/channels/{channel_id}/messages"
    plain = {"content": f"<@{client.sandbox.application_id}>", "embeds": [{"title": "t"}]}
    ids = {"channel_id": channel.id}
    await client.send("POST", path, ids, plain, image())
    await client.send("POST", path, ids, CARD, image())
    await client.send("POST", path, ids, {"content": "x", "tts": True})
    first = client.sandbox.discord.messages(channel)[0].id
    reply = {"content": "x", "message_reference": {"message_id": str(first)}}
    await client.send("POST", path, ids, reply)
    await client.send("GET", path, ids)
    await client.send("GET", "/guilds/{guild_id}", {"guild_id": guild.id})


async def test_an_answer_to_an_interaction_has_discords_shape(client: Client):
    application = client.sandbox.application_id
    await client.send("PUT", COMMANDS, {"application_id": application}, [COMMAND])
    guild = client.sandbox.discord.guilds[0]
    member = client.sandbox.discord.add_member(guild, "Ada")
    interaction = await client.sandbox.discord.invoke(
        guild.channels[0], member, "edit", {"image": Upload("a.png", image())}
    )
    callback = "/interactions/{interaction_id}/{interaction_token}/callback?with_response=1"
    answered = await client.send(
        "POST",
        callback,
        {"interaction_id": interaction.id, "interaction_token": interaction.token},
        {"type": 4, "data": {"content": "x"}},
    )
    resource = object_at(as_object(answered) or {}, "resource")
    assert text_at(object_at(resource, "message"), "content") == "x"
    original = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
    ids = {"webhook_id": application, "webhook_token": interaction.token}
    await client.send("PATCH", original, ids, {"content": None} | CARD, image())
    await client.send("GET", original, ids)
    await client.send("POST", "/webhooks/{webhook_id}/{webhook_token}?wait=true", ids, FOLLOW_UP)
    pressed = await client.sandbox.discord.press(await interaction.settled(), member, "b")
    ids = {"interaction_id": pressed.id, "interaction_token": pressed.token}
    await client.send("POST", callback, ids, {"type": 7, "data": CARD | AFRESH}, image())
