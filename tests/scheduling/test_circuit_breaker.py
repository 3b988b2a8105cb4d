"""While the edit API keeps failing, few calls are made and nothing is held."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial

import pytest

from bot.scheduling.circuit_breaker import FAILURES, FIRST_PAUSE_S, MAX_PAUSE_S, CircuitBreaker
from cogs.text.outcomes import NOT_CHARGED
from sandbox.faults import EditFault, server_error
from sandbox.sandbox import Interaction, Sandbox
from tests.conftest import Events, StartBot
from tests.members import Person
from tests.passing_time import Clock, settle


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    """A breaker whose circuit just opened."""
    breaker = CircuitBreaker(clock)
    fail(breaker, range(1, 1 + FAILURES))
    return breaker


def fail(breaker: CircuitBreaker, edits: Sequence[int]) -> None:
    for edit_id in edits:
        breaker.record_failure(edit_id, edit_id)


def test_failures_that_are_not_in_a_row_do_not_open_the_circuit():
    breaker = CircuitBreaker()
    fail(breaker, range(1, FAILURES))
    breaker.record_answer()
    fail(breaker, range(FAILURES, 2 * FAILURES - 1))
    assert breaker.refuse(9, 9) is None


def test_an_open_circuit_refuses_edits_and_says_when_to_try_again(
    breaker: CircuitBreaker, clock: Clock
):
    assert breaker.refuse(9, 9) == FIRST_PAUSE_S
    clock.seconds += 12
    assert breaker.refuse(9, 9) == FIRST_PAUSE_S - 12


def test_one_edit_at_a_time_is_accepted_as_a_probe(breaker: CircuitBreaker, clock: Clock):
    clock.seconds += FIRST_PAUSE_S
    assert breaker.refuse(9, 9) is None
    assert breaker.refuse(10, 10) == FIRST_PAUSE_S
    breaker.leave(9)
    assert breaker.refuse(10, 10) is None


def test_a_failed_probe_doubles_the_pause_up_to_a_limit(breaker: CircuitBreaker, clock: Clock):
    clock.seconds += FIRST_PAUSE_S
    for edit_id in (9, 10, 11):
        assert breaker.refuse(edit_id, edit_id) is None
        breaker.record_failure(edit_id, edit_id)
        assert breaker.refuse(12, 12) == MAX_PAUSE_S
        clock.seconds += MAX_PAUSE_S


def test_failures_of_earlier_calls_do_not_extend_the_pause(breaker: CircuitBreaker, clock: Clock):
    clock.seconds += 20
    fail(breaker, [6, 7, 8])
    assert breaker.refuse(9, 9) == FIRST_PAUSE_S - 20
    breaker.record_answer()
    assert breaker.refuse(9, 9) is None


def test_one_members_failures_open_the_circuit_for_that_member_alone(clock: Clock):
    breaker = CircuitBreaker(clock)
    for edit_id in range(1, 1 + FAILURES):
        breaker.record_failure(edit_id, member_id=1)
    assert breaker.refuse(9, member_id=1) == FIRST_PAUSE_S
    assert breaker.refuse(10, member_id=2) is None
    breaker.record_failure(10, member_id=2)
    assert breaker.refuse(11, member_id=3) == FIRST_PAUSE_S
    breaker.record_answer()
    assert breaker.refuse(12, member_id=1) is None


async def test_waiting_edits_go_one_by_one_until_one_is_answered(
    breaker: CircuitBreaker, clock: Clock
):
    called: list[int] = []

    async def call(edit_id: int) -> None:
        await breaker.wait_to_call(edit_id, edit_id)
        called.append(edit_id)

    clock.seconds += FIRST_PAUSE_S
    calls = [asyncio.create_task(call(edit_id)) for edit_id in (9, 10, 11)]
    await settle()
    assert called == [9]
    breaker.leave(9)
    await settle()
    assert called == [9, 10]
    breaker.record_answer()
    await asyncio.gather(*calls)
    assert called == [9, 10, 11]


async def test_a_probe_without_a_slot_does_not_block_an_edit_with_one(
    breaker: CircuitBreaker, clock: Clock
):
    clock.seconds += FIRST_PAUSE_S
    assert breaker.refuse(9, 9) is None
    async with asyncio.timeout(5):
        await breaker.wait_to_call(10, 10)
    accepted_before = asyncio.create_task(breaker.wait_to_call(9, 9))
    await settle()
    assert not accepted_before.done()
    breaker.record_failure(10, 10)
    assert breaker.refuse(11, 11) == MAX_PAUSE_S
    breaker.record_answer()
    await accepted_before


async def test_a_waiting_edit_goes_when_the_pause_is_over():
    breaker = CircuitBreaker(first_pause_s=0.05)
    fail(breaker, range(1, 1 + FAILURES))
    async with asyncio.timeout(5):
        await breaker.wait_to_call(9, 9)


# Through the whole bot.


async def fail_in_a_row(sandbox: Sandbox, ada: Person, events: Events) -> None:
    """Run edits that the edit API fails, until the circuit opens."""
    fault = sandbox.faults.edit_api.add(EditFault(action=server_error(500), times=FAILURES))
    for _ in range(FAILURES):
        await (await ada.edit()).settled()
    assert fault.fired == FAILURES
    await events.logs("edit.closed", times=FAILURES)


async def test_edits_are_refused_in_an_outage_without_a_hold(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    await start_bot()
    await fail_in_a_row(sandbox, ada, events)
    edit: Interaction = await ada.edit()
    answer = await edit.settled()
    assert answer.ephemeral
    assert "The image service is down right now." in answer.text
    assert f"Try again in 30 seconds. {NOT_CHARGED}" in answer.text
    assert ada.row(edit) is None
    assert ada.account() == (0, 0)
    assert len(sandbox.edit_api.calls) == FAILURES


@pytest.mark.usefixtures("small_results")
async def test_a_member_whose_edits_fail_doesnt_stop_others(
    sandbox: Sandbox, start_bot: StartBot, ada: Person, events: Events
):
    bot = await start_bot()
    await fail_in_a_row(sandbox, ada, events)
    bob = Person.join(sandbox, bot.settings, "Bob")
    assert len((await (await bob.edit()).settled()).files) == 1


@pytest.mark.usefixtures("small_results")
async def test_an_outage_of_ten_minutes_costs_few_calls_and_no_holds(
    sandbox: Sandbox,
    start_bot: StartBot,
    ada: Person,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
):
    monkeypatch.setattr(
        "bot.scheduling.call_schedule.CircuitBreaker", partial(CircuitBreaker, clock)
    )
    await start_bot()
    outage = sandbox.faults.edit_api.add(EditFault(action=server_error(500), times=None))
    for _ in range(FAILURES):
        await (await ada.edit()).settled()
    probes, waits = list[float](), list[float]()
    for passed in range(0, 600, 5):
        called = outage.fired
        pair = [await ada.edit(), await ada.edit()]
        told = "".join([(await edit.settled()).text for edit in pair])
        await events.logs("edit.closed", times=outage.fired)
        assert sum(ada.row(edit) is None for edit in pair) == 2 - (outage.fired - called)
        assert ada.account() == (0, 0)
        probes += [passed] * (outage.fired - called)
        waits += map(float, re.findall(r"again in (\d+) seconds?\. You weren't charged", told))
        clock.seconds += 5
    assert probes == [30, *range(90, 600, 60)]
    assert (waits[0], max(waits)) == (30, 60)
    sandbox.faults.edit_api.clear()
    clock.seconds += MAX_PAUSE_S
    for _ in range(3):
        await (await ada.edit()).until(lambda message: bool(message.files))
