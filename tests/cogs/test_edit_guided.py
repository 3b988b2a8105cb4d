"""`/edit-guided`: what the four fields come to, what is shown of it, and what is made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.domain.guided_prompt import compose_prompt
from bot.settings import Settings
from cogs.edit_guided import DISCARDED, NO_DRAFT
from cogs.ui.component_router import NOT_YOURS
from cogs.ui.order_intake import FORM_EXPIRED
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message
from sandbox.sandbox import Interaction, Sandbox, Upload
from sandbox.values import object_at, objects_at
from tests.conftest import Events, RunningBot, StartBot
from tests.images_made import photo
from tests.members import Person, buttons_of, change, look_up
from tests.moderators import Moderator

pytestmark = pytest.mark.usefixtures("small_results")

PARTS = {
    "keep": "the face and the pose",
    "change": "replace the *wall* by a forest: dense",
    "look": "watercolour, evening light",
    "text": "OPEN",
}


async def begin(person: Person, **options: Any) -> Interaction:
    """Run the command; what is answered with the form."""
    return await person.command("edit-guided", **{"image": photo(), **options})


async def preview(person: Person, parts: Mapping[str, str] = PARTS, **options: Any) -> Message:
    """What the sent form is answered with, to its member alone."""
    begun = await begin(person, **options)
    await begun.acknowledged()
    answer = await (await person.sandbox.discord.submit(begun, dict(parts))).settled()
    assert answer.ephemeral
    return answer


def drafts(database: Path) -> int:
    ((count,),) = look_up(database, "SELECT count(*) FROM draft")
    return count


async def test_the_picture_is_described_as_in_edit(sandbox: Sandbox, bot: RunningBot) -> None:
    described = {
        str(each["name"]): objects_at(each, "options")[0]["description"]
        for each in sandbox.discord.registry.commands.values()
        if each["name"] in {"edit", "edit-guided"}
    }
    assert described["edit"] == described["edit-guided"]
    assert "HEIC" in str(described["edit"])


async def test_the_form_has_four_fields_of_which_one_is_required(
    bot: RunningBot, ada: Person
) -> None:
    shown = await (await begin(ada)).acknowledged()
    assert shown.type == CallbackType.MODAL
    fields = [object_at(label, "component") for label in objects_at(shown.data, "components")]
    assert [(field["custom_id"], field["required"]) for field in fields] == [
        ("keep", False),
        ("change", True),
        ("look", False),
        ("text", False),
    ]


async def test_the_composed_prompt_is_shown_as_it_is_and_made_when_that_is_wanted(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    shown = await preview(ada, quality="high", size="16:9", count=2)
    prompt = compose_prompt(**PARTS)
    assert prompt in shown.text
    assert "2 High images · 32 credits" in shown.text
    assert list(buttons_of(shown)) == ["Make it (32 credits)", "Discard"]
    assert ada.account() == (0, 0)
    assert not sandbox.edit_api.calls

    pressed = await ada.press(shown, "Make it")
    first = await pressed.acknowledged()
    await events.logs("edit.closed", edit=str(pressed.id))
    assert (first.type, first.ephemeral) == (5, False)
    assert len((await pressed.settled()).files) == 2
    (call,) = sandbox.edit_api.calls
    asked = {key: call.body[key] for key in ("prompt", "quality", "size", "n")}
    assert asked == {"prompt": prompt, "quality": "high", "size": "16:9", "n": 2}
    assert ada.account() == (0, 32)


async def test_it_is_made_once(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    shown = await preview(ada)
    pressed = [await ada.press(shown, "Make it") for _ in range(3)]
    answers = [await (await each.acknowledged(), each.settled())[1] for each in pressed]
    assert [answer.text == NO_DRAFT for answer in answers].count(True) == 2
    await events.logs("edit.closed")
    assert ada.account() == (0, 8)


async def test_discarding_holds_and_makes_nothing(
    sandbox: Sandbox, bot: RunningBot, ada: Person
) -> None:
    shown = await preview(ada)
    make = buttons_of(shown)["Make it (8 credits)"]
    await (await ada.press(shown, "Discard")).acknowledged()
    assert shown.text == DISCARDED
    assert make not in buttons_of(shown).values()
    assert ada.account() == (0, 0)
    # Of the two drafts, the one of the form may be sent once more.
    assert drafts(bot.settings.database) == 1


async def test_what_the_server_has_set_is_in_the_price(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    await mod.set(quality="high", size="1:2")
    shown = await preview(ada)
    assert "1 High image · 16 credits" in shown.text
    await mod.set(quality="low")
    pressed = await ada.press(shown, "Make it")
    await events.logs("edit.closed", edit=str(pressed.id))
    assert sandbox.edit_api.calls[-1].body["size"] == "1:2"
    assert ada.account() == (0, 16)


async def test_a_private_one_stays_private(bot: RunningBot, ada: Person, events: Events) -> None:
    pressed = await ada.press(await preview(ada, private=True), "Make it")
    await events.logs("edit.closed", edit=str(pressed.id))
    assert (await pressed.settled()).ephemeral


async def test_what_is_refused_can_be_made_later(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
) -> None:
    await start_bot(default_quota=4)
    shown = await preview(ada)
    refused = await (await ada.press(shown, "Make it")).settled()
    assert refused.ephemeral
    assert "costs 8 credits and you have 4 left" in refused.text
    mod = Moderator.join(sandbox, sandbox.discord.guilds[0])
    await (await mod.run("quota grant", user=ada.member, credits="10")).settled()
    pressed = await ada.press(shown, "Make it")
    await events.logs("edit.closed", edit=str(pressed.id))
    assert len((await pressed.settled()).files) == 1


async def test_nothing_to_change_is_refused(bot: RunningBot, ada: Person) -> None:
    shown = await preview(ada, {"change": " \u200b", "keep": "all"})
    assert "Your prompt is empty." in shown.text
    assert not buttons_of(shown)


async def test_a_file_that_is_no_picture_is_refused_before_the_form(
    bot: RunningBot, ada: Person
) -> None:
    answer = await (await begin(ada, image=Upload("notes.txt", b"x"))).settled()
    assert answer.ephemeral
    assert "can't edit that file" in answer.text


async def test_words_that_would_end_a_block_of_code_or_ping_do_neither(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
) -> None:
    change = "``` @everyone ``` **bold** " * 30
    shown = await preview(ada, {"change": change})
    assert shown.text.count("```") == 2
    assert not shown.pinged
    pressed = await ada.press(shown, "Make it")
    await events.logs("edit.closed", edit=str(pressed.id))
    assert sandbox.edit_api.calls[-1].body["prompt"] == compose_prompt(change=change)
    assert not (await pressed.settled()).pinged


async def test_restarts_between_the_steps_change_nothing(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
) -> None:
    bot = await start_bot()
    begun = await begin(ada)
    await begun.acknowledged()
    await bot.stop()
    bot = await start_bot()
    shown = await (await sandbox.discord.submit(begun, PARTS)).settled()
    await bot.stop()
    await start_bot()
    pressed = await ada.press(shown, "Make it")
    await events.logs("edit.closed", edit=str(pressed.id))
    assert len((await pressed.settled()).files) == 1


async def test_after_an_hour_form_and_draft_are_too_old(
    sandbox: Sandbox, bot: RunningBot, ada: Person
) -> None:
    begun = await begin(ada)
    await begun.acknowledged()
    shown = await preview(ada)
    change(bot.settings.database, "UPDATE draft SET made_at = made_at - 3600000")
    assert (await (await sandbox.discord.submit(begun, PARTS)).settled()).text == FORM_EXPIRED
    assert await ada.told(shown, "Make it") == NO_DRAFT


async def test_its_buttons_are_nobody_elses(
    sandbox: Sandbox, settings: Settings, bot: RunningBot, ada: Person
) -> None:
    bob = Person.join(sandbox, settings, "Bob")
    shown = await preview(ada)
    assert await bob.told(shown, "Make it") == NOT_YOURS
    assert bob.account() == (0, 0)
