"""What the drills check fails when it is broken: each guard is seen to bark."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from bot.ledger.sqlite.connection import connect_to_write, rows
from drills import __main__ as command_line
from drills.checks import Broken, Kind, Verdict, Witness, count_open, examine
from drills.crowd import Asked, Crowd
from drills.running import Report
from sandbox.discord.interactions.interactions import CallbackType
from sandbox.discord.messages import Message
from sandbox.faults import EditFault, declined
from sandbox.sandbox import Sandbox
from tests.conftest import Events, RunningBot

EDITS = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """Edits that have ended, one of them declined, and a ledger that can be spoilt."""

    sandbox: Sandbox
    witness: Witness
    crowd: Crowd
    ledger: Path
    spool: Path

    def examine(self) -> Verdict:
        """What the checks say."""
        return examine(
            self.sandbox,
            self.witness,
            self.crowd.asked,
            ledger=self.ledger,
            spool=self.spool,
            deaths=[],
        )

    def found(self, *, delivered: bool) -> Asked:
        """The first edit that was delivered, or that was not."""
        return next(
            asked for asked in self.crowd.asked if bool(self.message(asked).files) is delivered
        )

    def message(self, asked: Asked) -> Message:
        """An edit's message."""
        assert asked.interaction.message is not None
        return asked.interaction.message

    def change(self, statement: str, *values: str | int) -> None:
        """Change the ledger behind its back."""
        connection = connect_to_write(self.ledger)
        try:
            rows(connection, "PRAGMA foreign_keys = OFF")
            rows(connection, "PRAGMA ignore_check_constraints = ON")
            rows(connection, statement, **{str(n): value for n, value in enumerate(values, 1)})
        finally:
            connection.close()


@pytest.fixture
async def scene(sandbox: Sandbox, bot: RunningBot, events: Events, tmp_path: Path) -> Scene:
    """Some edits of two members, after the bot has ended; at first nothing is broken."""
    sandbox.faults.edit_api.add(EditFault(action=declined("No.")))
    witness = Witness(sandbox.world)
    crowd = Crowd(sandbox, Random(1), size=2, patience=10)
    async with crowd.at_work():
        await crowd.until_ended(EDITS)
    await events.logs("edit.closed", times=crowd.ended)
    assert count_open(bot.settings.database) == 0
    await bot.stop()
    ledger = tmp_path / "copy.db"
    await asyncio.to_thread(shutil.copy, bot.settings.database, ledger)
    return Scene(sandbox, witness, crowd, ledger, bot.settings.spool_dir)


def pay_twice(scene: Scene) -> str:
    scene.sandbox.edit_api.calls.append(scene.sandbox.edit_api.calls[-1])
    return "the edit API took it 2 times"


def post_twice(scene: Scene) -> str:
    first = scene.message(scene.found(delivered=True))
    again = Message(scene.sandbox.world.new_id(), first.channel, first.author, [first.now])
    scene.witness.messages.append(again)
    return "2 messages show its images"


def lose_images(scene: Scene) -> str:
    message = scene.message(scene.found(delivered=True))
    message.revisions.append(replace(message.now, files=()))
    return "none of which were posted"


def post_one_image_more(scene: Scene) -> str:
    message = scene.message(scene.found(delivered=True))
    message.revisions.append(replace(message.now, files=(*message.files, message.files[0])))
    return "stand there"


def post_for_nothing(scene: Scene) -> str:
    scene.change(
        "UPDATE edit SET state = 'failed', reason = 'not_posted', posted = 0, charged = 0 "
        "WHERE id = $1",
        scene.found(delivered=True).interaction.id,
    )
    return "ended not_posted, and its images stand there"


def send_unnoted(scene: Scene) -> str:
    scene.change(
        "UPDATE edit SET submitted_at = NULL WHERE id = $1",
        scene.found(delivered=True).interaction.id,
    )
    return "it was sent, and the ledger does not know"


def leave_thinking(scene: Scene) -> str:
    message = scene.message(scene.found(delivered=False))
    del message.revisions[1:]
    return "ended api_declined, and its member reads: thinking"


def leave_untold(scene: Scene) -> str:
    scene.change("INSERT INTO edit_token SELECT id, 'secret' FROM edit WHERE reason IS NOT NULL")
    return "that it is declined is still to be told"


def leave_unheld(scene: Scene) -> str:
    asked = scene.found(delivered=False)
    leave_thinking(scene)
    assert asked.interaction.acknowledgement is not None
    assert asked.interaction.acknowledgement.type == CallbackType.DEFERRED_MESSAGE
    scene.change("DELETE FROM edit WHERE id = $1", asked.interaction.id)
    return "it was acknowledged, and neither held nor refused"


def leave_open(scene: Scene) -> str:
    scene.change(
        "UPDATE edit SET state = 'submitted', ended_at = NULL WHERE id = $1",
        scene.found(delivered=True).interaction.id,
    )
    return "it is submitted still"


def leave_a_hold(scene: Scene) -> str:
    scene.change("UPDATE account SET held = 4 WHERE member_id <> 0")
    return "4 held"


def overrun_a_quota(scene: Scene) -> str:
    scene.change("UPDATE edit SET charged = 1000 WHERE posted > 0")
    return "a quota of 300 is overrun"


def leave_files(scene: Scene) -> str:
    (scene.spool / "123").mkdir()
    return "left in the spool: 123"


def test_edits_of_which_nothing_is_broken_pass(scene: Scene):
    verdict = scene.examine()

    assert verdict.broken == []
    assert verdict.edits == verdict.calls == scene.crowd.ended
    assert verdict.delivered == verdict.edits - 1
    assert verdict.voided == {"api_declined": 1}
    assert "0 lost / 0 paid twice / 0 posted twice / 0 holds left" in "\n".join(verdict.lines())


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (pay_twice, Kind.PAID_TWICE),
        (post_twice, Kind.POSTED_TWICE),
        (lose_images, Kind.WRONG),
        (post_one_image_more, Kind.WRONG),
        (post_for_nothing, Kind.WRONG),
        (send_unnoted, Kind.WRONG),
        (leave_thinking, Kind.LOST),
        (leave_untold, Kind.LOST),
        (leave_unheld, Kind.LOST),
        (leave_open, Kind.HOLD_LEFT),
        (leave_a_hold, Kind.HOLD_LEFT),
        (overrun_a_quota, Kind.WRONG),
        (leave_files, Kind.WRONG),
    ],
)
def test_what_is_broken_is_named(scene: Scene, spoil: Callable[[Scene], str], kind: Kind):
    named = spoil(scene)

    found = [each for each in scene.examine().broken if named in each.sentence]
    assert {each.kind for each in found} == {kind}


def test_a_broken_invariant_ends_the_command_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    async def drill(_seed: int, *, short: bool) -> Report:
        assert short
        return Report(["100 kills"], Verdict(broken=[Broken(Kind.LOST, "edit 7: gone")]))

    monkeypatch.setattr(command_line, "DRILLS", {"crash": drill})
    monkeypatch.setattr("sys.argv", ["drills", "crash", "--short", "--seed", "42"])

    assert command_line.main() == 1
    printed = capsys.readouterr().out
    assert "crash: --seed 42" in printed
    assert "BROKEN: edit 7: gone" in printed
