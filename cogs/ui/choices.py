"""Options that several commands share, and their choices."""

from discord import app_commands

from bot.domain.images import MAX_SOURCE_BYTES
from bot.domain.pricing import RATIOS, SOURCE_SIZE, Quality
from bot.domain.refusals import NotOffered, Refusal
from cogs.text.images import FORMATS

EDIT_OPTIONS = {
    "image": f"The image to edit: {FORMATS}, up to {MAX_SOURCE_BYTES // 2**20} MB",
    "quality": "Higher quality costs more. Default: medium, unless this server sets its own",
    "size": "Aspect ratio. Default: closest to your image, unless this server sets its own",
    "count": "How many images to make, 1 to 4. Each one is charged",
    "private": "Show the result only to you",
}
"""Descriptions of the options that all edit commands have."""

QUALITIES = [
    app_commands.Choice(
        name=f"{quality.capitalize()} · {quality.price} credits each", value=quality.value
    )
    for quality in Quality
]
SIZES = [
    app_commands.Choice(name="Same as my image", value=SOURCE_SIZE),
    *(app_commands.Choice(name=ratio, value=ratio) for ratio in RATIOS),
]


class RefusedInputError(Exception):
    """A form's field or a command's option holds what was never offered."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def read_offered_quality(given: str | None) -> Quality:
    """Return the chosen quality, or the default if none was chosen.

    Raises:
        RefusedInputError: it was never offered.
    """
    try:
        return Quality(given or Quality.MEDIUM)
    except ValueError:
        raise RefusedInputError(NotOffered("quality", str(given))) from None
