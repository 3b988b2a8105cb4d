"""Moderators set, see and take back how edits are made in their server."""

import re
from collections.abc import Callable

import pytest

from bot.domain.server_settings import LONGEST_PHRASE, MAX_LISTED
from cogs.text.settings import ALREADY_RESET, NOTHING_GIVEN
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
            "Default quality is now **High** (was Medium, the default).",
            "Default aspect ratio is now **16:9** (was same as the image, the default).",
            "Max images per edit is now **2** (was 4, the default).",
            f"Added <#{here.id}> to the allowed channels.",
            f"The log channel is now <#{there.id}> (was not set).",
            "Prompts with “red car” are now blocked.",
            "Spoilers are now **on** (was off, the default).",
            "Private edits are now **off** (was on, the default).",
            f"Edits are allowed in <#{here.id}>.",
        ]
    )
    answer = await mod.set(quality="low", size="source", max_count=4, spoiler=True, private=True)
    assert answer.splitlines() == [
        "Default quality is now **Low** (was High).",
        "Default aspect ratio is now **same as the image** (was 16:9).",
        "Max images per edit is now **4** (was 2).",
        "Private edits are now **on** (was off).",
        "Spoilers are already on.",
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
    assert answer == NOTHING_GIVEN
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
        ({"allow": True}, "`allow` only works together with `channel`. Pick a channel too."),
        ({"allow": False, "quality": "high"}, "`allow` only works together with `channel`."),
        (
            {"refuse": "!?"},
            "`!?` isn't valid for `refuse`. Enter a word or phrase with letters or digits.",
        ),
        ({"refuse": "\u200b🍆"}, "`🍆` isn't valid for `refuse`. Enter a word or phrase"),
        (
            {"refuse": "a" * (LONGEST_PHRASE + 1), "spoiler": True},
            "That phrase is 101 characters. The limit is 100.",
        ),
        (
            {"channel": RawId(7), "spoiler": True},
            "`7` isn't valid for `channel`. Pick a channel in this server.",
        ),
        (
            {"log_channel": RawId(7)},
            "`7` isn't valid for `log_channel`. Pick a channel in this server.",
        ),
    ],
)
async def test_an_option_that_is_wrong_is_named_with_what_it_takes_and_nothing_changes(
    mod: Moderator, bot: RunningBot, options: dict[str, RawId | bool | str], said: str
):
    answer = await mod.set(**options)
    assert said in answer
    assert answer.endswith("Nothing changed.")
    assert kept(bot) == []


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (
            lambda: read_max_count(0),
            "`0` isn't valid for `max_count`. Enter a whole number from 1 to 4.",
        ),
        (
            lambda: read_max_count(5),
            "`5` isn't valid for `max_count`. Enter a whole number from 1 to 4.",
        ),
        (
            lambda: read_quality("best"),
            "`best` isn't valid for `quality`. Pick `low`, `medium`, or `high`.",
        ),
        (lambda: read_size("5:4"), "`5:4` isn't valid for `size`. Pick `source`, `1:1`, `4:3`"),
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
        assert (
            f"`{elsewhere.id}` isn't valid for `{option}`. Pick a channel in this server." in answer
        )
    assert kept(bot) == []
    assert sandbox.discord.messages(elsewhere) == []


# Channels.


async def test_a_channel_can_be_taken_off_the_list_again(
    mod: Moderator, bot: RunningBot, here: Channel, there: Channel
):
    await mod.set(channel=here)
    both = await mod.set(channel=there, allow=True)
    assert f"Edits are allowed in <#{here.id}> and <#{there.id}>." in both
    assert await mod.set(channel=there) == f"<#{there.id}> is already an allowed channel."
    off = await mod.set(channel=here, allow=False)
    assert f"Removed <#{here.id}> from the allowed channels." in off
    assert f"Edits are allowed in <#{there.id}>." in off
    last = await mod.set(channel=there, allow=False)
    assert "Edits are allowed in every channel." in last
    assert kept(bot) == []


async def test_taking_off_a_channel_that_is_not_on_the_list_is_said(
    mod: Moderator, bot: RunningBot, here: Channel, there: Channel
):
    answer = await mod.set(channel=here, allow=False, quality="high")
    assert "Default quality is now **High** (was Medium, the default)." in answer
    assert (
        f"<#{here.id}> wasn't on the allowed list.\nEdits are allowed in every channel." in answer
    )
    assert "add the channels where edits are allowed" in answer
    await mod.set(channel=there)
    answer = await mod.set(channel=here, allow=False)
    assert (
        f"<#{here.id}> wasn't on the allowed list.\nEdits are allowed in <#{there.id}>." in answer
    )
    assert kept(bot) == [("quality", "high"), ("channel", str(there.id))]


async def test_a_thread_stands_for_its_channel(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot, here: Channel
):
    thread = sandbox.discord.add_thread(here, "brushes")
    assert f"Added <#{here.id}> to the allowed channels." in await mod.set(channel=thread)
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
        assert await mod.set(refuse=again) == "“Café Noir” is already blocked."
    await mod.set(refuse="noir")
    assert kept(bot) == [("refuse", "Café Noir"), ("refuse", "noir")]


async def test_a_full_list_takes_nothing_more(mod: Moderator, bot: RunningBot):
    words = [f"w{number}" for number in range(MAX_LISTED)]
    refuse_phrases(bot.settings.database, mod.member.guild.id, words)
    answer = await mod.set(refuse="one more", quality="high")
    assert answer.startswith(f"Couldn't add “one more”. You've reached the limit of {MAX_LISTED}.")
    assert answer.endswith("Nothing changed.")
    assert await mod.set(refuse="W7!", quality="high") == (
        "Default quality is now **High** (was Medium, the default).\n“w7” is already blocked."
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
    for line in (
        "`quality`: Medium",
        "`size`: same as the image",
        "`max_count`: 4",
        "`channel`: edits are allowed in every channel",
        "`log_channel`: not set",
        "`refuse`: no blocked words",
        "`spoiler`: off",
        "`private`: on",
    ):
        assert f"- {line}" in shown.text
    assert buttons(shown, "Reset") == []


async def test_what_is_set_is_shown_with_a_button_to_take_it_back_in_place(
    mod: Moderator, bot: RunningBot, here: Channel
):
    await mod.set(quality="high", channel=here, refuse="red car", spoiler=False)
    shown = await mod.show()
    assert len(buttons(shown, "Reset")) == 4
    assert "- `quality`" not in shown.text
    assert "- `max_count`: 4" in shown.text

    press = await mod.press(shown, "Reset", beside="`quality`: High")
    changed = await press.settled()
    assert changed is shown
    assert changed.text.startswith("Default quality is now **Medium, the default** (was High).")
    assert "- `quality`: Medium" in changed.text
    assert len(buttons(changed, "Reset")) == 3

    changed = await (await mod.press(changed, "Reset", beside="`channel`")).settled()
    assert "from the allowed channels.\nEdits are allowed in every channel." in changed.text
    changed = await (await mod.press(changed, "Reset", beside="`spoiler`: off")).settled()
    assert changed.text.startswith("Spoilers are now **off, the default** (was off).")
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
    changed = await (await mod.press(first, "Reset")).settled()
    assert changed.text.startswith(ALREADY_RESET)
    assert "`max_count`: 3" in changed.text
    await (await other.press(await other.show(), "Reset")).settled()
    changed = await (await mod.press(second, "Reset")).settled()
    assert changed.text.startswith(ALREADY_RESET)
    assert "- `quality`: Medium" in changed.text
    assert kept(bot) == []


async def test_more_than_a_page_is_paged_in_place(mod: Moderator, bot: RunningBot):
    phrases = [f"{number:02d} " + "x_*" * 32 for number in range(21)]
    refuse_phrases(bot.settings.database, mod.member.guild.id, phrases)
    shown = await mod.show()
    assert len(buttons(shown, "Reset")) == 10
    shown = await (await mod.press(shown, "Next")).settled()
    assert re.findall(r"“(\d\d) ", shown.text) == [str(number) for number in range(10, 20)]
    shown = await (await mod.press(shown, "Next")).settled()
    assert re.findall(r"“(\d\d) ", shown.text) == ["20"]
    shown = await (await mod.press(shown, "Reset", beside="“20 ")).settled()
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
    answer = await (await other.press(shown, "Reset")).settled()
    assert answer is not shown
    assert answer.ephemeral
    assert answer.text == NOT_YOURS
    assert shown.text == before
    assert kept(bot) == [("quality", "high")]


async def test_a_custom_id_that_was_made_up_changes_nothing(mod: Moderator, bot: RunningBot):
    await mod.set(quality="high")
    shown = await mod.show()
    (real,) = buttons(shown, "Reset")
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
    changed = await (await mod.press(shown, "Reset")).settled()
    assert "- `quality`: Medium" in changed.text
    assert kept(again) == []
