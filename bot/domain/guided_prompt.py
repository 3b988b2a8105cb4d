"""Composes one prompt of what a good request has, in the order that the edit API's page advises.

What stays is said first and explicitly, then what changes, then the look, and the exact words last
and in quotes. https://gptimageapi.dev
"""

import re

LONGEST_KEEP, LONGEST_CHANGE, LONGEST_LOOK, LONGEST_TEXT = 700, 1_000, 500, 200
"""Characters of each part: the whole can be shown in one message, under its heading."""


def compose_prompt(*, keep: str = "", change: str, look: str = "", text: str = "") -> str:
    """One prompt, a line for each part that says something."""
    parts = (
        ("Keep unchanged: {}", _sentence(keep)),
        ("Change: {}", _sentence(change)),
        ("Style and light: {}", _sentence(look)),
        ("Text in the image, exactly: {}", _quoted(text)),
    )
    return "\n".join(line.format(part) for line, part in parts if part)


def _sentence(text: str) -> str:
    """On one line, with a mark at its end."""
    text = " ".join(text.split())
    return text if not text or text[-1] in _ENDS else f"{text}."


def _quoted(text: str) -> str:
    """Each line in quotes of a kind that it does not hold itself."""
    lines = [_unquoted(" ".join(line.split())) for line in text.splitlines()]
    return ", then ".join(f"“{line}”" if '"' in line else f'"{line}"' for line in lines if line)


def _unquoted(text: str) -> str:
    """Without the quotes that its writer put around it."""
    found = _IN_QUOTES.fullmatch(text)
    return text if found is None else found[1] or found[2]


_ENDS = ".!?…\u3002\uff01\uff1f"
"""What a sentence ends with, in wide type too."""

_IN_QUOTES = re.compile('"([^"]+)"|“([^“”]+)”')
