"""The card that an edit's message shows until the edit ends."""

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
from cogs.text import buttons
from cogs.text.formats import plural
from cogs.ui.components import Button, row_of

CANCEL = "cancel"

BAR_CELLS = 20

_QUEUED = "**#{position} in queue · {wait}**\n-# You can cancel for free until it starts."
_IN_PROGRESS = "{bar}\n**{percent}% · {wait}**\n-# Making your image. This can't be canceled."
_UPLOADING = "{bar}\n**Uploading…**"


def waiting_card(edit: Edit, stage: Stage) -> tuple[str, list[dict[str, Any]]]:
    """Return the text for a stage, and the components under it."""
    match stage:
        case Queued(position, wait, late):
            text = "taking longer than expected" if late else wait_text(wait)
            row = row_of(Button(buttons.CANCEL, write_persistent(CANCEL, edit.order.id)))
            return _QUEUED.format(position=position, wait=text), [row.to_component_dict()]
        case InProgress(percent, left, late):
            text = "taking longer than usual" if late else wait_text(left)
            return _IN_PROGRESS.format(bar=bar(percent), percent=percent, wait=text), []
        case Posting():
            return _UPLOADING.format(bar=bar(MAX_PERCENT)), []


def wait_text(seconds: int) -> str:
    """Format an estimate."""
    if seconds <= 0:
        return "any moment now"
    if seconds <= MAX_SHOWN_S:
        return plural(seconds, "about {count} second", "about {count} seconds")
    return plural(seconds // MINUTE_S, "about {count} minute", "about {count} minutes")


def bar(percent: int) -> str:
    """Draw a progress bar in characters."""
    full = round(BAR_CELLS * percent / 100)
    return "▰" * full + "▱" * (BAR_CELLS - full)
