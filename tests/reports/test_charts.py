"""Usage charts: what they show, and their alt text."""

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from bot.domain.pricing import Quality
from bot.reports.chart_drawing import BRIGHT, COLORS, HEIGHT, WIDTH, draw
from bot.reports.charts import Charts
from bot.reports.usage_chart import LONGEST_ALT_TEXT, UsageChart, alt_text, from_json, to_json
from bot.subprocesses.pool import Job, ProcessPool

FIRST = date(2026, 11, 23)
PATIENCE = 15


def chart_of(
    low: list[int], medium: list[int], high: list[int], budget: float | None = None
) -> UsageChart:
    return UsageChart(
        title="Credits this week",
        days=tuple(FIRST + timedelta(days) for days in range(len(low))),
        credits=dict(zip(Quality, map(tuple, (low, medium, high)), strict=True)),
        budget_per_day=budget,
    )


WEEK = chart_of(
    [12, 0, 4, 40, 0, 0, 0], [64, 8, 0, 80, 0, 0, 0], [160, 0, 32, 960, 0, 0, 0], budget=286
)
NOTHING = chart_of([0] * 31, [0] * 31, [0] * 31)


def pixels_of(png: bytes) -> Mapping[object, int]:
    """How many pixels of each color an image has, by its red, green and blue."""
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (WIDTH, HEIGHT))
        colors = image.getcolors(WIDTH * HEIGHT)
    assert colors is not None
    return {color: count for count, color in colors}


def area(chart: UsageChart, color: str) -> int:
    return pixels_of(draw(chart)).get(ImageColor.getrgb(color), 0)


async def test_a_chart_is_drawn_in_a_child() -> None:
    assert await Charts().draw(WEEK) == draw(WEEK)


async def test_the_bot_itself_never_imports_what_draws() -> None:
    heavy = "{'bot.reports.chart_drawing'}.intersection(sys.modules)"
    code = f"import sys, bot.app, bot.reports.charts\nsys.stdout.write(repr({heavy}))"
    async with ProcessPool(1).start(Job(("-c", code), timeout_s=PATIENCE, max_result=100)) as ask:
        assert await ask(b"") == b"set()"


def test_twice_the_credits_are_twice_as_high() -> None:
    chart = chart_of([100, 0], [0, 0], [200, 0])
    key = area(NOTHING, COLORS[Quality.LOW])
    low, high = (area(chart, COLORS[quality]) - key for quality in (Quality.LOW, Quality.HIGH))
    assert high / low == pytest.approx(2, rel=0.05)


def test_the_budget_is_a_line_across_the_bars() -> None:
    bars = chart_of([0] * 7, [0] * 7, [100] * 7)
    crossed = replace(bars, budget_per_day=50)
    beyond = replace(bars, budget_per_day=100_000)
    assert area(crossed, BRIGHT) - area(beyond, BRIGHT) > 1000


@pytest.mark.parametrize("budget", [None, 0, 286, 1e12])
@pytest.mark.parametrize("most", [0, 4, 1_000_000_000_000])
def test_any_amounts_and_budgets_can_be_drawn(most: int, budget: float | None) -> None:
    assert pixels_of(draw(chart_of([most, 0, 0], [most // 2, 0, most], [0, 4, 0], budget)))


@pytest.mark.parametrize("days", [1, 7, 14, 31])
def test_any_number_of_days_can_be_drawn_whichever_is_current(days: int) -> None:
    chart = chart_of([4] * days, [0] * days, [days * 16] * days, budget=16)
    for now in (None, chart.days[0], chart.days[-1]):
        assert pixels_of(draw(replace(chart, now=now)))


def test_a_few_credits_can_be_seen_beside_a_million() -> None:
    million = [0] * 30 + [1_000_000]
    with_few = chart_of([4, *[0] * 30], [0] * 31, million)
    without = chart_of([0] * 31, [0] * 31, million)
    blue = COLORS[Quality.LOW]
    assert area(with_few, blue) > area(without, blue)


@pytest.mark.parametrize("title", ["a\nb\tc", "🔥 日本 \ud800", "", "w" * 500])
def test_titles_are_drawn_as_they_are(title: str) -> None:
    assert pixels_of(draw(replace(WEEK, title=title)))


@given(
    st.integers(1, 31).flatmap(
        lambda days: st.builds(
            UsageChart,
            title=st.text(),
            days=st.just(tuple(FIRST + timedelta(day) for day in range(days))),
            credits=st.fixed_dictionaries(
                {quality: st.tuples(*[st.integers(0, 2**62)] * days) for quality in Quality}
            ),
            budget_per_day=st.none() | st.floats(0, 1e15),
            now=st.none() | st.dates(),
        )
    )
)
def test_any_chart_reaches_the_child_as_it_is_and_can_be_described(chart: UsageChart) -> None:
    assert from_json(to_json(chart)) == chart
    assert len(alt_text(chart)) <= LONGEST_ALT_TEXT


def test_the_alt_text_says_the_main_figures() -> None:
    assert alt_text(WEEK) == (
        "Credits this week. A bar chart of the credits used each day, 23 Nov 2026 to "
        "29 Nov 2026. 1,360 in all: 56 in low quality, 152 in medium quality and 1,152 in high "
        "quality. Most on 26 Nov: 1,080. Budget: 286 per day."
    )


def test_the_alt_text_says_when_nothing_was_charged() -> None:
    one_day = chart_of([0], [0], [0])
    assert alt_text(one_day) == (
        "Credits this week. A bar chart of the credits used each day, 23 Nov 2026. No credits used."
    )
