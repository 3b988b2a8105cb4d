"""`/quota`: moderators set rules with commands, and members feel them at once."""

import asyncio
import copy
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.settings import Settings
from cogs.text.formats import date_and_time, relative_time
from cogs.text.outcomes import NOT_CHARGED
from cogs.text.rules import CHANGED_MEANWHILE, IS_A_BOT, NO_CHANGES, NOTHING_TO_REMOVE
from cogs.ui.admission import ONLY_IN_SERVERS
from sandbox.discord.guilds import Role
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Interaction, InvalidInvocation, RawId, Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person, buttons_of, look_up, others
from tests.store_faults import broken, locked

pytestmark = pytest.mark.usefixtures("small_results")


@pytest.fixture
def mod(sandbox: Sandbox, settings: Settings) -> Person:
    """A member who may use moderators' commands."""
    return Person.join(sandbox, settings, "Mod", permissions=Permission.MANAGE_GUILD)


COUNTS = {
    "account": "SELECT count(*) FROM account",
    "change": "SELECT count(*) FROM change",
    "rule": "SELECT count(*) FROM rule",
}


def count_rows(bot: RunningBot, table: str) -> int:
    ((count,),) = look_up(bot.settings.database, COUNTS[table])
    return count


# Who may.


async def test_members_are_not_offered_the_command(bot: RunningBot, ada: Person) -> None:
    with pytest.raises(InvalidInvocation, match="not offered"):
        await ada.run("quota show")


async def test_every_answer_is_private_and_pings_nobody(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    for command, options in (
        ("quota user", {"user": ada.member, "credits": "20", "reason": "@everyone"}),
        ("quota show", {}),
        ("quota show", {"user": ada.member}),
        ("quota log", {}),
        ("quota default", {"credits": "many"}),
    ):
        message = await mod.run(command, **options)
        assert message.ephemeral
        assert not message.pinged


# What rules do.


async def test_a_members_own_quota_decides_before_their_roles_and_the_default(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person
) -> None:
    role = sandbox.discord.add_role(ada.member.guild, "Painters")
    sandbox.discord.give_role(ada.member, role)

    await mod.run("quota default", credits="30")
    assert "Left 30" in await ada.credits()
    await mod.run("quota role", role=role, credits="unlimited")
    assert "Left unlimited" in await ada.credits()
    await mod.run("quota user", user=ada.member, credits="0")
    assert "Left 0 " in await ada.credits()
    await mod.run("quota clear", user=ada.member, role=role)
    assert "Left 30" in await ada.credits()


async def test_a_quota_for_everyone_is_a_quota_of_a_role(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    await mod.run("quota role", role=ada.member.guild.everyone, credits="12")
    text = await ada.credits()
    assert "Left 12" in text
    assert "from @everyone" in text


async def test_a_role_that_is_taken_decides_nothing_any_more(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person
) -> None:
    role = sandbox.discord.add_role(ada.member.guild, "Painters")
    sandbox.discord.give_role(ada.member, role)
    await mod.run("quota role", role=role, credits="500")
    sandbox.discord.take_role(ada.member, role)
    assert "Left 80" in await ada.credits()


async def test_a_grant_comes_on_top_of_the_quota(bot: RunningBot, mod: Person, ada: Person) -> None:
    await mod.run("quota user", user=ada.member, credits="0")
    answer = await mod.run("quota grant", user=ada.member, credits="1,000", reason="a prize")
    assert "Total bonus: 1,000." in answer.text
    text = await ada.credits()
    assert "Left 1000 · Held 0 · Spent 0" in text
    assert "Includes 1,000 bonus credits." in text


async def test_a_budget_is_spent_by_all_members_together(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person, ada: Person, events: Events
) -> None:
    bert = Person.join(sandbox, settings, "Bert")
    await mod.run("quota budget", credits="12")
    edit = await ada.edit()
    await events.logs("edit.charged", edit=str(edit.id))

    text = await bert.credits()
    assert "Left 4 · Held 0 · Spent 0" in text
    assert "only 4 of 12 credits left for everyone" in text
    refused = (await (await bert.edit()).settled()).text
    assert "This edit costs 8 credits, but this server has only 4 left." in refused
    assert "You can still make 1 Low." in refused
    assert (await (await bert.edit(quality="low")).settled()).files


async def test_a_refusal_says_what_would_still_be_affordable(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    await mod.run("quota user", user=ada.member, credits="12")
    text = (await (await ada.edit(quality="high", count=2)).settled()).text
    assert "This edit costs 32 credits and you have 12 left" in text
    assert "You can still make 1 Medium or 3 Low." in text
    assert NOT_CHARGED in text


async def test_the_operators_budget_is_told_with_when_it_renews(
    sandbox: Sandbox, settings: Settings, start_bot: StartBot, ada: Person, events: Events
) -> None:
    await start_bot(operator_budget=20)
    other = sandbox.discord.add_guild("Elsewhere")
    bert = Person.join(sandbox, settings, "Bert", guild=other)
    edit = await ada.edit(quality="high")
    await events.logs("edit.charged", edit=str(edit.id))

    refused = (await (await bert.edit()).settled()).text
    assert "Darkroom has only 4 left for today across all servers." in refused
    assert re.search(r"resets <t:\d+:R>", refused)
    assert (await (await bert.edit(quality="low")).settled()).files
    refused = (await (await bert.edit(quality="low")).settled()).text
    assert "has hit its daily limit" in refused


async def test_nothing_that_is_set_in_one_server_is_felt_in_another(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person
) -> None:
    other = sandbox.discord.add_guild("Elsewhere")
    bert = Person.join(sandbox, settings, "Bert", guild=other)
    boss = Person.join(sandbox, settings, "Boss", guild=other, permissions=Permission.MANAGE_GUILD)
    await mod.run("quota default", credits="0")
    await mod.run("quota budget", credits="0")
    await mod.run("quota window", window="month")

    assert "Left 80" in await bert.credits()
    assert (await (await bert.edit()).settled()).files
    assert NO_CHANGES in (await boss.run("quota log")).text


@pytest.mark.parametrize("window", ["day", "week", "month"])
async def test_a_new_window_counts_what_was_spent_in_it_so_far(
    bot: RunningBot, mod: Person, ada: Person, events: Events, window: str
) -> None:
    edit = await ada.edit()
    await events.logs("edit.charged", edit=str(edit.id))
    answer = await mod.run("quota window", window=window)
    assert "(was daily)" in answer.text
    assert "Left 72 · Held 0 · Spent 8" in (await ada.credits())


@pytest.mark.drill
async def test_of_hundreds_of_edits_at_once_as_many_are_held_as_the_quota_pays_for(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person
) -> None:
    await mod.run("quota user", user=ada.member, credits="63")
    edits = [await ada.edit() for _ in range(200)]
    answers = await asyncio.gather(*(edit.acknowledged() for edit in edits))
    assert [answer.type for answer in answers].count(5) == 7
    await asyncio.gather(*(edit.settled() for edit in edits))
    assert len(sandbox.edit_api.calls) == 7


@pytest.mark.drill
async def test_of_hundreds_of_edits_at_once_as_many_are_held_as_the_budget_pays_for(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person
) -> None:
    await mod.run("quota budget", credits="63")
    members = others(mod, 50)
    edits: list[Interaction] = [await member.edit() for member in members for _ in range(4)]
    answers = await asyncio.gather(*(edit.acknowledged() for edit in edits))
    assert [answer.type for answer in answers].count(5) == 7
    await asyncio.gather(*(edit.settled() for edit in edits))
    assert len(sandbox.edit_api.calls) == 7


# What moderators see.


async def test_show_says_which_rule_decides_for_a_member_and_why(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person, events: Events
) -> None:
    role = sandbox.discord.add_role(ada.member.guild, "Painters")
    sandbox.discord.give_role(ada.member, role)
    await mod.run("quota role", role=role, credits="100")
    await mod.run("quota grant", user=ada.member, credits="5")
    edit = await ada.edit()
    await events.logs("edit.charged", edit=str(edit.id))

    text = (await mod.run("quota show", user=ada.member)).text
    assert "**97 credits left** · 0 reserved · 8 used" in text
    assert f"Limit: 100 credits (from <@&{role.id}>)" in text
    assert "Includes 5 bonus credits." in text


async def test_the_rules_are_listed_with_a_button_to_take_each_back(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person
) -> None:
    role = sandbox.discord.add_role(ada.member.guild, "Painters")
    await mod.run("quota default", credits="10")
    await mod.run("quota role", role=role, credits="unlimited")
    sandbox.discord.delete_role(ada.member.guild, role)

    message = await mod.run("quota show")
    assert "Everyone: 10 credits" in message.text
    assert f"<@&{role.id}>: unlimited" in message.text
    while "Remove" in buttons_of(message):
        await (await mod.press(message, "Remove")).acknowledged()
    assert "unlimited" not in message.text
    assert "Everyone: 80 credits (bot default)" in message.text
    assert count_rows(bot, "rule") == 0


async def test_a_rule_that_was_changed_meanwhile_is_not_taken_back(
    bot: RunningBot, mod: Person
) -> None:
    await mod.run("quota budget", credits="40")
    message = await mod.run("quota show")
    await mod.run("quota budget", credits="500")
    await (await mod.press(message, "Remove")).acknowledged()
    assert CHANGED_MEANWHILE in message.text
    assert "Server budget: 500 credits" in message.text
    await (await mod.press(message, "Remove")).acknowledged()
    assert "Removed the server budget (was 500 credits)." in message.text
    assert count_rows(bot, "rule") == 0


async def test_long_lists_of_rules_are_paged_in_place(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person
) -> None:
    for person in others(mod, 12):
        await mod.run("quota user", user=person.member, credits="7")
    message = await mod.run("quota show")
    assert message.text.count(": 7 credits") == 10
    press = await mod.press(message, "Next")
    assert (await press.acknowledged()).type == 7
    assert message.text.count(": 7 credits") == 2
    press = await mod.press(message, "Previous")
    await press.acknowledged()
    assert message.text.count(": 7 credits") == 10


async def test_the_log_says_who_changed_what_for_whom_from_what_to_what_and_why(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    reason = "won the *spring* contest `1` -- @everyone <@1>"
    await mod.run("quota user", user=ada.member, credits="20", reason="first")
    await mod.run("quota user", user=ada.member, credits="UNLIMITED", reason=reason)
    await mod.run("quota clear", user=ada.member)
    await mod.run("quota budget", credits="5_000")

    heading, *lines = (await mod.run("quota log")).text.splitlines()
    assert heading == "**Change log**"
    mod_id, ada_id = mod.member.id, ada.member.id
    assert f"<@{mod_id}> · Server budget: not set → `5,000`" in lines[0]
    assert f"<@{mod_id}> · <@{ada_id}>: `unlimited` → not set" in lines[1]
    assert f"<@{ada_id}>: `20` → `unlimited`" in lines[2]
    assert reason in lines[3]
    about = (await mod.run("quota log", user=ada.member)).text
    assert "budget" not in about
    assert reason in about


async def test_the_log_is_paged_in_place(bot: RunningBot, mod: Person) -> None:
    for number in range(23):
        await mod.run("quota default", credits=str(number))
    message = await mod.run("quota log")
    assert "→ `22`" in message.text
    for newest in (12, 2):
        press = await mod.press(message, "Older")
        await press.acknowledged()
        assert f"→ `{newest}`" in message.text
    assert "Older" not in buttons_of(message)
    press = await mod.press(message, "Newer")
    await press.acknowledged()
    assert "→ `12`" in message.text


async def test_a_button_serves_only_the_member_to_whom_it_was_shown(
    settings: Settings, bot: RunningBot, mod: Person, ada: Person
) -> None:
    await mod.run("quota default", credits="10")
    message = await mod.run("quota show")
    before = message.text
    press = await ada.press(message, "Remove")
    answer = await press.settled()
    assert answer.ephemeral
    assert "doesn't work for you" in answer.text
    assert message.text == before
    assert "Left 10" in await ada.credits()


async def test_suggestions_say_what_a_sum_buys(
    sandbox: Sandbox, bot: RunningBot, mod: Person
) -> None:
    async def suggested(typed: str, command: str = "quota default") -> list[tuple[str, str]]:
        asked = await sandbox.discord.complete(
            mod.channel, mod.member, command, {"credits": typed}, focused="credits"
        )
        choices: list[Any] = list((await asked.acknowledged()).choices)
        return [(choice["name"], choice["value"]) for choice in choices]

    assert ("160 · 10 High or 20 Medium or 40 Low", "160") in await suggested("")
    assert ("unlimited", "unlimited") in await suggested("Unl")
    assert (await suggested("52"))[0] == ("52 · 3 High or 6 Medium or 13 Low", "52")
    assert "unlimited" not in dict(await suggested("", "quota grant")).values()
    assert await suggested("many") == []


# What is wrong.


@pytest.mark.parametrize(
    "credits",
    ["-1", "1.5", "1000001", "eighty", "1,00", "1,000.000", " ", "١٢", "9" * 5_000, "0x10", "1e3"],
)
async def test_credits_that_are_no_such_number_change_nothing(
    bot: RunningBot, mod: Person, ada: Person, credits: str
) -> None:
    text = (await mod.run("quota default", credits=credits)).text
    assert "isn't valid for `credits`. Enter a whole number from 0 to 1,000,000, or" in text
    assert count_rows(bot, "change") == count_rows(bot, "rule") == 0
    assert "Left 80" in await ada.credits()


@pytest.mark.parametrize(
    ("credits", "left"),
    [
        ("0", "0 "),
        ("1,000,000", "1000000"),
        ("1 234", "1234"),
        ("1.000", "1000"),
        ("\uff11\uff12", "12"),
    ],
)
async def test_credits_may_have_thousands_separators(
    bot: RunningBot, mod: Person, ada: Person, credits: str, left: str
) -> None:
    await mod.run("quota default", credits=credits)
    assert f"Left {left}" in await ada.credits()


@pytest.mark.parametrize("credits", ["0", "100001", "unlimited", "-5"])
async def test_a_grant_is_of_1_to_100000_credits(
    bot: RunningBot, mod: Person, ada: Person, credits: str
) -> None:
    text = (await mod.run("quota grant", user=ada.member, credits=credits)).text
    assert "isn't valid for `credits`. Enter a whole number from 1 to 100,000." in text
    assert "Left 80" in await ada.credits()


async def test_a_bot_is_granted_nothing(sandbox: Sandbox, bot: RunningBot, mod: Person) -> None:
    robot = sandbox.discord.add_member(mod.member.guild, "Robot", bot=True)
    text = (await mod.run("quota grant", user=robot, credits="5")).text
    assert text.startswith(IS_A_BOT)
    assert count_rows(bot, "account") == 0


async def test_a_role_of_another_server_has_no_quota(
    sandbox: Sandbox, bot: RunningBot, mod: Person
) -> None:
    other = sandbox.discord.add_guild("Elsewhere")
    role = sandbox.discord.add_role(other, "Painters")
    text = (await mod.run("quota role", role=RawId(role.id), credits="5")).text
    assert f"`{role.id}` isn't valid for `role`. Pick a role in this server." in text
    assert count_rows(bot, "rule") == 0


async def test_where_there_is_nothing_to_clear_nothing_is_changed(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    text = (await mod.run("quota clear", user=ada.member)).text
    assert text == f"<@{ada.member.id}> doesn't have a personal limit."
    assert NOTHING_TO_REMOVE in (await mod.run("quota clear")).text
    assert count_rows(bot, "change") == 0


async def test_where_only_one_of_two_can_be_cleared_the_other_is_named(
    sandbox: Sandbox, bot: RunningBot, mod: Person, ada: Person
) -> None:
    role = sandbox.discord.add_role(mod.member.guild, "Painters")
    await mod.run("quota user", user=ada.member, credits="5")
    text = (await mod.run("quota clear", user=ada.member, role=role)).text
    assert text.splitlines() == [
        f"Removed <@{ada.member.id}>'s limit (was 5 credits).",
        f"<@&{role.id}> doesn't have a limit.",
    ]


async def test_a_role_of_which_the_bot_was_not_told_has_a_quota_all_the_same(
    sandbox: Sandbox, bot: RunningBot, mod: Person
) -> None:
    guild = mod.member.guild
    role = Role(sandbox.discord.world.new_id(), "Painters", 0)
    guild.roles[role.id] = role
    await mod.run("quota role", role=role, credits="5")
    assert count_rows(bot, "rule") == 1


async def test_rules_of_deleted_roles_and_of_members_who_left_can_be_cleared(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person
) -> None:
    bert = Person.join(sandbox, settings, "Bert")
    role = sandbox.discord.add_role(mod.member.guild, "Painters")
    await mod.run("quota user", user=bert.member, credits="5")
    await mod.run("quota role", role=role, credits="5")
    sandbox.discord.leave(bert.member)
    sandbox.discord.delete_role(mod.member.guild, role)

    assert "5" in (await mod.run("quota show", user=bert.member)).text
    await mod.run("quota clear", user=bert.member, role=RawId(role.id))
    assert count_rows(bot, "rule") == 0


# A store that does not answer.


@pytest.mark.usefixtures("announces_soon")
async def test_a_store_that_takes_its_time_is_told_of_when_it_is_done(
    bot: RunningBot, mod: Person
) -> None:
    with locked(bot.settings.database):
        command = await mod.command("quota default", credits="10")
        answer = await command.acknowledged()
        assert (answer.type, answer.ephemeral) == (5, True)
        assert command.message is not None
        assert command.message.loading
    assert "is now **10 credits** (was not set)" in (await command.settled()).text


async def test_a_change_that_the_store_did_not_take_is_not_claimed(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    with broken(bot.settings.database, "change"):
        message = await mod.run("quota default", credits="10")
    assert message.ephemeral
    assert "trouble saving" in message.text
    assert "Nothing changed" in message.text
    assert count_rows(bot, "rule") == 0
    assert "Left 80" in await ada.credits()


@pytest.mark.usefixtures("announces_soon")
async def test_a_change_that_fails_after_its_answer_was_announced_is_told_there(
    sandbox: Sandbox, bot: RunningBot, mod: Person
) -> None:
    connection = connect_to_write(bot.settings.database)
    rows(connection, "BEGIN IMMEDIATE")
    rows(connection, "ALTER TABLE change RENAME TO change_gone")
    command = await mod.command("quota default", credits="10")
    assert (await command.acknowledged()).type == 5
    rows(connection, "COMMIT")
    text = (await command.settled()).text
    rows(connection, "ALTER TABLE change_gone RENAME TO change")
    connection.close()

    assert "Nothing changed" in text
    answers = [request for request in sandbox.discord.requests if "/callback" in request.path]
    assert len(answers) == 1
    assert count_rows(bot, "rule") == 0


# The operator's word.


async def test_other_servers_than_those_named_get_a_private_sentence(
    sandbox: Sandbox, settings: Settings, start_bot: StartBot, ada: Person, mod: Person
) -> None:
    other = sandbox.discord.add_guild("Elsewhere")
    bert = Person.join(sandbox, settings, "Bert", guild=other)
    await start_bot(servers=frozenset({ada.member.guild.id}))

    edit = await bert.edit()
    message = await edit.settled()
    assert message.ephemeral
    assert f"{other.id}" in message.text
    assert bert.row(edit) is None
    assert f"`{other.id}`" in await bert.credits()
    assert (await (await ada.edit()).settled()).files


async def test_the_window_on_the_credits_line_ends_as_the_server_says(
    bot: RunningBot, mod: Person, ada: Person
) -> None:
    await mod.run("quota window", window="month")
    now = datetime.now(UTC)
    year, month = divmod(now.year * 12 + now.month, 12)
    ends = datetime(year, month + 1, 1, tzinfo=UTC)
    assert f"Resets {relative_time(ends)} ({date_and_time(ends)})" in await ada.credits()


async def test_in_direct_messages_nothing_is_held_or_set(
    sandbox: Sandbox, bot: RunningBot, ada: Person
) -> None:
    for command in sandbox.discord.registry.commands.values():
        # As if Discord had missed that they are for servers alone.
        command["contexts"] = [0, 1]
        command["default_member_permissions"] = None
    channel = sandbox.discord.world.direct_messages(ada.member.id)
    assert channel is not None
    alone = replace(ada, channel=channel)

    edit = await alone.edit()
    for answer in (await edit.settled(), await alone.run("quota budget", credits="0")):
        assert answer.ephemeral
        assert answer.text == ONLY_IN_SERVERS
    assert count_rows(bot, "account") == count_rows(bot, "rule") == 0


@pytest.mark.parametrize(("credits", "set_to"), [(5, 5), (-1, 7), (1.5, 7), (True, 7)])
async def test_credits_that_are_no_text_break_nothing(
    sandbox: Sandbox, bot: RunningBot, mod: Person, events: Events, credits: float, set_to: int
) -> None:
    command = await mod.command("quota default", credits="7")
    await command.settled()
    payload = copy.deepcopy(command.payload)
    again = await mod.command("quota show")
    await again.settled()
    interaction: dict[str, Any] = {**payload, "id": again.payload["id"], "token": again.token}
    interaction["data"]["options"][0]["options"][0]["value"] = credits
    sandbox.discord.gateway.dispatch(
        "INTERACTION_CREATE", interaction, guild_id=mod.member.guild.id
    )
    await sandbox.discord.requested("POST", "/callback$", times=3)
    assert look_up(bot.settings.database, "SELECT credits FROM rule") == [(set_to,)]
    assert not [event for event in events.logged if event["event"] == "command.failed"]
