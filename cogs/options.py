"""Reads what moderators write into options, and says what an option takes where it is wrong."""

import re
import unicodedata
from collections.abc import Iterable

from discord import app_commands

from bot.pricing import Quality
from bot.quotas import LARGEST_GRANT, LARGEST_LIMIT, Limit
from cogs.plain_text import as_code

LONGEST_REASON = 300
"""Characters of a change's reason."""

UNLIMITED = "unlimited"

SUMS = (40, 80, 160, 400, 800, 1_600, 4_000, 8_000)
"""Credits that are offered before anything is typed."""

MOST_CHOICES = 25
"""https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-structure"""

_WHOLE_NUMBER = re.compile(
    r"[0-9]+|[0-9]{1,3}(?P<mark>[ ,.'\u2019_])[0-9]{3}(?:(?P=mark)[0-9]{3})*"
)
_LONGEST_SHOWN = 60


class BadOption(Exception):
    """What was written into an option is not what it takes; `str()` of it is for the member."""

    def __init__(self, option: str, got: str, takes: str) -> None:
        super().__init__(f"`{option}`: got {got}; it takes {takes}. Nothing was changed.")


def read_limit(given: str) -> Limit:
    """A rule's credits: a whole number, with thousands separators or not, or `unlimited`."""
    if given.strip().casefold() == UNLIMITED:
        return Limit(None)
    number = _read_number(given)
    if number is None or number > LARGEST_LIMIT:
        takes = f"a whole number from 0 to {LARGEST_LIMIT:,}, or `{UNLIMITED}`"
        raise BadOption("credits", quoted(given), takes)
    return Limit(number)


def read_grant(given: str) -> int:
    """The credits of a grant: a whole number above 0."""
    number = _read_number(given)
    if number is None or not 1 <= number <= LARGEST_GRANT:
        takes = f"a whole number from 1 to {LARGEST_GRANT:,}"
        raise BadOption("credits", quoted(given), takes)
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


def _read_number(given: str) -> int | None:
    plain = unicodedata.normalize("NFKC", given).strip()
    if not _WHOLE_NUMBER.fullmatch(plain):
        return None
    return int(re.sub(r"[^0-9]", "", plain)[:_LONGEST_SHOWN])


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
