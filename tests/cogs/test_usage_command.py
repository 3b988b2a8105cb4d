"""`/usage`: what a server spent, as a chart, as sums and as a file."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot.reports.usage_csv import HEADER
from bot.settings import Settings
from cogs.text.formats import day_text
from cogs.usage import CHART_ROOM, EXPORT_TOO_LARGE, NOT_UPLOADED, PERIOD_TOO_LARGE
from sandbox.discord.messages import Message, walk
from sandbox.discord.permissions import Permission
from sandbox.faults import DiscordFault, EditFault, declined, too_large
from sandbox.sandbox import InvalidInvocation, Sandbox
from tests.conftest import Events, RunningBot
from tests.members import Person
from tests.store_faults import broken

pytestmark = pytest.mark.usefixtures("small_results")


@pytest.fixture
def mod(sandbox: Sandbox, settings: Settings) -> Person:
    """A member who may use moderators' commands."""
    return Person.join(sandbox, settings, "Mod", permissions=Permission.MANAGE_GUILD)


def read_rows(message: Message) -> list[dict[str, str]]:
    """The rows of the file that was posted."""
    (file,) = (file for file in message.files if file.name.endswith(".csv"))
    text = file.path.read_bytes().decode("utf-8-sig")
    assert text.splitlines()[0] == HEADER
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_the_use_of_a_window_is_drawn_summed_and_named_without_pinging(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person, ada: Person, events: Events
) -> None:
    bert = Person.join(sandbox, settings, "*Bert* @everyone")
    for person, quality in ((ada, "high"), (bert, "low"), (ada, "medium")):
        edit = await person.edit(quality=quality)
        await events.logs("edit.closed", edit=str(edit.id))
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    await mod.run("quota budget", credits="100")

    command = await mod.command("usage")
    answer = await command.acknowledged()
    message = await command.settled()

    assert (answer.type, answer.ephemeral) == (5, True)
    assert "28 credits used · 3 images · 3 edits" in message.text
    assert "Low: 4 · Medium: 8 · High: 16" in message.text
    assert "Budget: 100 per day · 72 left" in message.text
    assert "1. Ada: 24 credits, 2 images" in message.text
    assert "Bert" in message.text
    assert "*Bert*" not in message.text
    assert not message.pinged
    assert "declined by the image service: 1" in message.text
    (chart,) = message.files
    with Image.open(chart.path) as picture:
        assert picture.format == "PNG"
    assert chart.description is not None
    (gallery,) = (part for part in walk(message.components) if "items" in part)
    assert chart.description in str(gallery["items"])
    assert "28 in all: 4 in low quality, 8 in medium quality and 16 in high" in chart.description


async def test_one_moderators_commands_dont_hold_up_anothers(
    sandbox: Sandbox,
    settings: Settings,
    bot: RunningBot,
    mod: Person,
) -> None:
    elsewhere = sandbox.discord.add_guild("Elsewhere")
    other = Person.join(
        sandbox, settings, "Other", guild=elsewhere, permissions=Permission.MANAGE_GUILD
    )
    many = [await mod.command("usage") for _ in range(8)]
    one = await other.command("usage")
    await one.settled()
    assert sum(command.message is None or command.message.loading for command in many) >= 5
    for command in many:
        await command.settled()


async def test_the_window_before_is_another(
    bot: RunningBot, mod: Person, ada: Person, events: Events
) -> None:
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    message = await mod.run("usage", window="last")
    assert f"Usage, {day_text(yesterday)}" in message.text
    assert "0 credits used" in message.text


async def test_the_export_has_a_row_for_every_edit_that_was_ever_held(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, mod: Person, events: Events
) -> None:
    name = "=cmd|' /C calc'!A0,\"é\""
    eve = Person.join(sandbox, settings, name)
    other = Person.join(sandbox, settings, "Other", guild=sandbox.discord.add_guild("Elsewhere"))
    posted = await eve.edit(quality="high", count=2)
    elsewhere = await other.edit()
    for edit in (posted, elsewhere):
        await events.logs("edit.closed", edit=str(edit.id))
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    refused = await eve.edit(size="16:9")
    await events.logs("edit.closed", edit=str(refused.id))

    message = await mod.run("usage", export=True)

    first, second = read_rows(message)
    assert datetime.fromisoformat(first["time"]).utcoffset() == timedelta(0)
    assert float(first["seconds"]) >= 0
    assert first["member_name"] == f"'{name}"
    kept = {key: first[key] for key in HEADER.split(",") if key not in {"time", "seconds"}}
    assert kept == {
        "edit_id": str(posted.id),
        "member_id": str(eve.member.id),
        "member_name": f"'{name}",
        "channel_id": str(eve.channel.id),
        "quality": "high",
        "size": "source",
        "count": "2",
        "posted": "2",
        "credits": "32",
        "state": "delivered",
    }
    assert (second["edit_id"], second["state"]) == (str(refused.id), "declined")
    assert (second["size"], second["posted"], second["credits"]) == ("16:9", "0", "0")


async def test_an_export_of_a_window_has_the_edits_of_that_window(
    bot: RunningBot, mod: Person, ada: Person, events: Events
) -> None:
    edit = await ada.edit()
    await events.logs("edit.closed", edit=str(edit.id))
    assert len(read_rows(await mod.run("usage", window="this", export=True))) == 1
    await events.logs("export.ended")
    assert read_rows(await mod.run("usage", window="last", export=True)) == []


@pytest.mark.parametrize(
    ("options", "note"), [({}, EXPORT_TOO_LARGE), ({"window": "this"}, PERIOD_TOO_LARGE)]
)
async def test_an_export_that_is_too_large_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    bot: RunningBot,
    mod: Person,
    options: dict[str, str],
    note: str,
) -> None:
    monkeypatch.setattr("cogs.usage.UPLOAD_LIMIT", CHART_ROOM + 50)
    message = await mod.run("usage", export=True, **options)
    assert note in message.text
    assert "0 credits used" in message.text
    assert [file.name for file in message.files] == ["usage.png"]


async def test_where_discord_takes_no_files_the_sums_are_shown_without(
    sandbox: Sandbox, bot: RunningBot, mod: Person
) -> None:
    sandbox.faults.discord.add(
        DiscordFault(
            action=too_large(), method="PATCH", path="/@original$", with_files=True, times=None
        )
    )
    message = await mod.run("usage")
    assert NOT_UPLOADED in message.text
    assert "0 credits used" in message.text
    assert message.files == ()


async def test_members_are_not_offered_the_command(bot: RunningBot, ada: Person) -> None:
    with pytest.raises(InvalidInvocation, match="not offered"):
        await ada.run("usage")


async def test_a_ledger_that_does_not_answer_is_told(bot: RunningBot, mod: Person) -> None:
    with broken(bot.settings.database, "edit"):
        assert "trouble saving" in (await mod.run("usage")).text
