"""Polls, stickers, themes, forwards, voice and more that an application can put into a message."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from sandbox.discord.guilds import Overwrite
from sandbox.discord.permissions import Permission
from sandbox.values import object_at, objects_at
from tests.sandbox.client import LOADING, PICTURE, V2, Client, button, row, text
from tests.sandbox.gateway_client import connected

if TYPE_CHECKING:
    from sandbox.discord.guilds import Guild
    from sandbox.values import JsonObject

VOICE = 1 << 13
SNAPSHOT = 1 << 14
SUPPRESS_NOTIFICATIONS = 1 << 12


def poll(*answers: str, **fields: object) -> JsonObject:
    asked: JsonObject = {
        "question": {"text": "Which colour?"},
        "answers": [{"poll_media": {"text": answer}} for answer in answers],
    }
    return {"poll": asked | fields}


# Polls.


async def test_a_poll_comes_back_with_its_end_and_results(client: Client):
    answers: list[JsonObject] = [
        {"poll_media": {"text": "Blue"}},
        {"poll_media": {"emoji": {"name": "🟥"}}},
    ]
    asked = poll(answers=answers, duration=768, allow_multiselect=True)
    answer = await client.send("POST", client.messages, asked)
    shown = object_at(answer.body, "poll")
    began = datetime.fromisoformat(str(answer.body["timestamp"]))
    ends = datetime.fromisoformat(str(shown["expiry"]))
    assert round((ends - began).total_seconds() / 3600) == 768
    assert shown["question"] == {"text": "Which colour?"}
    assert shown["answers"] == [
        {"answer_id": 1, "poll_media": {"text": "Blue"}},
        {"answer_id": 2, "poll_media": {"emoji": {"id": None, "name": "🟥"}}},
    ]
    assert (shown["allow_multiselect"], shown["layout_type"]) == (True, 1)
    assert shown["results"] == {"answer_counts": [], "is_finalized": False}
    (message,) = client.sandbox.discord.messages(client.channel)
    assert message.text == "Which colour?\nBlue"


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (poll(), ("answers",), "BASE_TYPE_BAD_LENGTH"),
        (poll(*map(str, range(11))), ("answers",), "BASE_TYPE_BAD_LENGTH"),
        (poll("x" * 56), ("answers", "0", "poll_media", "text"), "BASE_TYPE_BAD_LENGTH"),
        (poll(""), ("answers", "0", "poll_media", "text"), "BASE_TYPE_REQUIRED"),
        (poll("a", answers=[{"text": "a"}]), ("answers", "0", "poll_media"), "BASE_TYPE_REQUIRED"),
        (poll("a", question=None), ("question",), "BASE_TYPE_REQUIRED"),
        (poll("a", question={}), ("question", "text"), "BASE_TYPE_REQUIRED"),
        (
            poll("a", question={"text": "x" * 301}),
            ("question", "text"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        (poll("a", duration=769), ("duration",), "NUMBER_TYPE_MAX"),
        (poll("a", duration=0), ("duration",), "NUMBER_TYPE_MIN"),
        (poll("a", layout_type=2), ("layout_type",), "BASE_TYPE_CHOICES"),
        (
            poll("a") | {"flags": V2, "components": [text("x")]},
            (),
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        ),
    ],
)
async def test_a_poll_that_breaks_a_rule_is_refused_at_its_place(
    client: Client, body: JsonObject, path: tuple[str, ...], code: str
):
    answer = await client.send("POST", client.messages, body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.wrong("poll", *path) == code


async def test_an_interaction_can_be_answered_with_a_poll_even_after_thinking(client: Client):
    await client.register()
    at_once, later = await client.invoke(), await client.invoke()
    assert (await client.acknowledge(at_once, 4, poll("Blue"))).status == 200
    assert (await at_once.settled()).to_json()["poll"]
    await client.acknowledge(later)
    answer = await client.send("PATCH", client.answer(later), poll("Red"))
    assert answer.status == 200, answer.body
    message = await later.settled()
    assert message.flags & LOADING == 0
    asked = message.to_json()["poll"]
    await client.send("PATCH", client.answer(later), poll("Green") | {"content": "more"})
    assert (message.content, message.to_json()["poll"]) == ("more", asked)


# Stickers.


async def test_a_servers_stickers_are_sent_by_their_ids(client: Client, guild: Guild):
    wave = client.sandbox.discord.add_sticker(guild, "Wave")
    answer = await client.send("POST", client.messages, {"sticker_ids": [str(wave.id)]})
    item = {"id": str(wave.id), "name": "Wave", "format_type": 1}
    assert answer.body["sticker_items"] == [item]
    found = await client.send("GET", f"/guilds/{guild.id}")
    assert objects_at(found.body, "stickers") == [wave.to_json()]
    other = client.sandbox.discord.add_guild("Elsewhere").channels[0]
    body = {"sticker_ids": [str(wave.id)]}
    answer = await client.send("POST", f"/channels/{other.id}/messages", body)
    assert (answer.status, answer.code) == (400, 50081)


async def test_a_bot_hears_of_a_new_sticker(client: Client, guild: Guild):
    async with connected(client.sandbox) as bot:
        await bot.identify(client.sandbox.discord_token, 1 | 1 << 3)
        await bot.receive_event("GUILD_CREATE")
        wave = client.sandbox.discord.add_sticker(guild, "Wave")
        told = object_at(await bot.receive_event("GUILD_STICKERS_UPDATE"), "d")
    assert objects_at(told, "stickers") == [wave.to_json()]


async def test_a_message_has_up_to_three_stickers_and_not_with_new_components(
    client: Client, guild: Guild
):
    wave = client.sandbox.discord.add_sticker(guild, "Wave")
    answer = await client.send("POST", client.messages, {"sticker_ids": [str(wave.id)] * 4})
    assert answer.wrong("sticker_ids") == "BASE_TYPE_BAD_LENGTH"
    card: JsonObject = {"flags": V2, "components": [text("x")], "sticker_ids": [str(wave.id)]}
    answer = await client.send("POST", client.messages, card)
    code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    assert answer.wrong("sticker_ids") == code


async def test_an_answer_to_an_interaction_takes_no_stickers_or_themes(client: Client):
    await client.register()
    body: JsonObject = {"content": "x", "sticker_ids": ["1"], "shared_client_theme": THEME}
    answer = await client.acknowledge(await client.invoke(), 4, body)
    message = object_at(object_at(answer.body, "resource"), "message")
    assert message.keys().isdisjoint({"sticker_items", "shared_client_theme"})


# Themes.


THEME: JsonObject = {"colors": ["ff0000", "00FF00"], "gradient_angle": 45, "base_mix": 50}


async def test_a_shared_theme_comes_back(client: Client):
    answer = await client.send("POST", client.messages, {"shared_client_theme": THEME})
    assert answer.body["shared_client_theme"] == THEME | {"base_theme": 0}


@pytest.mark.parametrize(
    ("change", "key", "code"),
    [
        ({"colors": []}, "colors", "BASE_TYPE_BAD_LENGTH"),
        ({"colors": ["ff0000"] * 6}, "colors", "BASE_TYPE_BAD_LENGTH"),
        ({"colors": ["red"]}, "colors", "STRING_TYPE_REGEX"),
        ({"gradient_angle": 361}, "gradient_angle", "NUMBER_TYPE_MAX"),
        ({"base_mix": 101}, "base_mix", "NUMBER_TYPE_MAX"),
        ({"base_mix": None}, "base_mix", "BASE_TYPE_REQUIRED"),
        ({"base_theme": 5}, "base_theme", "BASE_TYPE_CHOICES"),
    ],
)
async def test_a_theme_that_breaks_a_rule_is_refused_at_its_field(
    client: Client, change: JsonObject, key: str, code: str
):
    answer = await client.send("POST", client.messages, {"shared_client_theme": THEME | change})
    assert answer.wrong("shared_client_theme", key) == code


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
    await client.send("POST", client.messages, poll("Blue"))
    (asked,) = discord.messages(client.channel)

    def forward(channel: int, message: int) -> JsonObject:
        wanted = {"type": 1, "channel_id": str(channel), "message_id": str(message)}
        return {"message_reference": wanted}

    answer = await client.send("POST", client.messages, forward(client.channel.id, asked.id))
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


RECORDING: JsonObject = {
    "flags": VOICE,
    "attachments": [{"id": 0, "duration_secs": 1.5, "waveform": "AAEC"}],
}
SOUND = {"voice.ogg": b"OggS"}


async def test_a_voice_message_is_one_sound_with_its_waveform(client: Client):
    answer = await client.send("POST", client.messages, RECORDING, files=SOUND)
    assert answer.status == 200, answer.body
    assert answer.body["flags"] == VOICE
    (sound,) = objects_at(answer.body, "attachments")
    assert (sound["duration_secs"], sound["waveform"]) == (1.5, "AAEC")
    path = f"{client.messages}/{answer.body['id']}"
    answer = await client.send("PATCH", path, {"content": "x"})
    assert (answer.status, answer.code) == (400, 50162)


@pytest.mark.parametrize(
    ("change", "files", "code"),
    [
        ({"content": "x"}, SOUND, 50159),
        ({"components": [row(button("x"))]}, SOUND, 50159),
        ({"attachments": [{"id": 0}]}, {"a.png": PICTURE}, 50160),
        ({"attachments": []}, {}, 50160),
        ({"attachments": [{"id": 0}]}, SOUND, 50161),
    ],
)
async def test_a_voice_message_that_is_none_is_refused(
    client: Client, change: JsonObject, files: dict[str, bytes], code: int
):
    answer = await client.send("POST", client.messages, RECORDING | change, files=files)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("denied", "body", "files", "code"),
    [
        (Permission.SEND_POLLS, poll("Blue"), None, 50013),
        (Permission.SEND_TTS_MESSAGES, {"content": "x", "tts": True}, None, 50013),
        (Permission.SEND_VOICE_MESSAGES, RECORDING, SOUND, 50173),
    ],
)
async def test_each_needs_its_permission(
    client: Client,
    denied: Permission,
    body: JsonObject,
    files: dict[str, bytes] | None,
    code: int,
):
    client.channel.overwrites[client.sandbox.application_id] = Overwrite(deny=denied)
    answer = await client.send("POST", client.messages, body, files=files)
    assert (answer.status, answer.code) == (403, code)
