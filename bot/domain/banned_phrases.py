"""Find blocked words and phrases in a prompt, even if they are disguised."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from bot.domain.lookalikes import ASCII_LOOKALIKES

_MARKS = frozenset({"Mn", "Mc", "Me"})
"""Unicode's categories of combining marks."""

_POINTED = frozenset({"HEBREW", "ARABIC", "SYRIAC"})
"""Scripts whose own marks people leave out in everyday writing."""

_KANA = frozenset({"HIRAGANA", "KATAKANA"})
_VOICING = "\u3099\u309a"
"""Marks that change a kana's sound; they aren't accents."""

_INVISIBLE = re.compile(
    # Blank letters, noncharacters and private ones, which can hide in a word.
    r"[\u115f\u1160\u2065\u2800\u3164\ufdd0-\ufdef\uffa0\ufff0-\ufffc\ue000-\uf8ff"
    r"\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)

_OWN_WORD = re.compile(
    # Scripts without spaces between words: each character counts as a word.
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff]"
    r"|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)

_ENCLOSED = {
    # Letters in black circles and squares, and those of flags: NFKC leaves these as they are.
    ord(letter) + offset: letter.lower()
    for offset in (0x1F150 - ord("A"), 0x1F170 - ord("A"), 0x1F1E6 - ord("A"))
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
}

_MAX_EXPANSION = 3
"""Characters that one may become. Ligatures of whole words become up to 18, which would take long;
they count as spaces."""


def words_of(text: str) -> list[str]:
    """Return the words of a text without case, accents and hidden characters."""
    short = "".join(" " if _is_long_ligature(character) else character for character in text)
    decomposed = unicodedata.normalize("NFKD", short.translate(_ENCLOSED))
    bare = unicodedata.normalize("NFKC", "".join(_without_disguise(decomposed)))
    folded = _WORD.sub(_as_ascii, bare).casefold()
    # Some letters become two by case folding, a letter and a mark.
    bare = "".join(_without_disguise(unicodedata.normalize("NFKD", folded)))
    return _split(unicodedata.normalize("NFKC", bare))


def _as_ascii(word: re.Match[str]) -> str:
    """Replace look-alikes in a word with ASCII letters; other words may be of another script."""
    text = word[0]
    return text.translate(ASCII_LOOKALIKES) if _ASCII_LETTER.search(text) else text


_WORD = re.compile(r"[^\W_]+")
_ASCII_LETTER = re.compile("[A-Za-z]")


@lru_cache(maxsize=4_096)
def fold(phrase: str) -> str:
    """Return a phrase's words with one space between them, to compare it with others."""
    return " ".join(words_of(phrase))


def find_phrase(prompt: str, phrases: Iterable[str]) -> str | None:
    """Return the first phrase whose words are in the prompt, whole and side by side."""
    spaced = f" {' '.join(words_of(prompt))} "
    for phrase in phrases:
        folded = fold(phrase)
        if folded and f" {folded} " in spaced:
            return phrase
    return None


def _without_disguise(decomposed: str) -> Iterator[str]:
    base = " "
    for character in decomposed:
        if _is_mark(character):
            if _is_spelling(character, base):
                yield character
        elif not _is_hidden(character):
            base = character if character.isalnum() else " "
            yield character


def _split(text: str) -> list[str]:
    words: list[str] = []
    joins = takes_marks = False
    for character in text:
        if _is_mark(character):
            if takes_marks:
                words[-1] += character
            continue
        takes_marks = character.isalnum()
        is_own_word = _is_own_word(character)
        if takes_marks and joins and not is_own_word:
            words[-1] += character
        elif takes_marks:
            words.append(character)
        joins = takes_marks and not is_own_word
    return words


# Cached, since a prompt has many characters and few different ones.


@lru_cache(maxsize=4_096)
def _is_long_ligature(character: str) -> bool:
    return len(unicodedata.normalize("NFKC", character)) > _MAX_EXPANSION


@lru_cache(maxsize=4_096)
def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in _MARKS


@lru_cache(maxsize=4_096)
def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cc":
        return not character.isspace()
    return category == "Cf" or _INVISIBLE.match(character) is not None


@lru_cache(maxsize=4_096)
def _is_own_word(character: str) -> bool:
    return _OWN_WORD.match(character) is not None


@lru_cache(maxsize=4_096)
def _is_spelling(mark: str, base: str) -> bool:
    """Whether a mark spells the word, as in Hindi or Thai, and doesn't just decorate the letter."""
    script = _script_of(base)
    if mark in _VOICING:
        return script in _KANA
    return script == _script_of(mark) and script not in _POINTED


def _script_of(character: str) -> str:
    """Return the first word of its name, which is the script of letters and their marks."""
    return unicodedata.name(character, "").partition(" ")[0]
