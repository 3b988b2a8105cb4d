"""Image formats, and the small print about what was done to images."""

from bot.domain.edits import Edit
from bot.domain.images import SourceChange
from bot.editing.ports import Receipt
from cogs.text.formats import plural

FORMATS = "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP, or GIF"

_CHANGES = {
    SourceChange.FIRST_FRAME: "Only the first frame of your image was used.",
    SourceChange.MADE_SMALLER: "Your image was resized before editing.",
}


def image_notes(edit: Edit, receipt: Receipt) -> list[str]:
    """Return a sentence for each change to the original or the results."""
    notes = [_CHANGES[change] for change in edit.source_changes]
    if receipt.reencoded:
        notes.append(
            plural(
                len(receipt.images),
                "Compressed to fit this server's upload limit.",
                "{compressed} of {count} images compressed to fit this server's upload limit.",
                compressed=receipt.reencoded,
            )
        )
    return notes
