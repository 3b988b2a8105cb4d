"""What the bot says of its edits, as the page's ledger: its own structured events, by edit.

| kind | id | value |
| --- | --- | --- |
| `edit` | its | whose it is, when it began, and its steps, each with what belongs to it |
| `sums` | `sums` | the credits that all edits together hold, captured and voided |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sandbox.bot_process import BotProcess, Event
from sandbox.discord.service import DiscordService
from sandbox.page.feed import Feed
from sandbox.values import JsonObject, integer_at, snowflake, text_at

MOST_EDITS = 100

STEP_FIELDS = ("credits", "pictures", "reason", "refusal")
"""All that is shown of an event, beside its name."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Credits."""

    held: int = 0
    captured: int = 0
    voided: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.held + other.held, self.captured + other.captured, self.voided + other.voided
        )

    def __sub__(self, other: Sums) -> Sums:
        return self + Sums(-other.held, -other.captured, -other.voided)

    def to_json(self) -> JsonObject:
        """Return the record."""
        return {"held": self.held, "captured": self.captured, "voided": self.voided}


@dataclass(slots=True)
class ShownEdit:
    """One edit, step by step."""

    id: str
    member: str | None
    at: str
    sums: Sums = field(default_factory=Sums)
    steps: list[JsonObject] = field(default_factory=list[JsonObject])

    def add(self, event: Event) -> None:
        """Take a step in; what is captured or voided is held no more."""
        name, credits = event.name.removeprefix("edit."), integer_at(event.fields, "credits")
        told = {key: event.fields[key] for key in STEP_FIELDS if key in event.fields}
        self.steps.append({"name": name} | told)
        match name:
            case "held":
                self.sums = replace(self.sums, held=credits)
            case "charged":
                rest = max(0, self.sums.held - credits)
                self.sums = Sums(captured=credits, voided=rest)
                if rest:
                    self.steps.append({"name": "voided", "credits": rest})
            case "voided":
                self.sums = Sums(voided=credits)
            case _:
                pass

    def to_json(self) -> JsonObject:
        """Return the record."""
        return {"id": self.id, "member": self.member, "at": self.at, "steps": self.steps}


class ShownLedger:
    """Keeps the feed's edits level with what the bot says."""

    def __init__(self, discord: DiscordService, bot: BotProcess, feed: Feed) -> None:
        self._discord = discord
        self._bot = bot
        self._feed = feed
        self._edits: dict[str, ShownEdit] = {}
        self._sums = Sums()
        self._events_seen = 0

    def begin(self) -> None:
        """Show the sums, and from now on every step."""
        self._feed.put("sums", "sums", self._sums.to_json())
        self._bot.changed.listeners.append(self._show_events)

    def _show_events(self) -> None:
        events = self._bot.events
        for event in events[self._events_seen :]:
            edit_id = text_at(event.fields, "edit")
            if event.name.startswith("edit.") and edit_id:
                self._show_step(edit_id, event)
        self._events_seen = len(events)

    def _show_step(self, edit_id: str, event: Event) -> None:
        edit = self._edits.get(edit_id)
        if edit is None:
            edit = self._edits[edit_id] = self._new_edit(edit_id, event)
            self._feed.put_latest("edit", edit_id, edit.to_json(), kept=MOST_EDITS)
        before = edit.sums
        edit.add(event)
        if self._feed.get("edit", edit_id) is not None:
            self._feed.put("edit", edit_id, edit.to_json())
        if edit.sums != before:
            self._sums += edit.sums - before
            self._feed.put("sums", "sums", self._sums.to_json())

    def _new_edit(self, edit_id: str, event: Event) -> ShownEdit:
        interaction = self._discord.rest.interactions.by_id.get(snowflake(edit_id) or 0)
        member = None if interaction is None else str(interaction.member.id)
        return ShownEdit(edit_id, member, text_at(event.fields, "timestamp"))
