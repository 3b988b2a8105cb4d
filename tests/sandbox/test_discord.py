"""The sandbox's Discord API: what it takes, what it refuses, and in which words."""

import asyncio
import io
from collections.abc import Mapping
from typing import cast

import aiohttp
import pytest
from PIL import Image

from sandbox.discord.guilds import Guild, Overwrite
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Upload
from sandbox.discord.permissions import Permission
from sandbox.sandbox import InvalidInvocation
from sandbox.values import JsonObject, object_at, objects_at, text_at
from tests.sandbox.client import (
    EDIT,
    EPHEMERAL,
    MEBIBYTE,
    PICTURE,
    V2,
    Client,
    button,
    gallery,
    row,
    text,
)

# Logging in.


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


# Commands.


async def test_registered_commands_come_back_with_discords_defaults(client: Client):
    answer = await client.register()
    command = answer.items[0]
    assert command["type"] == 1
    assert command["default_member_permissions"] is None
    assert command["nsfw"] is False
    assert command["integration_types"] == [0]
    listed = await client.send("GET", f"/applications/{client.sandbox.application_id}/commands")
    assert [each["id"] for each in listed.items] == [command["id"]]


async def test_registering_again_keeps_a_commands_id(client: Client):
    first = await client.register()
    second = await client.register(EDIT | {"description": "Other words"})
    assert first.items[0]["id"] == second.items[0]["id"]
    assert first.items[0]["version"] != second.items[0]["version"]


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"name": "Edit"}, ("0", "name"), "APPLICATION_COMMAND_INVALID_NAME"),
        ({"name": "e" * 33}, ("0", "name"), "BASE_TYPE_BAD_LENGTH"),
        ({"description": ""}, ("0", "description"), "BASE_TYPE_REQUIRED"),
        ({"description": "d" * 101}, ("0", "description"), "BASE_TYPE_BAD_LENGTH"),
        ({"contexts": [7]}, ("0", "contexts"), "BASE_TYPE_CHOICES"),
        (
            {"options": [{"type": 3, "name": "a b", "description": "d"}]},
            ("0", "options", "0", "name"),
            "APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            {
                "options": [
                    {"type": 3, "name": "a", "description": "d"},
                    {"type": 3, "name": "b", "description": "d", "required": True},
                ]
            },
            ("0", "options", "1"),
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
    ],
)
async def test_a_command_that_breaks_a_rule_is_refused_at_its_field(
    client: Client, change: JsonObject, path: tuple[str, ...], code: str
):
    answer = await client.register(EDIT | change)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.wrong(*path) == code


async def test_the_commands_of_one_server_are_found_there_alone(client: Client):
    other = client.sandbox.discord.add_guild("Elsewhere")
    path = f"/applications/{client.sandbox.application_id}/guilds/{other.id}/commands"
    assert (await client.send("PUT", path, [EDIT])).status == 200
    with pytest.raises(InvalidInvocation, match="there is no /edit"):
        await client.invoke()


# What members may send.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 5}, "count: takes 4 or less"),
        ({"count": "two"}, "count: takes a whole number"),
        ({"quality": "best"}, "quality: 'best' is not one of low, high"),
        ({"prompt": ""}, "prompt: takes 1 to 4000 characters, not 0"),
        ({"mood": "sad"}, "mood: /edit has no such option"),
        ({"image": "photo.png"}, "image: takes no str"),
    ],
)
async def test_a_member_cannot_send_what_discords_client_would_not(
    client: Client, options: dict[str, str | int], words: str
):
    await client.register()
    with pytest.raises(InvalidInvocation, match=words):
        await client.invoke(**options)


async def test_a_member_cannot_leave_a_required_option_out(client: Client):
    await client.register()
    with pytest.raises(InvalidInvocation, match="image: this option is required"):
        await client.sandbox.discord.invoke(client.channel, client.member, "edit", {"prompt": "x"})


async def test_a_command_for_moderators_is_not_offered_to_members(client: Client):
    needed = str(int(Permission.MANAGE_GUILD))
    await client.register(
        {"name": "quota", "description": "d", "default_member_permissions": needed}
    )
    guild = client.sandbox.discord.guilds[0]
    moderator = client.sandbox.discord.add_member(guild, "Mo", permissions=Permission.MANAGE_GUILD)
    with pytest.raises(InvalidInvocation, match="not offered to Ada"):
        await client.sandbox.discord.invoke(client.channel, client.member, "quota")
    assert await client.sandbox.discord.invoke(client.channel, moderator, "quota")


async def test_subcommands_are_invoked_by_their_path(client: Client):
    option = {"type": 4, "name": "credits", "description": "d", "required": True}
    sub = {"type": 1, "name": "default", "description": "d", "options": [option]}
    await client.register({"name": "quota", "description": "d", "options": [sub]})
    interaction = await client.sandbox.discord.invoke(
        client.channel, client.member, "quota default", {"credits": 80}
    )
    data = object_at(interaction.payload, "data")
    nested = objects_at(data, "options")[0]
    assert (nested["name"], nested["type"]) == ("default", 1)
    assert objects_at(nested, "options") == [{"name": "credits", "type": 4, "value": 80}]


async def test_an_upload_can_report_another_size_than_it_has(client: Client):
    await client.register()
    upload = Upload("huge.png", PICTURE, size=30 * MEBIBYTE, width=60_000, height=2)
    interaction = await client.invoke(image=upload)
    attachments = object_at(
        object_at(object_at(interaction.payload, "data"), "resolved"), "attachments"
    )
    (attachment,) = attachments.values()
    told = cast("JsonObject", attachment)
    assert (told["size"], told["width"], told["height"]) == (30 * MEBIBYTE, 60_000, 2)
    assert told["ephemeral"] is True


# The first answer.


async def test_a_deferred_answer_shows_thinking_until_it_is_edited(client: Client):
    await client.register()
    interaction = await client.invoke()
    answer = await client.acknowledge(interaction, 5, {"flags": EPHEMERAL})
    told = object_at(answer.body, "interaction")
    assert told["response_message_loading"] is True
    assert told["response_message_ephemeral"] is True
    acknowledgement = await interaction.acknowledged()
    assert acknowledgement.ephemeral
    assert acknowledgement.seconds < 3
    await client.send("PATCH", client.answer(interaction), {"content": "done"})
    message = await interaction.settled()
    assert (message.content, message.flags, message.ephemeral) == ("done", EPHEMERAL, True)
    assert client.sandbox.discord.messages(client.channel) == []


async def test_without_with_response_an_acknowledgement_is_answered_204(client: Client):
    await client.register()
    interaction = await client.invoke()
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    answer = await client.send("POST", path, {"type": 4, "data": {"content": "hi"}})
    assert (answer.status, answer.body) == (204, {})
    assert (await interaction.settled()).content == "hi"


async def test_after_three_seconds_an_acknowledgement_is_too_late(client: Client):
    await client.register()
    interaction = await client.invoke()
    client.sandbox.clock.advance(3.1)
    answer = await client.acknowledge(interaction)
    assert (answer.status, answer.code) == (404, 10062)
    assert interaction.failed


async def test_a_second_acknowledgement_is_refused(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    answer = await client.acknowledge(interaction)
    assert (answer.status, answer.code) == (400, 40060)


async def test_an_acknowledgement_with_a_wrong_token_is_unknown(client: Client):
    await client.register()
    interaction = await client.invoke()
    path = f"/interactions/{interaction.id}/wrong/callback"
    answer = await client.send("POST", path, {"type": 5})
    assert (answer.status, answer.code) == (404, 10062)


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 99])
async def test_a_command_cannot_be_answered_as_a_button_or_a_search(client: Client, kind: int):
    await client.register()
    answer = await client.acknowledge(await client.invoke(), kind)
    assert (answer.status, answer.wrong("type")) == (400, "BASE_TYPE_CHOICES")


async def test_a_wrong_first_answer_leaves_the_interaction_open(client: Client):
    await client.register()
    interaction = await client.invoke()
    refused = await client.acknowledge(interaction, 4, {"content": "x" * 2001})
    assert refused.wrong("data", "content") == "BASE_TYPE_MAX_LENGTH"
    assert (await client.acknowledge(interaction, 4, {"content": "x"})).status == 200


async def test_before_it_was_acknowledged_an_answer_is_unknown(client: Client):
    await client.register()
    interaction = await client.invoke()
    answer = await client.send("GET", client.answer(interaction))
    assert (answer.status, answer.code) == (404, 10015)


async def test_after_fifteen_minutes_the_token_is_dead_but_the_channels_route_is_not(
    client: Client,
):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    client.sandbox.clock.advance(15 * 60 + 1)
    answer = await client.send("PATCH", client.answer(interaction), {"content": "late"})
    assert (answer.status, answer.code) == (401, 50027)
    message = interaction.message
    assert message is not None
    answer = await client.send("PATCH", f"{client.messages}/{message.id}", {"content": "late"})
    assert answer.status == 200
    assert message.content == "late"


async def test_a_private_answer_cannot_be_reached_by_its_channel(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "psst", "flags": EPHEMERAL})
    message = await interaction.settled()
    answer = await client.send("PATCH", f"{client.messages}/{message.id}", {"content": "x"})
    assert (answer.status, answer.code) == (404, 10008)


async def test_a_deleted_answer_is_an_unknown_message(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "x"})
    client.sandbox.discord.delete(await interaction.settled())
    answer = await client.send("PATCH", client.answer(interaction), {"content": "y"})
    assert (answer.status, answer.code) == (404, 10008)


async def test_the_first_follow_up_of_a_deferred_answer_takes_its_place(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    path = f"/webhooks/{client.sandbox.application_id}/{interaction.token}"
    await client.send("POST", path, {"content": "first"})
    await client.send("POST", path, {"content": "second"})
    assert (await interaction.settled()).content == "first"
    assert [message.content for message in interaction.followups] == ["second"]


async def test_a_button_is_pressed_and_its_message_updated(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "x", "components": [row(button("more"))]})
    message = await interaction.settled()
    pressed = await client.sandbox.discord.press(message, client.member, "more")
    answer = await client.acknowledge(pressed, 7, {"content": "pressed", "components": []})
    assert answer.status == 200
    assert message.content == "pressed"
    with pytest.raises(InvalidInvocation, match="nothing to press"):
        await client.sandbox.discord.press(message, client.member, "more")


# Private answers, and their buttons.


NO_FILES: JsonObject = {"attachments": []}


def page(name: str, words: str) -> JsonObject:
    """A card with a picture and a button, as an answer's data."""
    inner = [text(words), gallery(f"attachment://{name}"), row(button("next"))]
    return {"flags": EPHEMERAL | V2, "components": [{"type": 17, "components": inner}]}


async def show_page(client: Client) -> Interaction:
    """Answer `/edit` with a card that the member alone sees."""
    await client.register()
    interaction = await client.invoke()
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    body = {"type": 4, "data": page("first.png", "first")}
    assert (await client.send("POST", path, body, files={"first.png": PICTURE})).status == 204
    return interaction


async def test_a_press_tells_the_private_message_and_whom_it_was_shown_to(client: Client):
    shown = await show_page(client)
    pressed = await client.sandbox.discord.press(await shown.settled(), client.member, "next")
    told = object_at(pressed.payload, "message")
    assert told["flags"] == EPHEMERAL | V2
    metadata = object_at(told, "interaction_metadata")
    assert object_at(metadata, "user")["id"] == str(client.member.id)
    assert metadata["id"] == str(shown.id)
    (container,) = objects_at(told, "components")
    (pressable,) = objects_at(objects_at(container, "components")[2], "components")
    data = object_at(pressed.payload, "data")
    assert (data["custom_id"], data["id"]) == (pressable["custom_id"], pressable["id"])


async def test_somebody_else_can_be_let_press_a_private_message(client: Client):
    message = await (await show_page(client)).settled()
    bob = client.sandbox.discord.add_member(client.sandbox.discord.guilds[0], "Bob")
    pressed = await client.sandbox.discord.press(message, bob, "next")
    assert object_at(object_at(pressed.payload, "member"), "user")["id"] == str(bob.id)
    metadata = object_at(object_at(pressed.payload, "message"), "interaction_metadata")
    assert object_at(metadata, "user")["id"] == str(client.member.id)


async def test_a_private_message_is_updated_with_other_files_by_a_press(client: Client):
    shown = await show_page(client)
    message = await shown.settled()
    turned = asyncio.create_task(shown.until(lambda message: message.text == "second"))
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    path = f"/interactions/{pressed.id}/{pressed.token}/callback?with_response=1"
    data = page("second.png", "second") | {"attachments": [{"id": 0, "description": "teal"}]}
    body = {"type": 7, "data": data}
    answer = await client.send("POST", path, body, files={"second.png": PICTURE})
    resource = object_at(answer.body, "resource")
    assert (resource["type"], object_at(resource, "message")["id"]) == (7, str(message.id))
    assert await turned is await pressed.settled() is message
    assert [(file.name, file.description) for file in message.files] == [("second.png", "teal")]
    assert message.flags == EPHEMERAL | V2
    assert client.sandbox.discord.messages(client.channel) == []


async def test_an_update_keeps_the_files_that_it_names(client: Client):
    message = await (await show_page(client)).settled()
    (kept,) = message.files
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    data = page("first.png", "again") | {"attachments": [{"id": str(kept.id)}]}
    assert (await client.acknowledge(pressed, 7, data)).status == 200
    assert (message.text, [file.id for file in message.files]) == ("again", [kept.id])
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    answer = await client.acknowledge(pressed, 7, page("first.png", "gone") | NO_FILES)
    assert (answer.status, answer.code) == (400, 50035)
    assert message.text == "again"


async def test_a_deferred_update_shows_nothing_until_its_answer_is_edited(client: Client):
    message = await (await show_page(client)).settled()
    pressed = await client.sandbox.discord.press(message, client.member, "next")
    assert (await client.acknowledge(pressed, 6)).status == 200
    acknowledgement = await pressed.acknowledged()
    assert (acknowledgement.message, message.text, message.loading) == (message, "first", False)
    again = await client.sandbox.discord.press(message, client.member, "next")
    assert (await client.acknowledge(again, 6)).status == 200
    turned = asyncio.create_task(again.until(lambda message: message.text == "second"))
    body = page("second.png", "second") | NO_FILES
    answer = await client.send("PATCH", client.answer(pressed), body, files={"second.png": PICTURE})
    assert answer.status == 200
    assert await turned is message
    assert [file.name for file in message.files] == ["second.png"]


async def test_a_private_message_is_followed_up_with_files(client: Client):
    shown = await show_page(client)
    path = f"/webhooks/{client.sandbox.application_id}/{shown.token}"
    answer = await client.send("POST", path, page("more.png", "more"), files={"more.png": PICTURE})
    assert answer.status == 200
    (more,) = shown.followups
    assert (more.ephemeral, more.text) == (True, "more")
    assert [file.name for file in more.files] == ["more.png"]
    first = await shown.settled()
    metadata = object_at(answer.body, "interaction_metadata")
    assert metadata["original_response_message_id"] == str(first.id)
    pressed = await client.sandbox.discord.press(more, client.member, "next")
    assert (await client.acknowledge(pressed, 7, {"components": [text("done")]})).status == 200
    assert more.text == "done"


async def test_a_form_tells_what_it_was_shown_for(client: Client):
    shown = await show_page(client)
    pressed = await client.sandbox.discord.press(await shown.settled(), client.member, "next")
    field = {"type": 4, "custom_id": "what", "style": 2}
    labelled = {"type": 18, "label": "What", "component": field}
    form: JsonObject = {"custom_id": "form", "title": "Edit", "components": [labelled]}
    assert (await client.acknowledge(pressed, 9, form)).status == 200
    sent = await client.sandbox.discord.submit(pressed, {"what": "bluer"})
    answer = await client.acknowledge(sent, 4, {"content": "ok"})
    message = object_at(object_at(answer.body, "resource"), "message")
    cause = object_at(object_at(message, "interaction_metadata"), "triggering_interaction_metadata")
    assert cause["id"] == str(pressed.id)
    assert cause["interacted_message_id"] == str((await shown.settled()).id)


async def test_a_form_is_shown_and_sent(client: Client):
    await client.register()
    interaction = await client.invoke()
    field = {"type": 4, "custom_id": "what", "style": 2}
    form: JsonObject = {
        "custom_id": "form",
        "title": "Edit",
        "components": [{"type": 18, "label": "What", "component": field}],
    }
    assert (await client.acknowledge(interaction, 9, form)).status == 200
    sent = await client.sandbox.discord.submit(interaction, {"what": "bluer"})
    (label,) = objects_at(object_at(sent.payload, "data"), "components")
    assert object_at(label, "component")["value"] == "bluer"
    assert (await client.acknowledge(sent, 4, {"content": "ok"})).status == 200


async def test_a_form_with_too_long_a_title_is_refused(client: Client):
    await client.register()
    form: JsonObject = {"custom_id": "f", "title": "t" * 46, "components": [text("x")]}
    answer = await client.acknowledge(await client.invoke(), 9, form)
    assert answer.wrong("data", "title") == "BASE_TYPE_BAD_LENGTH"


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


async def test_a_picture_of_any_size_tells_how_large_it_is(client: Client):
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


# Components V2.


async def test_pictures_of_components_stand_in_them_and_not_in_attachments(client: Client):
    """Components V2 messages have no `attachments` (discord-api-docs issue 8277)."""
    components = [{"type": 17, "components": [gallery("attachment://a.png"), text("Teal")]}]
    body = {"flags": V2, "components": components}
    answer = await client.send("POST", client.messages, body, files={"a.png": PICTURE})
    assert answer.body["attachments"] == []
    (container,) = objects_at(answer.body, "components")
    shown = objects_at(container, "components")[0]
    media = object_at(objects_at(shown, "items")[0], "media")
    assert (media["width"], media["height"], media["content_type"]) == (64, 48, "image/png")
    assert media["attachment_id"] == media["id"]
    assert all(value in text_at(media, "url") for value in ("?ex=", "&is=", "&hm="))


async def test_the_components_flag_is_set_by_an_edit_and_never_cleared(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    path = client.answer(interaction)
    await client.send("PATCH", path, {"flags": V2, "components": [text("card")]})
    answer = await client.send("PATCH", path, {"flags": 0, "content": "plain"})
    assert answer.wrong("content") == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    message = await interaction.settled()
    assert message.text == "card"
    assert message.flags == V2


async def test_the_components_flag_needs_content_to_be_taken_away(client: Client):
    await client.send("POST", client.messages, {"content": "plain"})
    (message,) = client.sandbox.discord.messages(client.channel)
    path = f"{client.messages}/{message.id}"
    card: JsonObject = {"flags": V2, "components": [text("card")]}
    assert (await client.send("PATCH", path, card)).status == 400
    assert (await client.send("PATCH", path, card | {"content": None})).status == 200


CARD = {"type": 17, "components": [text("x")]}


@pytest.mark.parametrize(
    ("components", "path", "code"),
    [
        ([text("x" * 4001)], ("components", "0", "content"), "BASE_TYPE_BAD_LENGTH"),
        (
            [text("x" * 2500), text("y" * 2500)],
            ("components",),
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        ),
        (
            [{"type": 17, "components": [text("x")] * 20}] * 2,
            ("components",),
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
        ),
        ([gallery()], ("components", "0", "items"), "BASE_TYPE_BAD_LENGTH"),
        (
            [gallery("attachment://none.png")],
            ("components", "0", "items", "0", "media", "url"),
            "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        ),
        (
            [gallery("https://example.com/a.png", description="d" * 1025)],
            ("components", "0", "items", "0", "description"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            [{"type": 17, "components": [CARD]}],
            ("components", "0", "components", "0", "type"),
            "UNION_TYPE_CHOICES",
        ),
        ([button("bare")], ("components", "0", "type"), "UNION_TYPE_CHOICES"),
        (
            [row(button("same"), button("same"))],
            ("components", "0", "components", "1", "custom_id"),
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            [row(button("c" * 101))],
            ("components", "0", "components", "0", "custom_id"),
            "BASE_TYPE_BAD_LENGTH",
        ),
        ([row()], ("components", "0", "components"), "BASE_TYPE_BAD_LENGTH"),
        (
            [{"type": 9, "components": [text("x")]}],
            ("components", "0", "accessory"),
            "BASE_TYPE_REQUIRED",
        ),
        (
            [{"type": 13, "file": {"url": "https://example.com/a"}}],
            ("components", "0", "file", "url"),
            "URL_TYPE_INVALID_SCHEME",
        ),
        (
            [{"type": 14, "spacing": 3}],
            ("components", "0", "spacing"),
            "BASE_TYPE_CHOICES",
        ),
    ],
)
async def test_a_component_that_breaks_a_rule_is_refused_at_its_place(
    client: Client, components: list[JsonObject], path: tuple[str, ...], code: str
):
    body = {"flags": V2, "components": components}
    answer = await client.send("POST", client.messages, body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.wrong(*path) == code


async def test_a_file_that_no_component_shows_is_refused(client: Client):
    body = {"flags": V2, "components": [text("no picture")]}
    answer = await client.send("POST", client.messages, body, files={"a.png": PICTURE})
    assert (answer.status, answer.code) == (400, 50035)


async def test_new_components_need_their_flag(client: Client):
    answer = await client.send("POST", client.messages, {"components": [text("x")]})
    assert answer.wrong("components", "0", "type") == "UNION_TYPE_CHOICES"


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


# Many at once.


async def test_a_hundred_interactions_at_once_keep_their_answers_apart(client: Client):
    await client.register()
    interactions = await asyncio.gather(
        *(client.invoke(prompt=f"prompt {number}") for number in range(100))
    )

    async def answer(number: int, interaction: Interaction) -> None:
        assert (await client.acknowledge(interaction)).status == 200
        body = {"flags": V2, "components": [gallery("attachment://a.png"), text(str(number))]}
        path = client.answer(interaction)
        assert (await client.send("PATCH", path, body, files={"a.png": PICTURE})).status == 200

    await asyncio.gather(*(answer(*each) for each in enumerate(interactions)))
    settled = [await interaction.settled() for interaction in interactions]
    assert [message.text for message in settled] == [str(number) for number in range(100)]
