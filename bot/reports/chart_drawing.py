"""Draws a usage chart. It is a program, run by `charts`, and alone carries matplotlib's weight.

It reads a chart on its standard input and writes a PNG to its standard output. All measures are
pixels of the picture, from its lower left corner; a phone shows it at a third of its size.
"""

import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import ClassVar, Literal

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform
from PIL import Image

from bot.child_confinement import confine_this_process
from bot.child_limits import limit_this_process
from bot.errors import ConfinementError
from bot.pricing import Quality
from bot.reports.usage_chart import UsageChart, day_name, from_json

MEMORY = 2**29
"""Bytes of addresses; it uses 200 MB."""

SECONDS = 60
"""Of computing. It takes less than one, but for the very first time, when it lists all fonts."""

WIDTH, HEIGHT = 1080, 860
MARGIN = 44

BACKGROUND = "#313338"
"""That of Discord's dark theme."""
BRIGHT, PLAIN, DIM, GRID, TODAY = "#f2f3f5", "#dbdee1", "#b5bac1", "#4a4d55", "#3e4148"
COLOURS = {Quality.LOW: "#5b93f5", Quality.MEDIUM: "#e8722e", Quality.HIGH: "#ffe08a"}
"""From dark to light, and along blue and yellow, so that nobody has to tell red from green."""

TITLE, BODY, SMALL = 50, 40, 36
"""Sizes of letters; at a third, the smallest has 12 pixels."""


def main() -> None:
    """Draw the chart that is asked for, if one is."""
    limit_this_process(memory=MEMORY, seconds=SECONDS)
    _load_fonts()
    with suppress(ConfinementError):
        confine_this_process()
    if asked := sys.stdin.buffer.read():
        sys.stdout.buffer.write(draw(from_json(asked)))


def _load_fonts() -> None:
    """Open what drawing opens, before nothing can be opened any more."""
    sheet = Sheet()
    for bold in (False, True):
        sheet.text(0, 0, "0", BODY, BRIGHT, bold=bold)
    sheet.png()


def draw(chart: UsageChart) -> bytes:
    """A PNG of the chart."""
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
        _say_that_nothing_was_charged(sheet, frame, chart)
    _draw_dates(sheet, frame, chart)
    return sheet.png()


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the bars stand."""

    left: float
    days: int
    highest: float
    """Credits that reach to `top`, above which there is room for a number."""

    right: ClassVar[float] = WIDTH - MARGIN
    bottom: ClassVar[float] = 110
    top: ClassVar[float] = 540

    @property
    def slot(self) -> float:
        """The width that each day has."""
        return (self.right - self.left) / self.days

    def middle(self, position: int) -> float:
        """Where a day's bar stands."""
        return self.left + (position + 0.5) * self.slot

    def level(self, credits: float) -> float:
        """How high so many credits reach."""
        share = credits / self.highest if self.highest else 0
        return round(self.bottom + share * (self.top - self.bottom))


def _highest(chart: UsageChart) -> float:
    """Credits that the scale reaches to."""
    most = max(chart.totals)
    budget = chart.budget_per_day
    return max(most, budget) if budget is not None and _is_near(budget, chart) else most


def _is_near(budget: float, chart: UsageChart) -> bool:
    """Whether the budget can be drawn without making the bars too small to be seen."""
    most = max(chart.totals)
    return not most or budget <= 3 * most


def _ticks(highest: float) -> range:
    """A few round numbers from 0 on."""
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
        label = chart.budget + ("" if _is_near(chart.budget_per_day, chart) else " ↑")
        sheet.text(x, 700, label, BODY, PLAIN, room=WIDTH - MARGIN - x)


def _draw_key(sheet: "Sheet", chart: UsageChart) -> None:
    """What the colours mean, and how much each is in all."""
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
        sheet.rectangle(x, 630, square, square, COLOURS[quality])
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
                sheet.rectangle(left, bottom + _SEAM, width, height, COLOURS[quality])
            below += credits


_SEAM = 2
"""Between what is stacked."""
_THINNEST = 3
"""So that whatever was charged can be seen."""


def _draw_amounts(sheet: "Sheet", frame: _Frame, totals: Sequence[int]) -> None:
    """The total above each bar where there is room for that, else above the highest alone."""

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


def _say_that_nothing_was_charged(sheet: "Sheet", frame: _Frame, chart: UsageChart) -> None:
    words = "Nothing was charged yet" if chart.now in chart.days else "Nothing was charged"
    x, y = (frame.left + frame.right) / 2, (frame.bottom + frame.top) / 2
    sheet.text(x, y, words, BODY, DIM, align="center")


def _number(credits: int, *, brief_from: int) -> str:
    return f"{credits:,}" if credits < brief_from else _brief(credits)


def _brief(credits: int) -> str:
    """Three digits, and thousands as k."""
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if credits >= 0.9995 * unit:
            return f"{credits / unit:.3g}{name}"
    return str(credits)


def _draw_dates(sheet: "Sheet", frame: _Frame, chart: UsageChart) -> None:
    """A few dates, evenly spaced, and the current day among them."""
    needed = max(sheet.width(day_name(day), SMALL) for day in chart.days) + 12
    step = next(step for step in (1, 2, 3, 7, 14, 31) if step * frame.slot >= needed)
    now = chart.days.index(chart.now) if chart.now in chart.days else 0
    for position in range(now % step, frame.days, step):
        day = chart.days[position]
        if day == chart.now:
            _draw_date(sheet, frame, position, "today", BRIGHT)
        else:
            _draw_date(sheet, frame, position, day_name(day), DIM)


def _draw_date(sheet: "Sheet", frame: _Frame, position: int, name: str, colour: str) -> None:
    half = sheet.width(name, SMALL) / 2
    x = min(frame.middle(position), WIDTH - 12 - half)
    sheet.text(x, 56, name, SMALL, colour, align="center")


class Sheet:
    """An empty picture, and what is drawn on it."""

    def __init__(self) -> None:
        # With 72 dots an inch, matplotlib's points are pixels.
        self._figure = Figure((WIDTH / 72, HEIGHT / 72), dpi=72, facecolor=BACKGROUND)
        self._canvas = FigureCanvasAgg(self._figure)
        self._renderer = self._canvas.get_renderer()
        self._characters = _known_characters()

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle whose lower left corner is at `x`, `y`."""
        self._figure.add_artist(
            Rectangle((x, y), width, height, color=colour, linewidth=0, transform=_PIXELS)
        )

    def dashes(self, left: float, right: float, y: float) -> None:
        """Draw a dashed line that stands out from whatever it crosses."""
        line = Line2D([left, right], [y, y], color=BRIGHT, linewidth=4, dashes=(4, 2.4))
        line.set_transform(_PIXELS)
        line.set_path_effects([withStroke(linewidth=8, foreground=BACKGROUND)])
        self._figure.add_artist(line)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
        room: float = WIDTH,
    ) -> float:
        """Write a text whose base line is at `y`, smaller and cut where its room asks for it.

        Returns:
            How wide it is.
        """
        fitted = self._text(text, size, bold=bold)
        width = self._width(fitted)
        if width > room:
            fitted.set_fontsize(size * max(room / width, _SMALLEST))
        while (width := self._width(fitted)) > room and len(shown := fitted.get_text()) > 1:
            kept = min(max(0, int(len(shown) * room / width)), len(shown) - 2)
            fitted.set_text(f"{shown[:kept]}…")
        fitted.set(x=x, y=y, color=colour, horizontalalignment=align)
        self._figure.add_artist(fitted)
        return width

    def width(self, text: str, size: float) -> float:
        """How wide a text would be."""
        return self._width(self._text(text, size))

    def png(self) -> bytes:
        """The picture as a file."""
        self._canvas.draw()
        pixels = bytes(self._canvas.buffer_rgba())
        png = io.BytesIO()
        Image.frombytes("RGBA", (WIDTH, HEIGHT), pixels).convert("RGB").save(png, "PNG")
        return png.getvalue()

    def _text(self, text: str, size: float, *, bold: bool = False) -> Text:
        """A text without what the font does not have, and in which a $ begins no formula."""
        drawable = "".join(letter for letter in text if ord(letter) in self._characters)
        font = FontProperties(fname=_BOLD if bold else _REGULAR, size=size)
        made = Text(0, 0, drawable, fontproperties=font, parse_math=False, transform=_PIXELS)
        made.set_path_effects([withStroke(linewidth=6, foreground=BACKGROUND)])
        return made

    def _width(self, text: Text) -> float:
        text.set_figure(self._figure)
        return text.get_window_extent(self._renderer).width


@cache
def _known_characters() -> Mapping[int, int]:
    return FT2Font(str(_REGULAR)).get_charmap()


_PIXELS = IdentityTransform()
_FONTS = Path(mpl.get_data_path(), "fonts", "ttf")
"""Those that matplotlib brings, so that a chart looks the same on every machine."""
_REGULAR, _BOLD = _FONTS / "DejaVuSans.ttf", _FONTS / "DejaVuSans-Bold.ttf"
_SMALLEST = 0.8
"""How small a text may become before it is cut."""

if __name__ == "__main__":
    main()
