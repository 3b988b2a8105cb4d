"""What an edit costs, and which sizes and qualities there are."""

from enum import StrEnum

MAX_COUNT = 4
"""Images in one edit, at most."""

SOURCE_SIZE = "source"
"""The size option that stands for the ratio nearest to the source's own."""

RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16", "21:9", "9:21", "2:1", "1:2")
"""Output aspect ratios (width:height) that the edit API takes."""


class Quality(StrEnum):
    """How carefully an image is made."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def price(self) -> int:
        """Credits per image."""
        return _PRICES[self]


_PRICES = {Quality.LOW: 4, Quality.MEDIUM: 8, Quality.HIGH: 16}


def affordable(left: int, most: int) -> list[tuple[Quality, int]]:
    """Return how many images `left` credits buy at each quality, best first, up to `most`."""
    counts = [(quality, min(left // quality.price, most)) for quality in reversed(Quality)]
    return [(quality, count) for quality, count in counts if count > 0]


def nearest_ratio(width: int, height: int) -> str:
    """The ratio of `RATIOS` nearest to `width`:`height`, compared by the ratio of the ratios.

    So a shape twice as wide as a ratio is as far from it as one half as wide.
    """
    shape = width / height

    def distance(ratio: str) -> float:
        offered = _as_number(ratio)
        return max(shape / offered, offered / shape)

    return min(RATIOS, key=distance)


def _as_number(ratio: str) -> float:
    width, height = ratio.split(":")
    return int(width) / int(height)
