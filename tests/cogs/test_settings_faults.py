"""Where the store or Discord fails, no change is claimed that was not made, and none is denied."""

from functools import partial

import pytest

from bot.discord_io.log_channel import Trial
from bot.domain.errors import LedgerError
from bot.domain.server_settings import Setting
from bot.ledger.sqlite import open_sqlite
from bot.ledger.sqlite.quota_rules import SqliteQuotaRules
from cogs.text.log_channel import FIRST_NOTE
from cogs.text.outcomes import LEDGER_SILENT
from cogs.text.settings import RESET_NOT_LOADED, log_refusal_text
from sandbox.discord.guilds import Channel
from sandbox.discord.permissions import Permission
from sandbox.faults import (
    DiscordFault,
    Hang,
    RequestAction,
    rate_limited,
    refused,
    server_error,
)
from sandbox.sandbox import Sandbox
from tests.conftest import RunningBot
from tests.members import look_up
from tests.moderators import Moderator, buttons
from tests.store_faults import broken, locked

CREATE = r"^/channels/\d+/messages$"


@pytest.fixture
def ledger_gives_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot waits a fifth as long as usual for another program that writes to its ledger."""
    monkeypatch.setattr("bot.app.open_sqlite", partial(open_sqlite, busy_timeout_ms=1_000))


@pytest.fixture
def mod(sandbox: Sandbox, bot: RunningBot) -> Moderator:
    """A moderator of the sandbox's server."""
    return Moderator.join(sandbox, sandbox.discord.guilds[0])


@pytest.fixture
def there(sandbox: Sandbox) -> Channel:
    """The server's second channel."""
    return sandbox.discord.guilds[0].channels[1]


def is_unset(bot: RunningBot) -> bool:
    """Whether neither a setting nor its trail was written."""
    database = bot.settings.database
    return not look_up(database, "SELECT * FROM setting UNION ALL SELECT 1, 2, 3, 4 FROM change")


def at_note(sandbox: Sandbox, action: RequestAction) -> DiscordFault:
    """A fault at every message that is posted in a channel."""
    fault = DiscordFault(action=action, method="POST", path=CREATE, times=None)
    return sandbox.faults.discord.add(fault)


# The log channel.


async def test_a_first_note_is_posted_where_edits_are_to_be_noted(
    sandbox: Sandbox, mod: Moderator, there: Channel
):
    await mod.set(log_channel=there)
    (note,) = sandbox.discord.messages(there)
    assert note.text == FIRST_NOTE
    assert not note.pinged


async def test_a_thread_can_be_the_log(sandbox: Sandbox, mod: Moderator, there: Channel):
    thread = sandbox.discord.add_thread(there, "log")
    assert f"is now <#{thread.id}>" in await mod.set(log_channel=thread)
    assert len(sandbox.discord.messages(thread)) == 1


@pytest.mark.parametrize("denied", [Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES])
async def test_a_log_channel_that_the_bot_cannot_write_in_is_refused_and_nothing_changes(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot, there: Channel, denied: Permission
):
    itself = there.guild.members[sandbox.application_id] if there.guild else mod.member
    sandbox.discord.forbid(there, itself, denied)
    answer = await mod.set(log_channel=there, quality="high")
    said = log_refusal_text(there.id, Trial.REFUSED)
    assert answer == said
    assert is_unset(bot)


async def test_a_log_channel_that_was_just_deleted_is_refused(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot, there: Channel
):
    at_note(sandbox, refused(404, 10003, "Unknown Channel"))
    said = log_refusal_text(there.id, Trial.REFUSED)
    assert await mod.set(log_channel=there, spoiler=True) == said
    assert is_unset(bot)


@pytest.mark.parametrize(
    "action", [server_error(), rate_limited(60), Hang()], ids=["failing", "busy", "silent"]
)
@pytest.mark.usefixtures("announces_soon")
async def test_where_discord_does_not_answer_the_log_stays_as_it_was(
    sandbox: Sandbox,
    mod: Moderator,
    bot: RunningBot,
    there: Channel,
    monkeypatch: pytest.MonkeyPatch,
    action: RequestAction,
):
    monkeypatch.setattr("bot.discord_io.log_channel.TRIAL_TIMEOUT_S", 0.5)
    at_note(sandbox, action)
    command = await mod.run("settings set", log_channel=there, quality="high")
    answer = await command.settled()
    assert answer.ephemeral
    assert answer.text == log_refusal_text(there.id, Trial.UNANSWERED)
    assert is_unset(bot)


async def test_where_another_option_is_wrong_nothing_is_posted(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot, there: Channel
):
    await mod.set(log_channel=there, refuse="!?")
    assert sandbox.discord.messages(there) == []
    assert is_unset(bot)


# The store.


async def test_with_a_store_that_fails_no_change_is_claimed(
    sandbox: Sandbox, mod: Moderator, bot: RunningBot, there: Channel
):
    with broken(bot.settings.database, "setting"):
        assert await mod.set(quality="high", log_channel=there) == LEDGER_SILENT
        assert (await mod.show()).text == LEDGER_SILENT
    assert sandbox.discord.messages(there) == []
    with broken(bot.settings.database, "change"):
        assert await mod.set(quality="high", log_channel=there) == LEDGER_SILENT
    assert is_unset(bot)
    # What the channel was told is true all the same.
    (note,) = sandbox.discord.messages(there)
    assert note.text == FIRST_NOTE


@pytest.mark.usefixtures("announces_soon", "ledger_gives_up_soon")
async def test_with_a_store_that_does_not_answer_no_change_is_claimed(
    mod: Moderator, bot: RunningBot
):
    with locked(bot.settings.database):
        command = await mod.run("settings set", quality="high", channel=mod.channel)
        acknowledgement = await command.acknowledged()
        assert (acknowledgement.type, acknowledgement.ephemeral) == (5, True)
        answer = await command.settled()
        assert answer.text == LEDGER_SILENT
        assert is_unset(bot)
    assert is_unset(bot)


@pytest.mark.usefixtures("announces_soon")
async def test_with_a_slow_store_the_change_is_told_when_it_was_made(
    mod: Moderator, bot: RunningBot
):
    with locked(bot.settings.database):
        command = await mod.run("settings set", quality="high")
        await command.acknowledged()
        assert is_unset(bot)
    assert (
        await command.settled()
    ).text == "Default quality is now **High** (was Medium, the default)."
    assert not is_unset(bot)


async def test_with_a_store_that_fails_nothing_is_claimed_to_be_taken_back(
    mod: Moderator, bot: RunningBot
):
    await mod.set(quality="high")
    shown = await mod.show()
    with broken(bot.settings.database, "change"):
        answer = await (await mod.press(shown, "Reset")).settled()
    assert answer.ephemeral
    assert answer.text == LEDGER_SILENT
    assert "`quality`: High" in shown.text
    assert len(buttons(shown, "Reset")) == 1


async def test_what_was_taken_back_is_not_denied_where_the_rest_cannot_be_shown(
    mod: Moderator, bot: RunningBot, monkeypatch: pytest.MonkeyPatch
):
    await mod.set(quality="high")
    shown = await mod.show()

    async def fail(_quota_rules: SqliteQuotaRules, _guild_id: int) -> list[Setting]:
        raise LedgerError

    monkeypatch.setattr(SqliteQuotaRules, "list_settings", fail)
    answer = await (await mod.press(shown, "Reset")).settled()
    assert answer is shown
    assert answer.text == RESET_NOT_LOADED
    assert not look_up(bot.settings.database, "SELECT * FROM setting")
