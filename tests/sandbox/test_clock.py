"""Whatever the wall's clock does meanwhile, an edit ends, once, and counts where it was held."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.edits import Durations
from bot.domain.pricing import Quality
from bot.scheduling.estimates import Estimates
from sandbox.faults import Hang
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot, StartBot
from tests.members import Person, closes, look_up
from tests.passing_time import MovableClock
from tests.services import at_discord, hang, take_the_slot

pytestmark = pytest.mark.usefixtures("small_results")

HOURS = pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
PRIVATE = pytest.mark.parametrize("private", [False, True], ids=["public", "private"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """The wall's clock, as the bot reads it."""
    return MovableClock(monkeypatch)


@HOURS
@PRIVATE
async def test_an_edit_that_is_being_made_is_posted_and_charged_once(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    clock: MovableClock,
    hours: int,
    private: bool,
):
    call = hang(sandbox)
    edit = await ada.edit(private=private)
    await sandbox.edit_api.called()
    clock.jump(hours=hours)
    call.release()
    await closes(ada, events, edit, ("delivered", None))
    message = await edit.settled()
    assert len(message.files) == 1
    assert message.ephemeral is private
    assert len(sandbox.edit_api.calls) == 1
    assert (await (await ada.edit()).settled()).files


@HOURS
@PRIVATE
async def test_an_edit_that_is_being_posted_is_posted_and_charged_once(
    sandbox: Sandbox,
    bot: RunningBot,
    ada: Person,
    events: Events,
    clock: MovableClock,
    hours: int,
    private: bool,
):
    post = Hang()
    fault = at_discord(sandbox, post, method="PATCH", path="/messages/@original$")
    edit = await ada.edit(private=private)
    await fault.happened()
    clock.jump(hours=hours)
    post.release()
    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1
    assert len(sandbox.edit_api.calls) == 1


@HOURS
async def test_an_edit_that_waits_for_its_turn_is_made(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    clock: MovableClock,
    hours: int,
):
    await start_bot(edit_concurrency=1)
    call = await take_the_slot(sandbox, ada)
    edit = await ada.edit()
    await events.logs("edit.ready", edit=str(edit.id))
    clock.jump(hours=hours)
    call.release()
    await closes(ada, events, edit, ("delivered", None))
    assert len((await edit.settled()).files) == 1


async def test_an_edit_counts_in_the_window_in_which_it_was_held(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    clock: MovableClock,
):
    bot = await start_bot(default_quota=8)
    call = hang(sandbox)
    edit = await ada.edit()
    await sandbox.edit_api.called()
    held_on = datetime.now(UTC).date()
    clock.jump(days=1)
    # The new window has nothing in it, whatever the old one holds still.
    again = await ada.edit()
    await events.logs("edit.closed", edit=str(again.id))
    call.release()
    await events.logs("edit.closed", edit=str(edit.id))
    days = "SELECT day, held, spent FROM account WHERE member_id = $1 ORDER BY day"
    assert look_up(bot.settings.database, days, ada.member.id) == [
        (str(held_on), 0, 8),
        (str(held_on + timedelta(days=1)), 0, 8),
    ]
    await edit.settled()
    assert "you have 0 left" in (await (await ada.edit()).settled()).text


@pytest.mark.parametrize("seconds", [3_601, -3_599])
def test_a_time_that_a_clock_set_anew_made_of_a_call_teaches_nothing(seconds: float):
    estimates = Estimates()
    estimates.learn({Quality.LOW: [Durations(call=seconds, posting=1)]})
    estimates.learn({Quality.LOW: [Durations(call=1, posting=seconds)]})
    assert estimates.measured(Quality.LOW) is None
    estimates.learn({Quality.LOW: [Durations(call=2, posting=1)]})
    assert estimates.measured(Quality.LOW) == Durations(call=2, posting=1)
