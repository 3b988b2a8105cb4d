"""Under load no edit is lost, each is charged exactly, and memory stays bounded."""

import pytest

from benchmarks import flood
from benchmarks.load import EDITS_EACH, MEMBERS, PRICE, run


@pytest.mark.drill
async def test_300_edits_by_100_members_lose_none_charge_exactly_and_stay_under_200_mib() -> None:
    figures = await run()

    images = MEMBERS * sum(range(1, EDITS_EACH + 1))
    assert figures.delivered == figures.calls == figures.edits == MEMBERS * EDITS_EACH
    assert figures.posted == images
    assert (figures.spent, figures.held) == (images * PRICE, 0)
    assert 0 < figures.peak_mib < 200


@pytest.mark.drill
@pytest.mark.parametrize("queue_limit", [200, flood.COMMANDS])
async def test_1000_commands_in_2_seconds_are_answered_in_time_or_voided_and_not_sent(
    queue_limit: int,
) -> None:
    figures = await flood.run(queue_limit)

    assert len(figures.answered) + figures.void == flood.COMMANDS
    assert len(figures.answered) >= 0.99 * flood.COMMANDS
    assert figures.called_in_vain == 0
    taken = len(figures.answered) - figures.refused
    assert queue_limit - figures.void <= taken <= queue_limit
    assert figures.delivered == taken
    assert (figures.spent, figures.held) == ((taken + flood.WARM_UP) * PRICE, 0)
    assert 0 <= figures.grown_mib < 40
