"""How long edits of each quality take, by those that were delivered lately."""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median

from bot.domain.edits import Durations
from bot.domain.pricing import Quality

LATEST = 21
"""Edits of a quality that an estimate rests on; odd, so that the middle one is one of them."""


DEFAULTS = {
    Quality.LOW: Durations(call=15, posting=3),
    Quality.MEDIUM: Durations(call=30, posting=3),
    Quality.HIGH: Durations(call=60, posting=5),
}
"""Until any was made: about what image models need."""


class Estimates:
    """The latest edits' times, and what is usual by them."""

    def __init__(self) -> None:
        self._latest = {quality: deque[Durations](maxlen=LATEST) for quality in Quality}
        self._known: dict[Quality, Durations] = {}

    def learn(self, latest: Mapping[Quality, Sequence[Durations]]) -> None:
        """Take in edits of each quality, oldest first."""
        for quality, tooks in latest.items():
            kept = self._latest[quality]
            kept.extend(took for took in tooks if took.is_plausible)
            if kept:
                self._known[quality] = Durations(
                    call=median(took.call for took in kept),
                    posting=median(took.posting for took in kept),
                )

    def typical(self, quality: Quality) -> Durations:
        """What half of the latest edits needed at most, or a guess."""
        return self._known.get(quality, DEFAULTS[quality])

    def measured(self, quality: Quality) -> Durations | None:
        """The same, without a guess."""
        return self._known.get(quality)
