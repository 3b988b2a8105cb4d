"""The sandbox's servers: roles, members, channels and threads, and how a bot hears of them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from sandbox.discord.guilds import Guild, Overwrite
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Sandbox
from sandbox.values import JsonObject, object_at, objects_at
from tests.sandbox.client import Client
from tests.sandbox.gateway_client import GUILDS, PRIVILEGED_MEMBERS, Bot, connected


@pytest.fixture
def sandbox(client: Client) -> Sandbox:
    return client.sandbox


@asynccontextmanager
async def listening(sandbox: Sandbox, intents: int = GUILDS) -> AsyncGenerator[Bot]:
    """A bot that has heard of its server already."""
    sandbox.discord.gateway.privileged_intents = PRIVILEGED_MEMBERS
    async with connected(sandbox) as bot:
        await bot.identify(sandbox.discord_token, intents)
        await bot.receive_event("GUILD_CREATE")
        yield bot


async def hear(bot: Bot, event: str) -> JsonObject:
    """What the next event of a name says."""
    return object_at(await bot.receive_event(event), "d")


# Channels.


async def test_a_deleted_channel_is_gone_with_its_threads_messages_and_answers(
    client: Client, guild: Guild
):
    discord = client.sandbox.discord
    thread = discord.add_thread(client.channel, "aside")
    made = await client.send("POST", client.messages, {"content": "here"})
    async with listening(client.sandbox) as bot:
        discord.delete_channel(client.channel)
        assert (await hear(bot, "CHANNEL_DELETE"))["id"] == str(client.channel.id)
    for path in (client.messages, f"{client.messages}/{made.body['id']}", f"/channels/{thread.id}"):
        answer = await client.send("GET", path)
        assert (answer.status, answer.code) == (404, 10003)
    assert client.channel not in guild.channels
    assert guild.threads == []


async def test_the_answers_in_a_deleted_channel_are_out_of_reach(client: Client):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction)
    client.sandbox.discord.delete_channel(client.channel)
    answer = await client.send("PATCH", client.answer(interaction), {"content": "late"})
    assert (answer.status, answer.code) == (404, 10003)


# People.


async def test_one_person_can_be_in_several_servers(client: Client, guild: Guild):
    discord, ada = client.sandbox.discord, client.member.user
    other = discord.add_guild("Elsewhere", owner=ada)
    third = discord.add_guild("Far away")
    joined = discord.add_member(third, ada, permissions=Permission.MANAGE_GUILD)
    assert joined.user is other.members[ada.id].user is guild.members[ada.id].user
    assert other.owner_id == ada.id
    found = await client.send("GET", f"/guilds/{third.id}/members/{ada.id}")
    assert object_at(found.body, "user")["id"] == str(ada.id)
    channel = await client.send("POST", "/users/@me/channels", {"recipient_id": str(ada.id)})
    assert channel.status == 200


async def test_nobody_is_in_a_server_twice(client: Client, guild: Guild):
    with pytest.raises(ValueError, match="Ada is already in Sandbox"):
        client.sandbox.discord.add_member(guild, client.member.user)


# Roles.


async def test_a_bot_hears_of_a_new_role_and_of_one_that_goes(sandbox: Sandbox, guild: Guild):
    async with listening(sandbox) as bot:
        role = sandbox.discord.add_role(guild, "Painters", Permission.MANAGE_GUILD)
        sandbox.discord.delete_role(guild, role)
        made = await hear(bot, "GUILD_ROLE_CREATE")
        assert made == {"guild_id": str(guild.id), "role": role.to_json()}
        assert object_at(made, "role")["permissions"] == str(int(Permission.MANAGE_GUILD))
        gone = await hear(bot, "GUILD_ROLE_DELETE")
        assert gone == {"guild_id": str(guild.id), "role_id": str(role.id)}


async def test_new_roles_are_listed_until_they_are_deleted(client: Client, guild: Guild):
    role = client.sandbox.discord.add_role(guild, "Painters")
    path = f"/guilds/{guild.id}/roles"
    listed = await client.send("GET", path)
    assert [each["name"] for each in listed.items] == ["@everyone", "Painters"]
    assert (await client.send("GET", f"{path}/{role.id}")).body["position"] == 1
    client.sandbox.discord.delete_role(guild, role)
    answer = await client.send("GET", f"{path}/{role.id}")
    assert (answer.status, answer.code) == (404, 10011)


async def test_a_role_gives_its_members_what_it_allows(client: Client, guild: Guild):
    role = client.sandbox.discord.add_role(guild, "Moderators", Permission.MANAGE_GUILD)
    client.sandbox.discord.give_role(client.member, role)
    assert guild.permissions_of(client.member) & Permission.MANAGE_GUILD
    client.sandbox.discord.take_role(client.member, role)
    assert not guild.permissions_of(client.member) & Permission.MANAGE_GUILD


async def test_an_interaction_tells_its_members_roles(client: Client, guild: Guild):
    await client.register()
    role = client.sandbox.discord.add_role(guild, "Painters")
    client.sandbox.discord.give_role(client.member, role)
    member = object_at((await client.invoke()).payload, "member")
    assert member["roles"] == [str(role.id)]


async def test_a_deleted_role_is_taken_from_members_and_from_channels(client: Client, guild: Guild):
    role = client.sandbox.discord.add_role(guild, "Painters")
    client.sandbox.discord.give_role(client.member, role)
    client.channel.overwrites[role.id] = Overwrite(deny=Permission.SEND_MESSAGES)
    client.sandbox.discord.delete_role(guild, role)
    assert client.member.roles == []
    assert client.channel.overwrites == {}


async def test_only_a_bot_that_asked_for_members_hears_of_their_roles(client: Client, guild: Guild):
    discord = client.sandbox.discord
    role = discord.add_role(guild, "Painters")
    own = guild.members[client.sandbox.application_id]
    async with (
        listening(client.sandbox) as bot,
        listening(client.sandbox, GUILDS | PRIVILEGED_MEMBERS) as curious,
    ):
        discord.give_role(client.member, role)
        discord.give_role(own, role)
        heard = [await hear(curious, "GUILD_MEMBER_UPDATE") for _ in range(2)]
        assert [object_at(each, "user")["id"] for each in heard] == [
            str(client.member.id),
            str(own.id),
        ]
        alone = await hear(bot, "GUILD_MEMBER_UPDATE")
        assert object_at(alone, "user")["id"] == str(own.id)
        assert alone["roles"] == [str(role.id)]


# Members.


async def test_only_a_bot_that_asked_for_members_hears_who_comes_and_goes(
    client: Client, guild: Guild
):
    discord = client.sandbox.discord
    async with (
        listening(client.sandbox) as bot,
        listening(client.sandbox, GUILDS | PRIVILEGED_MEMBERS) as curious,
    ):
        robot = discord.add_member(guild, "Robot", bot=True)
        discord.leave(robot)
        discord.add_role(guild, "Painters")
        assert object_at(await hear(curious, "GUILD_MEMBER_ADD"), "user")["bot"] is True
        assert await hear(curious, "GUILD_MEMBER_REMOVE") == {
            "guild_id": str(guild.id),
            "user": robot.user.to_json(),
        }
        assert (await bot.receive())["t"] == "GUILD_ROLE_CREATE"


async def test_who_left_is_no_member_but_a_user_still(client: Client, guild: Guild):
    client.sandbox.discord.leave(client.member)
    answer = await client.send("GET", f"/guilds/{guild.id}/members/{client.member.id}")
    assert (answer.status, answer.code) == (404, 10007)
    answer = await client.send("GET", f"/users/{client.member.id}")
    assert answer.body["global_name"] == "Ada"


# Threads.


async def test_a_bot_hears_of_a_new_thread_and_at_login_of_those_there_are(
    client: Client, guild: Guild
):
    discord = client.sandbox.discord
    async with listening(client.sandbox) as bot:
        thread = discord.add_thread(client.channel, "brushes", client.member)
        told = await hear(bot, "THREAD_CREATE")
        assert told == thread.to_json() | {"newly_created": True}
    assert (told["type"], told["guild_id"]) == (11, str(guild.id))
    assert told["parent_id"] == str(client.channel.id)
    assert told["owner_id"] == str(client.member.id)
    async with connected(client.sandbox) as bot:
        await bot.identify(client.sandbox.discord_token)
        active = objects_at(await hear(bot, "GUILD_CREATE"), "threads")
        assert [each["id"] for each in active] == [str(thread.id)]


async def test_a_bot_learns_of_no_thread_in_a_channel_that_it_does_not_see(
    client: Client, guild: Guild
):
    discord = client.sandbox.discord
    client.channel.overwrites[client.sandbox.application_id] = Overwrite(
        deny=Permission.VIEW_CHANNEL
    )
    async with listening(client.sandbox) as bot:
        hidden = discord.add_thread(client.channel, "hidden")
        discord.add_thread(guild.channels[1], "seen")
        assert (await hear(bot, "THREAD_CREATE"))["name"] == "seen"
    active = await client.send("GET", f"/guilds/{guild.id}/threads/active")
    assert [each["name"] for each in objects_at(active.body, "threads")] == ["seen"]
    answer = await client.send("GET", f"/channels/{hidden.id}")
    assert (answer.status, answer.code) == (403, 50001)


async def test_a_thread_is_no_channel_of_the_servers_list(client: Client, guild: Guild):
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    listed = await client.send("GET", f"/guilds/{guild.id}/channels")
    assert str(thread.id) not in [each["id"] for each in listed.items]
    found = await client.send("GET", f"/channels/{thread.id}")
    assert found.body["owner_id"] == str(guild.owner_id)


async def test_a_thread_counts_what_was_posted_in_it(client: Client):
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    for content in ("first", "second"):
        await client.send("POST", f"/channels/{thread.id}/messages", {"content": content})
    first, _ = client.sandbox.discord.messages(thread)
    client.sandbox.discord.delete(first)
    told = (await client.send("GET", f"/channels/{thread.id}")).body
    assert (told["message_count"], told["total_message_sent"]) == (1, 2)


@pytest.mark.parametrize(
    ("denied", "code"),
    [
        (Permission.VIEW_CHANNEL, 50001),
        (Permission.SEND_MESSAGES_IN_THREADS, 50013),
        (Permission.SEND_MESSAGES, None),
    ],
)
async def test_posting_in_a_thread_needs_its_own_permission_of_the_channel_above(
    client: Client, denied: Permission, code: int | None
):
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    client.channel.overwrites[client.sandbox.application_id] = Overwrite(deny=denied)
    answer = await client.send("POST", f"/channels/{thread.id}/messages", {"content": "x"})
    assert (answer.status, answer.code) == ((200, None) if code is None else (403, code))


async def test_a_command_can_be_run_in_a_thread(client: Client):
    await client.register({"name": "credits", "description": "d"})
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    interaction = await client.sandbox.discord.invoke(thread, client.member, "credits")
    told = object_at(interaction.payload, "channel")
    assert (told["id"], told["type"]) == (str(thread.id), 11)
    assert told["parent_id"] == str(client.channel.id)
    assert interaction.payload["channel_id"] == str(thread.id)
    assert (await client.acknowledge(interaction, 4, {"content": "80"})).status == 200
    assert client.sandbox.discord.messages(thread) == [await interaction.settled()]


def test_a_thread_has_no_threads(client: Client):
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    with pytest.raises(ValueError, match="only a server's text channels"):
        client.sandbox.discord.add_thread(thread, "under it")


# What channels allow.


async def test_a_bot_hears_what_a_channel_forbids_and_permits_again(client: Client, guild: Guild):
    discord = client.sandbox.discord
    own = guild.members[client.sandbox.application_id]
    async with listening(client.sandbox) as bot:
        discord.forbid(client.channel, own, Permission.SEND_MESSAGES)
        told = await hear(bot, "CHANNEL_UPDATE")
        assert (told["id"], told["guild_id"]) == (str(client.channel.id), str(guild.id))
        assert objects_at(told, "permission_overwrites") == [
            {
                "id": str(own.id),
                "type": 1,
                "allow": "0",
                "deny": str(int(Permission.SEND_MESSAGES)),
            }
        ]
        answer = await client.send("POST", client.messages, {"content": "x"})
        assert (answer.status, answer.code) == (403, 50013)
        discord.permit(client.channel, own, Permission.SEND_MESSAGES)
        (rule,) = objects_at(await hear(bot, "CHANNEL_UPDATE"), "permission_overwrites")
        assert (rule["allow"], rule["deny"]) == (str(int(Permission.SEND_MESSAGES)), "0")
        assert (await client.send("POST", client.messages, {"content": "x"})).status == 200


async def test_a_channel_hidden_from_everyone_is_out_of_the_bots_reach(
    client: Client, guild: Guild
):
    client.sandbox.discord.forbid(client.channel, guild.everyone, Permission.VIEW_CHANNEL)
    answer = await client.send("POST", client.messages, {"content": "x"})
    assert (answer.status, answer.code) == (403, 50001)
    role = client.sandbox.discord.add_role(guild, "Bots")
    client.sandbox.discord.give_role(guild.members[client.sandbox.application_id], role)
    client.sandbox.discord.permit(client.channel, role, Permission.VIEW_CHANNEL)
    assert (await client.send("POST", client.messages, {"content": "x"})).status == 200


def test_a_thread_has_no_rules_of_its_own(client: Client, guild: Guild):
    thread = client.sandbox.discord.add_thread(client.channel, "brushes")
    with pytest.raises(ValueError, match="permission overwrites"):
        client.sandbox.discord.forbid(thread, guild.everyone, Permission.SEND_MESSAGES)


# A bot that is thrown out.


async def test_a_bot_that_is_thrown_out_hears_it_and_reaches_nothing_there(
    client: Client, guild: Guild
):
    opened = await client.send(
        "POST", "/users/@me/channels", {"recipient_id": str(client.member.id)}
    )
    direct_messages = f"/channels/{opened.body['id']}/messages"
    assert (await client.send("POST", direct_messages, {"content": "x"})).status == 200
    async with listening(client.sandbox) as bot:
        client.sandbox.discord.expel_bot(guild)
        assert await hear(bot, "GUILD_DELETE") == {"id": str(guild.id)}
    for path, code in ((client.messages, 50001), (direct_messages, 50278)):
        answer = await client.send("POST", path, {"content": "x"})
        assert (answer.status, answer.code) == (403, code)
