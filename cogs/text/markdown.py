"""Escape what people wrote, so that it pings nobody and isn't read as markdown."""

import re

MAX_SHOWN = 1_000
"""Characters of quoted text in a message, counted after escaping."""

_ANYWHERE = re.compile(r"([\\*_~`|<\[\]:])")
_AT_LINE_START = re.compile(r"^(\s*)([#>+\-]|\d+(?=[.)]))", re.MULTILINE)
# Invisible characters, and those that change the text direction.
_INVISIBLE = re.compile(
    "[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Line ends besides \n (https://www.unicode.org/reports/tr14/#Table1).
_LINE_ENDS = re.compile("[\r\v\f\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n\s*\n+")
_PIECE = re.compile(r"\\.|@\u200b|.", re.DOTALL)


def as_plain(text: str, limit: int = MAX_SHOWN) -> str:
    """Escape `text` so that Discord shows it literally, and cut it to `limit` characters."""
    text = _LINE_ENDS.sub("\n", _INVISIBLE.sub("", text))
    text = _BLANK_LINES.sub("\n", text).strip()
    text = _ANYWHERE.sub(r"\\\1", text)
    text = _AT_LINE_START.sub(_escape_line_start, text)
    # A backslash does not keep @everyone from pinging; a zero-width space does.
    return _cut(text.replace("@", "@\u200b"), limit)


def as_line(text: str, limit: int) -> str:
    """Escape `text` like `as_plain`, in one line."""
    return as_plain(" ".join(text.split()), limit)


def _escape_line_start(match: re.Match[str]) -> str:
    indent, marker = match.groups()
    return f"{indent}{marker}\\" if marker.isdecimal() else f"{indent}\\{marker}"


def _cut(escaped: str, limit: int) -> str:
    """Cut without splitting an escape sequence."""
    if len(escaped) <= limit:
        return escaped
    kept: list[str] = []
    room = limit - len("…")
    for piece in _PIECE.findall(escaped):
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def as_label(text: str) -> str:
    """Put `text` in one line, for labels, where Discord renders no markdown or mentions."""
    return " ".join(_INVISIBLE.sub("", text).split())


def as_block(text: str) -> str:
    """Put `text` in a code block, unchanged."""
    shown = _apart(_LINE_ENDS.sub("\n", _INVISIBLE.sub("", text)))
    return f"```\n{shown}\n```"


def as_code(text: str) -> str:
    """Put `text` in inline code, unchanged and in one line."""
    shown = _apart(re.sub(r"\s", " ", _INVISIBLE.sub("", text)) or " ")
    if "`" not in shown:
        return f"`{shown}`"
    return f"`` {shown} ``"


def _apart(text: str) -> str:
    """Separate backticks: a run of them, however cut, could end a code block or inline code."""
    return re.sub(r"`(?=`)", "`\u200b", text)
