"""What members give to a command's options in the sandbox: people, roles, channels, suggestions."""

from collections.abc import AsyncGenerator

import pytest

from sandbox.discord.guilds import Guild
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Given
from sandbox.discord.permissions import Permission
from sandbox.sandbox import InvalidInvocation, RawId
from sandbox.values import JsonObject, object_at, objects_at
from tests.sandbox.client import Client, connection

SHOW: JsonObject = {
    "name": "show",
    "description": "d",
    "options": [
        {"type": 6, "name": "who", "description": "d"},
        {"type": 8, "name": "role", "description": "d"},
        {"type": 7, "name": "where", "description": "d"},
        {"type": 7, "name": "room", "description": "d", "channel_types": [0]},
        {"type": 9, "name": "whatever", "description": "d"},
    ],
}
QUOTA: JsonObject = {
    "name": "quota",
    "description": "d",
    "options": [
        {
            "type": 1,
            "name": "default",
            "description": "d",
            "options": [
                {"type": 8, "name": "role", "description": "d", "required": True},
                {"type": 3, "name": "window", "description": "d", "autocomplete": True},
                {"type": 4, "name": "credits", "description": "d", "autocomplete": True},
                {"type": 10, "name": "factor", "description": "d", "autocomplete": True},
                {"type": 5, "name": "silent", "description": "d"},
            ],
        }
    ],
}


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with connection() as made:
        await made.register(SHOW, QUOTA)
        yield made


async def show(client: Client, **options: Given) -> JsonObject:
    """Run `/show`; what was sent."""
    interaction = await client.sandbox.discord.invoke(
        client.channel, client.member, "show", options
    )
    return object_at(interaction.payload, "data")


def values(data: JsonObject) -> list[object]:
    return [each["value"] for each in objects_at(data, "options")]


# Context menus.


async def test_a_command_on_a_person_tells_who_it_is(client: Client, guild: Guild):
    await client.register({"name": "Show credits", "type": 2})
    discord = client.sandbox.discord
    bob = discord.add_member(guild, "Bob")
    used = await discord.invoke(client.channel, client.member, "Show credits", target=bob)
    data, key = object_at(used.payload, "data"), str(bob.id)
    assert (data["type"], data["name"], data["target_id"]) == (2, "Show credits", key)
    resolved = object_at(data, "resolved")
    assert resolved.keys() == {"users", "members"}
    assert object_at(resolved, "users") == {key: bob.user.to_json()}
    member = object_at(object_at(resolved, "members"), key)
    assert member["permissions"] == str(client.channel.permissions_of(bob))
    answer = await client.acknowledge(used, 4, {"content": "80"})
    message = object_at(object_at(answer.body, "resource"), "message")
    metadata = object_at(message, "interaction_metadata")
    assert message["type"] == 23
    assert metadata["target_user"] == bob.user.to_json()
    assert "target_message_id" not in metadata


async def test_a_command_on_a_message_tells_and_answers_it(client: Client):
    await client.register({"name": "Edit image", "type": 3})
    discord = client.sandbox.discord
    said = await discord.say(client.channel, client.member, "look")
    used = await discord.invoke(client.channel, client.member, "Edit image", target=said)
    data, key = object_at(used.payload, "data"), str(said.id)
    assert (data["type"], data["target_id"]) == (3, key)
    assert data["resolved"] == {"messages": {key: said.to_json()}}
    answer = await client.acknowledge(used, 4, {"content": "edited"})
    message = object_at(object_at(answer.body, "resource"), "message")
    assert object_at(message, "interaction_metadata")["target_message_id"] == key
    assert object_at(message, "message_reference")["message_id"] == key
    assert message["referenced_message"] == said.to_json()
    discord.delete(said)
    with pytest.raises(InvalidInvocation, match="not here any more"):
        await discord.invoke(client.channel, client.member, "Edit image", target=said)


async def test_each_context_menu_has_its_own_commands(client: Client, guild: Guild):
    await client.register({"name": "Use", "type": 2}, {"name": "Edit image", "type": 3})
    discord = client.sandbox.discord
    elsewhere = discord.add_member(discord.add_guild("Elsewhere"), "Bob")
    said = await discord.say(client.channel, client.member, "look")
    for name, target, words in (
        ("Use", said, "there is no /Use"),
        ("Edit image", client.member, "there is no /Edit image"),
        ("Use", elsewhere, "Bob is of another server"),
    ):
        with pytest.raises(InvalidInvocation, match=words):
            await discord.invoke(client.channel, client.member, name, target=target)


# People, roles and channels.


async def test_what_an_option_names_is_resolved_beside_its_id(client: Client, guild: Guild):
    role = client.sandbox.discord.add_role(guild, "Painters")
    client.sandbox.discord.give_role(client.member, role)
    data = await show(client, who=client.member, role=role, where=client.channel, whatever=role)
    assert values(data) == [
        str(client.member.id),
        str(role.id),
        str(client.channel.id),
        str(role.id),
    ]
    resolved = object_at(data, "resolved")
    assert object_at(resolved, "roles") == {str(role.id): role.to_json()}
    assert object_at(resolved, "users") == {str(client.member.id): client.member.user.to_json()}
    member = object_at(object_at(resolved, "members"), str(client.member.id))
    assert member["roles"] == [str(role.id)]
    assert member.keys().isdisjoint({"user", "deaf", "mute"})
    allowed = str(client.channel.permissions_of(client.member))
    assert member["permissions"] == allowed
    channel = object_at(object_at(resolved, "channels"), str(client.channel.id))
    assert (channel["type"], channel["permissions"]) == (0, allowed)


async def test_a_bot_can_be_named_as_a_member(client: Client, guild: Guild):
    robot = client.sandbox.discord.add_member(guild, "Robot", bot=True)
    resolved = object_at(await show(client, who=robot), "resolved")
    assert object_at(object_at(resolved, "users"), str(robot.id))["bot"] is True


async def test_somebody_who_left_can_be_named_as_a_user_alone(client: Client, guild: Guild):
    gone = client.sandbox.discord.add_member(guild, "Gone")
    client.sandbox.discord.leave(gone)
    data = await show(client, who=gone)
    assert values(data) == [str(gone.id)]
    assert object_at(data, "resolved") == {"users": {str(gone.id): gone.user.to_json()}}


async def test_somebody_who_left_runs_no_command(client: Client):
    client.sandbox.discord.leave(client.member)
    with pytest.raises(InvalidInvocation, match="Ada is not in Sandbox"):
        await show(client)


async def test_a_thread_can_be_named_where_the_option_takes_threads(client: Client):
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    resolved = object_at(await show(client, where=thread), "resolved")
    told = object_at(object_at(resolved, "channels"), str(thread.id))
    assert (told["type"], told["parent_id"]) == (11, str(client.channel.id))
    assert object_at(told, "thread_metadata")["archived"] is False
    with pytest.raises(InvalidInvocation, match="room: takes no public_thread"):
        await show(client, room=thread)


async def test_a_channel_that_a_member_does_not_see_is_not_offered(client: Client, guild: Guild):
    secret = guild.channels[1]
    client.sandbox.discord.forbid(secret, guild.everyone, Permission.VIEW_CHANNEL)
    with pytest.raises(InvalidInvocation, match="where: Ada does not see #images"):
        await show(client, where=secret)


async def test_nothing_of_another_server_is_offered(client: Client):
    discord = client.sandbox.discord
    other = discord.add_guild("Elsewhere")
    with pytest.raises(InvalidInvocation, match="who: Bob is of another server"):
        await show(client, who=discord.add_member(other, "Bob"))
    with pytest.raises(InvalidInvocation, match="role: there is no role Painters here"):
        await show(client, role=discord.add_role(other, "Painters"))
    with pytest.raises(InvalidInvocation, match="where: there is no #general here"):
        await show(client, where=other.channels[0])


async def test_a_raw_id_is_sent_with_nothing_resolved(client: Client, guild: Guild):
    role = client.sandbox.discord.add_role(guild, "Painters")
    client.sandbox.discord.delete_role(guild, role)
    with pytest.raises(InvalidInvocation, match="role: there is no role Painters here"):
        await show(client, role=role)
    data = await show(client, role=RawId(role.id), who=RawId(1), where=RawId(2), whatever=RawId(3))
    assert values(data) == [str(role.id), "1", "2", "3"]
    assert "resolved" not in data


async def test_a_raw_id_is_no_text(client: Client):
    with pytest.raises(InvalidInvocation, match="window: takes text"):
        await client.sandbox.discord.invoke(
            client.channel,
            client.member,
            "quota default",
            {"role": RawId(1), "window": RawId(1)},
        )


# Suggestions.


async def complete(client: Client, focused: str, **typed: Given) -> Interaction:
    """Ask for suggestions for an option of `/quota default`."""
    return await client.sandbox.discord.complete(
        client.channel, client.member, "quota default", typed, focused=focused
    )


async def test_suggestions_are_asked_for_with_what_was_typed_so_far(client: Client, guild: Guild):
    role = client.sandbox.discord.add_role(guild, "Painters")
    asked = await complete(client, "credits", silent=True, role=role, credits="1x", factor=2)
    assert asked.payload["type"] == 4
    (sub,) = objects_at(object_at(asked.payload, "data"), "options")
    assert objects_at(sub, "options") == [
        {"name": "silent", "type": 5, "value": True},
        {"name": "role", "type": 8, "value": str(role.id)},
        {"name": "credits", "type": 4, "value": "1x", "focused": True},
        {"name": "factor", "type": 10, "value": "2"},
    ]
    assert "resolved" not in object_at(asked.payload, "data")


async def test_an_option_in_which_nothing_is_typed_is_asked_for_with_an_empty_text(client: Client):
    asked = await complete(client, "window")
    (sub,) = objects_at(object_at(asked.payload, "data"), "options")
    assert objects_at(sub, "options") == [
        {"name": "window", "type": 3, "value": "", "focused": True}
    ]


async def test_suggestions_are_read_from_the_acknowledgement(client: Client):
    asked = await complete(client, "credits", credits="8")
    choices = [{"name": "80 credits", "value": 80}]
    assert (await client.acknowledge(asked, 8, {"choices": choices})).status == 200
    assert (await asked.acknowledged()).choices == choices


@pytest.mark.parametrize(
    ("focused", "choice", "field", "code"),
    [
        ("window", {"name": "n" * 101, "value": "day"}, "name", "BASE_TYPE_BAD_LENGTH"),
        ("window", {"name": "Day", "value": "d" * 101}, "value", "BASE_TYPE_MAX_LENGTH"),
        ("window", {"name": "Day"}, "value", "BASE_TYPE_REQUIRED"),
        ("credits", {"name": "Many", "value": "many"}, "value", "NUMBER_TYPE_COERCE"),
        ("credits", {"name": "Many", "value": 2**53}, "value", "NUMBER_TYPE_MAX"),
        ("factor", {"name": "Half", "value": "half"}, "value", "NUMBER_TYPE_COERCE"),
    ],
)
async def test_a_suggestion_that_does_not_fit_its_option_is_refused(
    client: Client, focused: str, choice: JsonObject, field: str, code: str
):
    answer = await client.acknowledge(await complete(client, focused), 8, {"choices": [choice]})
    assert answer.wrong("data", "choices", "0", field) == code


async def test_more_than_twenty_five_suggestions_are_refused(client: Client):
    choices = [{"name": str(number), "value": number} for number in range(26)]
    answer = await client.acknowledge(await complete(client, "credits"), 8, {"choices": choices})
    assert answer.wrong("data", "choices") == "BASE_TYPE_BAD_LENGTH"


async def test_suggestions_are_answered_with_choices_and_nothing_else(client: Client):
    answer = await client.acknowledge(await complete(client, "credits"), 4, {"content": "x"})
    assert answer.wrong("type") == "BASE_TYPE_CHOICES"


@pytest.mark.parametrize(
    ("focused", "typed", "words"),
    [
        ("silent", {}, "silent: nothing is suggested for this option"),
        ("mood", {}, "mood: /quota has no such option"),
        ("credits", {"mood": "sad"}, "mood: /quota has no such option"),
        ("credits", {"role": "Painters"}, "role: takes no str"),
    ],
)
async def test_suggestions_are_not_asked_for_where_discord_would_not(
    client: Client, focused: str, typed: dict[str, str], words: str
):
    with pytest.raises(InvalidInvocation, match=words):
        await complete(client, focused, **typed)


async def test_suggestions_are_not_asked_for_by_who_is_not_offered_the_command(client: Client):
    needed = str(int(Permission.MANAGE_GUILD))
    await client.register(QUOTA | {"default_member_permissions": needed})
    with pytest.raises(InvalidInvocation, match="not offered to Ada"):
        await complete(client, "credits")
