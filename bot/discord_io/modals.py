"""Forms as plain data: how Discord shows them, and what members submit.

discord.py keeps its modals in memory, so one that was open during a restart couldn't be submitted.
https://docs.discord.com/developers/components/reference#label
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

JSON = Mapping[str, Any]

LABEL, TEXT_INPUT, STRING_SELECT, FILE_UPLOAD = 18, 4, 3, 19
"""https://docs.discord.com/developers/components/reference#component-object-component-types"""

PARAGRAPH = 2
"""The style of a multi-line text input."""

MAX_LABEL_LENGTH = 100
"""Characters of an option's label."""


@dataclass(frozen=True, slots=True)
class TextField:
    """A text field."""

    name: str
    label: str
    max_length: int
    value: str = ""
    hint: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """A select with a few options."""

    name: str
    label: str
    options: Sequence[Option]
    chosen: str
    """The value that is selected at first."""


@dataclass(frozen=True, slots=True)
class FileField:
    """A field for one file."""

    name: str
    label: str


Field = TextField | ChoiceField | FileField


@dataclass(frozen=True, slots=True)
class Form:
    """A form. Its custom id says what it's for when it is submitted."""

    custom_id: str
    title: str
    fields: Sequence[Field]

    def to_json(self) -> JSON:
        """Return the form as the data of an interaction response."""
        labels = [_label(field) for field in self.fields]
        return {"custom_id": self.custom_id, "title": self.title, "components": labels}


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """What a member submitted, by the fields' names. Nothing says that it was ever offered."""

    values: Mapping[str, str]
    files: Mapping[str, JSON]
    """Discord's attachment objects."""

    def text(self, name: str) -> str:
        """Return a field's text or selected option; empty if there is none."""
        return self.values.get(name, "")


def read_form(data: JSON) -> SubmittedForm:
    """Read a submitted form's data, and leave out what isn't readable."""
    uploaded = _object(_object(data.get("resolved")).get("attachments"))
    values: dict[str, str] = {}
    files: dict[str, JSON] = {}
    for component in _components(data):
        name, value = component.get("custom_id"), _first_value(component)
        if not isinstance(name, str) or value is None:
            continue
        if component.get("type") != FILE_UPLOAD:
            values[name] = value
        elif file := _object(uploaded.get(value)):
            files[name] = file
    return SubmittedForm(values, files)


def _label(field: Field) -> JSON:
    label: dict[str, Any] = {"type": LABEL, "label": field.label}
    match field:
        case TextField():
            label["component"] = _text_input(field)
        case ChoiceField():
            label["component"] = {
                "type": STRING_SELECT,
                "custom_id": field.name,
                "options": [_option(option, field.chosen) for option in field.options],
                "required": True,
            }
        case FileField():
            label["component"] = {
                "type": FILE_UPLOAD,
                "custom_id": field.name,
                "min_values": 1,
                "max_values": 1,
                "required": True,
            }
    return label


def _text_input(field: TextField) -> JSON:
    body: dict[str, Any] = {
        "type": TEXT_INPUT,
        "custom_id": field.name,
        "style": PARAGRAPH,
        "max_length": field.max_length,
        "required": field.required,
    }
    if field.value:
        body["value"] = field.value[: field.max_length]
    if field.hint:
        body["placeholder"] = field.hint
    return body


def _option(option: Option, chosen: str) -> JSON:
    label = option.label
    if len(label) > MAX_LABEL_LENGTH:
        label = f"{label[: MAX_LABEL_LENGTH - 1]}…"
    return {"value": option.value, "label": label, "default": option.value == chosen}


def _components(data: JSON) -> Iterator[JSON]:
    for part in _list(data.get("components")):
        item = _object(part)
        yield _object(item.get("component"))
        yield from map(_object, _list(item.get("components")))


def _first_value(component: JSON) -> str | None:
    values = _list(component.get("values"))
    value = values[0] if values else component.get("value")
    return value if isinstance(value, str) else None


def _object(value: object) -> JSON:
    return cast("JSON", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
