"""The data of a usage chart, its alt text, and its JSON for the drawing process. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.domain.pricing import Quality

LONGEST_ALT_TEXT = 1024
"""Characters that Discord accepts as an image's description."""


@dataclass(frozen=True, slots=True)
class UsageChart:
    """Credits charged day by day."""

    title: str
    days: tuple[date, ...]
    """In order and without gaps."""
    credits: Mapping[Quality, tuple[int, ...]]
    """One number per day."""
    budget_per_day: float | None = None
    now: date | None = None
    """The current day, which is marked if it's one of the days."""

    @property
    def totals(self) -> tuple[int, ...]:
        """Credits of each day in all qualities."""
        return tuple(map(sum, zip(*self.credits.values(), strict=True)))

    @property
    def budget(self) -> str | None:
        """The budget in words, if there is one."""
        if self.budget_per_day is None:
            return None
        return f"Budget: {self.budget_per_day:,.0f} per day"


def alt_text(chart: UsageChart) -> str:
    """Return the main figures in words, for screen readers."""
    text = " ".join(f"{sentence.rstrip('.')}." for sentence in _sentences(chart))
    return text if len(text) <= LONGEST_ALT_TEXT else f"{text[: LONGEST_ALT_TEXT - 1]}…"


def _sentences(chart: UsageChart) -> Iterator[str]:
    yield chart.title
    yield f"A bar chart of the credits used each day, {_span(chart.days)}"
    total = sum(chart.totals)
    if total:
        shares = [f"{sum(days):,} in {quality} quality" for quality, days in chart.credits.items()]
        yield f"{total:,} in all: {_listed(shares)}"
        most = max(chart.totals)
        yield f"Most on {day_name(chart.days[chart.totals.index(most)])}: {most:,}"
    else:
        yield "No credits used"
    if chart.budget is not None:
        yield chart.budget


def _span(days: tuple[date, ...]) -> str:
    first, last = f"{day_name(days[0])} {days[0].year}", f"{day_name(days[-1])} {days[-1].year}"
    return first if first == last else f"{first} to {last}"


def _listed(items: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def day_name(day: date) -> str:
    """Return a day as charts show it (3 Nov), whatever the machine's language."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def to_json(chart: UsageChart) -> bytes:
    """Return the chart as JSON for `from_json`."""
    return json.dumps(
        {
            "title": chart.title,
            "days": [day.isoformat() for day in chart.days],
            "credits": dict(chart.credits),
            "budget_per_day": chart.budget_per_day,
            "now": None if chart.now is None else chart.now.isoformat(),
        }
    ).encode()


def from_json(text: bytes) -> UsageChart:
    """Return the chart that `to_json` wrote."""
    read: dict[str, Any] = json.loads(text)
    return UsageChart(
        title=read["title"],
        days=tuple(map(date.fromisoformat, read["days"])),
        credits={Quality(quality): tuple(days) for quality, days in read["credits"].items()},
        budget_per_day=read["budget_per_day"],
        now=None if read["now"] is None else date.fromisoformat(read["now"]),
    )
