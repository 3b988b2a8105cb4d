"""Finds refused words and phrases in a prompt, however they are dressed up: pure."""

import re
import unicodedata
from collections.abc import Iterable

_DRESSING = frozenset({"Mn", "Me", "Cf"})
"""Unicode's categories of accents, enclosings and characters that nobody sees."""

_WORD = re.compile(
    # Scripts that put no space between words: each of their characters counts as one.
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
    r"|[\U00020000-\U0003ffff]"
    r"|[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)


def words_of(text: str) -> list[str]:
    """The words of a text, as they are compared: without case, accents and hidden characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", folded)
        if unicodedata.category(character) not in _DRESSING
    )
    return _WORD.findall(unicodedata.normalize("NFKC", bare))


def find_phrase(prompt: str, phrases: Iterable[str]) -> str | None:
    """The first of the phrases whose words stand in the prompt, whole and side by side."""
    spaced = f" {' '.join(words_of(prompt))} "
    for phrase in phrases:
        words = words_of(phrase)
        if words and f" {' '.join(words)} " in spaced:
            return phrase
    return None
