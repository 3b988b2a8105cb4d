"""What every open tab knows: records by kind and id, sent whole and then as they change."""

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from sandbox.values import JsonObject, dump

MOST_WAITING = 10_000
"""Changes that a tab may be behind; one that is further behind is cut off, and starts anew."""


class Tab:
    """One open tab's line of what is still to be sent to it."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._news = asyncio.Event()
        self.lost = False

    def put(self, text: str) -> None:
        """Put a message in the line."""
        self.lost = self.lost or len(self._waiting) >= MOST_WAITING
        if self.lost:
            self._waiting.clear()
        else:
            self._waiting.append(text)
        self._news.set()

    async def next(self) -> str | None:
        """Wait for the next message; None once the tab has fallen behind."""
        while not self._waiting and not self.lost:
            self._news.clear()
            await self._news.wait()
        return None if self.lost else self._waiting.popleft()


class Feed:
    """The records, in the order in which they came first, and the tabs that follow them."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], JsonObject] = {}
        self._latest: dict[str, deque[str]] = {}
        self._tabs: set[Tab] = set()
        self._snapshot: str | None = None

    def put(self, kind: str, record_id: object, value: JsonObject) -> None:
        """Add a record, or put another value in its place."""
        self._records[(kind, str(record_id))] = value
        self._tell(kind, str(record_id), value)

    def put_latest(self, kind: str, record_id: object, value: JsonObject, *, kept: int) -> None:
        """Add a record of a kind of which only the latest are kept."""
        ids = self._latest.setdefault(kind, deque())
        ids.append(str(record_id))
        self.put(kind, record_id, value)
        while len(ids) > kept:
            self.drop(kind, ids.popleft())

    def drop(self, kind: str, record_id: object) -> None:
        """Take a record away, if it is there."""
        if self._records.pop((kind, str(record_id)), None) is not None:
            self._tell(kind, str(record_id), None)

    def get(self, kind: str, record_id: object) -> JsonObject | None:
        """Return a record's value."""
        return self._records.get((kind, str(record_id)))

    @contextmanager
    def followed(self) -> Generator[Tab]:
        """Follow the records from now on, beginning with all of them."""
        tab = Tab()
        tab.put(self._everything())
        self._tabs.add(tab)
        try:
            yield tab
        finally:
            self._tabs.discard(tab)

    def _everything(self) -> str:
        if self._snapshot is None:
            records = [[kind, each, value] for (kind, each), value in self._records.items()]
            self._snapshot = dump({"all": records})
        return self._snapshot

    def _tell(self, kind: str, record_id: str, value: JsonObject | None) -> None:
        self._snapshot = None
        if self._tabs:
            text = dump({"changes": [[kind, record_id, value]]})
            for tab in self._tabs:
                tab.put(text)
