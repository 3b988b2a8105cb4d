"""Others' words reach a message as they are, and do nothing there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.text.markdown import as_block, as_code, as_plain

# What Discord's client takes a backslash and the character behind it for: that character.
_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")


def shown(text: str) -> str:
    """What a member sees of escaped text."""
    return _ESCAPED.sub(r"\1", text).replace("\u200b", "")


@pytest.mark.parametrize(
    "text",
    [
        "make it blue-green, 50 % brighter",
        "**bold** _it_ ~~no~~ `code` ||spoiler||",
        "# heading\n- item\n1. first\n> quote\n-# small",
        "[masked](https://evil.example) <https://evil.example> <@1> <@&2> <#3> <t:1:R> </edit:4>",
        ":smile: \\ back\\slash",
        "@everyone @here",
    ],
)
def test_words_are_shown_to_the_letter(text: str) -> None:
    assert shown(as_plain(text)) == text


@pytest.mark.parametrize("text", ["@everyone", "@here", "<@1>", "<@&2>", "\\<@3>", "\\@everyone"])
def test_nobody_is_mentioned(text: str) -> None:
    plain = as_plain(text)
    assert "@everyone" not in plain
    assert "@here" not in plain
    assert not re.search(r"(?<!\\)(\\\\)*<@", plain)


@given(st.text(alphabet=st.sampled_from("a*_`|<@>[]()#-1. \n\\:~\u200b\u202e"), max_size=60))
def test_no_mark_stands_without_its_escape(text: str) -> None:
    bare = re.sub(r"\\.", "x", as_plain(text), flags=re.DOTALL)
    assert not re.search(r"[*_`|<\[\]~:]", bare)
    assert not re.search(r"^\s*([#>+\-]|\d+[.)])", bare, re.MULTILINE)


@given(st.text(), st.integers(10, 200))
def test_what_is_cut_keeps_within_the_limit_and_never_ends_in_half_an_escape(
    text: str, limit: int
) -> None:
    plain = as_plain(text * 20, limit)
    assert len(plain) <= limit
    backslashes = len(plain.removesuffix("…")) - len(plain.removesuffix("…").rstrip("\\"))
    assert backslashes % 2 == 0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_prompt_of_4000_newlines_takes_no_room(end: str) -> None:
    assert as_plain(f"a{end * 4000}b") == "a\nb"
    assert as_plain(f"a{end}# b") == "a\n\\# b"


def test_nothing_turns_the_direction_of_the_words_behind_it_or_hides_between_them() -> None:
    text = "a\u202eb\u2066c\u200dd\u061ce\u180ef\xadg\u206ah\ufff9i\U000e0041j"
    assert as_plain(text) == "abcdefghij"
    assert as_block(text) == "```\nabcdefghij\n```"
    assert as_code(text) == "`abcdefghij`"


@pytest.mark.parametrize(
    "text",
    [
        "`",
        "``",
        "a ``` b",
        "`@everyone`",
        "``\n``",
        "\u200b`\u200b`",
        *("`" * n for n in range(3, 9)),
    ],
)
def test_nothing_ends_code_but_what_the_bot_writes(text: str) -> None:
    code = as_code(text)
    assert code.startswith("`` ")
    assert code.endswith(" ``")
    assert "``" not in code[2:-2]
    assert "\n" not in code
    assert "```" not in as_block(text).removeprefix("```").removesuffix("```")
