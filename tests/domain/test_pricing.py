"""Prices and shapes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pricing import RATIOS, Quality, nearest_ratio


def test_prices_are_the_apis() -> None:
    assert [quality.price for quality in Quality] == [4, 8, 16]


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [
        (4032, 3024, "4:3"),
        (3024, 4032, "3:4"),
        (1000, 1001, "1:1"),
        (1920, 1080, "16:9"),
        (10, 10_000, "9:21"),
        (10_000, 10, "21:9"),
        (1000, 2100, "1:2"),
    ],
)
def test_a_source_takes_the_ratio_nearest_to_its_shape(width: int, height: int, ratio: str) -> None:
    assert nearest_ratio(width, height) == ratio


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_other_ratio_is_nearer(width: int, height: int) -> None:
    def distance(ratio: str) -> float:
        across, down = map(int, ratio.split(":"))
        return abs(math.log(width / height) - math.log(across / down))

    chosen = nearest_ratio(width, height)
    assert distance(chosen) <= min(map(distance, RATIOS)) + 1e-12
