"""A bot that does nothing but send requests, and the payloads that it sends."""

import io
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from PIL import Image

from sandbox.discord.guilds import Channel, Member
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Upload
from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, as_array, as_object, object_at, objects_at, parse, text_at

V2 = 1 << 15
EPHEMERAL = 1 << 6
LOADING = 1 << 7
MEBIBYTE = 1024 * 1024


def png(width: int = 64, height: int = 48) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


PICTURE = png()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as a bot reads it."""

    status: int
    body: JsonObject
    items: list[JsonObject]
    headers: Mapping[str, str]

    @property
    def code(self) -> object:
        """Return Discord's error code."""
        return self.body.get("code")

    def wrong(self, *path: str) -> str:
        """Return Discord's name for what is wrong with the field at a path."""
        node = object_at(self.body, "errors")
        for key in path:
            node = object_at(node, key)
        return text_at(objects_at(node, "_errors")[0], "code")


class Client:
    """A bot that does nothing but send requests."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session
        self.channel: Channel = sandbox.discord.guilds[0].channels[0]
        self.member: Member = sandbox.discord.add_member(sandbox.discord.guilds[0], "Ada")
        self.messages = f"/channels/{self.channel.id}/messages"

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        files: Mapping[str, bytes] | None = None,
        authorization: str | None = None,
    ) -> Answer:
        """Send a request, as a multipart form if there are files."""
        headers = {"Authorization": authorization or f"Bot {self.sandbox.discord_token}"}
        url = self.sandbox.discord_api_url + path
        data: aiohttp.FormData | None = None
        if files is not None:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(body), content_type="application/json")
            for index, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{index}]", io.BytesIO(content), filename=name)
            body = None
        async with self._session.request(
            method, url, json=body, data=data, headers=headers
        ) as response:
            text = await response.text()
            read = parse(text) if text else None
            items = [as_object(each) or {} for each in as_array(read) or []]
            return Answer(response.status, as_object(read) or {}, items, dict(response.headers))

    async def register(self, *commands: JsonObject) -> Answer:
        """Register commands, `/edit` where none are given."""
        path = f"/applications/{self.sandbox.application_id}/commands"
        return await self.send("PUT", path, list(commands) or [EDIT])

    async def invoke(self, **options: str | int | Upload) -> Interaction:
        """Let a member run `/edit`."""
        given = {"image": Upload("photo.png", PICTURE), "prompt": "make it blue"} | options
        return await self.sandbox.discord.invoke(self.channel, self.member, "edit", given)

    async def acknowledge(
        self, interaction: Interaction, kind: int = 5, data: JsonObject | None = None
    ) -> Answer:
        """Answer an interaction first."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback?with_response=1"
        return await self.send("POST", path, {"type": kind, "data": data or {}})

    def answer(self, interaction: Interaction) -> str:
        """Return the path of an interaction's own answer."""
        application = self.sandbox.application_id
        return f"/webhooks/{application}/{interaction.token}/messages/@original"


EDIT: JsonObject = {
    "name": "edit",
    "description": "Edit an image",
    "contexts": [0],
    "options": [
        {"type": 11, "name": "image", "description": "The image", "required": True},
        {
            "type": 3,
            "name": "prompt",
            "description": "What to change",
            "required": True,
            "min_length": 1,
            "max_length": 4000,
        },
        {
            "type": 3,
            "name": "quality",
            "description": "How carefully",
            "choices": [{"name": "Low", "value": "low"}, {"name": "High", "value": "high"}],
        },
        {
            "type": 4,
            "name": "count",
            "description": "How many",
            "min_value": 1,
            "max_value": 4,
        },
    ],
}


@asynccontextmanager
async def connection() -> AsyncGenerator[Client]:
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        yield Client(sandbox, session)


def text(content: str) -> JsonObject:
    return {"type": 10, "content": content}


def gallery(*urls: str, description: str | None = None) -> JsonObject:
    items = [{"media": {"url": url}, "description": description} for url in urls]
    return {"type": 12, "items": items}


def row(*components: JsonObject) -> JsonObject:
    return {"type": 1, "components": list(components)}


def button(custom_id: str, label: str = "Press") -> JsonObject:
    return {"type": 2, "style": 1, "custom_id": custom_id, "label": label}
