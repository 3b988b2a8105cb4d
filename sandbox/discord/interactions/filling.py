"""What people fill into forms, as their clients check it and send it."""

from collections.abc import Mapping, Sequence

from sandbox.discord.components.components import Kind
from sandbox.discord.interactions.choosing import check_count, choose, offered
from sandbox.discord.interactions.commands import InvalidInvocation, OptionType
from sandbox.discord.interactions.invocation import Chosen, Filled, RawId, Resolved
from sandbox.discord.interactions.modals import LONGEST_INPUT
from sandbox.values import JsonObject, integer_at, object_at, objects_at, snowflake, text_at

SHORT = 1


def form_data(shown: JsonObject, values: Mapping[str, Filled], resolved: Resolved) -> JsonObject:
    """Return the data of a sent form's interaction; raises InvalidInvocation.

    A value left out, or None, stands for what the form shows from the start.
    """
    filling = Filling(dict(values), resolved)
    data: JsonObject = {
        "custom_id": shown["custom_id"],
        "components": [filling.sent(item) for item in objects_at(shown, "components")],
    }
    if filling.values:
        raise InvalidInvocation(f"the form asks for no {', '.join(filling.values)}")
    named = resolved.to_json()
    if named:
        data["resolved"] = named
    return data


class Filling:
    """The values that a form's components still have to take."""

    def __init__(self, values: dict[str, Filled], resolved: Resolved) -> None:
        self.values = values
        self._resolved = resolved

    def sent(self, item: JsonObject) -> JsonObject:
        """Return a row, a label or a text as it is sent back."""
        body: JsonObject = {"type": item["type"], "id": item["id"]}
        match item["type"]:
            case Kind.ACTION_ROW:
                inputs = objects_at(item, "components")
                body["components"] = [self._answer(each, text_at(each, "label")) for each in inputs]
            case Kind.LABEL:
                inner = object_at(item, "component")
                body["component"] = self._answer(inner, text_at(item, "label"))
            case _:
                pass
        return body

    def _answer(self, component: JsonObject, label: str) -> JsonObject:
        given = self.values.pop(text_at(component, "custom_id"), None)
        body: JsonObject = {key: component[key] for key in ("type", "id", "custom_id")}
        match component["type"]:
            case Kind.TEXT_INPUT:
                body["value"] = _text(component, label, given)
            case Kind.RADIO_GROUP:
                body["value"] = _picked(component, label, given)
            case Kind.CHECKBOX:
                body["value"] = _ticked(component, label, given)
            case _:
                body["values"] = self._chosen(component, label, given)
        return body

    def _chosen(self, component: JsonObject, label: str, given: Filled) -> list[str]:
        chosen = self._defaults(component) if given is None else given
        if isinstance(chosen, str | bool):
            raise InvalidInvocation(f"{label}: takes a list")
        _check_required(component, label, empty=not chosen)
        if chosen:
            least, most = integer_at(component, "min_values"), integer_at(component, "max_values")
            check_count(label, chosen, least, most)
        if component["type"] == Kind.FILE_UPLOAD:
            kind = OptionType.ATTACHMENT
            return [self._resolved.identify(label, kind, upload) for upload in chosen]
        return choose(component, label, chosen, self._resolved)

    def _defaults(self, component: JsonObject) -> Sequence[Chosen]:
        chosen = _default_options(component)
        named = [self._named(each) for each in objects_at(component, "default_values")]
        return chosen or named

    def _named(self, default: JsonObject) -> Chosen:
        """Return the person, role or channel that is chosen from the start."""
        number = snowflake(default.get("id")) or 0
        guild = self._resolved.channel.guild
        if guild is None:
            return RawId(number)
        known: dict[str, Mapping[int, Chosen]] = {
            "user": guild.members,
            "role": guild.roles,
            "channel": self._resolved.world.channels,
        }
        return known[text_at(default, "type")].get(number, RawId(number))


def _text(component: JsonObject, label: str, given: Filled) -> str:
    text = text_at(component, "value") if given is None else given
    if not isinstance(text, str):
        raise InvalidInvocation(f"{label}: takes text")
    _check_required(component, label, empty=not text)
    if component["style"] == SHORT and "\n" in text:
        raise InvalidInvocation(f"{label}: takes one line")
    shortest = integer_at(component, "min_length")
    longest = integer_at(component, "max_length") or LONGEST_INPUT
    # What is not required may be left empty, however long it must be otherwise
    # (discord-api-docs issue 4468).
    if text and not shortest <= len(text) <= longest:
        words = f"{label}: takes {shortest} to {longest} characters, not {len(text)}"
        raise InvalidInvocation(words)
    return text


def _picked(component: JsonObject, label: str, given: Filled) -> str | None:
    defaults = _default_options(component)
    chosen = next(iter(defaults), None) if given is None else given
    _check_required(component, label, empty=chosen is None)
    return None if chosen is None else offered(component, label, chosen)


def _ticked(component: JsonObject, label: str, given: Filled) -> bool:
    ticked = component["default"] if given is None else given
    if not isinstance(ticked, bool):
        raise InvalidInvocation(f"{label}: takes true or false")
    return ticked


def _default_options(component: JsonObject) -> list[str]:
    options = objects_at(component, "options")
    return [text_at(option, "value") for option in options if option.get("default")]


def _check_required(component: JsonObject, label: str, *, empty: bool) -> None:
    if empty and component["required"]:
        raise InvalidInvocation(f"{label}: this field is required")
