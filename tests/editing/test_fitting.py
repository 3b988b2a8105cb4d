"""How many bytes each of an edit's images may have, so that all of them fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.editing.fitting import LOSSLESS_BYTES, UPLOAD_LIMIT, share_out

MIB = 2**20


@pytest.mark.parametrize(
    ("sizes", "each", "allowed"),
    [
        ([], 10, []),
        ([3], 10, [3]),
        ([12], 10, [10]),
        ([9, 9], 10, [9, 9]),
        ([1, 12, 2], 10, [1, 10, 2]),
        ([9, 9, 9], 10, [9, 9, 6]),
        ([20, 4, 4, 4], 50, [12, 4, 4, 4]),
        ([12, 12, 12, 12], 50, [12, 4, 4, 4]),
        ([30, 30, 30, 30], 50, [6, 6, 6, 6]),
        ([10, 10, 10], 10, [10, 10, 4]),
    ],
)
def test_as_many_images_as_possible_stay_as_they_are(
    sizes: list[int], each: int, allowed: list[float]
):
    shared = share_out([size * MIB for size in sizes], per_image=each * MIB, total=24 * MIB)
    assert [bytes_ / MIB for bytes_ in shared] == allowed


@given(
    st.lists(st.integers(1, 40 * MIB), max_size=4),
    st.integers(1, 50 * MIB),
    st.integers(4, UPLOAD_LIMIT),
)
def test_the_shares_always_fit_and_are_never_zero(sizes: list[int], each: int, together: int):
    allowed = share_out(sizes, per_image=each, total=together)
    assert sum(allowed) <= together
    assert all(0 < most <= min(each, size) for most, size in zip(allowed, sizes, strict=True))
    if sum(sizes) <= together and all(size <= each for size in sizes):
        assert allowed == sizes
    for most, size in zip(allowed, sizes, strict=True):
        assert most >= min(size, each, LOSSLESS_BYTES, together // len(sizes))
