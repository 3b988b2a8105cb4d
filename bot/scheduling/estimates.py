"""How long edits of each quality take, based on the latest delivered ones."""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median

from bot.domain.edits import Durations
from bot.domain.pricing import Quality

SAMPLES = 21
"""Edits of a quality that an estimate is based on; odd, so that the median is one of them."""

DEFAULTS = {
    Quality.LOW: Durations(call=15, posting=3),
    Quality.MEDIUM: Durations(call=30, posting=3),
    Quality.HIGH: Durations(call=60, posting=5),
}
"""Until one was delivered: roughly what image models take."""


class Estimates:
    """The durations of the latest edits, and their medians."""

    def __init__(self) -> None:
        self._latest = {quality: deque[Durations](maxlen=SAMPLES) for quality in Quality}
        self._measured: dict[Quality, Durations] = {}

    def learn(self, latest: Mapping[Quality, Sequence[Durations]]) -> None:
        """Add the durations of edits by quality, oldest first."""
        for quality, durations in latest.items():
            kept = self._latest[quality]
            kept.extend(duration for duration in durations if duration.is_plausible)
            if kept:
                self._measured[quality] = Durations(
                    call=median(duration.call for duration in kept),
                    posting=median(duration.posting for duration in kept),
                )

    def typical(self, quality: Quality) -> Durations:
        """Return the median durations, or a default if none were measured."""
        return self._measured.get(quality, DEFAULTS[quality])

    def measured(self, quality: Quality) -> Durations | None:
        """Return the median durations, or None if none were measured."""
        return self._measured.get(quality)
