"""Reads what moderators write into options, and says what an option takes where it is wrong."""

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
from cogs.text.markdown import as_code
from cogs.ui.interactions import guild_of

LONGEST_REASON = 200
"""Characters of a change's reason; a page of the log has room for ten."""

UNLIMITED = "unlimited"

Choice = TypeVar("Choice", bound=StrEnum)

SUMS = (40, 80, 160, 400, 800, 1_600, 4_000, 8_000)
"""Credits that are offered before anything is typed."""

MOST_CHOICES = 25
"""https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-structure"""

_WHOLE_NUMBER = re.compile(
    r"[0-9]+|[0-9]{1,3}(?P<mark>[ ,.'\u2019_])[0-9]{3}(?:(?P=mark)[0-9]{3})*"
)
_PLAIN = {
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    **dict.fromkeys(map(ord, "\u00a0\u2009\u202f"), " "),
}
"""Full-width digits and the spaces that are typeset between thousands, as they are typed."""

_LONGEST_SHOWN = 60


NamedChannel = app_commands.AppCommandChannel | app_commands.AppCommandThread | discord.Object
"""What a channel option holds: an object where Discord resolved nothing."""


class BadOptionError(Exception):
    """What was written into an option is not what it takes; `str()` of it is for the member."""

    def __init__(self, option: str, got: str, takes: str) -> None:
        super().__init__(f"`{option}`: got {got}; it takes {takes}. Nothing was changed.")


async def or_bad_option(work: Awaitable[Reply]) -> Reply:
    """What `work` comes to, or what is wrong with an option."""
    try:
        return await work
    except BadOptionError as bad:
        return Reply(str(bad))


class ChannelOption(app_commands.Transformer):
    """An option that takes channels of some types; what cannot be resolved is passed on."""

    def __init__(self, *types: discord.ChannelType) -> None:
        self._types = types

    @property
    def type(self) -> discord.AppCommandOptionType:
        """Discord's own type of it."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """What a member is offered."""
        return list(self._types)

    async def transform(
        self, _interaction: discord.Interaction[Any], value: NamedChannel, /
    ) -> NamedChannel:
        """Leave it to the command to say what is wrong with it."""
        return value

    def read(
        self, option: str, given: NamedChannel, interaction: discord.Interaction[Any]
    ) -> NamedChannel:
        """The channel, if it is one of this server and of a type that is taken."""
        if isinstance(given, discord.Object) or _is_elsewhere(given.id, interaction):
            raise BadOptionError(option, f"the id {given.id}", "a channel of this server")
        if given.type not in self._types:
            *first, last = (kind.name.replace("_", " ") for kind in self._types)
            raise BadOptionError(
                option, f"<#{given.id}>", f"a channel of the type {', '.join(first)} or {last}"
            )
        return given


def read_quality(given: str) -> Quality:
    """One of the qualities."""
    return read_choice("quality", given, Quality)


def read_size(given: str) -> str:
    """One of the sizes."""
    sizes = (SOURCE_SIZE, *RATIOS)
    if given not in sizes:
        raise BadOptionError("size", quoted(given), _one_of(sizes))
    return given


def read_max_count(given: float) -> str:
    """How many pictures one edit may have; a whole number, whatever Discord passes on."""
    if type(given) is not int or not 1 <= given <= MAX_COUNT:
        raise BadOptionError("max_count", str(given), f"a whole number from 1 to {MAX_COUNT}")
    return str(given)


def read_phrase(given: str) -> str:
    """A word or phrase, without what nobody sees of it."""
    seen = "".join(each for each in given if unicodedata.category(each) != "Cf")
    phrase = " ".join(unicodedata.normalize("NFC", seen).split())
    if not words_of(phrase):
        raise BadOptionError("refuse", quoted(given), "a word or phrase, in letters or digits")
    if len(phrase) > LONGEST_PHRASE:
        got = f"{len(phrase):,} characters"
        raise BadOptionError(
            "refuse", got, f"a word or phrase of up to {LONGEST_PHRASE} characters"
        )
    return phrase


def read_limit(given: str) -> Limit:
    """A rule's credits: a whole number, with thousands separators or not, or `unlimited`."""
    if str(given).strip().casefold() == UNLIMITED:
        return Limit(None)
    number = _read_number(given)
    if number is None or number > LARGEST_LIMIT:
        takes = f"a whole number from 0 to {LARGEST_LIMIT:,}, or `{UNLIMITED}`"
        raise BadOptionError("credits", quoted(str(given)), takes)
    return Limit(number)


def read_choice(option: str, given: str, kind: type[Choice]) -> Choice:
    """One of the values that an option offers."""
    try:
        return kind(given)
    except ValueError:
        raise BadOptionError(option, quoted(str(given)), _one_of(kind)) from None


def read_grant(given: str) -> int:
    """The credits of a grant: a whole number above 0."""
    number = _read_number(given)
    if number is None or not 1 <= number <= LARGEST_GRANT:
        takes = f"a whole number from 1 to {LARGEST_GRANT:,}"
        raise BadOptionError("credits", quoted(str(given)), takes)
    return number


def offer_limits(typed: str) -> list[app_commands.Choice[str]]:
    """Choices for a rule's credits, with what they buy."""
    words = [
        app_commands.Choice(name="unlimited", value=UNLIMITED),
        app_commands.Choice(name="0 · no edits", value="0"),
    ]
    started = typed.strip().casefold()
    fitting = [word for word in words if word.value.startswith(started)]
    return [*fitting, *_offer_sums(typed, LARGEST_LIMIT)][:MOST_CHOICES]


def offer_grants(typed: str) -> list[app_commands.Choice[str]]:
    """Choices for a grant's credits, with what they buy."""
    return _offer_sums(typed, LARGEST_GRANT)[:MOST_CHOICES]


def quoted(given: str) -> str:
    """What was given, to be shown to the letter."""
    return as_code(given if len(given) <= _LONGEST_SHOWN else f"{given[:_LONGEST_SHOWN]}…")


def _one_of(values: Iterable[str]) -> str:
    *first, last = (f"`{value}`" for value in values)
    return f"{', '.join(first)} or {last}"


def _is_elsewhere(channel_id: int, interaction: discord.Interaction[Any]) -> bool:
    """Whether it is known to be another server's."""
    known = interaction.client.get_channel(channel_id)
    guild = getattr(known, "guild", None)
    return guild is not None and guild.id != guild_of(interaction)


def _read_number(given: str) -> int | None:
    # Whether it is text is Discord's client's to see to, and no wrong type is to break a command.
    plain = str(given).translate(_PLAIN).strip()
    if not _WHOLE_NUMBER.fullmatch(plain):
        return None
    # As long as this a number is too large for everything, and never too long to be read.
    return int(re.sub(r"[^0-9]", "", plain).lstrip("0")[:_LONGEST_SHOWN] or "0")


def _offer_sums(typed: str, most: int) -> list[app_commands.Choice[str]]:
    number = _read_number(typed)
    if number is None:
        return _as_choices(SUMS) if not typed.strip() else []
    started = [each for each in SUMS if str(each).startswith(str(number)) and each != number]
    wanted = [number] if 0 < number <= most else []
    return _as_choices([*wanted, *started])


def _as_choices(sums: Iterable[int]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{each} · {_buys(each)}", value=str(each)) for each in sums]


def _buys(credits: int) -> str:
    """What a sum pays for, in each quality."""
    pictures = [(quality, credits // quality.price) for quality in reversed(Quality)]
    return ", ".join(f"{count} {quality}" for quality, count in pictures if count) or "no picture"
