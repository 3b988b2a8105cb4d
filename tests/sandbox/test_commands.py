"""Registering commands, and what members can send with them."""

from typing import cast

import pytest

from sandbox.discord.interactions.invocation import Upload
from sandbox.discord.permissions import Permission
from sandbox.sandbox import InvalidInvocation
from sandbox.values import JsonObject, object_at, objects_at
from tests.sandbox.client import (
    EDIT,
    MEBIBYTE,
    PICTURE,
    Client,
)

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
