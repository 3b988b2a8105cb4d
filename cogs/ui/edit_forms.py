"""The forms in which an edit is asked for, and what their fields are called."""

from collections.abc import Sequence

from bot.discord_io.custom_ids import write_persistent
from bot.discord_io.modals import ChoiceField, Field, FileField, Form, Option, TextField
from bot.domain.guided_prompt import LONGEST_CHANGE, LONGEST_KEEP, LONGEST_LOOK, LONGEST_TEXT
from bot.domain.images import ImageLink
from bot.domain.refusals import MAX_PROMPT
from bot.domain.server_settings import ServerSettings
from bot.ledger.drafts import Draft
from cogs.text.markdown import as_label
from cogs.ui.choices import QUALITIES, SIZES

EDIT_FORM, GUIDED_FORM = "form.edit", "form.guided"
"""What the forms' custom ids say."""

IMAGE, PICTURE, PROMPT, QUALITY, SIZE, COUNT = (
    *("image", "picture", "prompt", "quality", "size", "count"),
)
KEEP, CHANGE, LOOK, TEXT = "keep", "change", "look", "text"


def edit_form(draft: Draft, settings: ServerSettings, title: str) -> Form:
    """What to change, filled in as far as the draft says; the picture too, if that is open."""
    fields: list[Field] = []
    if not draft.sources:
        fields.append(FileField(IMAGE, "The picture, for Discord removed the old one"))
    elif len(draft.sources) > 1:
        fields.append(_which(draft.sources))
    fields += [
        TextField(
            PROMPT,
            "What to change",
            MAX_PROMPT,
            value=draft.prompt,
            hint="What to change, and what to keep",
        ),
        ChoiceField(
            QUALITY,
            "Quality",
            [Option(choice.value, choice.name) for choice in QUALITIES],
            draft.quality,
        ),
        ChoiceField(
            SIZE, "Size", [Option(choice.value, choice.name) for choice in SIZES], draft.size
        ),
        ChoiceField(
            COUNT,
            "How many pictures",
            [Option(str(count), str(count)) for count in range(1, settings.max_count + 1)],
            str(min(draft.count, settings.max_count)),
        ),
    ]
    return Form(write_persistent(EDIT_FORM, draft.id), title, fields)


def guided_form(draft: Draft) -> Form:
    """The four things that a good request has."""
    fields = [
        TextField(
            KEEP,
            "What stays as it is",
            LONGEST_KEEP,
            hint="The face, the pose, the background",
            required=False,
        ),
        TextField(
            CHANGE,
            "What changes",
            LONGEST_CHANGE,
            hint="What is replaced, removed or restyled",
        ),
        TextField(
            LOOK,
            "The look",
            LONGEST_LOOK,
            hint="Style and light: a watercolour, evening sun from the left",
            required=False,
        ),
        TextField(
            TEXT,
            "Text in the picture",
            LONGEST_TEXT,
            hint="The exact words; the shorter, the better",
            required=False,
        ),
    ]
    return Form(write_persistent(GUIDED_FORM, draft.id), "A guided edit", fields)


def _which(sources: Sequence[ImageLink]) -> ChoiceField:
    options = [Option(str(place), _described(place, each)) for place, each in enumerate(sources)]
    return ChoiceField(PICTURE, "Which picture", options, "0")


def _described(place: int, source: ImageLink) -> str:
    shape = f" · {source.width} × {source.height}" if source.width and source.height else ""
    return as_label(f"{place + 1}{shape} · {source.name}")
