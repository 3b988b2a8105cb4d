"""Application commands: what may be registered, and what a member's client lets through.

The rules are those of https://discord.com/developers/docs/interactions/application-commands.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from sandbox.discord.interactions.forms import DiscordError, Form, Problems
from sandbox.values import (
    JsonObject,
    as_array,
    as_integer,
    as_object,
    integer_at,
    objects_at,
    snowflake,
    text_at,
)

UNKNOWN_COMMAND = 10063
MOST_OPTIONS = 25
MOST_CHOICES = 25
LONGEST_NAME = 32
LONGEST_DESCRIPTION = 100
LONGEST_STRING = 6000
TOO_MANY_COMMANDS = 30032
MOST_TEXT_IN_COMMAND = 8000
INT53 = 2**53 - 1

CHAT_NAME = re.compile(r"[-_'\w]{1,32}")
"""Letters and digits of any script; no upper case where there is a lower one."""


class CommandType(IntEnum):
    """Where a command is found."""

    CHAT_INPUT = 1
    USER = 2
    MESSAGE = 3


class OptionType(IntEnum):
    """What an option takes."""

    SUB_COMMAND = 1
    SUB_COMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


MOST_COMMANDS = {CommandType.CHAT_INPUT: 100, CommandType.USER: 15, CommandType.MESSAGE: 15}
NESTING = frozenset({OptionType.SUB_COMMAND, OptionType.SUB_COMMAND_GROUP})
CHOOSABLE = frozenset({OptionType.STRING, OptionType.INTEGER, OptionType.NUMBER})


class InvalidInvocation(Exception):
    """Something that Discord's client or server would not let a member send."""


@dataclass(slots=True)
class Registry:
    """The commands that an application has registered, everywhere and in single servers."""

    application_id: int
    new_id: Callable[[], int]
    commands: dict[int, JsonObject] = field(default_factory=dict[int, JsonObject])

    def listed(self, guild_id: int | None, *, localized: bool = False) -> list[JsonObject]:
        """Return the commands of one scope."""
        scope = None if guild_id is None else str(guild_id)
        found = [each for each in self.commands.values() if each.get("guild_id") == scope]
        return found if localized else [_without_localizations(each) for each in found]

    def get(self, command_id: int, guild_id: int | None) -> JsonObject:
        """Return one command; raises DiscordError 10063."""
        command = self.commands.get(command_id)
        scope = None if guild_id is None else str(guild_id)
        if command is None or command.get("guild_id") != scope:
            raise DiscordError(404, UNKNOWN_COMMAND, "Unknown application command")
        return command

    def find(
        self, name: str, guild_id: int | None, kind: int = CommandType.CHAT_INPUT
    ) -> JsonObject | None:
        """Return the command that a member in a server would find by a name."""
        scopes = {None, None if guild_id is None else str(guild_id)}
        named = (each for each in self.commands.values() if each["name"] == name)
        return next(
            (each for each in named if each.get("guild_id") in scopes and each["type"] == kind),
            None,
        )

    def replace(self, items: Sequence[object], guild_id: int | None) -> list[JsonObject]:
        """Put all commands of one scope in place of those before."""
        problems = Problems()
        made: list[JsonObject] = []
        for index, item in enumerate(items):
            form = Form(as_object(item) or {}, problems, (index,))
            made.append(self._read(form, guild_id))
        names = [(each["name"], each["type"]) for each in made]
        for index, name in enumerate(names):
            if name in names[:index]:
                words = "Application command names must be unique"
                problems.add((index, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", words)
        for kind, most in MOST_COMMANDS.items():
            if sum(each["type"] == kind for each in made) > most:
                words = f"Maximum number of application commands reached ({most})"
                raise DiscordError(400, TOO_MANY_COMMANDS, words)
        problems.check()
        known = {(each["name"], each["type"]): each for each in self.listed(guild_id)}
        for each in self.listed(guild_id):
            del self.commands[int(text_at(each, "id"))]
        return [self._register(each, known.get((each["name"], each["type"]))) for each in made]

    def add(self, fields: JsonObject, guild_id: int | None) -> tuple[JsonObject, bool]:
        """Register a command in place of one with the same name; tell whether it is new."""
        problems = Problems()
        made = self._read(Form(fields, problems), guild_id)
        problems.check()
        same = (
            each
            for each in self.listed(guild_id)
            if each["name"] == made["name"] and each["type"] == made["type"]
        )
        old = next(same, None)
        return self._register(made, old), old is None

    def change(self, command_id: int, fields: JsonObject, guild_id: int | None) -> JsonObject:
        """Change some fields of a command."""
        old = self.get(command_id, guild_id)
        problems = Problems()
        made = self._read(Form(old | fields, problems), guild_id)
        problems.check()
        return self._register(made, old)

    def remove(self, command_id: int, guild_id: int | None) -> None:
        """Take a command away."""
        self.get(command_id, guild_id)
        del self.commands[command_id]

    def _register(self, made: JsonObject, old: JsonObject | None) -> JsonObject:
        command_id = self.new_id() if old is None else int(text_at(old, "id"))
        body: JsonObject = {
            "id": str(command_id),
            "application_id": str(self.application_id),
            "version": str(self.new_id()),
        }
        self.commands[command_id] = body | made
        return self.commands[command_id]

    def _read(self, form: Form, guild_id: int | None) -> JsonObject:
        kind = form.choice("type", of=list(CommandType)) or CommandType.CHAT_INPUT
        chat = kind == CommandType.CHAT_INPUT
        name = _read_name(form, chat=chat, code="APPLICATION_COMMAND_INVALID_NAME")
        description = ""
        if chat:
            description = _read_description(form)
        elif form.fields.get("description"):
            words = "Context menu commands cannot have description"
            form.wrong("description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", words)
        body: JsonObject = {
            "default_member_permissions": _read_permissions(form),
            "type": kind,
            "name": name,
            "name_localizations": _read_localizations(form, "name_localizations"),
            "description": description,
            "description_localizations": _read_localizations(form, "description_localizations"),
            "dm_permission": form.boolean("dm_permission") is not False,
            "contexts": _read_enums(form, "contexts", {0, 1, 2}),
            "integration_types": _read_enums(form, "integration_types", {0, 1}) or [0],
            "nsfw": bool(form.boolean("nsfw")),
        }
        if guild_id is not None:
            body["guild_id"] = str(guild_id)
        options = _read_options(form) if chat else []
        if options:
            body["options"] = options
        if _text_of([body]) > MOST_TEXT_IN_COMMAND:
            words = f"Command exceeds maximum size ({MOST_TEXT_IN_COMMAND})"
            form.wrong(None, "APPLICATION_COMMAND_TOO_LARGE", words)
        return body


def _without_localizations(command: JsonObject) -> JsonObject:
    dropped = ("name_localizations", "description_localizations")
    body = {key: value for key, value in command.items() if key not in dropped}
    if "options" in body:
        body["options"] = [_without_localizations(each) for each in objects_at(body, "options")]
    return body


def _text_of(items: Iterable[JsonObject]) -> int:
    total = 0
    for item in items:
        total += len(text_at(item, "name")) + len(text_at(item, "description"))
        total += len(text_at(item, "value"))
        total += _text_of(objects_at(item, "options")) + _text_of(objects_at(item, "choices"))
    return total


def _read_name(form: Form, *, chat: bool, code: str) -> str:
    name = form.string("name", shortest=1, longest=LONGEST_NAME, required=True) or ""
    if chat and name and (not CHAT_NAME.fullmatch(name) or name != name.lower()):
        form.wrong("name", code, "Command name is invalid")
    return name


def _read_description(form: Form) -> str:
    longest = LONGEST_DESCRIPTION
    return form.string("description", shortest=1, longest=longest, required=True) or ""


def _read_permissions(form: Form) -> str | None:
    value = form.fields.get("default_member_permissions")
    if value is None:
        return None
    number = snowflake(value)
    if number is None:
        words = f'Value "{value}" is not int.'
        form.wrong("default_member_permissions", "NUMBER_TYPE_COERCE", words)
    return str(number)


def _read_localizations(form: Form, key: str) -> JsonObject | None:
    given = form.object(key)
    return None if given is None else given.fields


def _read_enums(form: Form, key: str, of: Collection[int]) -> list[int] | None:
    given = form.array(key, fewest=1, most=len(of))
    if given is None:
        return None
    numbers = [as_integer(each) for each in given]
    if any(number not in of for number in numbers) or len(set(numbers)) < len(numbers):
        words = f"Value must be one of {{{', '.join(map(str, sorted(of)))}}}."
        form.wrong(key, "BASE_TYPE_CHOICES", words)
    return [number for number in numbers if number is not None]


def _read_options(form: Form, depth: int = 0) -> list[JsonObject]:
    options = form.objects("options", most=MOST_OPTIONS) or []
    read = [_read_option(option, depth) for option in options]
    names = [each["name"] for each in read]
    optional_seen = False
    for option, body in zip(options, read, strict=True):
        if names.count(body["name"]) > 1:
            words = "Option name already exists"
            option.wrong("name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", words)
        required = body.get("required") is True
        if required and optional_seen:
            words = "Required options must be placed before non-required options"
            option.wrong(None, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words)
        optional_seen = optional_seen or not required
    nested = [each for each in read if each["type"] in NESTING]
    if nested and len(nested) < len(read):
        words = "Sub-command and sub-command group option types are mutually exclusive"
        form.wrong("options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", words)
    return read


def _read_option(option: Form, depth: int) -> JsonObject:
    kind = option.choice("type", of=list(OptionType), required=True) or 0
    code = "APPLICATION_COMMAND_INVALID_NAME"
    body: JsonObject = {
        "type": kind,
        "name": _read_name(option, chat=True, code=code),
        "name_localizations": _read_localizations(option, "name_localizations"),
        "description": _read_description(option),
        "description_localizations": _read_localizations(option, "description_localizations"),
    }
    if option.boolean("required"):
        body["required"] = True
    if kind in NESTING:
        if depth > (kind == OptionType.SUB_COMMAND):
            words = "Sub-commands cannot be nested any deeper"
            option.wrong("type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", words)
        else:
            body["options"] = _read_options(option, depth + 1)
    _read_limits(option, kind, body)
    if kind in CHOOSABLE:
        _read_choices(option, kind, body)
    if kind == OptionType.CHANNEL and option.array("channel_types", most=20):
        body["channel_types"] = option.fields["channel_types"]
    return body


def _read_limits(option: Form, kind: int, body: JsonObject) -> None:
    if kind == OptionType.STRING:
        for key, least in (("min_length", 0), ("max_length", 1)):
            number = option.integer(key, least=least, most=LONGEST_STRING)
            if number is not None:
                body[key] = number
    if kind in {OptionType.INTEGER, OptionType.NUMBER}:
        for key in ("min_value", "max_value"):
            value = option.fields.get(key)
            if kind == OptionType.INTEGER:
                value = option.integer(key, least=-INT53, most=INT53)
            if isinstance(value, int | float):
                body[key] = value


def _read_choices(option: Form, kind: int, body: JsonObject) -> None:
    choices = option.objects("choices", most=MOST_CHOICES) or []
    for choice in choices:
        choice.string("name", shortest=1, longest=100, required=True)
        if kind == OptionType.STRING:
            choice.string("value", shortest=1, longest=100, required=True)
        elif not isinstance(choice.fields.get("value"), int | float):
            value = choice.fields.get("value")
            choice.wrong("value", "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')
    if choices:
        body["choices"] = [{"name_localizations": None} | choice.fields for choice in choices]
    if option.boolean("autocomplete"):
        body["autocomplete"] = True
        if choices:
            words = "Autocomplete cannot be set to true if choices are present"
            option.wrong("autocomplete", "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES", words)


def check_options(command: JsonObject, given: Mapping[str, object]) -> None:
    """Refuse values that Discord's client would not let a member send; raises InvalidInvocation.

    Uploads, people, channels and roles are told by their kinds only; their resolution checks them.
    """
    options = {text_at(each, "name"): each for each in objects_at(command, "options")}
    for name in given:
        if name not in options:
            raise InvalidInvocation(f"{name}: /{command['name']} has no such option")
    for name, option in options.items():
        if name not in given:
            if option.get("required"):
                raise InvalidInvocation(f"{name}: this option is required")
            continue
        wrong = _wrong_value(option, given[name])
        if wrong is not None:
            raise InvalidInvocation(f"{name}: {wrong}")


def _wrong_value(option: JsonObject, value: object) -> str | None:
    choices = [each.get("value") for each in objects_at(option, "choices")]
    match option["type"]:
        case OptionType.STRING:
            wrong = _wrong_string(option, value)
        case OptionType.INTEGER:
            whole = as_integer(value) is not None
            wrong = _wrong_number(option, value) if whole else "takes a whole number"
        case OptionType.NUMBER:
            wrong = _wrong_number(option, value)
        case OptionType.BOOLEAN:
            wrong = None if isinstance(value, bool) else "takes true or false"
        case _:
            wrong = None
    if wrong is None and choices and value not in choices and not option.get("autocomplete"):
        wrong = f"{value!r} is not one of {', '.join(str(choice) for choice in choices)}"
    return wrong


def _wrong_string(option: JsonObject, value: object) -> str | None:
    if not isinstance(value, str):
        return "takes text"
    shortest = max(integer_at(option, "min_length"), 1 if option.get("required") else 0)
    longest = integer_at(option, "max_length") or LONGEST_STRING
    if not shortest <= len(value) <= longest:
        return f"takes {shortest} to {longest} characters, not {len(value)}"
    return None


def _wrong_number(option: JsonObject, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "takes a number"
    least, most = option.get("min_value"), option.get("max_value")
    if isinstance(least, int | float) and value < least:
        return f"takes {least} or more, not {value}"
    if isinstance(most, int | float) and value > most:
        return f"takes {most} or less, not {value}"
    return None


def contexts_of(command: JsonObject) -> set[int]:
    """Return where a command may be used: 0 in servers, 1 in its bot's direct messages."""
    contexts = as_array(command.get("contexts"))
    if contexts is not None:
        return {number for each in contexts if (number := as_integer(each)) is not None}
    return {0, 1} if command.get("dm_permission") is not False else {0}
