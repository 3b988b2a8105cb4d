"""Forms as Discord shows them and as members send them, as plain data: nothing is kept of them.

A library's forms live in memory, and one that was open during a restart could not be sent.
https://docs.discord.com/developers/components/reference#label
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

JSON = Mapping[str, Any]

LABEL, TEXT_INPUT, STRING_SELECT, FILE_UPLOAD = 18, 4, 3, 19
"""https://docs.discord.com/developers/components/reference#component-object-component-types"""

PARAGRAPH = 2
"""The style of a text input of several lines."""

LONGEST_LABEL = 100
"""Characters of what an option is called."""


@dataclass(frozen=True, slots=True)
class TextField:
    """A field to write into."""

    name: str
    label: str
    longest: int
    value: str = ""
    hint: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """A field to choose one of a few from."""

    name: str
    label: str
    options: Sequence[Option]
    chosen: str
    """The value that is chosen from the start."""


@dataclass(frozen=True, slots=True)
class FileField:
    """A field for one file."""

    name: str
    label: str


Field = TextField | ChoiceField | FileField


@dataclass(frozen=True, slots=True)
class Form:
    """A form; its custom id says what it is for when it is sent."""

    custom_id: str
    title: str
    fields: Sequence[Field]

    def to_json(self) -> JSON:
        """The form as an interaction is answered with it."""
        labels = [_label(field) for field in self.fields]
        return {"custom_id": self.custom_id, "title": self.title, "components": labels}


@dataclass(frozen=True, slots=True)
class Filled:
    """What a member sent, by the fields' names; whether it was ever offered is not known."""

    values: Mapping[str, str]
    files: Mapping[str, JSON]
    """Discord's attachment objects."""

    def text(self, name: str) -> str:
        """What was written into a field or chosen in it; empty where there was none."""
        return self.values.get(name, "")


def read_form(data: JSON) -> Filled:
    """What the data of a sent form says; what cannot be read is left out."""
    uploaded = _object(_object(data.get("resolved")).get("attachments"))
    values: dict[str, str] = {}
    files: dict[str, JSON] = {}
    for answer in _answers(data):
        name, given = answer.get("custom_id"), _first_given(answer)
        if not isinstance(name, str) or given is None:
            continue
        if answer.get("type") != FILE_UPLOAD:
            values[name] = given
        elif file := _object(uploaded.get(given)):
            files[name] = file
    return Filled(values, files)


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
        "max_length": field.longest,
        "required": field.required,
    }
    if field.value:
        body["value"] = field.value[: field.longest]
    if field.hint:
        body["placeholder"] = field.hint
    return body


def _option(option: Option, chosen: str) -> JSON:
    label = option.label
    if len(label) > LONGEST_LABEL:
        label = f"{label[: LONGEST_LABEL - 1]}…"
    return {"value": option.value, "label": label, "default": option.value == chosen}


def _answers(data: JSON) -> Iterator[JSON]:
    for part in _list(data.get("components")):
        item = _object(part)
        yield _object(item.get("component"))
        yield from map(_object, _list(item.get("components")))


def _first_given(answer: JSON) -> str | None:
    chosen = _list(answer.get("values"))
    given = chosen[0] if chosen else answer.get("value")
    return given if isinstance(given, str) else None


def _object(value: object) -> JSON:
    return cast("JSON", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
