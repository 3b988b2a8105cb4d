"""What must be true once nothing is open any more, by the ledger and by what the sandbox saw.

The sandbox stands for the world: which calls were paid for, which images stand in which messages,
what members can read. The ledger is held against it, edit by edit, and then against itself.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from bot.domain.lifecycle import Reason, State
from bot.ledger.sqlite.connection import moment_or_none
from drills.crowd import QUOTA, Asked
from drills.images import read_mark, read_prompt
from sandbox.discord.messages import Message
from sandbox.discord.world import Change, MessageCreated, MessageDeleted, World
from sandbox.sandbox import Sandbox
from tests.invariants import find_contradictions, find_overrun
from tests.members import look_up

TURNED_AWAY = frozenset({429, 503})
"""Statuses of calls that the edit API surely did not execute, and asked to repeat later."""

SLOW = timedelta(seconds=30)
"""For so long the ledger may not answer, and Discord not take what a member is to be told."""

NAMES_EDIT = "-# Edit "
"""How a second message says which edit it is about."""


class Kind(StrEnum):
    """What is broken."""

    LOST = "lost"
    """An edit has no end, or its member is not told of it."""
    PAID_TWICE = "paid twice"
    POSTED_TWICE = "posted twice"
    HOLD_LEFT = "holds left"
    WRONG = "otherwise wrong"


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold."""

    kind: Kind
    sentence: str


@dataclass(slots=True)
class Verdict:
    """What a drill came to."""

    broken: list[Broken] = field(default_factory=list[Broken])
    commands: int = 0
    unheard: int = 0
    """Commands without any answer, for which nothing was held."""
    refused: int = 0
    edits: int = 0
    """Commands for which credits were held."""
    calls: int = 0
    delivered: int = 0
    images: int = 0
    voided: Counter[str] = field(default_factory=Counter[str])
    explained: Counter[str] = field(default_factory=Counter[str])
    """What a fault by itself explains, and no program could have done better."""

    def lines(self) -> list[str]:
        """The figures, and each broken invariant."""
        kinds = Counter(each.kind for each in self.broken)
        commands = (
            f"{self.commands} commands: {self.edits} edits, {self.refused} refused, "
            f"{self.unheard} that no bot heard"
        )
        delivered = (
            f"{self.calls} paid calls, {self.delivered} edits delivered, "
            f"{self.images} images posted and charged"
        )
        return [
            commands,
            delivered,
            f"voided: {_listed(self.voided)}",
            f"explained by a fault: {_listed(self.explained)}",
            " / ".join(f"{kinds[kind]} {kind}" for kind in Kind),
            *(f"BROKEN: {each.sentence}" for each in self.broken),
        ]


class Witness:
    """Remembers every message that there ever was, and when something was taken away."""

    def __init__(self, world: World) -> None:
        self.messages: list[Message] = []
        self.deleted: dict[int, datetime] = {}
        """When messages and channels were, by their ids."""
        self.expiries: list[datetime] = []
        """When all tokens that there were died."""
        self._clock = world.clock
        world.listeners.append(self._note)

    def note_deleted(self, id_: int) -> None:
        """A message or a channel is gone."""
        self.deleted[id_] = self._clock.now()

    def note_expired(self) -> None:
        """All tokens have died."""
        self.expiries.append(self._clock.now())

    def _note(self, change: Change) -> None:
        match change:
            case MessageCreated(message):
                self.messages.append(message)
            case MessageDeleted(message):
                self.note_deleted(message.id)
            case _:
                pass


def count_open(ledger: Path) -> int:
    """How many edits have no end, or one that is still to be told."""
    query = (
        "SELECT count(*) FROM edit LEFT JOIN edit_token ON edit_id = id "
        "WHERE ended_at IS NULL OR token IS NOT NULL"
    )
    return int(look_up(ledger, query)[0][0])


def count_edits(ledger: Path) -> int:
    """How many edits there are."""
    return int(look_up(ledger, "SELECT count(*) FROM edit")[0][0])


def examine(
    sandbox: Sandbox,
    witness: Witness,
    asked: Sequence[Asked],
    *,
    ledger: Path,
    spool: Path,
    deaths: Sequence[datetime],
) -> Verdict:
    """Check everything; the bot has ended, with nothing open, after it was killed at moments."""
    examination = Examination(sandbox, witness, ledger, deaths)
    for each in asked:
        examination.judge(each)
    examination.judge_ledger(ledger, spool)
    return examination.verdict


@dataclass(frozen=True, slots=True)
class Row:
    """An edit in the ledger."""

    state: State
    reason: Reason | None
    posted: int
    sent: bool
    ended: datetime | None
    untold: bool


class Examination:
    """Holds commands against what became of them, one by one."""

    def __init__(
        self, sandbox: Sandbox, witness: Witness, ledger: Path, deaths: Sequence[datetime]
    ) -> None:
        self.verdict = Verdict()
        self._witness = witness
        self._deaths = deaths
        self._rows = _read_rows(ledger)
        self._calls = _count_calls(sandbox)
        self._showing = _find_images(witness.messages)
        self._apart = _find_second_messages(witness.messages)

    def judge(self, asked: Asked) -> None:
        """Look at one command and all that came of it."""
        row = self._rows.get(asked.interaction.id)
        calls = self._calls[asked.number]
        self.verdict.commands += 1
        self.verdict.calls += calls
        if calls > 1:
            self._broken(Kind.PAID_TWICE, asked, f"the edit API took it {calls} times")
        if calls and (row is None or not row.sent):
            self._broken(Kind.WRONG, asked, "it was sent, and the ledger does not know")
        if row is None:
            self._judge_without_hold(asked)
            return
        self.verdict.edits += 1
        if row.ended is None:
            self._broken(Kind.HOLD_LEFT, asked, f"it is {row.state} still")
        elif row.untold:
            self._broken(Kind.LOST, asked, f"that it is {row.state} is still to be told")
        elif row.state is State.DELIVERED:
            self.verdict.delivered += 1
            self.verdict.images += row.posted
            self._judge_delivered(asked, row)
        else:
            self.verdict.voided[str(row.reason)] += 1
            self._judge_void(asked, row)

    def judge_ledger(self, ledger: Path, spool: Path) -> None:
        """Hold the ledger against itself."""
        wrong = list(find_contradictions(ledger))
        wrong += [f"a quota of {QUOTA} is overrun: {row}" for row in find_overrun(ledger, QUOTA)]
        if left := sorted(path.name for path in spool.iterdir()):
            wrong.append(f"left in the spool: {', '.join(left)}")
        held = look_up(ledger, "SELECT guild_id, member_id, held FROM account WHERE held <> 0")
        self.verdict.broken += [Broken(Kind.WRONG, sentence) for sentence in wrong]
        self.verdict.broken += [
            Broken(Kind.HOLD_LEFT, f"server {guild_id}, member {member_id}: {credits} held")
            for guild_id, member_id, credits in held
        ]

    def _judge_without_hold(self, asked: Asked) -> None:
        message = asked.interaction.message
        if self._showing[asked.number]:
            self._broken(Kind.WRONG, asked, "its images were posted, and nothing was held")
        if asked.interaction.acknowledgement is None:
            self.verdict.unheard += 1
        elif asked.refused or (message is not None and not message.loading):
            self.verdict.refused += 1
        elif excuse := self._excuse(asked, None):
            self._explain(f"not told that nothing was held: {excuse}")
        elif any(timedelta(0) < death - asked.interaction.sent < SLOW for death in self._deaths):
            # The ledger was so slow that the acknowledgement, due within 3 s, went before the hold.
            self._explain("acknowledged, and killed before the hold")
        else:
            self._broken(Kind.LOST, asked, "it was acknowledged, and neither held nor refused")

    def _judge_delivered(self, asked: Asked, row: Row) -> None:
        shown = self._showing[asked.number]
        if len(shown) > 1:
            if asked.private and self._lost_token(asked, row):
                self._explain("posted anew by direct message, once the token had died")
            else:
                self._broken(Kind.POSTED_TWICE, asked, f"{len(shown)} messages show its images")
        for places in shown.values():
            if len(places) != row.posted or len(set(places)) != len(places):
                places_text = ", ".join(str(1 + place) for place in sorted(places))
                self._broken(
                    Kind.WRONG,
                    asked,
                    f"charged for {row.posted} images, of which {places_text} stand there",
                )
        if not shown:
            self._broken(
                Kind.WRONG, asked, f"charged for {row.posted} images, none of which were posted"
            )

    def _judge_void(self, asked: Asked, row: Row) -> None:
        for message in self._showing[asked.number]:
            if message.deleted:
                self._explain("deleted with its images before they were charged")
            elif asked.private and self._lost_token(asked, row):
                self._explain("posted privately, which was not known when the token died")
            else:
                self._broken(Kind.WRONG, asked, f"ended {row.reason}, and its images stand there")
        message = asked.interaction.message
        if message is None or message.now.components_v2 or self._apart[asked.interaction.id]:
            return
        if excuse := self._excuse(asked, row):
            self._explain(f"not told that it ended {row.reason}: {excuse}")
        else:
            said = message.text or "thinking"
            self._broken(Kind.LOST, asked, f"ended {row.reason}, and its member reads: {said}")

    def _excuse(self, asked: Asked, row: Row | None) -> str | None:
        """What kept everybody from telling a member how it ended, if something did."""
        places = [asked.interaction.channel.id]
        if asked.interaction.message is not None:
            places.append(asked.interaction.message.id)
        until = _told_by(asked, row)
        gone = [at for place in places if (at := self._witness.deleted.get(place)) is not None]
        if any(at < until for at in gone):
            return "its message or channel was deleted"
        return "its token had died" if self._lost_token(asked, row) else None

    def _lost_token(self, asked: Asked, row: Row | None) -> bool:
        until = _told_by(asked, row)
        return any(asked.interaction.sent < at < until for at in self._witness.expiries)

    def _broken(self, kind: Kind, asked: Asked, sentence: str) -> None:
        which = f"edit {asked.number} ({asked.interaction.id})"
        self.verdict.broken.append(Broken(kind, f"{which}: {sentence}"))

    def _explain(self, why: str) -> None:
        self.verdict.explained[why] += 1


def _told_by(asked: Asked, row: Row | None) -> datetime:
    """When its member has surely been told how it ended, whatever goes wrong for a while."""
    ended = None if row is None else row.ended
    return (ended or asked.interaction.sent) + SLOW


def _read_rows(ledger: Path) -> Mapping[int, Row]:
    query = """
        SELECT id, state, reason, posted, submitted_at IS NOT NULL, ended_at,
            token IS NOT NULL
        FROM edit LEFT JOIN edit_token ON edit_id = id
    """
    return {
        edit_id: Row(
            State(state),
            None if reason is None else Reason(reason),
            posted,
            bool(sent),
            moment_or_none(ended_at),
            bool(untold),
        )
        for edit_id, state, reason, posted, sent, ended_at, untold in look_up(ledger, query)
    }


def _count_calls(sandbox: Sandbox) -> Counter[int]:
    """How often the edit API may have executed each edit."""
    numbers = (
        read_prompt(call.body.get("prompt"))
        for call in sandbox.edit_api.calls
        if call.status not in TURNED_AWAY
    )
    return Counter(number for number in numbers if number is not None)


def _find_images(
    messages: Sequence[Message],
) -> Mapping[int, Mapping[Message, list[int]]]:
    """Which messages show which of an edit's images, or showed them when they were deleted."""
    found: defaultdict[int, dict[Message, list[int]]] = defaultdict(dict)
    for message in messages:
        for file in message.files:
            mark = read_mark(file.path)
            if mark is not None:
                found[mark.number].setdefault(message, []).append(mark.place)
    return found


def _find_second_messages(messages: Sequence[Message]) -> Mapping[int, list[Message]]:
    """The messages about an edit that are not its first one."""
    found: defaultdict[int, list[Message]] = defaultdict(list)
    for message in messages:
        for line in message.text.splitlines():
            if line.startswith(NAMES_EDIT):
                found[int(line.removeprefix(NAMES_EDIT))].append(message)
    return found


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{what} {times}" for what, times in counted.most_common()) or "nothing"
