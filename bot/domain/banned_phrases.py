"""Finds refused words and phrases in a prompt, however they are dressed up: pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

_MARKS = frozenset({"Mn", "Mc", "Me"})
"""Unicode's categories of what stands on, around or beside a letter."""

_POINTED = frozenset({"HEBREW", "ARABIC", "SYRIAC"})
"""Scripts whose own marks are left out in everyday writing."""

_KANA = frozenset({"HIRAGANA", "KATAKANA"})
_VOICING = "\u3099\u309a"
"""They make another sound of a kana, and are no accents."""

_UNSEEN = re.compile(
    # Letters and unassigned characters that are drawn as nothing.
    r"[\u115f\u1160\u2065\u3164\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)

_ALONE = re.compile(
    # Scripts that put no space between words: each of their characters counts as one.
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff]"
    r"|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words_of(text: str) -> list[str]:
    """The words of a text, as they are compared: without case, accents and hidden characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(_undressed(unicodedata.normalize("NFKD", folded)))
    return _split(unicodedata.normalize("NFKC", bare))


@lru_cache(maxsize=4_096)
def fold(phrase: str) -> str:
    """A phrase's words with one space between them: equal for phrases that find the same."""
    return " ".join(words_of(phrase))


def find_phrase(prompt: str, phrases: Iterable[str]) -> str | None:
    """The first of the phrases whose words stand in the prompt, whole and side by side."""
    spaced = f" {' '.join(words_of(prompt))} "
    for phrase in phrases:
        folded = fold(phrase)
        if folded and f" {folded} " in spaced:
            return phrase
    return None


def _undressed(decomposed: str) -> Iterator[str]:
    base = " "
    for character in decomposed:
        category = unicodedata.category(character)
        if category in _MARKS:
            if _belongs(character, base):
                yield character
        elif not (category == "Cf" or _is_unseen(character, category)):
            base = character if character.isalnum() else " "
            yield character


def _belongs(mark: str, base: str) -> bool:
    """Whether a mark spells the word, as in Hindi or Thai, and does not only adorn the letter."""
    script = _script_of(base)
    if mark in _VOICING:
        return script in _KANA
    return script == _script_of(mark) and script not in _POINTED


def _script_of(character: str) -> str:
    """The first word of its name, which for letters and their marks is the script."""
    return unicodedata.name(character, "").partition(" ")[0]


def _is_unseen(character: str, category: str) -> bool:
    if category == "Cc":
        return not character.isspace()
    return _UNSEEN.match(character) is not None


def _split(text: str) -> list[str]:
    words: list[str] = []
    joins = marks = False
    for character in text:
        if unicodedata.category(character) in _MARKS:
            if marks:
                words[-1] += character
            continue
        marks = character.isalnum()
        alone = _ALONE.match(character) is not None
        if marks and joins and not alone:
            words[-1] += character
        elif marks:
            words.append(character)
        joins = marks and not alone
    return words
