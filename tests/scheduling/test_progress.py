"""Progress never goes backward and promises no end that doesn't come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.edits import Durations
from bot.domain.pricing import Quality
from bot.scheduling.estimates import DEFAULTS, SAMPLES, Estimates
from bot.scheduling.fair_order import QueuePosition
from bot.scheduling.progress import (
    InProgress,
    Posting,
    Queued,
    Stage,
    in_progress,
    queued,
    round_up,
)

SECONDS = st.floats(0, 10_000)


def stages_of(elapsed: list[float], typical: list[float]) -> list[InProgress]:
    stages: list[InProgress] = []
    before: Stage | None = Queued(1, 5)
    for seconds, typical_s in zip(elapsed, typical, strict=True):
        before = in_progress(seconds, typical_s, before)
        stages.append(before)
    return stages


def test_a_position_is_shown_with_its_wait():
    assert queued(QueuePosition(3, 38.2), None) == Queued(3, 40)


def test_a_wait_that_grows_is_shown_as_late_and_never_longer():
    before = queued(QueuePosition(3, 38.2), None)
    assert queued(QueuePosition(4, 45.0), before) == Queued(4, 40)
    assert queued(QueuePosition(9, 90.0), before) == Queued(9, 40, late=True)
    assert queued(QueuePosition(2, 20.0), Queued(9, 40, late=True)) == Queued(2, 20)


def test_a_wait_that_exceeds_its_promise_is_late():
    before = queued(QueuePosition(1, 3.0), None)
    assert queued(QueuePosition(1, 3.0), before, overdue=True) == Queued(1, 5, late=True)


def test_a_bar_fills_over_the_typical_duration():
    assert stages_of([0, 7.4, 15, 29], [30] * 4) == [
        InProgress(0, 30),
        InProgress(20, 25),
        InProgress(50, 15),
        InProgress(95, 5),
    ]


def test_a_bar_stops_at_95_percent_and_is_late():
    assert stages_of([30.1, 300], [30, 30]) == [InProgress(95, 0, late=True)] * 2


@given(st.lists(st.tuples(SECONDS, st.floats(0, 300)), min_size=2, max_size=20))
def test_a_bar_never_goes_backward_or_past_95_percent_if_the_typical_duration_changes(
    moments: list[tuple[float, float]],
):
    elapsed = sorted(seconds for seconds, _ in moments)
    stages = stages_of(elapsed, [typical_s for _, typical_s in moments])
    assert all(0 <= stage.percent <= 95 for stage in stages)
    for before, after in pairwise(stages):
        assert before.percent <= after.percent
        assert before.left_s >= after.left_s
        assert after.late or not before.late


@given(st.lists(st.tuples(st.integers(1, 500), SECONDS), min_size=2, max_size=20))
def test_a_wait_never_grows(positions: list[tuple[int, float]]):
    before: Stage | None = None
    for position, wait in positions:
        stage = queued(QueuePosition(position, wait), before)
        assert stage.position == position
        if isinstance(before, Queued):
            assert stage.wait_s <= before.wait_s
        before = stage


def test_a_bar_starts_over_after_another_stage():
    assert in_progress(3, 30, Queued(1, 5, late=True)) == InProgress(10, 30)
    assert in_progress(3, 30, Posting()) == InProgress(10, 30)


@pytest.mark.parametrize(
    ("seconds", "rounded"),
    [(-3, 0), (0, 0), (0.1, 5), (5, 5), (59, 60), (61, 70), (120, 120), (121, 180), (480, 480)],
)
def test_seconds_are_rounded_up_to_round_numbers(seconds: float, rounded: int):
    assert round_up(seconds) == rounded


# Estimates.


def test_estimates_have_defaults_that_do_not_count_as_measured():
    estimates = Estimates()
    assert estimates.typical(Quality.HIGH) == DEFAULTS[Quality.HIGH]
    assert estimates.measured(Quality.HIGH) is None
    costs = [DEFAULTS[quality].whole for quality in (Quality.LOW, Quality.MEDIUM, Quality.HIGH)]
    assert costs == sorted(costs)


def test_the_typical_duration_is_the_median_of_the_latest():
    estimates = Estimates()
    slow = [Durations(call=1_000, posting=1)] * 9
    estimates.learn({Quality.LOW: [*slow, *[Durations(call=20, posting=2)] * 10]})
    estimates.learn({Quality.LOW: [Durations(call=20, posting=4)]})
    assert estimates.typical(Quality.LOW) == Durations(call=20, posting=2)
    assert estimates.measured(Quality.MEDIUM) is None
    estimates.learn({Quality.LOW: [Durations(call=5, posting=1)] * SAMPLES})
    assert estimates.typical(Quality.LOW).whole == 6
