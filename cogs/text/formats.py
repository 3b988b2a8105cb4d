"""Numbers, times and lists as messages show them."""

import math
from collections.abc import Sequence
from datetime import date, datetime

MAX_CHANNELS = 10
"""Channels that one list names."""


def plural(count: int, one: str, other: str, **values: object) -> str:
    """Fill in the form for `count`; `{count}` gets thousands separators."""
    return (one if count == 1 else other).format(count=f"{count:,}", **values)


def count_credits(count: int) -> str:
    """Format a number of credits."""
    return plural(count, "{count} credit", "{count} credits")


def count_images(count: int) -> str:
    """Format a number of images."""
    return plural(count, "{count} image", "{count} images")


def count_edits(count: int) -> str:
    """Format a number of edits."""
    return plural(count, "{count} edit", "{count} edits")


def minutes_text(seconds: float) -> str:
    """Format a duration in minutes, rounded up."""
    return plural(max(1, math.ceil(seconds / 60)), "{count} minute", "{count} minutes")


def seconds_text(seconds: float) -> str:
    """Format a duration in seconds, rounded up."""
    return plural(math.ceil(seconds), "{count} second", "{count} seconds")


def relative_time(moment: datetime) -> str:
    """Return Discord's markup for "in 5 minutes"."""
    return f"<t:{moment.timestamp():.0f}:R>"


def date_and_time(moment: datetime) -> str:
    """Return Discord's markup for a date and time in the reader's time zone."""
    return f"<t:{moment.timestamp():.0f}:f>"


def day_text(day: date) -> str:
    """Format a day: Nov 3, 2026."""
    return f"{day:%b} {day.day}, {day.year}"


def any_of(items: Sequence[str]) -> str:
    """List alternatives: a, b, or c."""
    return _listed(items, "or")


def all_of(items: Sequence[str]) -> str:
    """List items: a, b, and c."""
    return _listed(items, "and")


def channel_links(channel_ids: Sequence[int]) -> list[str]:
    """Link the first channels, and count the others."""
    links = [f"<#{channel_id}>" for channel_id in channel_ids[:MAX_CHANNELS]]
    if more := len(channel_ids) - len(links):
        links.append(plural(more, "{count} other", "{count} others"))
    return links


def _listed(items: Sequence[str], conjunction: str) -> str:
    *first, last = items
    match first:
        case []:
            return last
        case [only]:
            return f"{only} {conjunction} {last}"
        case _:
            return f"{', '.join(first)}, {conjunction} {last}"
