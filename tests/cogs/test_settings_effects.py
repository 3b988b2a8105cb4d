"""What is set in a server holds for every edit in it, and for none in another."""

from dataclasses import replace

import pytest

from cogs.text.outcomes import NOT_CHARGED
from sandbox.discord.guilds import Channel
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Interaction, Sandbox
from sandbox.values import objects_at
from tests.conftest import Events, RunningBot
from tests.members import Person
from tests.moderators import Moderator

pytestmark = pytest.mark.usefixtures("small_results")


@pytest.fixture
def mod(sandbox: Sandbox, bot: RunningBot) -> Moderator:
    """A moderator of the sandbox's server."""
    return Moderator.join(sandbox, sandbox.discord.guilds[0])


def at(person: Person, channel: Channel) -> Person:
    """The same member in another channel."""
    return replace(person, channel=channel)


async def is_refused(person: Person, edit: Interaction, said: str) -> None:
    """See that an edit is refused privately, before anything is held or sent."""
    answer = await edit.settled()
    assert answer.ephemeral
    assert said in answer.text
    assert NOT_CHARGED in answer.text
    assert person.row(edit) is None
    assert person.account() == (0, 0)


async def is_made(edit: Interaction) -> Message:
    """See that an edit is made."""
    message = await edit.settled()
    assert message.files
    return message


def spoilers(message: Message) -> list[object]:
    """Whether each of a message's pictures is behind a spoiler."""
    items = [item for part in walk(message.components) for item in objects_at(part, "items")]
    return [item.get("spoiler", False) for item in items]


# Defaults.


async def test_defaults_are_used_where_the_member_chose_nothing(
    sandbox: Sandbox, mod: Moderator, ada: Person
):
    await mod.set(quality="high", size="16:9")
    assert "High · 16:9 · 16 credits" in (await is_made(await ada.edit())).text
    assert "Low · 16:9 · 4 credits" in (await is_made(await ada.edit(quality="low"))).text
    assert "High · 4:3 · 16 credits" in (await is_made(await ada.edit(size="source"))).text
    both = await ada.edit(quality="medium", size="1:1")
    assert "Medium · 1:1 · 8 credits" in (await is_made(both)).text
    sent = [(call.body["quality"], call.body["size"]) for call in sandbox.edit_api.calls]
    assert sent == [("high", "16:9"), ("low", "16:9"), ("high", "4:3"), ("medium", "1:1")]


async def test_the_default_size_can_be_the_sources_own(mod: Moderator, ada: Person):
    await mod.set(size="source")
    assert "Medium · 4:3 · 8 credits" in (await is_made(await ada.edit())).text
    assert "Medium · 21:9 · 8 credits" in (await is_made(await ada.edit(size="21:9"))).text


async def test_the_price_of_the_default_quality_is_what_is_held_and_refused(
    mod: Moderator, ada: Person
):
    await mod.set(quality="high", max_count=2)
    first = await is_made(await ada.edit(count=2))
    assert " · 32 credits · " in first.text
    assert "Left 48" in await ada.credits()
    await is_made(await ada.edit(count=2))
    answer = await (await ada.edit(count=2)).settled()
    assert "This edit costs 32 credits and you have 16 left" in answer.text
    # What would fit is named within the most that an edit may have here.
    assert "You can still make 1 High, 2 Medium, or 2 Low." in answer.text


# What is refused.


async def test_more_pictures_than_an_edit_may_have_are_refused_and_not_cut(
    mod: Moderator, ada: Person
):
    await mod.set(max_count=2)
    await is_refused(ada, await ada.edit(count=3), "This server allows up to 2 images per edit.")
    assert ada.sandbox.edit_api.calls == []
    assert len((await is_made(await ada.edit(count=2))).files) == 2


async def test_edits_are_made_only_in_the_channels_on_the_list_and_in_their_threads(
    sandbox: Sandbox, mod: Moderator, ada: Person
):
    here, there = ada.member.guild.channels
    await mod.set(channel=there)
    await is_refused(
        ada, await ada.edit(), f"You can't make edits in this channel. Try <#{there.id}>."
    )
    outside = at(ada, sandbox.discord.add_thread(here, "outside", ada.member))
    await is_refused(ada, await outside.edit(), f"Try <#{there.id}>.")
    inside = at(ada, sandbox.discord.add_thread(there, "inside", ada.member))
    await is_made(await inside.edit())
    await is_made(await at(ada, there).edit())


async def test_a_thread_that_the_bot_was_never_told_of_counts_as_its_channel(
    sandbox: Sandbox, mod: Moderator, ada: Person
):
    here, there = ada.member.guild.channels
    bot_itself = ada.member.guild.members[sandbox.application_id]
    await mod.set(channel=there)
    for channel in (here, there):
        sandbox.discord.forbid(channel, bot_itself, Permission.VIEW_CHANNEL)
    outside = sandbox.discord.add_thread(here, "outside", ada.member)
    inside = sandbox.discord.add_thread(there, "inside", ada.member)
    await is_refused(ada, await at(ada, outside).edit(), f"Try <#{there.id}>.")
    await is_made(await at(ada, inside).edit())


async def test_a_channel_taken_off_the_list_takes_no_edits_until_the_list_is_empty(
    mod: Moderator, ada: Person
):
    here, there = ada.member.guild.channels
    await mod.set(channel=here)
    await mod.set(channel=there)
    await mod.set(channel=here, allow=False)
    await is_refused(ada, await ada.edit(), f"Try <#{there.id}>.")
    await mod.set(channel=there, allow=False)
    await is_made(await ada.edit())


@pytest.mark.parametrize(
    ("refuse", "prompt"),
    [
        ("naked", "make her NAKED, please"),
        ("naked", "n\u00e0k\u0113d"),
        ("naked", "\uff4e\uff41\uff4b\uff45\uff44"),
        ("naked", "na\u200bk\u2060ed"),
        ("NAKED!", "half-naked"),
        ("red car", "a red,\ncar"),
        ("裸体", "请画裸体"),
    ],
)
async def test_prompts_with_refused_words_are_refused_however_they_are_dressed(
    mod: Moderator, ada: Person, refuse: str, prompt: str
):
    await mod.set(refuse=refuse)
    said = f"This server blocks prompts with “{refuse}”."
    await is_refused(ada, await ada.edit(prompt=prompt), said)
    assert ada.sandbox.edit_api.calls == []


@pytest.mark.parametrize("prompt", ["a snakeden", "nakedness", "nak ed", "n.a.k.e.d", "a car, red"])
async def test_other_words_are_not_refused(mod: Moderator, ada: Person, prompt: str):
    await mod.set(refuse="naked")
    await mod.set(refuse="red car")
    await is_made(await ada.edit(prompt=prompt))


async def test_private_edits_are_refused_where_they_may_not_be_made(mod: Moderator, ada: Person):
    await mod.set(private=False)
    await is_refused(ada, await ada.edit(private=True), "Private edits are turned off")
    assert not (await is_made(await ada.edit())).ephemeral
    await mod.set(private=True)
    assert (await is_made(await ada.edit(private=True))).ephemeral


# How results are posted.


async def test_every_picture_is_behind_a_spoiler_where_that_is_set(mod: Moderator, ada: Person):
    assert spoilers(await is_made(await ada.edit())) == [False]
    await mod.set(spoiler=True)
    assert spoilers(await is_made(await ada.edit(count=3))) == [True] * 3
    assert spoilers(await is_made(await ada.edit(private=True))) == [True]
    await mod.set(spoiler=False)
    assert spoilers(await is_made(await ada.edit())) == [False]


# Servers apart.


async def test_what_is_set_in_one_server_is_neither_felt_nor_seen_in_another(
    sandbox: Sandbox, mod: Moderator, ada: Person, events: Events
):
    _, there = ada.member.guild.channels
    other_guild = sandbox.discord.add_guild("Elsewhere")
    bob = Person(
        sandbox,
        ada.settings,
        sandbox.discord.add_member(other_guild, "Bob"),
        other_guild.channels[0],
    )
    await mod.set(
        quality="high",
        size="1:1",
        max_count=1,
        channel=there,
        log_channel=there,
        refuse="blue",
        spoiler=True,
        private=False,
    )
    edit = await bob.edit(count=2)
    message = await is_made(edit)
    assert "Medium · 4:3 · 16 credits" in message.text
    assert spoilers(message) == [False, False]
    assert (await is_made(await bob.edit(private=True))).ephemeral
    await events.logs("edit.closed", times=2)
    assert len(sandbox.discord.messages(there)) == 1
    shown = await Moderator.join(sandbox, other_guild).show()
    assert "- `channel`: edits are allowed in every channel" in shown.text
    await is_refused(ada, await ada.edit(), f"Try <#{there.id}>.")
