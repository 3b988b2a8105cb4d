"""Under load no edit is lost, each is charged exactly, and memory stays bounded."""

import pytest

from benchmarks.load import EDITS_EACH, MEMBERS, PRICE, run


@pytest.mark.drill
async def test_300_edits_by_100_members_lose_none_charge_exactly_and_stay_under_200_mib() -> None:
    figures = await run()

    pictures = MEMBERS * sum(range(1, EDITS_EACH + 1))
    assert figures.delivered == figures.calls == figures.edits == MEMBERS * EDITS_EACH
    assert figures.posted == pictures
    assert (figures.spent, figures.held) == (pictures * PRICE, 0)
    assert 0 < figures.peak_mib < 200
