"""What answers in the bot's place: posts messages and answers interactions by Discord's REST."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from sandbox.discord.guilds import Channel
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.messages import Message, Revision
from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, as_object, parse, snowflake


class StandIn:
    """A bot that does as it is told."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session

    @classmethod
    @asynccontextmanager
    async def at(cls, sandbox: Sandbox) -> AsyncGenerator[StandIn]:
        """Stand in for the bot of a sandbox."""
        async with aiohttp.ClientSession() as session:
            yield cls(sandbox, session)

    async def post(
        self, channel: Channel, body: JsonObject, files: Mapping[str, bytes] | None = None
    ) -> Message:
        """Post a message into a channel."""
        posted = await self.send("POST", f"/channels/{channel.id}/messages", body, files)
        return self.sandbox.world.history(channel)[snowflake(posted["id"]) or 0]

    async def answer(
        self, interaction: Interaction, kind: int, data: JsonObject | None = None
    ) -> None:
        """Answer an interaction first."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        await self.send("POST", path, {"type": kind, "data": data or {}})

    async def send(
        self,
        method: str,
        path: str,
        body: JsonObject,
        files: Mapping[str, bytes] | None = None,
    ) -> JsonObject:
        """Send a request, as a multipart form if there are files; it has to succeed."""
        form = None
        if files:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(body), content_type="application/json")
            for index, (name, content) in enumerate(files.items()):
                form.add_field(f"files[{index}]", io.BytesIO(content), filename=name)
        async with self._session.request(
            method,
            self.sandbox.discord_api_url + path,
            json=None if form else body,
            data=form,
            headers={"Authorization": f"Bot {self.sandbox.discord_token}"},
        ) as response:
            text = await response.text()
            assert response.ok, text
            return (as_object(parse(text)) if text else None) or {}


@dataclass(slots=True, eq=False)
class MessageWithMore(Message):
    """A message with fields of Discord's message object that no request to the sandbox makes."""

    more: JsonObject = field(default_factory=dict[str, object])

    def to_json(self) -> JsonObject:
        """Return Discord's message object."""
        return Message.to_json(self) | self.more


def put(sandbox: Sandbox, channel: Channel, more: JsonObject) -> Message:
    """Put a message of the bot's into a channel past REST, with these fields."""
    world = sandbox.world
    revision = Revision(world.clock.now(), "", (), (), (), 0)
    message = MessageWithMore(world.new_id(), channel, world.bot, [revision], more=more)
    world.created(message)
    return message
