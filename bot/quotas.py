"""Who may spend how much, and in which window of days: pure, `now` is passed in."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """Whole UTC days over which spending is counted: from `first` until before `end`."""

    first: date
    end: date

    @property
    def ends_at(self) -> datetime:
        """The moment at which the next window begins."""
        return datetime.combine(self.end, time.min, UTC)


def window_at(now: datetime) -> Window:
    """The window that `now` lies in: its UTC day."""
    today = now.astimezone(UTC).date()
    return Window(first=today, end=today + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Balance:
    """A member's credits in one server over a window; `quota` is None where nothing limits."""

    quota: int | None
    granted: int
    held: int
    spent: int
    window: Window

    @property
    def left(self) -> int | None:
        """Credits that could still be held; None where nothing limits."""
        return self.left_after(0)

    def left_after(self, given_back: int) -> int | None:
        """What will be left once `given_back` of the held credits were voided."""
        if self.quota is None:
            return None
        return max(0, self.quota + self.granted - self.spent - self.held + given_back)
