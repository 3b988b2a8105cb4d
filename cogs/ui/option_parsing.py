"""Parses what moderators type into options, and explains what is wrong with it."""

import re
import unicodedata
from collections.abc import Awaitable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

import discord
from discord import app_commands

from bot.discord_io.replies import Reply
from bot.domain.banned_phrases import words_of
from bot.domain.pricing import MAX_COUNT, RATIOS, SOURCE_SIZE, Quality
from bot.domain.quotas import LARGEST_GRANT, LARGEST_LIMIT, Limit
from bot.domain.server_settings import LONGEST_PHRASE
from cogs.text.formats import any_of
from cogs.text.markdown import as_code
from cogs.ui.interactions import guild_id_of

MAX_REASON = 200
"""Characters of a change's reason; a page of the log has room for ten."""

UNLIMITED = "unlimited"

Choice = TypeVar("Choice", bound=StrEnum)

SUGGESTIONS = (40, 80, 160, 400, 800, 1_600, 4_000, 8_000)
"""Credits to suggest before anything is typed."""

MAX_CHOICES = 25
"""https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-structure"""

_WHOLE_NUMBER = re.compile(
    r"[0-9]+|[0-9]{1,3}(?P<mark>[ ,.'\u2019_])[0-9]{3}(?:(?P=mark)[0-9]{3})*"
)
_PLAIN = {
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    **dict.fromkeys(map(ord, "\u00a0\u2009\u202f"), " "),
}
"""Full-width digits and typographic spaces, to their ASCII characters."""

_MAX_SHOWN = 60

NamedChannel = app_commands.AppCommandChannel | app_commands.AppCommandThread | discord.Object
"""What a channel option holds: an `Object` if Discord resolved nothing."""


class BadOptionError(Exception):
    """An option has an invalid value; the error's text is for the member."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} Nothing changed.")


def invalid(option: str, got: str, hint: str) -> BadOptionError:
    """Build the error for an invalid value."""
    return BadOptionError(f"{got} isn't valid for `{option}`. {hint}")


async def or_bad_option(work: Awaitable[Reply]) -> Reply:
    """Await `work`, or tell what is wrong with an option."""
    try:
        return await work
    except BadOptionError as error:
        return Reply(str(error))


class ChannelOption(app_commands.Transformer):
    """An option for channels of some types; passes on what Discord couldn't resolve."""

    def __init__(self, *types: discord.ChannelType) -> None:
        self._types = types

    @property
    def type(self) -> discord.AppCommandOptionType:
        """Return the option type."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """Return the types that Discord offers."""
        return list(self._types)

    async def transform(
        self, _interaction: discord.Interaction[Any], value: NamedChannel, /
    ) -> NamedChannel:
        """Leave the check to the command, which can explain what is wrong."""
        return value

    def read(
        self, option: str, given: NamedChannel, interaction: discord.Interaction[Any]
    ) -> NamedChannel:
        """Return the channel if it's in this server and has the right type."""
        if isinstance(given, discord.Object) or _is_elsewhere(given.id, interaction):
            raise invalid(option, as_code(str(given.id)), "Pick a channel in this server.")
        if given.type not in self._types:
            kinds = any_of([kind.name.replace("_", " ") for kind in self._types])
            raise invalid(option, f"<#{given.id}>", f"Pick a channel of the type {kinds}.")
        return given


def read_quality(given: str) -> Quality:
    """Return the quality."""
    return read_choice("quality", given, Quality)


def read_size(given: str) -> str:
    """Return the size."""
    sizes = (SOURCE_SIZE, *RATIOS)
    if given not in sizes:
        raise invalid("size", quoted(given), _pick(sizes))
    return given


def read_max_count(given: float) -> str:
    """Return the most images of one edit; Discord may pass on any number."""
    if type(given) is not int or not 1 <= given <= MAX_COUNT:
        hint = f"Enter a whole number from 1 to {MAX_COUNT}."
        raise invalid("max_count", as_code(str(given)), hint)
    return str(given)


def read_phrase(given: str) -> str:
    """Return the word or phrase, without its invisible characters."""
    visible = "".join(char for char in given if unicodedata.category(char) != "Cf")
    phrase = " ".join(unicodedata.normalize("NFC", visible).split())
    if not words_of(phrase):
        raise invalid("refuse", quoted(given), "Enter a word or phrase with letters or digits.")
    if len(phrase) > LONGEST_PHRASE:
        raise BadOptionError(
            f"That phrase is {len(phrase):,} characters. The limit is {LONGEST_PHRASE}. Shorten it "
            "and try again."
        )
    return phrase


def read_limit(given: str) -> Limit:
    """Return a limit: a whole number, with or without thousands separators, or `unlimited`."""
    if str(given).strip().casefold() == UNLIMITED:
        return Limit(None)
    number = _read_number(given)
    if number is None or number > LARGEST_LIMIT:
        hint = f"Enter a whole number from 0 to {LARGEST_LIMIT:,}, or `{UNLIMITED}`."
        raise invalid("credits", quoted(str(given)), hint)
    return Limit(number)


def read_choice(option: str, given: str, kind: type[Choice]) -> Choice:
    """Return one of the values that an option offers."""
    try:
        return kind(given)
    except ValueError:
        raise invalid(option, quoted(str(given)), _pick(kind)) from None


def read_grant(given: str) -> int:
    """Return a number of bonus credits."""
    number = _read_number(given)
    if number is None or not 1 <= number <= LARGEST_GRANT:
        hint = f"Enter a whole number from 1 to {LARGEST_GRANT:,}."
        raise invalid("credits", quoted(str(given)), hint)
    return number


def offer_limits(typed: str) -> list[app_commands.Choice[str]]:
    """Suggest limits, with the images that they pay for."""
    words = [
        app_commands.Choice(name="unlimited", value=UNLIMITED),
        app_commands.Choice(name="0 · block edits", value="0"),
    ]
    prefix = typed.strip().casefold()
    matching = [word for word in words if word.value.startswith(prefix)]
    return [*matching, *_suggest(typed, LARGEST_LIMIT)][:MAX_CHOICES]


def offer_grants(typed: str) -> list[app_commands.Choice[str]]:
    """Suggest bonus credits, with the images that they pay for."""
    return _suggest(typed, LARGEST_GRANT)[:MAX_CHOICES]


def quoted(given: str) -> str:
    """Show what was given literally, cut if it's long."""
    return as_code(given if len(given) <= _MAX_SHOWN else f"{given[:_MAX_SHOWN]}…")


def _pick(values: Iterable[str]) -> str:
    return f"Pick {any_of([f'`{value}`' for value in values])}."


def _is_elsewhere(channel_id: int, interaction: discord.Interaction[Any]) -> bool:
    """Check whether the channel is known to be in another server."""
    known = interaction.client.get_channel(channel_id)
    guild = getattr(known, "guild", None)
    return guild is not None and guild.id != guild_id_of(interaction)


def _read_number(given: str) -> int | None:
    # A client other than Discord's may send a number instead of text.
    plain = str(given).translate(_PLAIN).strip()
    if not _WHOLE_NUMBER.fullmatch(plain):
        return None
    # 60 digits are more than any limit allows, and int() refuses to parse thousands of them.
    return int(re.sub(r"[^0-9]", "", plain).lstrip("0")[:_MAX_SHOWN] or "0")


def _suggest(typed: str, largest: int) -> list[app_commands.Choice[str]]:
    number = _read_number(typed)
    if number is None:
        return _as_choices(SUGGESTIONS) if not typed.strip() else []
    longer = [
        credits
        for credits in SUGGESTIONS
        if str(credits).startswith(str(number)) and credits != number
    ]
    typed_number = [number] if 0 < number <= largest else []
    return _as_choices([*typed_number, *longer])


def _as_choices(suggestions: Iterable[int]) -> list[app_commands.Choice[str]]:
    return [
        app_commands.Choice(name=f"{credits:,} · {_buys(credits)}", value=str(credits))
        for credits in suggestions
    ]


def _buys(credits: int) -> str:
    images = [(quality, credits // quality.price) for quality in reversed(Quality)]
    choices = [f"{count:,} {quality.capitalize()}" for quality, count in images if count]
    return " or ".join(choices) or "no images"
