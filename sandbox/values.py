"""JSON that came from outside, narrowed to what the reader expects of it."""

import json
from collections.abc import Mapping
from typing import TypeAlias, cast

JsonObject: TypeAlias = dict[str, object]

SNOWFLAKE_DIGITS = 20
ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def as_object(value: object) -> JsonObject | None:
    """Return the value if it is a JSON object."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_array(value: object) -> list[object] | None:
    """Return the value if it is a JSON array."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_integer(value: object) -> int | None:
    """Return the value if it is a JSON integer; `true` and `false` are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def object_at(value: Mapping[str, object], key: str) -> JsonObject:
    """Return the object under a key, or an empty one."""
    return as_object(value.get(key)) or {}


def objects_at(value: Mapping[str, object], key: str) -> list[JsonObject]:
    """Return the objects of the array under a key."""
    found = (as_object(item) for item in as_array(value.get(key)) or [])
    return [item for item in found if item is not None]


def text_at(value: Mapping[str, object], key: str) -> str:
    """Return the string under a key, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def integer_at(value: Mapping[str, object], key: str) -> int:
    """Return the integer under a key, or 0."""
    return as_integer(value.get(key)) or 0


def snowflake(value: object) -> int | None:
    """Return an id, which Discord takes as a string of digits or as an integer."""
    if isinstance(value, str):
        digits = value.isascii() and value.isdigit() and len(value) <= SNOWFLAKE_DIGITS
        return int(value) if digits else None
    number = as_integer(value)
    return number if number is not None and number >= 0 else None


def parse(text: str | bytes) -> object:
    """Parse JSON text; raises ValueError."""
    return cast("object", json.loads(text))


def dump(value: object) -> str:
    """Write JSON as compactly as Discord does."""
    return ENCODER.encode(value)
