"""Who and what the page shows: two servers, a thread, direct messages, and four people to be."""

from dataclasses import dataclass

from sandbox.discord.guilds import Channel, Member, User
from sandbox.discord.permissions import Permission
from sandbox.discord.world import World

NAMES = ("Ada", "Ben", "Mona", "Olive")
MODERATION = Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody, and what they are in both servers if they are one to be."""

    user: User
    title: str | None


def set_stage(world: World) -> tuple[Part, ...]:
    """Build the servers in a world that has none, and return the people to be."""
    ada, ben, mona, olive = (User(world.new_id(), name) for name in NAMES)
    for name in ("Lighthouse", "Sketch Club"):
        guild = world.add_guild(name, owner=olive)
        world.add_member(guild, ada)
        world.add_member(guild, ben, roles=[world.add_role(guild, "Painter")])
        world.add_member(guild, mona, roles=[world.add_role(guild, "Moderator", MODERATION)])
    world.add_thread(world.guilds[0].channels[0], "Harbour at dawn")
    for user in (ada, ben, mona, olive):
        world.direct_messages(user.id)
    return (
        Part(ada, "member"),
        Part(ben, "member with a role"),
        Part(mona, "moderator"),
        Part(olive, "owner"),
    )


def member_in(world: World, channel: Channel, user_id: int) -> Member | None:
    """Return who somebody is in a channel; in direct messages, whoever they are in any server."""
    if channel.recipient is not None and channel.recipient.id != user_id:
        return None
    guilds = world.guilds if channel.guild is None else [channel.guild]
    return next((guild.members[user_id] for guild in guilds if user_id in guild.members), None)
