"""Refused words are found however they are dressed, and nothing else is."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.banned_phrases import find_phrase, words_of

TEXTS = st.text(max_size=60)
WORDS = st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=0x24F), min_size=1)


@pytest.mark.parametrize(
    "prompt",
    [
        "make the car red",
        "CAR",
        "a Cár!",
        "a c\u0301a\u0301r\u0301",
        "c\u0336\u0321a\u0358r\u20dd",
        "a \uff43\uff41\uff52, please",
        "a \U0001d4ec\U0001d4ea\U0001d4fb",
        "a \u24d2\u24d0\u24e1",
        "a c\u200ba\u200cr",
        "a c\u00ada\u2060r\ufeff",
        "a \u202ecar\u202c",
        "a c\u034fa\ufe0fr",
        "a c\u115fa\u1160r",
        "a c\u3164a\uffa0r",
        "a c\U000e0061ar",
        "a c\u0941ar",
        "a c\u0430r",
        "a \u0421ar",
        "a c\u0251r",
        "a c\u2800ar",
        "a c\ufffca\ue000r",
        "a \U0001f172\U0001f170\U0001f181",
        "a \U0001f152\U0001f150\U0001f161",
        "a \U0001f1e8\U0001f1e6\U0001f1f7",
        "red-car",
        "(car)",
        "red_car_blue",
        "“car”",
        "the car's door",
        "line one\ncar\nline three",
    ],
)
def test_a_word_is_found_in_any_dress(prompt: str):
    assert find_phrase(prompt, ["car"]) == "car"


@pytest.mark.parametrize(
    "prompt",
    ["a cart", "scar", "oscar wilde", "c ar", "c-a-r", "c.a.r", "car2", "2car", "карта", "", "!?"],
)
def test_a_word_is_not_found_inside_another_or_in_pieces(prompt: str):
    assert find_phrase(prompt, ["car"]) is None


@pytest.mark.parametrize(
    "prompt", ["a red car", "RED, car", "red\u2014car", "red\n\n  car", "red 🚗 car", "red/_car_"]
)
def test_a_phrase_is_found_whatever_stands_between_its_words(prompt: str):
    assert find_phrase(prompt, ["Red  car!"]) == "Red  car!"


@pytest.mark.parametrize(
    "prompt", ["car red", "a red big car", "red cars", "redcar", "infrared car"]
)
def test_a_phrase_is_not_found_out_of_order_apart_or_inside_words(prompt: str):
    assert find_phrase(prompt, ["red car"]) is None


@pytest.mark.parametrize(
    ("phrase", "prompt"),
    [
        ("裸体", "请画一个裸体的人"),
        ("ばか", "それはばかだ"),
        ("ﾊﾞｶ", "それはバカだ"),
        ("ห้าม", "มันห้ามทำ"),
        ("나무", "큰 나무 하나"),
        ("Straße", "an old STRASSE"),
        ("ΟΔΟΣ", "η οδός"),
        ("ёлка", "наша ЕЛКА"),
        ("İstanbul", "istanbul"),
        ("שלום", "שָׁלוֹם"),
        ("सेब", "एक सेब दो"),
        ("2024", "in \uff12\uff10\uff12\uff14"),
    ],
)
def test_words_of_other_scripts_are_found(phrase: str, prompt: str):
    assert find_phrase(prompt, [phrase]) == phrase


@pytest.mark.parametrize(
    ("phrase", "prompt"),
    [
        ("ばか", "おおきなはか"),
        ("कार", "यह बेकार है"),
        ("कि", "की"),
        ("나무", "나무들"),
        ("バカ", "バ、ナナ"),
        ("กน", "กันดี"),
    ],
)
def test_other_words_of_other_scripts_are_not(phrase: str, prompt: str):
    assert find_phrase(prompt, [phrase]) is None


def test_the_first_phrase_that_fits_is_named():
    assert find_phrase("one two three", ["four", "two three", "one"]) == "two three"


@pytest.mark.parametrize("phrase", ["", " ", "!!!", "🍆", "\u200b", "\u0301", "_", "・"])
def test_a_phrase_without_a_word_is_in_no_prompt(phrase: str):
    assert words_of(phrase) == []
    assert find_phrase("anything 🍆 !!! _ ・", [phrase]) is None


@given(TEXTS)
def test_comparing_again_changes_nothing(text: str):
    once = words_of(text)
    assert words_of(" ".join(once)) == once


@given(TEXTS)
def test_every_text_with_a_word_finds_itself(text: str):
    assert find_phrase(text, [text]) == (text if words_of(text) else None)


@given(TEXTS)
def test_how_a_text_is_composed_makes_no_difference(text: str):
    words = words_of(text)
    assert words_of(unicodedata.normalize("NFC", text)) == words
    assert words_of(unicodedata.normalize("NFD", text)) == words
    assert words_of(unicodedata.normalize("NFKC", text)) == words


@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(0, 4), TEXTS)
def test_a_phrase_is_found_among_other_words(words: list[str], place: int, beside: str):
    phrase = " ".join(words[place:]) or words[0]
    assert find_phrase(f"{beside} {' '.join(words)} {beside}", [phrase]) is not None


@pytest.mark.parametrize(
    "character",
    ["\ufdfa", "\ufdfb", "\u2121", "\u2473", "\ufb03", "\u2153", "\uac01", "\u1fa7", "\u0344"],
)
def test_no_prompt_takes_much_longer_to_search_than_plain_words(character: str):
    find_phrase("word " * 800, ["car"])
    plain = min(seconds_to_search("word " * 800) for _ in range(5))
    assert min(seconds_to_search(character * 4_000) for _ in range(5)) < 10 * plain


def seconds_to_search(prompt: str) -> float:
    begun = time.thread_time()
    find_phrase(prompt, ["car"])
    return time.thread_time() - begun
