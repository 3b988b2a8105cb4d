"""A page fits in a message, and cutting it sets nothing free that was inside code."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cogs.text.markdown import as_code
from cogs.ui.pages import MAX_TEXT, Entry, page

WORDS = st.tuples(st.integers(0, 300), st.sampled_from(["`", "`a", "a"])).map(
    lambda drawn: f"{drawn[1] * drawn[0]}[x](https://e.io) {drawn[1] * 200}"
)


@given(reasons=st.lists(WORDS, min_size=10, max_size=10), padding=st.integers(0, 300))
def test_whatever_is_cut_no_link_in_code_becomes_live(reasons: list[str], padding: int):
    entries = [Entry(f"{'-' * padding} {as_code(reason)} {'-' * 100}") for reason in reasons]
    texts = [component["content"] for component in page("Log", entries)]
    assert sum(map(len, texts)) <= MAX_TEXT
    for text in texts:
        # Discord's rule: code ends at as many backticks as it began with.
        assert "[x]" not in re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
