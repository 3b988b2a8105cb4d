"""What 1,000 commands within two seconds come to, where 200 edits may be open, and where 1,000 may.

    python -m benchmarks.flood

The bot runs in a process of its own against the sandbox in this one. A time runs from the gateway's
sending a command to Discord's taking of the first answer. The edit API answers nothing before all
that is over, so that as many wait as can; memory is the bot's resident set, as Linux counts it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.watching import forget_peak, peak
from sandbox.bot_process import BotProcess
from sandbox.discord.interactions.interactions import SECONDS_TO_ACKNOWLEDGE, CallbackType
from sandbox.faults import EditFault, Hang, while_on
from sandbox.sandbox import Interaction, Sandbox
from tests.images_made import make_image, photo
from tests.members import look_up

COMMANDS, SECONDS = 1_000, 2.0
WARM_UP = 50
"""Edits that are made before."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the commands came to."""

    answered: Sequence[float]
    """Seconds that those took which were answered in time, in order."""
    refused: int
    """So many of these were told that too many edits are open."""
    void: int
    """Commands that were not answered in time, and are void or were never held."""
    called_in_vain: int
    """So many of these the edit API was called for."""
    delivered: int
    held: int
    """Credits, over all accounts of members, at the end."""
    spent: int
    grown_mib: float


async def run(queue_limit: int) -> Figures:
    """Let a thousand members run a command each, and wait until all of them are over."""
    settings = {"DEFAULT_QUOTA": "unlimited", "QUEUE_LIMIT": str(queue_limit)}
    async with Sandbox() as sandbox, BotProcess(sandbox.environment(), settings=settings) as bot:
        await bot.connected(sandbox.discord)
        sandbox.edit_api.answer_with([make_image(width=64, height=64)])
        await send(sandbox, WARM_UP)
        await until_closed(bot, WARM_UP)
        before = forget_peak(bot.pid or "self")
        hang = EditFault(action=Hang(), times=None)
        with while_on(sandbox.faults.edit_api, hang):
            commands = await send(sandbox, COMMANDS)
            in_time = [command for command in commands if await is_answered(command)]
            grown = peak(bot.pid or "self") - before
        await until_closed(bot, bot.count("edit.held"))
        return read(sandbox, bot, commands, in_time, grown / 1024)


async def send(sandbox: Sandbox, commands: int) -> list[Interaction]:
    """Let so many members who are new run a command each, evenly over the time."""
    guild = sandbox.discord.guilds[0]
    image = photo(width=64, height=64)
    members = [sandbox.discord.add_member(guild, f"Member {place}") for place in range(commands)]
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), list[Interaction]()
    for place, member in enumerate(members):
        await asyncio.sleep(began + place * SECONDS / COMMANDS - loop.time())
        options = {"image": image, "prompt": f"make it blue {member.id}"}
        sent.append(await sandbox.discord.invoke(guild.channels[0], member, "edit", options))
    return sent


async def is_answered(command: Interaction) -> bool:
    """Whether it is answered in time."""
    try:
        answer = await command.acknowledged(timeout=max(0.001, LATEST - command.seconds))
    except TimeoutError:
        return False
    return answer.seconds <= SECONDS_TO_ACKNOWLEDGE


LATEST = SECONDS_TO_ACKNOWLEDGE + 1


async def until_closed(bot: BotProcess, edits: int) -> None:
    """Wait until nothing is left to be done for so many edits."""
    await bot.changed.until(
        lambda: True if bot.count("edit.closed") >= edits else None, timeout=120
    )


def read(
    sandbox: Sandbox,
    bot: BotProcess,
    commands: Sequence[Interaction],
    in_time: Sequence[Interaction],
    grown_mib: float,
) -> Figures:
    """Look up what became of the commands."""
    sums = "SELECT sum(held), sum(spent) FROM account WHERE member_id <> 0"
    ((held, spent),) = look_up(bot.ledger, sums)
    states = dict(look_up(bot.ledger, "SELECT id, state FROM edit"))
    answers = [command.acknowledgement for command in in_time]
    late = [command for command in commands if command not in set(in_time)]
    called = {call.body.get("prompt") for call in sandbox.edit_api.calls}
    ends = [states.get(command.id) for command in late]
    return Figures(
        answered=sorted(answer.seconds for answer in answers if answer is not None),
        refused=sum(
            answer is not None and answer.type == CallbackType.MESSAGE for answer in answers
        ),
        void=sum(end in {None, "failed"} for end in ends),
        called_in_vain=sum(f"make it blue {each.member.id}" in called for each in late),
        delivered=sum(states.get(each.id) == "delivered" for each in commands),
        held=held,
        spent=spent,
        grown_mib=grown_mib,
    )


def main() -> None:
    """Run both and print the figures."""
    for queue_limit in (200, COMMANDS):
        figures = asyncio.run(run(queue_limit))
        times = [f"{seconds * 1000:.0f} ms" for seconds in figures.answered]
        print(
            f"{COMMANDS} commands in {SECONDS:g} s, {queue_limit} edits at once: "
            f"{len(times)} answered in time (median "
            f"{median(figures.answered) * 1000:.0f} ms, p99 {times[int(len(times) * 0.99)]}, "
            f"longest {times[-1]}), {figures.refused} of them refused, {figures.void} void; "
            f"{figures.delivered} delivered, {figures.held} credits held; "
            f"memory grew by {figures.grown_mib:.1f} MiB"
        )


if __name__ == "__main__":
    main()
