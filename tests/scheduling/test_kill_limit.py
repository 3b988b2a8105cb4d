"""Members whose files keep killing child processes are paused, and so is each such file."""

import pytest

from bot.scheduling.kill_limit import KILLS, PAUSE_S, WITHIN_S, KillLimit

ADA, BOB = 40, 41


def kill(limit: KillLimit[int], *times: float) -> KillLimit[int]:
    for now in times:
        limit.note(ADA, now=now)
    return limit


def test_three_kills_within_ten_minutes_pause_that_member_for_ten_minutes() -> None:
    limit = kill(KillLimit(KILLS), 0, 300, WITHIN_S)
    assert (KILLS, WITHIN_S, PAUSE_S) == (3, 600, 600)
    assert limit.wait(ADA, now=WITHIN_S) == PAUSE_S
    assert limit.wait(ADA, now=WITHIN_S + PAUSE_S - 1) == 1
    assert limit.wait(ADA, now=WITHIN_S + PAUSE_S) == 0
    assert limit.wait(BOB, now=WITHIN_S) == 0


@pytest.mark.parametrize("times", [(0, 1), (0, 300, WITHIN_S + 1)])
def test_fewer_kills_pause_nobody(times: tuple[float, ...]) -> None:
    assert kill(KillLimit(KILLS), *times).wait(ADA, now=times[-1]) == 0


def test_a_limit_of_one_pauses_after_the_first_kill() -> None:
    limit = kill(KillLimit(1), 0)
    assert limit.wait(ADA, now=1) == PAUSE_S - 1
    assert limit.wait(ADA, now=PAUSE_S) == 0
    assert limit.wait(BOB, now=1) == 0


def test_only_the_latest_kills_count() -> None:
    limit = kill(KillLimit(KILLS), 0, 1000, 1001)
    assert limit.wait(ADA, now=1001) == 0
    assert kill(limit, 1002).wait(ADA, now=1002) == PAUSE_S


def test_members_without_recent_kills_are_forgotten() -> None:
    limit = kill(KillLimit(KILLS), 0, 1, 2)
    limit.note(BOB, now=2 + PAUSE_S)
    assert limit.wait(ADA, now=2) == 0
