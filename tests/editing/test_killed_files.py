"""Only the member whose images keep killing their decoder is paused."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.images.conversions import JOB
from cogs.text.outcomes import NOT_CHARGED
from sandbox.discord.messages import Message
from sandbox.sandbox import Interaction, Sandbox
from tests.cogs.test_edit_image import use_on
from tests.conftest import Events, RunningBot
from tests.editing.test_edit_images import encode, upload
from tests.members import Person, others

PAUSED = "crashed or hung while they were being opened"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends children by signals")


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash every child process that opens an image."""
    crash = "import os, sys; sys.stdin.read(); os.abort()"
    monkeypatch.setattr("bot.images.conversions.JOB", replace(JOB, arguments=("-c", crash)))


@pytest.mark.usefixtures("crashing")
async def test_after_three_kills_a_member_is_refused_and_pays_nothing(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    for _ in range(3):
        edit = await ada.edit(image=upload("a.bmp", encode("BMP")))
        await edit.settled()
        await events.logs("edit.closed", edit=str(edit.id))
    refused = await ada.edit(image=upload("a.bmp", encode("BMP")))
    answer = await refused.settled()
    assert PAUSED in answer.text
    assert f"10 minutes. {NOT_CHARGED}" in answer.text
    assert answer.ephemeral
    assert ada.row(refused) is None
    [bob] = others(ada, 1)
    edit = await bob.edit(image=upload("a.png", encode("PNG")))
    await edit.settled()
    assert ada.account() == (0, 0)


async def run_edit_image(person: Person, message: Message) -> Interaction:
    """Edit a message's image."""
    form = await use_on(person, message)
    await form.acknowledged()
    filled_in = {"prompt": "red", "quality": ["low"], "size": ["source"], "count": ["1"]}
    return await person.sandbox.discord.submit(form, filled_in)


async def end_of(person: Person, edit: Interaction, events: Events) -> tuple[str, str | None]:
    """Wait for an edit to close, and return its state and reason."""
    await edit.settled()
    await events.logs("edit.closed", edit=str(edit.id))
    row = person.row(edit)
    assert row is not None
    return row.end


@pytest.mark.parametrize("how", ["Run again", "Edit image"])
@pytest.mark.usefixtures("crashing")
async def test_one_file_pauses_nobody_and_is_not_opened_again_and_again_for_others(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events, how: str
):
    [bob] = others(ada, 1)
    file = upload("a.bmp", encode("BMP"))
    message = await sandbox.discord.say(ada.channel, ada.member, "", [file])
    first = await run_edit_image(ada, message)
    assert await end_of(ada, first, events) == ("failed", "source_broken")
    card = await first.settled()
    for _ in range(4):
        again = await (
            bob.press(card, "Run again") if how == "Run again" else run_edit_image(bob, message)
        )
        assert await end_of(bob, again, events) == ("failed", "source_too_heavy")
    other = await bob.edit(image=file)
    assert await end_of(bob, other, events) == ("failed", "source_broken")
    assert bob.account() == (0, 0)


@pytest.mark.usefixtures("crashing")
async def test_queued_edits_of_a_paused_member_fail_free_without_being_opened(
    sandbox: Sandbox, bot: RunningBot, ada: Person, events: Events
):
    edits = [await ada.edit(image=upload("a.bmp", encode("BMP"))) for _ in range(5)]
    messages = [await edit.settled() for edit in edits]
    await events.logs("edit.closed", times=5)
    ends = [row.end for edit in edits if (row := ada.row(edit)) is not None]
    # They're opened in the order in which they were fetched.
    assert sorted(ends) == [("failed", "source_broken")] * 3 + [("failed", "sources_paused")] * 2
    assert sum(PAUSED in message.text for message in messages) == 2
    assert sandbox.edit_api.calls == []
    assert ada.account() == (0, 0)


async def test_large_images_that_wait_for_each_other_keep_no_slot_from_small_ones(
    bot: RunningBot, ada: Person, events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    code = f"""
import json, sys
task = json.load(sys.stdin)
if task["memory"] > 2**30:
    open({str(gate)!r}).read()
print(json.dumps({{"problem": "broken", "changes": [], "seconds": 0}}))
"""
    monkeypatch.setattr("bot.images.conversions.JOB", replace(JOB, arguments=("-c", code)))
    bob, carol = others(ada, 2)
    large = upload("a.gif", GIF_OF_50_MEGAPIXELS)
    first, second = await ada.edit(image=large), await bob.edit(image=large)
    with await asyncio.to_thread(gate.open, "wb"):
        small = await carol.edit(image=upload("a.bmp", encode("BMP")))
        await events.logs("edit.closed", edit=str(small.id))
        assert not [event for event in events.logged if event["event"] == "edit.voided"][1:]
    with await asyncio.to_thread(gate.open, "wb"):
        pass
    for edit in (first, second):
        await events.logs("edit.closed", edit=str(edit.id))


GIF_OF_50_MEGAPIXELS = (
    b"GIF89a\x10\x27\x88\x13\0\0\0,\0\0\0\0\x10\x27\x88\x13\x80" + bytes(6) + b"\2\2\x4c\1\0;"
)
