"""What members post and delete as their clients let them."""

from collections.abc import Sequence

from sandbox.discord.guilds import Channel, Member
from sandbox.discord.interactions.commands import InvalidInvocation
from sandbox.discord.interactions.invocation import Upload, check_presence, store_upload
from sandbox.discord.message_rules import LONGEST_CONTENT, MOST_FILES, mentions_in
from sandbox.discord.messages import Mentions, Message, Revision
from sandbox.discord.permissions import Permission
from sandbox.discord.world import World


def post(
    world: World, channel: Channel, member: Member, text: str, uploads: Sequence[Upload]
) -> Message:
    """Post a member's message; raises InvalidInvocation for one that could not be sent."""
    check_presence(channel, member)
    text = text.strip()
    _check_permissions(channel, member, files=bool(uploads))
    if not text and not uploads:
        raise InvalidInvocation("There is nothing to send: write something or add a file.")
    if len(text) > LONGEST_CONTENT:
        words = f"A message may have {LONGEST_CONTENT} characters, not {len(text)}."
        raise InvalidInvocation(words)
    if len(uploads) > MOST_FILES:
        raise InvalidInvocation(f"A message may have {MOST_FILES} files, not {len(uploads)}.")
    folder = f"attachments/{channel.id}"
    files = tuple(store_upload(world, upload, folder) for upload in uploads)
    mentions = _mentions(channel, member, text)
    revision = Revision(world.clock.now(), text, (), (), files, 0, mentions)
    message = Message(world.new_id(), channel, member.user, [revision], pinged=mentions)
    world.created(message)
    return message


def check_deletion(message: Message, member: Member) -> None:
    """Refuse to let a member delete what it may not; raises InvalidInvocation."""
    channel = message.channel
    check_presence(channel, member)
    if message.deleted:
        raise InvalidInvocation("This message is gone already.")
    if message.ephemeral:
        raise InvalidInvocation("A message that only you can see is dismissed, not deleted.")
    if message.author.id == member.id:
        return
    if channel.guild is None:
        raise InvalidInvocation("In direct messages everybody deletes their own alone.")
    if not channel.permissions_of(member) & Permission.MANAGE_MESSAGES:
        raise InvalidInvocation("Deleting others' messages needs Manage Messages.")


def _check_permissions(channel: Channel, member: Member, *, files: bool) -> None:
    if channel.guild is None:
        return
    allowed = channel.permissions_of(member)
    if not allowed & channel.posting:
        raise InvalidInvocation(f"You do not have permission to send messages in #{channel.name}.")
    if files and not allowed & Permission.ATTACH_FILES:
        raise InvalidInvocation(f"You do not have permission to attach files in #{channel.name}.")


def _mentions(channel: Channel, member: Member, text: str) -> Mentions:
    """Return whom a member's message mentions: roles and everyone only by permission."""
    found = mentions_in(text)
    everywhere = channel.guild is not None and channel.permissions_of(member)
    return found if everywhere & Permission.MENTION_EVERYONE else Mentions(found.users)
