"""Posting and editing messages: files, nonces, permissions and mentions."""

import asyncio
import io
from collections.abc import Mapping
from typing import cast

import aiohttp
import pytest
from PIL import Image

from sandbox.discord.guilds import Guild, Overwrite
from sandbox.discord.interactions.invocation import Upload
from sandbox.discord.permissions import Permission
from sandbox.values import JsonObject, object_at, objects_at, text_at
from tests.sandbox.client import (
    MEBIBYTE,
    PICTURE,
    V2,
    Client,
    text,
)

# Messages and files.


async def test_a_posted_file_comes_back_with_its_size_and_address(client: Client):
    body = {"content": "look", "attachments": [{"id": 0, "description": "teal"}]}
    answer = await client.send("POST", client.messages, body, files={"a b.png": PICTURE})
    (attachment,) = objects_at(answer.body, "attachments")
    assert attachment["filename"] == "a_b.png"
    assert (attachment["width"], attachment["height"]) == (64, 48)
    assert attachment["description"] == "teal"
    (message,) = client.sandbox.discord.messages(client.channel)
    assert [file.path.read_bytes() for file in message.files] == [PICTURE]


@pytest.mark.parametrize("size", [10 * MEBIBYTE, 10 * MEBIBYTE + 1])
async def test_a_file_may_have_ten_mebibytes(client: Client, size: int):
    answer = await client.send("POST", client.messages, {}, files={"a.bin": bytes(size)})
    if size <= 10 * MEBIBYTE:
        assert answer.status == 200
    else:
        assert (answer.status, answer.body) == (
            413,
            {"message": "Request entity too large", "code": 40005},
        )


async def test_an_image_of_any_size_tells_how_large_it_is(client: Client):
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    await client.register()
    interaction = await client.invoke(image=Upload("huge.png", out.getvalue()))
    resolved = object_at(object_at(interaction.payload, "data"), "resolved")
    (attachment,) = object_at(resolved, "attachments").values()
    assert cast("JsonObject", attachment)["width"] == 20_000


async def test_a_request_may_have_twenty_five_mebibytes(client: Client):
    files = {f"{index}.bin": bytes(9 * MEBIBYTE) for index in range(3)}
    answer = await client.send("POST", client.messages, {}, files=files)
    assert (answer.status, answer.code) == (413, 40005)


async def test_a_message_takes_ten_files_and_not_eleven(client: Client):
    files = {f"{index}.png": PICTURE for index in range(11)}
    answer = await client.send("POST", client.messages, {}, files=files)
    assert answer.wrong("attachments") == "BASE_TYPE_BAD_LENGTH"


async def test_an_empty_message_is_refused(client: Client):
    answer = await client.send("POST", client.messages, {})
    assert (answer.status, answer.code) == (400, 50006)


async def test_an_unknown_field_is_ignored_but_a_wrong_type_is_not(client: Client):
    answer = await client.send("POST", client.messages, {"content": "x", "mood": "sad"})
    assert answer.status == 200
    answer = await client.send("POST", client.messages, {"content": ["x"]})
    assert answer.wrong("content") == "STRING_TYPE_CONVERT"


async def test_an_enforced_nonce_posts_once(client: Client):
    body = {"content": "once", "nonce": "edit-1", "enforce_nonce": True}
    first = await client.send("POST", client.messages, body)
    second = await client.send("POST", client.messages, body)
    assert first.body["id"] == second.body["id"]
    assert len(client.sandbox.discord.messages(client.channel)) == 1


async def test_a_nonce_is_told_when_a_message_is_made_and_never_again(client: Client):
    body = {"content": "once", "nonce": "edit-1"}
    made = await client.send("POST", client.messages, body)
    assert made.body["nonce"] == "edit-1"
    found = await client.send("GET", f"{client.messages}/{made.body['id']}")
    listed = await client.send("GET", client.messages)
    assert "nonce" not in found.body
    assert [("nonce" in each) for each in listed.items] == [False]


async def test_without_its_permission_history_is_empty_and_a_message_out_of_reach(
    client: Client, guild: Guild
):
    made = await client.send("POST", client.messages, {"content": "here"})
    denied = Permission.READ_MESSAGE_HISTORY
    client.sandbox.discord.forbid(client.channel, guild.everyone, denied)
    listed = await client.send("GET", client.messages)
    assert (listed.status, listed.items) == (200, [])
    found = await client.send("GET", f"{client.messages}/{made.body['id']}")
    assert (found.status, found.code) == (403, 50013)


async def test_whoever_takes_no_direct_messages_can_be_opened_and_not_written_to(client: Client):
    client.sandbox.discord.close_direct_messages(client.member)
    wanted = {"recipient_id": str(client.member.id)}
    opened = await client.send("POST", "/users/@me/channels", wanted)
    assert opened.status == 200
    answer = await client.send("POST", f"/channels/{opened.body['id']}/messages", {"content": "x"})
    assert (answer.status, answer.code) == (403, 50007)


@pytest.mark.parametrize(
    ("denied", "files", "code"),
    [
        (Permission.VIEW_CHANNEL, None, 50001),
        (Permission.SEND_MESSAGES, None, 50013),
        (Permission.ATTACH_FILES, {"a.png": PICTURE}, 50013),
    ],
)
async def test_a_message_needs_the_permissions_for_it(
    client: Client, denied: Permission, files: Mapping[str, bytes] | None, code: int
):
    client.channel.overwrites[client.sandbox.application_id] = Overwrite(deny=denied)
    answer = await client.send("POST", client.messages, {"content": "x"}, files=files)
    assert (answer.status, answer.code) == (403, code)


async def test_an_edit_keeps_the_files_that_it_names_and_adds_new_ones(client: Client):
    files = {"a.png": PICTURE, "b.png": PICTURE}
    await client.send("POST", client.messages, {}, files=files)
    (message,) = client.sandbox.discord.messages(client.channel)
    kept = message.files[1]
    body = {"attachments": [{"id": str(kept.id)}, {"id": 0}]}
    path = f"{client.messages}/{message.id}"
    assert (await client.send("PATCH", path, body, files={"c.png": PICTURE})).status == 200
    assert [file.name for file in message.files] == ["b.png", "c.png"]


async def test_a_message_can_be_awaited_by_what_it_shows(client: Client):
    log = client.sandbox.discord.guilds[0].channels[1]
    awaited = asyncio.create_task(
        client.sandbox.discord.posted(log, lambda message: "second" in message.text)
    )
    for content in ("first", f"second of <@{client.member.id}>"):
        card: JsonObject = {"flags": V2, "components": [text(content)]}
        card["allowed_mentions"] = {"parse": []}
        assert (await client.send("POST", f"/channels/{log.id}/messages", card)).status == 200
    message = await awaited
    assert client.sandbox.discord.messages(log)[1] is message
    assert not message.pinged
    assert await client.sandbox.discord.posted(log) is client.sandbox.discord.messages(log)[0]
    with pytest.raises(TimeoutError):
        await client.sandbox.discord.posted(client.channel, timeout=0.01)


# Mentions.


@pytest.mark.parametrize(
    ("allowed", "everyone", "ada"),
    [
        (None, True, True),
        ({"parse": []}, False, False),
        ({"parse": ["everyone"]}, True, False),
        ({"parse": ["users"]}, False, True),
    ],
)
async def test_a_message_pings_whom_allowed_mentions_lets_through(
    client: Client, allowed: JsonObject | None, *, everyone: bool, ada: bool
):
    content = f"@everyone <@{client.member.id}>"
    body = {"content": content, "allowed_mentions": allowed}
    await client.send("POST", client.messages, body)
    (message,) = client.sandbox.discord.messages(client.channel)
    assert message.pinged.everyone is everyone
    assert message.pinged.users == ({client.member.id} if ada else set())


async def test_an_edited_answer_mentions_but_pings_nobody(client: Client):
    """An edit notifies nobody (discord-api-docs issue 5497)."""
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    content = f"<@{client.member.id}>"
    await client.send("PATCH", client.answer(interaction), {"content": content})
    message = await interaction.settled()
    assert not message.pinged
    assert message.now.mentions.users == {client.member.id}


# Files at the CDN.


async def test_a_members_upload_is_served_with_ranges_until_its_address_runs_out(client: Client):
    await client.register()
    interaction = await client.invoke()
    resolved = object_at(object_at(interaction.payload, "data"), "resolved")
    (attachment,) = object_at(resolved, "attachments").values()
    url = text_at(cast("JsonObject", attachment), "url")
    assert "/ephemeral-attachments/" in url
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert await response.read() == PICTURE
            assert response.headers["Content-Length"] == str(len(PICTURE))
            assert response.headers["Content-Type"] == "image/png"
            assert "ETag" in response.headers
        async with session.get(url, headers={"Range": "bytes=0-3"}) as response:
            assert (response.status, await response.read()) == (206, PICTURE[:4])
        async with session.get(url.replace("&hm=", "&hm=0")) as response:
            assert response.status == 404
        client.sandbox.clock.advance(25 * 60 * 60)
        async with session.get(url) as response:
            assert response.status == 404
