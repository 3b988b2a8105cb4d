"""Components, of messages and of forms: Discord's rules for what both have.

The rules are those of https://discord.com/developers/docs/components/reference and of Discord's
OpenAPI description.
"""

from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from typing import TypeAlias

from sandbox.discord.interactions.forms import Form, Problems
from sandbox.values import JsonObject, as_integer

MOST_TEXT = 4000
MOST_CHOICES = 25
LONGEST_CUSTOM_ID = 100
LONGEST_OPTION = 100
LONGEST_PLACEHOLDER = 150


class Kind(IntEnum):
    """The types of components."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = frozenset(
    {
        Kind.STRING_SELECT,
        Kind.USER_SELECT,
        Kind.ROLE_SELECT,
        Kind.MENTIONABLE_SELECT,
        Kind.CHANNEL_SELECT,
    }
)
DEFAULTS = {
    Kind.USER_SELECT: ("user",),
    Kind.ROLE_SELECT: ("role",),
    Kind.MENTIONABLE_SELECT: ("user", "role"),
    Kind.CHANNEL_SELECT: ("channel",),
}
"""What each select of Discord's own things may have chosen from the start."""

CHANNEL_TYPES = frozenset({*range(6), *range(10, 17)})
"""https://discord.com/developers/docs/resources/channel#channel-object-channel-types"""

Reader: TypeAlias = Callable[[Form], "JsonObject"]


class ComponentReader:
    """Reads the components of one message or form, each by its type's reader."""

    readers: dict[int, Reader]

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.count = 0
        self.letters = 0
        self.custom_ids: set[str] = set()
        self.ids: set[int] = set()
        self.unnumbered: list[JsonObject] = []

    def read_all(self, forms: Sequence[Form], allowed: Collection[int]) -> list[JsonObject]:
        """Return what components become, each with an id."""
        read = self._each(forms, allowed)
        number = 0
        for component in self.unnumbered:
            number += 1
            while number in self.ids:
                number += 1
            component["id"] = number
        return read

    def _each(self, forms: Collection[Form], allowed: Collection[int]) -> list[JsonObject]:
        read = (self._component(form, allowed) for form in forms)
        return [component for component in read if component is not None]

    def _component(self, form: Form, allowed: Collection[int]) -> JsonObject | None:
        kind = as_integer(form.fields.get("type"))
        if kind is None or kind not in allowed:
            known = ", ".join(str(int(each)) for each in sorted(allowed))
            words = f'Value of field "type" must be one of ({known}).'
            form.wrong("type", "UNION_TYPE_CHOICES", words)
            return None
        self.count += 1
        body: JsonObject = {"type": kind}
        given = form.integer("id")
        if given:
            if given in self.ids:
                form.wrong("id", "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
            self.ids.add(given)
            body["id"] = given
        else:
            self.unnumbered.append(body)
        body |= self.readers[kind](form)
        return body

    def _custom_id(self, form: Form) -> str:
        custom_id = form.string("custom_id", shortest=1, longest=LONGEST_CUSTOM_ID, required=True)
        if custom_id is not None and custom_id in self.custom_ids:
            words = "Component custom id cannot be duplicated"
            form.wrong("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", words)
        self.custom_ids.add(custom_id or "")
        return custom_id or ""

    def _text(self, form: Form) -> JsonObject:
        content = form.string("content", shortest=1, longest=MOST_TEXT, required=True) or ""
        self.letters += len(content)
        return {"content": content}

    def _select(self, form: Form) -> JsonObject:
        kind = as_integer(form.fields.get("type"))
        body: JsonObject = {"custom_id": self._custom_id(form)} | self._span(form, MOST_CHOICES)
        placeholder = form.string("placeholder", longest=LONGEST_PLACEHOLDER)
        if placeholder:
            body["placeholder"] = placeholder
        if kind == Kind.STRING_SELECT:
            body["options"] = self._options(form, body)
            return body
        defaults = self._default_values(form, body)
        if defaults:
            body["default_values"] = defaults
        types = form.array("channel_types", most=len(CHANNEL_TYPES)) or ()
        if any(each not in CHANNEL_TYPES for each in types):
            words = f"Value must be one of {{{', '.join(map(str, sorted(CHANNEL_TYPES)))}}}."
            form.wrong("channel_types", "BASE_TYPE_CHOICES", words)
        if types and kind == Kind.CHANNEL_SELECT:
            body["channel_types"] = list(types)
        return body

    def _span(self, form: Form, most: int, default: int = 1) -> JsonObject:
        """Read how many may be chosen."""
        fewest = form.integer("min_values", most=most)
        greatest = form.integer("max_values", least=1, most=most)
        greatest = default if greatest is None else greatest
        if fewest is not None and fewest > greatest:
            words = f"int value should be less than or equal to {greatest}."
            form.wrong("min_values", "NUMBER_TYPE_MAX", words)
        return {"min_values": 1 if fewest is None else fewest, "max_values": greatest}

    def _options(
        self, form: Form, body: JsonObject, *, fewest: int = 1, most: int = MOST_CHOICES
    ) -> list[JsonObject]:
        """Read what is offered: as many as may be chosen, of which no more are so by default."""
        choosable = as_integer(body.get("max_values")) or 1
        fewest = max(fewest, choosable)
        options = form.objects("options", fewest=fewest, most=most, required=True) or []
        seen: set[str] = set()
        chosen = 0
        for option in options:
            option.string("label", shortest=1, longest=LONGEST_OPTION, required=True)
            value = option.string("value", shortest=1, longest=LONGEST_OPTION, required=True) or ""
            option.string("description", longest=LONGEST_OPTION)
            option.object("emoji")
            chosen += bool(option.boolean("default"))
            if value in seen:
                words = "The specified option value is already used"
                option.wrong("value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", words)
            seen.add(value)
        self._limit_defaults(form, "options", chosen, 0, choosable)
        return [option.fields for option in options]

    def _default_values(self, form: Form, body: JsonObject) -> list[JsonObject]:
        kinds = DEFAULTS[Kind(as_integer(form.fields.get("type")) or 0)]
        given = form.objects("default_values", most=MOST_CHOICES) or []
        for value in given:
            value.snowflake("id", required=True)
            if value.fields.get("type") not in kinds:
                words = f"Value must be one of {{{', '.join(kinds)}}}."
                value.wrong("type", "BASE_TYPE_CHOICES", words)
        if given:
            least, most = as_integer(body["min_values"]) or 0, as_integer(body["max_values"]) or 1
            self._limit_defaults(form, "default_values", len(given), least, most)
        return [{"id": str(each.fields.get("id")), "type": each.fields["type"]} for each in given]

    def _limit_defaults(self, form: Form, key: str, chosen: int, least: int, most: int) -> None:
        if not least <= chosen <= most:
            words = f"The number of default values must be between {least} and {most}."
            form.wrong(key, "SELECT_COMPONENT_DEFAULT_VALUES_OUT_OF_RANGE", words)
