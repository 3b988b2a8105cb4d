"""What a client sent, read field by field, each wrong one answered in Discord's own form.

Discord names every wrong field at its place in an `errors` tree; unknown fields it ignores
(https://discord.com/developers/docs/reference#error-messages).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sandbox.values import JsonObject, as_array, as_integer, as_object, snowflake

INVALID_FORM = 50035
INT32 = 2**31 - 1

Path: TypeAlias = tuple[str | int, ...]


class DiscordError(Exception):
    """A request that Discord refuses, with what it answers."""

    def __init__(
        self, status: int, code: int, message: str, errors: JsonObject | None = None
    ) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> JsonObject:
        """Return the JSON that is answered."""
        body: JsonObject = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong field: where it is, Discord's name for what is wrong, and its words."""

    path: Path
    code: str
    message: str


@dataclass(slots=True)
class Problems:
    """Everything wrong with one request."""

    found: list[Problem] = field(default_factory=list[Problem])

    def add(self, path: Path, code: str, message: str) -> None:
        """Note a wrong field."""
        self.found.append(Problem(path, code, message))

    def __bool__(self) -> bool:
        return bool(self.found)

    def check(self) -> None:
        """Refuse the request if anything was wrong with it."""
        if self.found:
            raise DiscordError(400, INVALID_FORM, "Invalid Form Body", self._tree())

    def _tree(self) -> JsonObject:
        tree: JsonObject = {}
        for problem in self.found:
            node = tree
            for key in problem.path:
                child = as_object(node.get(str(key)))
                if child is None:
                    child = {}
                    node[str(key)] = child
                node = child
            errors = as_array(node.get("_errors")) or []
            errors.append({"code": problem.code, "message": problem.message})
            node["_errors"] = errors
        return tree


class Form:
    """One JSON object of a request; `null` counts as left out, as for most of Discord's fields."""

    def __init__(self, fields: JsonObject, problems: Problems, path: Path = ()) -> None:
        self.fields = fields
        self.problems = problems
        self.path = path

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    def wrong(self, key: str | None, code: str, message: str) -> None:
        """Note that a field, or the object itself, is wrong."""
        self.problems.add(self.path if key is None else (*self.path, key), code, message)

    def _given(self, key: str, *, required: bool) -> object:
        value = self.fields.get(key)
        if value is None and required:
            self.wrong(key, "BASE_TYPE_REQUIRED", "This field is required")
        return value

    def string(
        self, key: str, *, longest: int, shortest: int = 0, required: bool = False
    ) -> str | None:
        """Read a string within its lengths."""
        value = self._given(key, required=required)
        if value is None:
            return None
        if isinstance(value, bool | int | float):
            value = str(value)
        if not isinstance(value, str):
            self.wrong(key, "STRING_TYPE_CONVERT", "Could not interpret as string.")
            return None
        if required and shortest and not value:
            self.wrong(key, "BASE_TYPE_REQUIRED", "This field is required")
        elif not shortest <= len(value) <= longest:
            if shortest:
                words = f"Must be between {shortest} and {longest} in length."
                self.wrong(key, "BASE_TYPE_BAD_LENGTH", words)
            else:
                words = f"Must be {longest} or fewer in length."
                self.wrong(key, "BASE_TYPE_MAX_LENGTH", words)
        return value

    def integer(
        self, key: str, *, least: int = 0, most: int = INT32, required: bool = False
    ) -> int | None:
        """Read an integer within its range; digits in a string count, as at Discord."""
        value = self._given(key, required=required)
        if value is None:
            return None
        number = as_integer(value)
        if number is None and isinstance(value, str) and value.lstrip("-").isdecimal():
            number = int(value)
        if number is None:
            self.wrong(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif number < least:
            words = f"int value should be greater than or equal to {least}."
            self.wrong(key, "NUMBER_TYPE_MIN", words)
        elif number > most:
            words = f"int value should be less than or equal to {most}."
            self.wrong(key, "NUMBER_TYPE_MAX", words)
        return number

    def number(self, key: str, *, required: bool = False) -> float | None:
        """Read a number."""
        value = self._given(key, required=required)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.wrong(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.')
        return None

    def choice(self, key: str, of: Collection[int], *, required: bool = False) -> int | None:
        """Read an integer that must be one of a few."""
        value = self._given(key, required=required)
        if value is None:
            return None
        number = as_integer(value)
        if number is None or number not in of:
            words = f"Value must be one of {{{', '.join(map(str, sorted(of)))}}}."
            self.wrong(key, "BASE_TYPE_CHOICES", words)
            return None
        return number

    def boolean(self, key: str) -> bool | None:
        """Read true or false."""
        value = self._given(key, required=False)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
        return None

    def snowflake(self, key: str, *, required: bool = False) -> int | None:
        """Read an id."""
        value = self._given(key, required=required)
        if value is None:
            return None
        number = snowflake(value)
        if number is None:
            self.wrong(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return number

    def object(self, key: str, *, required: bool = False) -> Form | None:
        """Read an object."""
        value = self._given(key, required=required)
        if value is None:
            return None
        fields = as_object(value)
        if fields is None:
            words = "Only dictionaries may be used in a DictType"
            self.wrong(key, "DICT_TYPE_CONVERT", words)
            return None
        return Form(fields, self.problems, (*self.path, key))

    def array(
        self, key: str, *, fewest: int = 0, most: int, required: bool = False
    ) -> Sequence[object] | None:
        """Read an array within its lengths."""
        value = self._given(key, required=required)
        if value is None:
            return None
        items = as_array(value)
        if items is None:
            self.wrong(key, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return None
        if not fewest <= len(items) <= most:
            words = f"Must be between {fewest} and {most} in length."
            self.wrong(key, "BASE_TYPE_BAD_LENGTH", words)
        return items

    def objects(
        self, key: str, *, fewest: int = 0, most: int, required: bool = False
    ) -> list[Form] | None:
        """Read an array of objects within its lengths."""
        items = self.array(key, fewest=fewest, most=most, required=required)
        if items is None:
            return None
        return list(self._forms(key, items))

    def _forms(self, key: str, items: Sequence[object]) -> Iterator[Form]:
        for index, item in enumerate(items):
            path = (*self.path, key, index)
            fields = as_object(item)
            if fields is None:
                words = "Only dictionaries may be used in a DictType"
                self.problems.add(path, "DICT_TYPE_CONVERT", words)
            else:
                yield Form(fields, self.problems, path)
