"""*Apps → Edit image*: on whose messages, which pictures, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.discord_io.message_images import MAX_IMAGES
from cogs.edit_image import NO_IMAGE
from cogs.text.outcomes import NOT_CHARGED
from sandbox.discord.forwards import snapshots_of
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Flag, Message, Revision
from sandbox.sandbox import Interaction, Sandbox, Upload
from sandbox.values import object_at, objects_at
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person, look_up
from tests.moderators import Moderator

pytestmark = pytest.mark.usefixtures("small_results")


async def use_on(person: Person, message: Message) -> Interaction:
    """Use the command on a message."""
    return await person.sandbox.discord.invoke(
        person.channel, person.member, "Edit image", target=message
    )


async def fields_for(person: Person, message: Message) -> tuple[Interaction, dict[str, Any]]:
    """The form that is opened for a message, and its fields."""
    used = await use_on(person, message)
    shown = await used.acknowledged()
    assert shown.type == CallbackType.MODAL
    assert shown.data["title"] == "Edit image"
    fields = [object_at(label, "component") for label in objects_at(shown.data, "components")]
    return used, {str(field["custom_id"]): field for field in fields}


async def make(person: Person, events: Events, used: Interaction, **values: Any) -> Message:
    """Send the form; the message of what was made."""
    sent = await person.sandbox.discord.submit(used, values)
    await events.logs("edit.closed", edit=str(sent.id))
    return await sent.settled()


def source_of_last(sandbox: Sandbox) -> object:
    return sandbox.edit_api.calls[-1].body["image"]


def posted(person: Person, **shown: Any) -> Message:
    """A message of somebody's that shows what a member's client could not post by itself."""
    world = person.sandbox.world
    usual: Mapping[str, Any] = {
        "content": "",
        "embeds": (),
        "components": (),
        "files": (),
        "flags": 0,
    }
    revision = Revision(at=world.clock.now(), **{**usual, **shown})
    message = Message(world.new_id(), person.channel, person.member.user, [revision])
    world.created(message)
    return message


async def test_a_picture_that_somebody_posted_is_edited(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    message = await sandbox.discord.say(ada.channel, ada.member, "look", [photo()])
    used, fields = await fields_for(ada, message)
    assert list(fields) == ["prompt", "quality", "size", "count"]

    made = await make(ada, events, used, prompt="red", quality=["low"], size=["21:9"], count=["2"])
    assert not made.ephemeral
    assert len(made.files) == 2
    assert source_of_last(sandbox) == message.files[0].url
    body = sandbox.edit_api.calls[-1].body
    assert (body["prompt"], body["quality"], body["size"], body["n"]) == ("red", "low", "21:9", 2)
    assert ada.account() == (0, 8)


async def test_the_first_25_pictures_are_offered(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    files = [photo(f"{number}.png") for number in range(10)]
    message = await sandbox.discord.say(ada.channel, ada.member, "", files)
    embeds = [
        {"image": {"proxy_url": f"{file.url}x{number}"}}
        for number in range(4)
        for file in message.files
    ]
    many = posted(ada, embeds=tuple(embeds), files=message.files)
    used, fields = await fields_for(ada, many)
    assert [option["value"] for option in fields["picture"]["options"]] == [
        str(number) for number in range(10)
    ]
    await make(ada, events, used, prompt="red", picture=["7"])
    assert source_of_last(sandbox) == message.files[7].url

    distinct = [
        {"image": {"proxy_url": f"{message.files[0].url.partition('?')[0]}.{number}.png"}}
        for number in range(40)
    ]
    _, fields = await fields_for(ada, posted(ada, embeds=tuple(distinct)))
    assert len(fields["picture"]["options"]) == MAX_IMAGES


async def test_a_result_card_is_edited(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    edit = await ada.edit(count=2)
    await events.logs("edit.closed", edit=str(edit.id))
    card = await edit.settled()
    used, fields = await fields_for(ada, card)
    assert len(fields["picture"]["options"]) == 2
    await make(ada, events, used, prompt="red", picture=["1"])
    assert source_of_last(sandbox) == card.files[1].url


async def test_a_forwarded_picture_and_an_embeds_copy_at_discord_are_edited(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    message = await sandbox.discord.say(ada.channel, ada.member, "look", [photo()])
    url = message.files[0].url
    snapshots = snapshots_of(message.to_json()) or ()
    forwarded = posted(ada, flags=Flag.HAS_SNAPSHOT, snapshots=snapshots)
    embed = {"image": {"url": "https://example.org/a.png", "proxy_url": url}}
    for each in (forwarded, posted(ada, embeds=(embed,))):
        used, _ = await fields_for(ada, each)
        await make(ada, events, used, prompt="red")
        assert source_of_last(sandbox) == url


@pytest.mark.parametrize(
    "shown",
    [
        {"content": "only words"},
        {"embeds": ({"image": {"url": "https://example.org/a.png"}},)},
        {"embeds": ({"image": {"proxy_url": "https://example.org/a.png"}},)},
    ],
)
async def test_a_message_without_a_picture_is_refused_privately(
    bot: RunningBot, ada: Person, shown: dict[str, Any]
) -> None:
    answer = await (await use_on(ada, posted(ada, **shown))).settled()
    assert (answer.ephemeral, answer.text) == (True, NO_IMAGE)
    assert ada.account() == (0, 0)


async def test_a_file_that_is_no_picture_is_not_offered(
    sandbox: Sandbox, bot: RunningBot, ada: Person
) -> None:
    files = [Upload("notes.txt", b"x"), photo()]
    message = await sandbox.discord.say(ada.channel, ada.member, "", files)
    _, fields = await fields_for(ada, message)
    assert "picture" not in fields


async def test_what_is_started_from_a_private_message_is_private(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    edit = await ada.edit(private=True)
    await events.logs("edit.closed", edit=str(edit.id))
    used, _ = await fields_for(ada, await edit.settled())
    assert (await make(ada, events, used, prompt="red")).ephemeral


async def test_the_servers_defaults_and_limit_are_what_the_form_shows(
    sandbox: Sandbox, bot: RunningBot, ada: Person
) -> None:
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    await mod.set(quality="high", size="2:1", max_count=2)
    message = await sandbox.discord.say(ada.channel, ada.member, "", [photo()])
    _, fields = await fields_for(ada, message)

    def shown(name: str) -> list[str]:
        return [each["value"] for each in fields[name]["options"] if each["default"]]

    assert (shown("quality"), shown("size"), shown("count")) == (["high"], ["2:1"], ["1"])
    assert [each["value"] for each in fields["count"]["options"]] == ["1", "2"]


async def test_a_picture_that_went_while_the_form_was_open_costs_nothing(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    message = await sandbox.discord.say(ada.channel, ada.member, "", [photo()])
    used, _ = await fields_for(ada, message)
    sandbox.discord.delete(message)
    made = await make(ada, events, used, prompt="red")
    assert NOT_CHARGED in made.text
    assert ada.account() == (0, 0)


async def test_a_form_that_was_open_during_a_restart_is_sent_after_it(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
) -> None:
    bot = await start_bot()
    message = await sandbox.discord.say(ada.channel, ada.member, "", [photo("1.png"), photo()])
    used, _ = await fields_for(ada, message)
    await bot.stop()
    await start_bot()
    made = await make(ada, events, used, prompt="red", picture=["1"])
    assert len(made.files) == 1
    assert source_of_last(sandbox) == message.files[1].url


async def test_a_server_that_is_not_served_is_told_so(
    sandbox: Sandbox, start_bot: StartBot, ada: Person
) -> None:
    await start_bot(servers=frozenset({1}))
    message = await sandbox.discord.say(ada.channel, ada.member, "", [photo()])
    answer = await (await use_on(ada, message)).settled()
    assert answer.ephemeral
    assert "isn't turned on for this server" in answer.text


async def test_a_form_sent_from_another_channel_makes_no_image_public_there(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    message = await sandbox.discord.say(ada.channel, ada.member, "look", [photo()])
    used, _ = await fields_for(ada, message)
    # Discord's own clients can't do this.
    used.channel = ada.member.guild.channels[1]
    values = {"prompt": "red", "quality": ["low"], "size": ["source"], "count": ["1"]}
    sent = await sandbox.discord.submit(used, values)
    await events.logs("edit.closed", edit=str(sent.id))
    look = "SELECT channel_id, source_public FROM edit"
    assert look_up(bot.settings.database, look) == [(used.channel.id, 0)]
