"""The prompt that comes of the four parts of a guided request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.guided_prompt import (
    LONGEST_CHANGE,
    LONGEST_KEEP,
    LONGEST_LOOK,
    LONGEST_TEXT,
    compose_prompt,
)
from cogs.ui.pages import MAX_TEXT


def test_what_stays_comes_first_then_what_changes_then_the_look_then_the_words() -> None:
    assert compose_prompt(
        keep="the face and the pose",
        change="replace the wall by a forest.",
        look="watercolour, evening light",
        text="OPEN DAILY",
    ).splitlines() == [
        "Keep unchanged: the face and the pose.",
        "Change: replace the wall by a forest.",
        "Style and light: watercolour, evening light.",
        'Text in the image, exactly: "OPEN DAILY"',
    ]


def test_what_is_left_empty_is_not_spoken_of() -> None:
    assert compose_prompt(keep="  ", change="make it blue", look="\n", text="") == (
        "Change: make it blue."
    )


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("OPEN", '"OPEN"'),
        ('"OPEN"', '"OPEN"'),
        ("“OPEN”", '"OPEN"'),
        ('the "OPEN" sign', '“the "OPEN" sign”'),
        ('"a" or "b"', '“"a" or "b"”'),
        ("OPEN\n\n daily ", '"OPEN", then "daily"'),
    ],
)
def test_exact_words_are_put_into_quotes_once(text: str, quoted: str) -> None:
    last = compose_prompt(change="x", text=text).splitlines()[-1]
    assert last == f"Text in the image, exactly: {quoted}"


@pytest.mark.parametrize("ended", ["Really?", "Yes!", "So…", "はい。"])
def test_a_part_that_ends_with_a_mark_gets_no_other(ended: str) -> None:
    assert compose_prompt(change=ended) == f"Change: {ended}"


words = st.text(st.characters(exclude_categories=["Cs"]))


@given(keep=words, change=words.filter(lambda text: bool(text.split())), look=words, text=words)
def test_each_part_is_one_line_and_loses_no_word(
    keep: str, change: str, look: str, text: str
) -> None:
    prompt = compose_prompt(keep=keep, change=change, look=look, text=text)
    said = [part for part in (keep, change, look, text) if part.split()]
    assert len(prompt.split("\n")) <= len(said)
    for part in (keep, change, look):
        assert all(word in prompt for word in part.split())


def test_the_longest_request_can_be_shown_in_one_message() -> None:
    longest = compose_prompt(
        keep="k" * LONGEST_KEEP,
        change="c" * LONGEST_CHANGE,
        look="l" * LONGEST_LOOK,
        text="t\n" * (LONGEST_TEXT // 2),
    )
    assert len(longest) < MAX_TEXT - 400
