"""What members post and delete in the sandbox, and what a bot hears and reads of it."""

import aiohttp
import pytest

from sandbox.discord.guilds import Channel, Guild, Member
from sandbox.discord.permissions import Permission
from sandbox.sandbox import InvalidInvocation, Upload
from sandbox.values import object_at, objects_at, text_at
from tests.sandbox.client import EPHEMERAL, PICTURE, Client
from tests.sandbox.gateway_client import Bot, connected

GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12
MESSAGE_CONTENT = 1 << 15
PHOTO = Upload("a photo.png", PICTURE)


@pytest.fixture
def moderator(client: Client, guild: Guild) -> Member:
    return client.sandbox.discord.add_member(guild, "Mo", permissions=Permission.MANAGE_MESSAGES)


def letters(client: Client) -> Channel:
    """The member's direct messages with the bot."""
    channel = client.sandbox.world.direct_messages(client.member.id)
    assert channel is not None
    return channel


# Posting.


async def test_a_member_posts_a_message_with_files_that_the_cdn_serves(client: Client):
    discord = client.sandbox.discord
    message = await discord.say(client.channel, client.member, " look \n", [PHOTO])
    assert discord.messages(client.channel) == [message]
    listed = await client.send("GET", f"{client.messages}/{message.id}")
    assert listed.body == message.to_json()
    assert (listed.body["content"], listed.body["type"]) == ("look", 0)
    assert object_at(listed.body, "author")["id"] == str(client.member.id)
    (attachment,) = objects_at(listed.body, "attachments")
    assert attachment["filename"] == "a_photo.png"
    assert "ephemeral" not in attachment
    url = text_at(attachment, "url")
    assert f"/attachments/{client.channel.id}/" in url
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert await response.read() == PICTURE


async def test_a_file_alone_is_a_message(client: Client):
    message = await client.sandbox.discord.say(client.channel, client.member, "", [PHOTO])
    assert (message.content, len(message.files)) == ("", 1)


@pytest.mark.parametrize(
    ("text", "files", "words"),
    [
        (" \n", 0, "nothing to send"),
        ("x" * 2001, 0, "2000 characters, not 2001"),
        ("x", 11, "10 files, not 11"),
    ],
)
async def test_a_message_that_discord_would_not_take_is_not_posted(
    client: Client, text: str, files: int, words: str
):
    with pytest.raises(InvalidInvocation, match=words):
        await client.sandbox.discord.say(client.channel, client.member, text, [PHOTO] * files)
    assert client.sandbox.discord.messages(client.channel) == []


@pytest.mark.parametrize(
    ("denied", "words"),
    [
        (Permission.VIEW_CHANNEL, "Ada does not see #general"),
        (Permission.SEND_MESSAGES, "permission to send messages in #general"),
        (Permission.ATTACH_FILES, "permission to attach files in #general"),
    ],
)
async def test_a_member_needs_the_permissions_to_post(
    client: Client, guild: Guild, denied: Permission, words: str
):
    client.sandbox.discord.forbid(client.channel, guild.everyone, denied)
    with pytest.raises(InvalidInvocation, match=words):
        await client.sandbox.discord.say(client.channel, client.member, "x", [PHOTO])


async def test_a_thread_needs_its_own_permission_to_post(client: Client, guild: Guild):
    discord = client.sandbox.discord
    thread = discord.add_thread(client.channel, "brushes")
    discord.forbid(client.channel, guild.everyone, Permission.SEND_MESSAGES)
    message = await discord.say(thread, client.member, "x")
    assert discord.messages(thread) == [message]
    discord.forbid(client.channel, guild.everyone, Permission.SEND_MESSAGES_IN_THREADS)
    with pytest.raises(InvalidInvocation, match="permission to send messages in #brushes"):
        await discord.say(thread, client.member, "x")


async def test_somebody_who_left_posts_nothing(client: Client):
    client.sandbox.discord.leave(client.member)
    with pytest.raises(InvalidInvocation, match="Ada is not in Sandbox"):
        await client.sandbox.discord.say(client.channel, client.member, "x")


async def test_only_whom_they_belong_to_posts_in_direct_messages(client: Client, moderator: Member):
    channel = letters(client)
    own = await client.sandbox.discord.say(channel, client.member, "psst", [PHOTO])
    assert client.sandbox.discord.messages(channel) == [own]
    with pytest.raises(InvalidInvocation, match="Mo does not see Ada's messages"):
        await client.sandbox.discord.say(channel, moderator, "psst")


async def test_a_member_pings_people_and_only_by_permission_everyone(client: Client, guild: Guild):
    discord = client.sandbox.discord
    role = discord.add_role(guild, "Painters")
    words = f"@everyone <@&{role.id}> <@{client.member.id}>"
    message = await discord.say(client.channel, client.member, words)
    assert (message.pinged.users, message.pinged.roles) == ({client.member.id}, frozenset())
    assert not message.pinged.everyone
    discord.permit(client.channel, client.member, Permission.MENTION_EVERYONE)
    message = await discord.say(client.channel, client.member, words)
    assert message.pinged.everyone
    assert message.pinged.roles == {role.id}


# What a bot hears.


async def listen(bot: Bot, client: Client, intents: int) -> None:
    client.sandbox.discord.gateway.privileged_intents = MESSAGE_CONTENT
    await bot.identify(client.sandbox.discord_token, 1 | intents)
    await bot.receive_event("GUILD_CREATE")


@pytest.mark.parametrize("intents", [GUILD_MESSAGES, GUILD_MESSAGES | MESSAGE_CONTENT])
async def test_a_bot_reads_what_a_member_posts_by_the_intent_for_content(
    client: Client, guild: Guild, intents: int
):
    async with connected(client.sandbox) as bot:
        await listen(bot, client, intents)
        await client.sandbox.discord.say(client.channel, client.member, "look", [PHOTO])
        told = object_at(await bot.receive_event("MESSAGE_CREATE"), "d")
    reads = bool(intents & MESSAGE_CONTENT)
    assert told["content"] == ("look" if reads else "")
    assert len(objects_at(told, "attachments")) == (1 if reads else 0)
    assert told["guild_id"] == str(guild.id)
    assert object_at(told, "author")["id"] == str(client.member.id)
    assert object_at(told, "member")["roles"] == []


async def test_a_bot_reads_what_mentions_it_and_what_comes_to_it_alone(client: Client):
    discord = client.sandbox.discord
    async with connected(client.sandbox) as bot:
        await listen(bot, client, GUILD_MESSAGES | DIRECT_MESSAGES)
        greeting = f"hello <@{client.sandbox.application_id}>"
        await discord.say(client.channel, client.member, greeting)
        told = object_at(await bot.receive_event("MESSAGE_CREATE"), "d")
        assert told["content"] == greeting
        await discord.say(letters(client), client.member, "psst")
        told = object_at(await bot.receive_event("MESSAGE_CREATE"), "d")
        assert told["content"] == "psst"
        assert told.keys().isdisjoint({"guild_id", "member"})


async def test_a_bot_without_the_intent_for_messages_hears_nothing(client: Client):
    discord = client.sandbox.discord
    async with connected(client.sandbox) as bot:
        await listen(bot, client, 0)
        await discord.say(client.channel, client.member, "look")
        discord.add_role(discord.guilds[0], "Painters")
        assert (await bot.receive())["t"] == "GUILD_ROLE_CREATE"


# Deleting.


async def test_members_delete_their_own_messages_and_moderators_anybodys(
    client: Client, moderator: Member
):
    discord = client.sandbox.discord
    await client.send("POST", client.messages, {"content": "the bot's"})
    (theirs,) = discord.messages(client.channel)
    own = await discord.say(client.channel, client.member, "mine")
    discord.delete(own, client.member)
    with pytest.raises(InvalidInvocation, match="needs Manage Messages"):
        discord.delete(theirs, client.member)
    assert discord.messages(client.channel) == [theirs]
    discord.delete(theirs, moderator)
    assert discord.messages(client.channel) == []
    with pytest.raises(InvalidInvocation, match="gone already"):
        discord.delete(theirs, moderator)


async def test_in_direct_messages_everybody_deletes_their_own_alone(client: Client):
    discord, channel = client.sandbox.discord, letters(client)
    await client.send("POST", f"/channels/{channel.id}/messages", {"content": "the bot's"})
    (theirs,) = discord.messages(channel)
    with pytest.raises(InvalidInvocation, match="their own alone"):
        discord.delete(theirs, client.member)
    discord.delete(await discord.say(channel, client.member, "mine"), client.member)
    assert discord.messages(channel) == [theirs]


async def test_a_private_message_is_dismissed_and_not_deleted(client: Client, moderator: Member):
    await client.register()
    interaction = await client.invoke()
    await client.acknowledge(interaction, 4, {"content": "psst", "flags": EPHEMERAL})
    with pytest.raises(InvalidInvocation, match="dismissed, not deleted"):
        client.sandbox.discord.delete(await interaction.settled(), moderator)
