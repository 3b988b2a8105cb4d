"""What is said of pictures' formats, and in small print of what was done to pictures."""

from bot.domain.edits import Edit
from bot.domain.images import SourceChange
from bot.editing.ports import Receipt

FORMATS = "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF"


def picture_notes(edit: Edit, receipt: Receipt) -> list[str]:
    """A sentence for each thing that was done to the source or to the results."""
    notes = [_CHANGES[change] for change in edit.source_changes]
    all_of_them, reencoded = len(receipt.images), receipt.reencoded
    if reencoded and all_of_them == 1:
        notes.append("The picture was re-encoded, since it is larger than Discord takes here.")
    elif reencoded:
        notes.append(
            f"{reencoded} of {all_of_them} pictures re-encoded, since they are larger than "
            "Discord takes here."
        )
    return notes


_CHANGES = {
    SourceChange.FIRST_FRAME: "Only the first frame of the original was edited.",
    SourceChange.MADE_SMALLER: "The original was made smaller before it was edited.",
}
