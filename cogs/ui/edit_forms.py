"""The forms for an edit, and the names of their fields."""

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
"""Names of the forms in custom ids."""

IMAGE, PICTURE, PROMPT = "image", "picture", "prompt"
QUALITY, SIZE, COUNT = "quality", "size", "count"
KEEP, CHANGE, LOOK, TEXT = "keep", "change", "look", "text"
"""Custom ids of fields."""

_QUALITIES = [Option(choice.value, choice.name) for choice in QUALITIES]
_SIZES = [Option(choice.value, choice.name) for choice in SIZES]
_KEEP_HINT = "The face, pose, and background"
_CHANGE_HINT = "Swap the sky for a starry night"
_PROMPT_HINT = "Make it sunset, keep the people the same"
_LOOK_HINT = "Watercolor, warm evening light"
_TEXT_HINT = "Exact wording. Shorter works better"


def edit_form(draft: Draft, settings: ServerSettings, title: str) -> Form:
    """Build the form for an edit, filled in from the draft."""
    fields: list[Field] = []
    if not draft.sources:
        fields.append(FileField(IMAGE, "Image (the original has expired)"))
    elif len(draft.sources) > 1:
        fields.append(_image_choice(draft.sources))
    counts = [Option(str(count), str(count)) for count in range(1, settings.max_count + 1)]
    count = str(min(draft.count, settings.max_count))
    fields += [
        TextField(PROMPT, "Prompt", MAX_PROMPT, value=draft.prompt, hint=_PROMPT_HINT),
        ChoiceField(QUALITY, "Quality", _QUALITIES, draft.quality),
        ChoiceField(SIZE, "Aspect ratio", _SIZES, draft.size),
        ChoiceField(COUNT, "Number of images", counts, count),
    ]
    return Form(write_persistent(EDIT_FORM, draft.id), title, fields)


def guided_form(draft: Draft) -> Form:
    """Build the form with the four parts of a prompt."""
    fields = [
        TextField(KEEP, "What to keep", LONGEST_KEEP, hint=_KEEP_HINT, required=False),
        TextField(CHANGE, "What to change", LONGEST_CHANGE, hint=_CHANGE_HINT),
        TextField(LOOK, "Style and lighting", LONGEST_LOOK, hint=_LOOK_HINT, required=False),
        TextField(TEXT, "Text to add", LONGEST_TEXT, hint=_TEXT_HINT, required=False),
    ]
    return Form(write_persistent(GUIDED_FORM, draft.id), "Guided edit", fields)


def _image_choice(sources: Sequence[ImageLink]) -> ChoiceField:
    options = [
        Option(str(index), _described(index, source)) for index, source in enumerate(sources)
    ]
    return ChoiceField(PICTURE, "Which image", options, "0")


def _described(index: int, source: ImageLink) -> str:
    dimensions = f" · {source.width} × {source.height}" if source.width and source.height else ""
    return as_label(f"{index + 1}{dimensions} · {source.name}")
