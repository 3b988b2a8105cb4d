"""What members and moderators choose among."""

from discord import app_commands

from bot.domain.images import MAX_SOURCE_BYTES
from bot.domain.pricing import RATIOS, SOURCE_SIZE, Quality
from bot.domain.refusals import NotOffered
from cogs.text.images import FORMATS

EDIT_OPTIONS = {
    "image": f"The image to edit: {FORMATS}, up to {MAX_SOURCE_BYTES // 2**20} MB",
    "quality": "Higher quality costs more. Default: medium, unless this server sets its own",
    "size": "Aspect ratio. Default: closest to your image, unless this server sets its own",
    "count": "How many images to make, 1 to 4. Each one is charged",
    "private": "Show the result only to you",
}
"""What is said of the options that all commands for edits have."""

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


class NotOfferedError(Exception):
    """A field or an option holds what it does not offer."""

    def __init__(self, field: str, got: str) -> None:
        super().__init__(field)
        self.refusal = NotOffered(field, got)


def read_offered_quality(given: str | None) -> Quality:
    """The quality that was chosen, or what there is where none was.

    Raises:
        NotOfferedError: it is none.
    """
    try:
        return Quality(given or Quality.MEDIUM)
    except ValueError:
        raise NotOfferedError("quality", str(given)) from None
