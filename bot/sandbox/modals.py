"""Forms and suggestions that a bot answers an interaction with: Discord's rules for them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from bot.sandbox.commands import INT53, OptionType
from bot.sandbox.components import LONGEST_CUSTOM_ID, SELECTS
from bot.sandbox.forms import Form, Problems
from bot.sandbox.values import as_integer

if TYPE_CHECKING:
    from bot.sandbox.values import JsonObject

MOST_CHOICES = 25
LONGEST_CHOICE = 100
MOST_FIELDS = 5
LONGEST_TITLE = 45
LONGEST_LABEL = 45
LONGEST_INPUT = 4000


class Field(IntEnum):
    """The components that only forms have, beside rows and text displays."""

    ACTION_ROW = 1
    TEXT_INPUT = 4
    TEXT_DISPLAY = 10
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


LABELLED = SELECTS | {
    Field.TEXT_INPUT,
    Field.FILE_UPLOAD,
    Field.RADIO_GROUP,
    Field.CHECKBOX_GROUP,
    Field.CHECKBOX,
}


def check_choices(data: JsonObject, kind: object) -> None:
    """Refuse suggestions that Discord would not show for an option's kind; raises DiscordError."""
    problems = Problems()
    form = Form(data, problems, ("data",))
    for choice in form.objects("choices", most=MOST_CHOICES, required=True) or []:
        choice.string("name", shortest=1, longest=100, required=True)
        match kind:
            case OptionType.STRING:
                choice.string("value", longest=LONGEST_CHOICE, required=True)
            case OptionType.INTEGER:
                choice.integer("value", least=-INT53, most=INT53, required=True)
            case _:
                choice.number("value", required=True)
    problems.check()


def check_modal(data: JsonObject) -> None:
    """Refuse a form that Discord would not show; raises DiscordError."""
    problems = Problems()
    form = Form(data, problems, ("data",))
    form.string("custom_id", shortest=1, longest=LONGEST_CUSTOM_ID, required=True)
    form.string("title", shortest=1, longest=LONGEST_TITLE, required=True)
    seen: set[str] = set()
    for item in form.objects("components", fewest=1, most=MOST_FIELDS, required=True) or []:
        match as_integer(item.fields.get("type")):
            case Field.ACTION_ROW:
                for each in item.objects("components", fewest=1, most=1, required=True) or []:
                    each.string("label", shortest=1, longest=LONGEST_LABEL, required=True)
                    _check_field(each, {Field.TEXT_INPUT}, seen)
            case Field.LABEL:
                item.string("label", shortest=1, longest=LONGEST_LABEL, required=True)
                item.string("description", longest=100)
                inner = item.object("component", required=True)
                if inner is not None:
                    _check_field(inner, LABELLED, seen)
            case Field.TEXT_DISPLAY:
                item.string("content", shortest=1, longest=LONGEST_INPUT, required=True)
            case _:
                words = 'Value of field "type" must be one of (1, 10, 18).'
                item.wrong("type", "UNION_TYPE_CHOICES", words)
    problems.check()


def _check_field(form: Form, allowed: set[int] | frozenset[int], seen: set[str]) -> None:
    kind = form.choice("type", of=allowed, required=True)
    longest = LONGEST_CUSTOM_ID
    custom_id = form.string("custom_id", shortest=1, longest=longest, required=True) or ""
    if custom_id in seen:
        words = "Component custom id cannot be duplicated"
        form.wrong("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", words)
    seen.add(custom_id)
    form.string("placeholder", longest=150 if kind in SELECTS else 100)
    if kind == Field.TEXT_INPUT:
        form.choice("style", of={1, 2}, required=True)
        form.integer("min_length", most=LONGEST_INPUT)
        form.integer("max_length", least=1, most=LONGEST_INPUT)
        form.string("value", longest=LONGEST_INPUT)
