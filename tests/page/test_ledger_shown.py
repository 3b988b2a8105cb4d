"""The page's ledger adds up what the bot says, whatever of it is still shown."""

from pathlib import Path

from sandbox.bot_process import BotProcess, Event
from sandbox.page.feed import Feed
from sandbox.page.ledger_shown import MOST_EDITS, ShownLedger
from sandbox.sandbox import Sandbox


class Telling:
    """A bot that says what it is told to, and the feed in which that is shown."""

    def __init__(self, folder: Path) -> None:
        self.feed = Feed()
        self._bot = BotProcess({}, folder=folder)
        ShownLedger(Sandbox().discord, self._bot, self.feed).begin()

    def tell(self, name: str, edit: int, **fields: object) -> None:
        told = {"edit": str(edit), "timestamp": "2026-11-25T12:00:00Z"} | fields
        self._bot.events.append(Event(name, "info", told))
        self._bot.changed.fire()

    @property
    def sums(self) -> tuple[object, ...]:
        """Held, captured, voided."""
        return tuple((self.feed.get("sums", "sums") or {}).values())

    def steps(self, edit: int) -> object:
        return (self.feed.get("edit", edit) or {}).get("steps")


def test_what_is_charged_or_voided_is_held_no_more(tmp_path: Path):
    bot = Telling(tmp_path)
    assert bot.sums == (0, 0, 0)
    bot.tell("edit.held", 1, credits=8)
    bot.tell("edit.held", 2, credits=16)
    assert bot.sums == (24, 0, 0)
    bot.tell("edit.charged", 1, credits=8)
    bot.tell("edit.voided", 2, credits=16, reason="api_failed")
    assert bot.sums == (0, 8, 16)


def test_of_an_edit_charged_in_part_the_rest_is_voided_as_a_step(tmp_path: Path):
    bot = Telling(tmp_path)
    bot.tell("edit.held", 1, credits=32)
    bot.tell("edit.charged", 1, credits=24)
    assert bot.sums == (0, 24, 8)
    assert bot.steps(1) == [
        {"name": "held", "credits": 32},
        {"name": "charged", "credits": 24},
        {"name": "voided", "credits": 8},
    ]


def test_the_sums_hold_when_old_edits_are_shown_no_more(tmp_path: Path):
    bot = Telling(tmp_path)
    bot.tell("edit.held", 0, credits=4)
    for edit in range(1, MOST_EDITS + 50):
        bot.tell("edit.held", edit, credits=8)
        bot.tell("edit.charged", edit, credits=8)
    assert bot.steps(0) is None
    assert bot.sums == (4, 8 * (MOST_EDITS + 49), 0)
    bot.tell("edit.charged", 0, credits=4)
    assert bot.sums == (0, 8 * (MOST_EDITS + 49) + 4, 0)


def test_nothing_but_what_is_named_is_shown_of_an_event(tmp_path: Path):
    bot = Telling(tmp_path)
    bot.tell("edit.refused", 1, refusal="CannotAfford", prompt="a secret wish", token="abc")
    assert bot.steps(1) == [{"name": "refused", "refusal": "CannotAfford"}]
