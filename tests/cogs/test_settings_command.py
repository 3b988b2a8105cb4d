"""Moderators set, see and take back how edits are made in their server."""

import re
from collections.abc import Callable

import pytest

from bot.domain.server_settings import LONGEST_PHRASE, MAX_LISTED
from cogs.ui.component_router import NOT_YOURS
from cogs.ui.option_parsing import BadOptionError, read_max_count, read_quality, read_size
from sandbox.discord.guilds import Channel
from sandbox.discord.messages import walk
from sandbox.sandbox import InvalidInvocation, RawId, Sandbox
from tests.conftest import RunningBot, StartBot
from tests.members import Person, look_up
from tests.moderators import Moderator, buttons, refuse_phrases

TRAIL = "SELECT setting, before, after, author_id FROM change ORDER BY id"


@pytest.fixture
def mod(sandbox: Sandbox, bot: RunningBot) -> Moderator:
    """A moderator of the sandbox's server."""
    return Moderator.join(sandbox, sandbox.discord.guilds[0])


@pytest.fixture
def here(sandbox: Sandbox) -> Channel:
    """The server's first channel."""
    return sandbox.discord.guilds[0].channels[0]


@pytest.fixture
def there(sandbox: Sandbox) -> Channel:
    """The server's second channel."""
    return sandbox.discord.guilds[0].channels[1]


def kept(bot: RunningBot) -> list[tuple[str, str]]:
    """What the ledger's file has of settings."""
    query = "SELECT name, value FROM setting ORDER BY id"
    return [(name, value) for name, value in look_up(bot.settings.database, query)]


# Set.


async def test_all_that_is_given_is_set_and_answered_with_before_and_after(
    mod: Moderator, bot: RunningBot, here: Channel, there: Channel
):
    answer = await mod.set(
        quality="high",
        size="16:9",
        max_count=2,
        channel=here,
        log_channel=there,
        refuse="red car",
        spoiler=True,
        private=False,
    )
    assert sorted(answer.splitlines()) == sorted(
        [
            "`quality`: not set (medium) → high.",
            "`size`: not set (source, the nearest to the picture's own) → 16:9.",
            "`max_count`: not set (4) → 2.",
            f"`channel`: <#{here.id}>: not on the list → on the list.",
            f"`log_channel`: not set (none) → <#{there.id}>.",
            "`refuse`: “red car”: taken → refused.",
            "`spoiler`: not set (off) → on.",
            "`private`: not set (allowed) → not allowed.",
            f"Edits may be made in <#{here.id}>.",
        ]
    )
    answer = await mod.set(quality="low", size="source", max_count=4, spoiler=True, private=True)
    assert answer.splitlines() == [
        "`quality`: high → low.",
        "`size`: 16:9 → source, the nearest to the picture's own.",
        "`max_count`: 2 → 4.",
        "`private`: not allowed → allowed.",
        "`spoiler`: on, as it was already.",
    ]
    assert sorted(kept(bot)) == sorted(
        [
            ("channel", str(here.id)),
            ("log_channel", str(there.id)),
            ("refuse", "red car"),
            ("spoiler", "true"),
            ("quality", "low"),
            ("size", "source"),
            ("max_count", "4"),
            ("private", "true"),
        ]
    )
    trail = look_up(bot.settings.database, TRAIL)
    assert ("quality", "high", "low", mod.member.id) in trail
    assert len(trail) == 12


async def test_without_anything_given_it_says_what_it_takes(mod: Moderator, bot: RunningBot):
    answer = await mod.set()
    for option in ("quality", "size", "max_count", "channel", "allow", "log_channel", "refuse"):
        assert f"`{option}`" in answer
    assert "nothing was changed" in answer
    assert kept(bot) == []


async def test_only_members_with_manage_server_are_offered_the_commands(
    sandbox: Sandbox, bot: RunningBot, ada: Person
):
    for command in ("settings set", "settings show"):
        with pytest.raises(InvalidInvocation, match="not offered to Ada"):
            await sandbox.discord.invoke(ada.channel, ada.member, command)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"allow": True}, "`allow`: got True without `channel`; it takes a channel in `channel`."),
        ({"allow": False, "quality": "high"}, "`allow`: got False without `channel`"),
        ({"refuse": "!?"}, "`refuse`: got `!?`; it takes a word or phrase, in letters or digits."),
        ({"refuse": "\u200b🍆"}, "`refuse`: got `🍆`; it takes a word or phrase"),
        ({"refuse": "a" * (LONGEST_PHRASE + 1), "spoiler": True}, "`refuse`: got 101 characters"),
        ({"channel": RawId(7), "spoiler": True}, "`channel`: got the id 7; it takes a channel of"),
        ({"log_channel": RawId(7)}, "`log_channel`: got the id 7; it takes a channel of this"),
    ],
)
async def test_an_option_that_is_wrong_is_named_with_what_it_takes_and_nothing_changes(
    mod: Moderator, bot: RunningBot, options: dict[str, RawId | bool | str], said: str
):
    answer = await mod.set(**options)
    assert said in answer
    assert answer.endswith("Nothing was changed.")
    assert kept(bot) == []


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: read_max_count(0), "`max_count`: got 0; it takes a whole number from 1 to 4."),
        (lambda: read_max_count(5), "`max_count`: got 5; it takes a whole number from 1 to 4."),
        (lambda: read_quality("best"), "got `best`; it takes `low`, `medium` or `high`."),
        (lambda: read_size("5:4"), "`size`: got `5:4`; it takes `source`, `1:1`, `4:3`"),
    ],
)
def test_what_no_client_would_send_is_named_too(read: Callable[[], object], said: str):
    with pytest.raises(BadOptionError) as raised:
        read()
    assert said in str(raised.value)


async def test_channels_of_another_server_are_refused(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot
):
    elsewhere = sandbox.discord.add_guild("Elsewhere").channels[0]
    for option in ("channel", "log_channel"):
        answer = await mod.set(**{option: RawId(elsewhere.id), "quality": "high"})
        assert f"`{option}`: got the id {elsewhere.id}; it takes a channel of this server" in answer
    assert kept(bot) == []
    assert sandbox.discord.messages(elsewhere) == []


# Channels.


async def test_a_channel_can_be_taken_off_the_list_again(
    mod: Moderator, bot: RunningBot, here: Channel, there: Channel
):
    await mod.set(channel=here)
    both = await mod.set(channel=there, allow=True)
    assert f"Edits may be made in <#{here.id}> and <#{there.id}>." in both
    assert await mod.set(channel=there) == f"`channel`: <#{there.id}>, as it was already."
    off = await mod.set(channel=here, allow=False)
    assert f"`channel`: <#{here.id}>: on the list → not on the list." in off
    assert f"Edits may be made in <#{there.id}>." in off
    last = await mod.set(channel=there, allow=False)
    assert "Edits may be made in every channel, for none is on the list." in last
    assert kept(bot) == []


async def test_taking_off_a_channel_that_is_not_on_the_list_is_said(
    mod: Moderator, bot: RunningBot, here: Channel, there: Channel
):
    answer = await mod.set(channel=here, allow=False, quality="high")
    assert "`quality`: not set (medium) → high." in answer
    assert f"`channel`: <#{here.id}> was not on the list.\nEdits may be made in every" in answer
    assert "put those on the list in which they may be made" in answer
    await mod.set(channel=there)
    answer = await mod.set(channel=here, allow=False)
    assert f"<#{here.id}> was not on the list.\nEdits may be made in <#{there.id}>." in answer
    assert kept(bot) == [("quality", "high"), ("channel", str(there.id))]


async def test_a_thread_stands_for_its_channel(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot, here: Channel
):
    thread = sandbox.discord.add_thread(here, "brushes")
    assert f"<#{here.id}>: not on the list → on the list" in await mod.set(channel=thread)
    assert kept(bot) == [("channel", str(here.id))]
    await mod.set(channel=thread, allow=False)
    assert kept(bot) == []


# Refused words.


async def test_a_phrase_that_finds_the_same_as_one_on_the_list_is_there_already(
    mod: Moderator, bot: RunningBot
):
    await mod.set(refuse="  Café \u200b  Noir ")
    assert kept(bot) == [("refuse", "Café Noir")]
    for again in ("cafe noir", "CAFE\u0301, NOIR!"):
        assert await mod.set(refuse=again) == "`refuse`: “Café Noir”, as it was already."
    await mod.set(refuse="noir")
    assert kept(bot) == [("refuse", "Café Noir"), ("refuse", "noir")]


async def test_a_full_list_takes_nothing_more(mod: Moderator, bot: RunningBot):
    words = [f"w{number}" for number in range(MAX_LISTED)]
    refuse_phrases(bot.settings.database, mod.member.guild.id, words)
    answer = await mod.set(refuse="one more", quality="high")
    assert answer.startswith(f"`refuse`: got “one more”; it takes {MAX_LISTED} of them at most")
    assert answer.endswith("Nothing was changed.")
    assert await mod.set(refuse="W7!", quality="high") == (
        "`quality`: not set (medium) → high.\n`refuse`: “w7”, as it was already."
    )
    assert len(kept(bot)) == MAX_LISTED + 1


async def test_a_phrase_is_shown_to_the_letter(mod: Moderator):
    answer = await mod.set(refuse="@everyone **<@1>**")
    assert r"\*\*\<@" in answer
    assert "@everyone" not in answer
    shown = await mod.show()
    assert "@everyone" not in shown.text
    assert not shown.pinged


# Show, and take back.


async def test_where_nothing_is_set_what_holds_is_shown(mod: Moderator):
    shown = await mod.show()
    assert "Nothing was set here yet." in shown.text
    for line in (
        "`quality`: medium",
        "`size`: source, the nearest to the picture's own",
        "`max_count`: 4",
        "`channel`: edits may be made in every channel",
        "`log_channel`: none",
        "`refuse`: no prompt is refused for its words",
        "`spoiler`: off",
        "`private`: allowed",
    ):
        assert f"- {line}" in shown.text
    assert buttons(shown, "Take back") == []


async def test_what_is_set_is_shown_with_a_button_to_take_it_back_in_place(
    mod: Moderator, bot: RunningBot, here: Channel
):
    await mod.set(quality="high", channel=here, refuse="red car", spoiler=False)
    shown = await mod.show()
    assert len(buttons(shown, "Take back")) == 4
    assert "- `quality`" not in shown.text
    assert "- `max_count`: 4" in shown.text

    press = await mod.press(shown, "Take back", beside="`quality`: high")
    changed = await press.settled()
    assert changed is shown
    assert changed.text.startswith("`quality`: high → not set (medium).")
    assert "- `quality`: medium" in changed.text
    assert len(buttons(changed, "Take back")) == 3

    changed = await (await mod.press(changed, "Take back", beside="`channel`")).settled()
    assert "on the list → not on the list.\nEdits may be made in every channel" in changed.text
    changed = await (await mod.press(changed, "Take back", beside="`spoiler`: off")).settled()
    assert changed.text.startswith("`spoiler`: off → not set (off).")
    assert kept(bot) == [("refuse", "red car")]
    trail = look_up(bot.settings.database, TRAIL)
    assert trail[-1] == ("spoiler", "false", None, mod.member.id)


async def test_what_somebody_else_took_back_meanwhile_is_said(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot
):
    other = Moderator.join(sandbox, mod.member.guild, "Other")
    await mod.set(max_count=2)
    first, second = await mod.show(), await mod.show()
    await other.set(max_count=3)
    changed = await (await mod.press(first, "Take back")).settled()
    assert changed.text.startswith("That was not set any more")
    assert "`max_count`: 3" in changed.text
    await (await other.press(await other.show(), "Take back")).settled()
    changed = await (await mod.press(second, "Take back")).settled()
    assert changed.text.startswith("That was not set any more")
    assert "Nothing was set here yet." in changed.text
    assert kept(bot) == []


async def test_more_than_a_page_is_paged_in_place(mod: Moderator, bot: RunningBot):
    phrases = [f"{number:02d} " + "x_*" * 32 for number in range(21)]
    refuse_phrases(bot.settings.database, mod.member.guild.id, phrases)
    shown = await mod.show()
    assert len(buttons(shown, "Take back")) == 10
    shown = await (await mod.press(shown, "Next")).settled()
    assert re.findall(r"“(\d\d) ", shown.text) == [str(number) for number in range(10, 20)]
    shown = await (await mod.press(shown, "Next")).settled()
    assert re.findall(r"“(\d\d) ", shown.text) == ["20"]
    shown = await (await mod.press(shown, "Take back", beside="“20 ")).settled()
    assert re.findall(r"“(\d\d) ", shown.text)[1:] == [str(number) for number in range(10, 20)]
    shown = await (await mod.press(shown, "Previous")).settled()
    assert "“00 " in shown.text
    with pytest.raises(InvalidInvocation):
        await mod.press(shown, "Previous")


async def test_another_members_press_changes_nothing_and_is_answered_politely(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot
):
    other = Moderator.join(sandbox, mod.member.guild, "Other")
    await mod.set(quality="high")
    shown = await mod.show()
    before = shown.text
    answer = await (await other.press(shown, "Take back")).settled()
    assert answer is not shown
    assert answer.ephemeral
    assert answer.text == NOT_YOURS
    assert shown.text == before
    assert kept(bot) == [("quality", "high")]


async def test_a_custom_id_that_was_made_up_changes_nothing(mod: Moderator, bot: RunningBot):
    await mod.set(quality="high")
    shown = await mod.show()
    (real,) = buttons(shown, "Take back")
    button = next(each for each in walk(shown.components) if each.get("custom_id") == real)
    for made_up in ("1:settings.back:1:0:AAAAAAAAAAAAAAAA", "settings.back", real[:-1], "nothing"):
        button["custom_id"] = made_up
        press = await mod.sandbox.discord.press(shown, mod.member, made_up)
        answer = await press.settled()
        assert (answer.ephemeral, answer.text) == (True, NOT_YOURS)
    assert kept(bot) == [("quality", "high")]


async def test_buttons_work_after_a_restart(mod: Moderator, bot: RunningBot, start_bot: StartBot):
    await mod.set(quality="high")
    shown = await mod.show()
    await bot.stop()
    again = await start_bot()
    changed = await (await mod.press(shown, "Take back")).settled()
    assert "Nothing was set here yet." in changed.text
    assert kept(again) == []
