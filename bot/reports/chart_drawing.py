"""Draw a usage chart, in a child process that `charts` starts.

The program reads a chart as JSON from standard input and writes a PNG to standard output. All
coordinates are pixels from the lower left corner. A phone shows the image at a third of its size.
"""

import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import ClassVar, Literal

from PIL import Image, ImageDraw, ImageFont

from bot.domain.errors import ConfinementError
from bot.domain.pricing import Quality
from bot.reports.usage_chart import UsageChart, day_name, from_json
from bot.subprocesses.confinement import confine_this_process, end_with_parent
from bot.subprocesses.limits import close_inherited_files, limit_this_process

MAX_MEMORY_BYTES = 2**28
"""Of address space."""

MAX_CPU_S = 10
"""Drawing takes less than one."""

WIDTH, HEIGHT = 1080, 860
MARGIN = 44

BACKGROUND = "#313338"
"""Discord's dark theme."""
BRIGHT, PLAIN, DIM, GRID, TODAY = "#f2f3f5", "#dbdee1", "#b5bac1", "#4a4d55", "#3e4148"
COLORS = {Quality.LOW: "#5b93f5", Quality.MEDIUM: "#e8722e", Quality.HIGH: "#ffe08a"}
"""From dark to light, from blue to yellow, so that nobody has to tell red from green."""

TITLE, BODY, SMALL = 50, 40, 36
"""Font sizes; at a third of the size, the smallest has 12 pixels."""


def main() -> None:
    """Draw the chart on standard input, if there is one."""
    end_with_parent()
    close_inherited_files()
    limit_this_process(memory=MAX_MEMORY_BYTES, seconds=MAX_CPU_S)
    Image.preinit()  # A confined process can't import a writer.
    with suppress(ConfinementError):
        confine_this_process()
    if chart := sys.stdin.buffer.read():
        sys.stdout.buffer.write(draw(from_json(chart)))


def draw(chart: UsageChart) -> bytes:
    """Draw the chart as a PNG."""
    sheet = Sheet()
    _draw_heading(sheet, chart)
    _draw_key(sheet, chart)
    highest = _highest(chart)
    scale = {tick: _number(tick, brief_from=10**6) for tick in _ticks(highest)}
    left = MARGIN + max(sheet.width(label, SMALL) for label in scale.values()) + 20
    frame = _Frame(left, len(chart.days), highest)
    if chart.now in chart.days:
        _mark(sheet, frame, chart.days.index(chart.now))
    _draw_scale(sheet, frame, scale)
    _draw_bars(sheet, frame, chart)
    if chart.budget_per_day is not None and _is_near(chart.budget_per_day, chart):
        sheet.dashes(frame.left, frame.right, frame.level(chart.budget_per_day))
    if any(chart.totals):
        _draw_amounts(sheet, frame, chart.totals)
    else:
        _draw_nothing_charged(sheet, frame, chart)
    _draw_dates(sheet, frame, chart)
    return sheet.png()


@dataclass(frozen=True, slots=True)
class _Frame:
    """The area of the bars."""

    left: float
    days: int
    highest: float
    """Credits of a bar that reaches `top`. Above it there is room for a number."""

    right: ClassVar[float] = WIDTH - MARGIN
    bottom: ClassVar[float] = 110
    top: ClassVar[float] = 540

    @property
    def slot(self) -> float:
        """The width of each day."""
        return (self.right - self.left) / self.days

    def middle(self, position: int) -> float:
        """Return the x coordinate of a day's middle."""
        return self.left + (position + 0.5) * self.slot

    def level(self, credits: float) -> float:
        """Return the y coordinate of an amount of credits."""
        share = credits / self.highest if self.highest else 0
        return round(self.bottom + share * (self.top - self.bottom))


def _highest(chart: UsageChart) -> float:
    """Return the credits at the top of the scale."""
    most = max(chart.totals)
    budget = chart.budget_per_day
    return max(most, budget) if budget is not None and _is_near(budget, chart) else most


def _is_near(budget: float, chart: UsageChart) -> bool:
    """Return whether drawing the budget leaves the bars large enough to see."""
    most = max(chart.totals)
    return not most or budget <= 3 * most


def _ticks(highest: float) -> range:
    """Return a few round numbers from 0 up."""
    steps = (digit * 10**zeros for zeros in count() for digit in (1, 2, 5))
    step = next(step for step in steps if highest <= 4 * step)
    return range(0, int(highest) + 1, step)


def _draw_heading(sheet: "Sheet", chart: UsageChart) -> None:
    room = WIDTH - 2 * MARGIN
    sheet.text(MARGIN, 774, chart.title, TITLE, BRIGHT, bold=True, room=room)
    total = f"{_number(sum(chart.totals), brief_from=10**9)} credits"
    x = MARGIN + sheet.text(MARGIN, 700, total, BODY, BRIGHT, bold=True) + 48
    if chart.budget is not None and chart.budget_per_day is not None:
        sheet.dashes(x, x + 66, 715)
        x += 82
        label = chart.budget + ("" if _is_near(chart.budget_per_day, chart) else " (not drawn)")
        sheet.text(x, 700, label, BODY, PLAIN, room=WIDTH - MARGIN - x)


def _draw_key(sheet: "Sheet", chart: UsageChart) -> None:
    """Draw the legend, with the total of each quality."""
    square, near, far = 30, 14, 40
    room = WIDTH - 2 * MARGIN - len(chart.credits) * (square + near + far) + far
    totals = {quality: sum(days) for quality, days in chart.credits.items()}
    entries = {quality: f"{quality.capitalize()} {total:,}" for quality, total in totals.items()}
    share = room / sum(sheet.width(entry, BODY) for entry in entries.values())
    if share < _SMALLEST:
        entries = {
            quality: f"{quality.capitalize()} {_brief(totals[quality])}" for quality in totals
        }
        share = 1
    x: float = MARGIN
    for quality, entry in entries.items():
        sheet.rectangle(x, 630, square, square, COLORS[quality])
        x += square + near
        x += sheet.text(x, 630, entry, BODY * min(1, share), PLAIN) + far


def _mark(sheet: "Sheet", frame: _Frame, position: int) -> None:
    width = min(frame.slot, 200)
    height = frame.top + 50 - frame.bottom
    sheet.rectangle(frame.middle(position) - width / 2, frame.bottom, width, height, TODAY)


def _draw_scale(sheet: "Sheet", frame: _Frame, scale: Mapping[int, str]) -> None:
    for credits, label in scale.items():
        y = frame.level(credits)
        sheet.rectangle(frame.left, y - 1, frame.right - frame.left, 2, GRID if credits else DIM)
        sheet.text(frame.left - 16, y - 13, label, SMALL, DIM, align="right")


def _draw_bars(sheet: "Sheet", frame: _Frame, chart: UsageChart) -> None:
    width = round(min(frame.slot * 0.76, 150))
    for position, day in enumerate(zip(*chart.credits.values(), strict=True)):
        left = round(frame.middle(position) - width / 2)
        below = 0
        for quality, credits in zip(chart.credits, day, strict=True):
            bottom, top = frame.level(below), frame.level(below + credits)
            if credits:
                height = max(top - bottom - _SEAM, _THINNEST)
                sheet.rectangle(left, bottom + _SEAM, width, height, COLORS[quality])
            below += credits


_SEAM = 2
"""Between the parts of a bar."""
_THINNEST = 3
"""So that even the smallest charge is visible."""


def _draw_amounts(sheet: "Sheet", frame: _Frame, totals: Sequence[int]) -> None:
    """Draw the total above each bar if there is room, or else only above the highest."""

    def fits(labels: Iterable[str]) -> bool:
        return max(sheet.width(label, SMALL) for label in labels) <= frame.slot - 10

    labels = {position: f"{total:,}" for position, total in enumerate(totals) if total}
    if not fits(labels.values()):
        labels = {position: _brief(totals[position]) for position in labels}
    if not fits(labels.values()):
        highest = totals.index(max(totals))
        labels = {highest: _number(totals[highest], brief_from=10**9)}
    for position, label in labels.items():
        half = sheet.width(label, SMALL) / 2
        x = min(max(frame.middle(position), frame.left + half), frame.right - half)
        sheet.text(x, frame.level(totals[position]) + 14, label, SMALL, BRIGHT, align="center")


def _draw_nothing_charged(sheet: "Sheet", frame: _Frame, chart: UsageChart) -> None:
    words = "No credits used yet" if chart.now in chart.days else "No credits used"
    x, y = (frame.left + frame.right) / 2, (frame.bottom + frame.top) / 2
    sheet.text(x, y, words, BODY, DIM, align="center")


def _number(credits: int, *, brief_from: int) -> str:
    return f"{credits:,}" if credits < brief_from else _brief(credits)


def _brief(credits: int) -> str:
    """Return three digits and a unit, such as 1.23k."""
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if credits >= 0.9995 * unit:
            return f"{credits / unit:.3g}{name}"
    return str(credits)


def _draw_dates(sheet: "Sheet", frame: _Frame, chart: UsageChart) -> None:
    """Draw a few dates, evenly spaced, including the current day."""
    needed = max(sheet.width(day_name(day), SMALL) for day in chart.days) + 12
    step = next(step for step in (1, 2, 3, 7, 14, 31) if step * frame.slot >= needed)
    now = chart.days.index(chart.now) if chart.now in chart.days else 0
    for position in range(now % step, frame.days, step):
        day = chart.days[position]
        if day == chart.now:
            _draw_date(sheet, frame, position, "today", BRIGHT)
        else:
            _draw_date(sheet, frame, position, day_name(day), DIM)


def _draw_date(sheet: "Sheet", frame: _Frame, position: int, name: str, color: str) -> None:
    half = sheet.width(name, SMALL) / 2
    x = min(frame.middle(position), WIDTH - 12 - half)
    sheet.text(x, 56, name, SMALL, color, align="center")


class Sheet:
    """The image that the chart is drawn on."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH, HEIGHT), BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)

    def rectangle(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """Fill a rectangle whose lower left corner is at `x`, `y`."""
        top = round(HEIGHT - y - height)
        box = (round(x), top, round(x + width) - 1, max(top, round(HEIGHT - y) - 1))
        self._draw.rectangle(box, fill=color)

    def dashes(self, left: float, right: float, y: float) -> None:
        """Draw a dashed line with an outline, so that it stands out from the bars."""
        for start in range(round(left), round(right), _DASH + _GAP):
            width = min(_DASH, right - start)
            self.rectangle(start - 2, y - 4, width + 4, 8, BACKGROUND)
            self.rectangle(start, y - 2, width, 4, BRIGHT)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        color: str,
        *,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
        room: float = WIDTH,
    ) -> float:
        """Draw text on the baseline `y`, shrunk and then cut to fit, and return its width."""
        text = "".join(filter(str.isprintable, text))
        width = self.width(text, size, bold=bold)
        if width > room:
            size *= max(room / width, _SMALLEST)
        while (width := self.width(text, size, bold=bold)) > room and len(text) > 1:
            text = f"{text[: min(max(0, int(len(text) * room / width)), len(text) - 2)]}…"
        position, anchor, font = (x, HEIGHT - y), _ANCHORS[align], _font(size)
        halo, fat = 3 + bold, 1 if bold else 0
        self._draw.text(position, text, BACKGROUND, font, anchor, stroke_width=halo)
        self._draw.text(position, text, color, font, anchor, stroke_width=fat)
        return width

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return how wide the text would be."""
        return _font(size).getlength(text) + 2 * bold

    def png(self) -> bytes:
        """Return the image as a PNG."""
        png = io.BytesIO()
        self._image.save(png, "PNG")
        return png.getvalue()


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, so that a chart looks the same on every machine."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return font


_ANCHORS = {"left": "ls", "center": "ms", "right": "rs"}
_DASH, _GAP = 16, 10
_SMALLEST = 0.8
"""How far text shrinks before it's cut."""

if __name__ == "__main__":
    main()
