"""What people choose from the selects of messages, and what a bot is sent of it."""

from collections.abc import Sequence

import pytest

from sandbox.discord.guilds import Guild, Role
from sandbox.discord.interactions.interactions import Interaction
from sandbox.discord.interactions.invocation import Chosen
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.sandbox import InvalidInvocation, RawId
from sandbox.values import JsonObject, object_at
from tests.sandbox.client import Client, button, row

STRING, USER, ROLE, MENTIONABLE, CHANNEL = 3, 5, 6, 7, 8


@pytest.fixture
def painters(client: Client, guild: Guild) -> Role:
    return client.sandbox.discord.add_role(guild, "Painters")


def select(kind: int, **fields: object) -> JsonObject:
    """A select of a kind; one of strings offers red and blue."""
    body: JsonObject = {"type": kind, "custom_id": "which", "placeholder": "Which"}
    if kind == STRING:
        body["options"] = [{"label": each.title(), "value": each} for each in ("red", "blue")]
    return body | fields


async def show(client: Client, component: JsonObject) -> Message:
    """Post a message with one component."""
    body = {"content": "x", "components": [row(component)]}
    answer = await client.send("POST", client.messages, body)
    assert answer.status == 200, answer.body
    return client.sandbox.discord.messages(client.channel)[-1]


async def choose(client: Client, component: JsonObject, *chosen: Chosen) -> JsonObject:
    """Choose from a select; what was sent."""
    message = await show(client, component)
    pressed = await client.sandbox.discord.press(message, client.member, "which", chosen)
    return object_at(pressed.payload, "data")


async def test_a_choice_of_strings_is_sent_as_it_was_made(client: Client):
    data = await choose(client, select(STRING, max_values=2), "blue", "red")
    assert data == {
        "component_type": STRING,
        "custom_id": "which",
        "id": 2,
        "values": ["blue", "red"],
    }


async def test_nothing_is_chosen_where_nothing_must_be(client: Client):
    assert (await choose(client, select(STRING, min_values=0)))["values"] == []


async def test_chosen_people_are_resolved_as_users_and_members(client: Client):
    data = await choose(client, select(USER), client.member)
    key = str(client.member.id)
    assert (data["component_type"], data["values"]) == (USER, [key])
    resolved = object_at(data, "resolved")
    assert resolved.keys() == {"users", "members"}
    assert object_at(resolved, "users") == {key: client.member.user.to_json()}
    member = object_at(object_at(resolved, "members"), key)
    assert member["permissions"] == str(client.channel.permissions_of(client.member))
    assert member.keys().isdisjoint({"user", "deaf", "mute"})


async def test_chosen_roles_are_resolved(client: Client, painters: Role):
    data = await choose(client, select(ROLE), painters)
    assert data["values"] == [str(painters.id)]
    assert data["resolved"] == {"roles": {str(painters.id): painters.to_json()}}


async def test_people_and_roles_can_be_chosen_together(client: Client, painters: Role):
    data = await choose(client, select(MENTIONABLE, max_values=2), client.member, painters)
    assert data["values"] == [str(client.member.id), str(painters.id)]
    assert object_at(data, "resolved").keys() == {"users", "members", "roles"}


async def test_chosen_channels_are_resolved_with_what_the_member_may_do(client: Client):
    data = await choose(client, select(CHANNEL, channel_types=[0]), client.channel)
    key = str(client.channel.id)
    channel = object_at(object_at(object_at(data, "resolved"), "channels"), key)
    assert data["values"] == [key]
    assert (channel["name"], channel["type"]) == ("general", 0)
    assert channel["permissions"] == str(client.channel.permissions_of(client.member))


async def test_a_raw_id_is_sent_alone(client: Client):
    data = await choose(client, select(ROLE), RawId(5))
    assert data["values"] == ["5"]
    assert "resolved" not in data


@pytest.mark.parametrize(
    ("fields", "chosen", "words"),
    [
        ({}, [], "Which: takes 1 of what is offered, not 0"),
        ({}, ["red", "blue"], "Which: takes 1 of what is offered, not 2"),
        ({"max_values": 2}, ["red", "red"], "Which: nothing can be chosen twice"),
        ({}, ["green"], "Which: 'green' is not one of red, blue"),
        ({}, [RawId(5)], "is not one of red, blue"),
        ({"placeholder": None}, [], "which: takes 1"),
        ({"disabled": True}, ["red"], "nothing to press named which"),
    ],
)
async def test_what_a_select_does_not_offer_cannot_be_chosen(
    client: Client, fields: JsonObject, chosen: Sequence[Chosen], words: str
):
    with pytest.raises(InvalidInvocation, match=words):
        await choose(client, select(STRING, **fields), *chosen)


async def test_a_select_takes_only_its_own_kind(client: Client, guild: Guild, painters: Role):
    discord = client.sandbox.discord
    thread = discord.add_thread(client.channel, "brushes")
    elsewhere = discord.add_guild("Elsewhere")
    stranger = discord.add_member(elsewhere, "Bob")
    discord.forbid(guild.channels[1], guild.everyone, Permission.VIEW_CHANNEL)
    wrong: list[tuple[JsonObject, Chosen, str]] = [
        (select(USER), painters, "takes no Role"),
        (select(USER), stranger, "Bob is of another server"),
        (select(ROLE), client.member, "takes no Member"),
        (select(ROLE), elsewhere.everyone, "there is no role @everyone here"),
        (select(MENTIONABLE), client.channel, "takes no Channel"),
        (select(CHANNEL), "general", "takes no str"),
        (select(CHANNEL, channel_types=[0]), thread, "takes no public_thread"),
        (select(CHANNEL), guild.channels[1], "Ada does not see #images"),
    ]
    for component, chosen, words in wrong:
        with pytest.raises(InvalidInvocation, match=words):
            await choose(client, component, chosen)


async def test_a_button_gives_nothing_to_choose_and_a_link_sends_nothing(client: Client):
    message = await show(client, button("which"))
    with pytest.raises(InvalidInvocation, match="nothing to choose"):
        await client.sandbox.discord.press(message, client.member, "which", ["red"])
    link: JsonObject = {"type": 2, "style": 5, "label": "Read", "url": "https://example.com/"}
    message = await show(client, link)
    with pytest.raises(InvalidInvocation, match="nothing to press"):
        await client.sandbox.discord.press(message, client.member, "https://example.com/")


async def test_who_does_not_see_a_channel_presses_nothing_in_it(client: Client, guild: Guild):
    message = await show(client, button("which"))
    client.sandbox.discord.forbid(client.channel, guild.everyone, Permission.VIEW_CHANNEL)
    with pytest.raises(InvalidInvocation, match="Ada does not see #general"):
        await client.sandbox.discord.press(message, client.member, "which")


async def test_whatever_a_person_sends_is_heard_of_in_one_place(client: Client):
    heard: list[Interaction] = []
    client.sandbox.discord.sent.append(heard.append)
    suggesting: JsonObject = {
        "type": 3,
        "name": "what",
        "description": "d",
        "autocomplete": True,
    }
    await client.register({"name": "show", "description": "d", "options": [suggesting]})
    discord, channel, member = client.sandbox.discord, client.channel, client.member
    completed = await discord.complete(channel, member, "show", focused="what")
    invoked = await discord.invoke(channel, member, "show")
    pressed = await discord.press(await show(client, button("which")), member, "which")
    field = {"type": 4, "custom_id": "what", "style": 1}
    labelled = {"type": 18, "label": "What", "component": field}
    form: JsonObject = {"custom_id": "form", "title": "Form", "components": [labelled]}
    assert (await client.acknowledge(pressed, 9, form)).status == 200
    submitted = await discord.submit(pressed, {"what": "x"})
    assert heard == [completed, invoked, pressed, submitted]
