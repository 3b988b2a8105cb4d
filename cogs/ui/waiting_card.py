"""What an edit's message says until it ends: its place in the line, then how far it is."""

from typing import Any

from bot.discord_io.custom_ids import write_persistent
from bot.domain.edits import Edit
from bot.scheduling.progress import (
    MAX_PERCENT,
    MAX_SHOWN_S,
    MINUTE_S,
    InProgress,
    Posting,
    Queued,
    Stage,
)
from cogs.ui.components import Button, row_of

CANCEL = "cancel"

BAR_PARTS = 20

_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def waiting_card(edit: Edit, stage: Stage) -> tuple[str, list[dict[str, Any]]]:
    """The text for a stage, and the components under it."""
    match stage:
        case Queued(position, wait_s, late):
            said = "longer than was thought" if late else seconds_text(wait_s)
            note = "Until its turn comes it can be cancelled, at no cost."
            return f"**{ordinal(position)} in line · {said}**\n-# {note}", [_cancel_row(edit)]
        case InProgress(percent, left_s, late):
            said = "longer than usual" if late else seconds_text(left_s)
            note = "It is being made, and cannot be stopped any more."
            return f"{bar(percent)}\n**{percent}% · {said}**\n-# {note}", []
        case Posting():
            return f"{bar(MAX_PERCENT)}\n**Posting**\n-# The picture is made and on its way.", []


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ..."""
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"


def seconds_text(seconds: int) -> str:
    """A while, in words."""
    if seconds <= 0:
        return "any moment now"
    if seconds <= MAX_SHOWN_S:
        return f"about {seconds} s"
    return f"about {seconds // MINUTE_S} min"


def bar(percent: int) -> str:
    """A bar of characters."""
    full = round(BAR_PARTS * percent / 100)
    return "▰" * full + "▱" * (BAR_PARTS - full)


def _cancel_row(edit: Edit) -> dict[str, Any]:
    return row_of(Button("Cancel", write_persistent(CANCEL, edit.order.id))).to_component_dict()
