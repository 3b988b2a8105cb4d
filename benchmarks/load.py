"""What 300 edits by 100 members at once come to: none lost, each charged exactly, and the memory.

    python -m benchmarks.load

The bot runs in a process of its own with EDIT_CONCURRENCY=32; each edit gives one to three results
of 1.5 MB. Memory is the peak of the bot's resident set, as Linux counts it.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.watching import peak
from sandbox.bot_process import BotProcess
from sandbox.sandbox import Sandbox
from tests.images_made import make_image, photo
from tests.members import look_up

MEMBERS = 100
EDITS_EACH = 3
PRICE = 8
RESULT_BYTES = 1_500_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What the run came to."""

    edits: int
    delivered: int
    posted: int
    """Images that the sandbox's Discord has."""
    calls: int
    spent: int
    """Credits, over all accounts of members."""
    held: int
    seconds: float
    peak_mib: float


async def run() -> Figures:
    """Let every member give three orders at once, and wait until all were charged."""
    async with (
        Sandbox() as sandbox,
        BotProcess(
            sandbox.environment(),
            settings={"DEFAULT_QUOTA": "1000", "EDIT_CONCURRENCY": "32"},
        ) as bot,
    ):
        await bot.connected(sandbox.discord)
        sandbox.edit_api.delay = 0.5
        sandbox.edit_api.answer_with([await asyncio.to_thread(make_result)])
        started = time.monotonic()
        posted = await order_all(sandbox)
        await bot.changed.until(
            lambda: True if bot.count("edit.charged") >= MEMBERS * EDITS_EACH else None,
            timeout=120,
        )
        seconds = time.monotonic() - started
        spent, held = read_accounts(bot.ledger)
        return Figures(
            edits=MEMBERS * EDITS_EACH,
            delivered=bot.count("edit.charged"),
            posted=posted,
            calls=len(sandbox.edit_api.calls),
            spent=spent,
            held=held,
            seconds=seconds,
            peak_mib=peak(bot.pid or "self") / 1024,
        )


async def order_all(sandbox: Sandbox) -> int:
    """Give all orders at once; the number of images that were posted."""
    guild = sandbox.discord.guilds[0]
    image = photo(width=64, height=64)
    members = [sandbox.discord.add_member(guild, f"Member {place}") for place in range(MEMBERS)]
    commands = [
        await sandbox.discord.invoke(
            guild.channels[0],
            member,
            "edit",
            {"image": image, "prompt": "make it blue", "count": place + 1},
        )
        for place in range(EDITS_EACH)
        for member in members
    ]
    messages = await asyncio.gather(*(command.posted(timeout=120) for command in commands))
    return sum(len(message.files) for message in messages)


def read_accounts(ledger: Path) -> tuple[int, int]:
    """What all members spent and hold."""
    query = "SELECT sum(spent), sum(held) FROM account WHERE member_id <> 0"
    ((spent, held),) = look_up(ledger, query)
    return spent, held


def make_result() -> bytes:
    """A PNG of about 1.5 MB."""
    image = make_image(width=64, height=64)
    # What stands behind a PNG's end is no part of it, and of the file all the same.
    return image + bytes(RESULT_BYTES - len(image))


def main() -> None:
    """Run it and print the figures."""
    figures = asyncio.run(run())
    print(
        f"{figures.edits} edits by {MEMBERS} members: {figures.delivered} delivered, "
        f"{figures.posted} images posted, {figures.calls} calls, {figures.spent} credits "
        f"charged, {figures.held} held, in {figures.seconds:.1f} s; "
        f"peak {figures.peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
