"""Forwards, replies, text to speech and silent messages."""

from sandbox.discord.guilds import Guild, Overwrite
from sandbox.discord.permissions import Permission
from sandbox.values import JsonObject, object_at, objects_at
from tests.sandbox.client import Client

SNAPSHOT = 1 << 14
SUPPRESS_NOTIFICATIONS = 1 << 12
USER_JOIN = 7


# Forwards and replies.


async def test_a_forward_keeps_what_a_message_showed(client: Client, guild: Guild):
    discord, log = client.sandbox.discord, guild.channels[1]
    said = await discord.say(client.channel, client.member, "look")
    reference = {"type": 1, "channel_id": str(client.channel.id), "message_id": str(said.id)}
    path = f"/channels/{log.id}/messages"
    answer = await client.send("POST", path, {"message_reference": reference})
    assert answer.status == 200, answer.body
    discord.delete(said)
    found = (await client.send("GET", f"{path}/{answer.body['id']}")).body
    assert found["message_reference"] == reference | {"guild_id": str(guild.id)}
    assert (found["type"], found["flags"], found["content"]) == (0, SNAPSHOT, "")
    (snapshot,) = objects_at(found, "message_snapshots")
    kept = object_at(snapshot, "message")
    assert (kept["content"], kept["timestamp"]) == ("look", said.to_json()["timestamp"])
    assert kept.keys().isdisjoint({"author", "id", "channel_id"})
    again = {"type": 1, "channel_id": str(log.id), "message_id": str(found["id"])}
    answer = await client.send("POST", client.messages, {"message_reference": again})
    assert objects_at(answer.body, "message_snapshots") == [snapshot]


async def test_what_cannot_be_seen_or_forwarded_is_not(client: Client, guild: Guild):
    discord, hidden = client.sandbox.discord, guild.channels[1]
    said = await discord.say(hidden, client.member, "look")
    joined = await discord.say(client.channel, client.member, "Ada joined")
    joined.kind = USER_JOIN

    def forward(channel: int, message: int) -> JsonObject:
        wanted = {"type": 1, "channel_id": str(channel), "message_id": str(message)}
        return {"message_reference": wanted}

    answer = await client.send("POST", client.messages, forward(client.channel.id, joined.id))
    assert answer.wrong("message_reference") == "MESSAGE_CANNOT_BE_FORWARDED"
    answer = await client.send("POST", client.messages, forward(client.channel.id, 5))
    assert answer.wrong("message_reference") == "REPLIES_UNKNOWN_MESSAGE"
    hidden.overwrites[client.sandbox.application_id] = Overwrite(deny=Permission.VIEW_CHANNEL)
    answer = await client.send("POST", client.messages, forward(hidden.id, said.id))
    assert (answer.status, answer.code) == (403, 50001)


async def test_a_reply_shows_what_it_answers(client: Client, guild: Guild):
    said = await client.sandbox.discord.say(client.channel, client.member, "look")
    reference = {"message_id": str(said.id)}
    body = {"content": "I see", "message_reference": reference}
    answer = await client.send("POST", client.messages, body)
    assert (answer.body["type"], answer.body["referenced_message"]) == (19, said.to_json())
    assert answer.body["message_reference"] == {
        "type": 0,
        "channel_id": str(client.channel.id),
        "message_id": str(said.id),
        "guild_id": str(guild.id),
    }
    client.sandbox.discord.delete(said)
    found = await client.send("GET", f"{client.messages}/{answer.body['id']}")
    assert found.body["referenced_message"] is None
    answer = await client.send("POST", client.messages, body)
    assert answer.wrong("message_reference") == "REPLIES_UNKNOWN_MESSAGE"
    lenient = body | {"message_reference": reference | {"fail_if_not_exists": False}}
    answer = await client.send("POST", client.messages, lenient)
    assert (answer.status, answer.body["type"]) == (200, 0)


# Sound, and quiet.


async def test_a_message_to_be_read_out_and_a_silent_one_say_so(client: Client):
    body = {"content": "x", "tts": True, "flags": SUPPRESS_NOTIFICATIONS}
    answer = await client.send("POST", client.messages, body)
    assert (answer.body["tts"], answer.body["flags"]) == (True, SUPPRESS_NOTIFICATIONS)
    answer = await client.send("POST", client.messages, {"tts": True})
    assert (answer.status, answer.code) == (400, 50006)


async def test_text_to_speech_needs_its_permission(client: Client):
    denied = Overwrite(deny=Permission.SEND_TTS_MESSAGES)
    client.channel.overwrites[client.sandbox.application_id] = denied
    answer = await client.send("POST", client.messages, {"content": "x", "tts": True})
    assert (answer.status, answer.code) == (403, 50013)
