"""What people choose from selects, as their clients check it and send it."""

from collections.abc import Sequence

from sandbox.discord.components.components import SELECTS, Kind
from sandbox.discord.interactions.commands import InvalidInvocation, OptionType
from sandbox.discord.interactions.invocation import Resolved
from sandbox.values import JsonObject, as_array, integer_at, objects_at, text_at

NAMED = {
    Kind.USER_SELECT: OptionType.USER,
    Kind.ROLE_SELECT: OptionType.ROLE,
    Kind.MENTIONABLE_SELECT: OptionType.MENTIONABLE,
    Kind.CHANNEL_SELECT: OptionType.CHANNEL,
}


def press_data(component: JsonObject, chosen: Sequence[object], resolved: Resolved) -> JsonObject:
    """Return the data of a message component's interaction; raises InvalidInvocation."""
    custom_id = text_at(component, "custom_id")
    data: JsonObject = {
        "component_type": component["type"],
        "custom_id": custom_id,
        "id": component["id"],
    }
    if component["type"] in SELECTS:
        name = text_at(component, "placeholder") or custom_id
        least, most = integer_at(component, "min_values"), integer_at(component, "max_values")
        check_count(name, chosen, least, most)
        data["values"] = choose(component, name, chosen, resolved)
    elif chosen:
        raise InvalidInvocation(f"there is nothing to choose from {custom_id}")
    named = resolved.to_json()
    if named:
        data["resolved"] = named
    return data


def choose(
    component: JsonObject, name: str, chosen: Sequence[object], resolved: Resolved
) -> list[str]:
    """Return the values of what was chosen from a select, or of options that were checked."""
    kind = NAMED.get(Kind(integer_at(component, "type")))
    if kind is None:
        values = [offered(component, name, each) for each in chosen]
    else:
        types = as_array(component.get("channel_types")) or ()
        values = [resolved.identify(name, kind, each, types) for each in chosen]
    if len(set(values)) < len(values):
        raise InvalidInvocation(f"{name}: nothing can be chosen twice")
    return values


def offered(component: JsonObject, name: str, chosen: object) -> str:
    """Return the value of one of a component's options; raises InvalidInvocation for another."""
    values = [text_at(option, "value") for option in objects_at(component, "options")]
    if not isinstance(chosen, str) or chosen not in values:
        raise InvalidInvocation(f"{name}: {chosen!r} is not one of {', '.join(values)}")
    return chosen


def check_count(name: str, chosen: Sequence[object], least: int, most: int) -> None:
    """Refuse a number of choices that a component does not take; raises InvalidInvocation."""
    if not least <= len(chosen) <= most:
        span = str(least) if least == most else f"{least} to {most}"
        raise InvalidInvocation(f"{name}: takes {span} of what is offered, not {len(chosen)}")
