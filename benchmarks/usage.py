"""How long `/usage` takes with a million edits in the ledger, and whether anybody waits behind it.

    python -m benchmarks.usage [--edits NUMBER]

The edits are one server's, spread over 60 days and 5,000 members; its window is a month. The bot
runs in a process of its own against the sandbox in this one.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.acknowledgement import burst
from bot.ledger.sqlite.connection import connect_to_write, rows
from bot.ledger.sqlite.migrations import migrate
from sandbox.bot_process import BotProcess
from sandbox.discord.guilds import Member
from sandbox.discord.interactions.invocation import Given
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission
from sandbox.sandbox import Interaction, Sandbox

EDITS = 1_000_000
MEMBERS = 5_000
FIRST_MEMBER = 1_000
"""The least of the members' ids, which are numbered."""
DAYS = 60
BUDGET = 12
"""Credits for each edit of the ledger."""
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, each the longest of the repeats."""

    acknowledged: float
    answered: float
    exported: float
    others: float
    """Acknowledgements of 100 edits at once while the chart was made, all but the slowest 1 %."""
    export_bytes: int


async def run(folder: Path, edits: int) -> Figures:
    """Seed a ledger and ask for its use, several times."""
    async with Sandbox() as sandbox:
        guild = sandbox.discord.guilds[0]
        moderator = sandbox.discord.add_member(guild, "Mod", permissions=Permission.MANAGE_GUILD)
        ledger = folder / "ledger.db"
        await asyncio.to_thread(seed, ledger, guild.id, edits, datetime.now(UTC).date())
        bot = BotProcess(
            sandbox.environment(),
            settings={"DATABASE_URL": f"sqlite:///{ledger}", "DEFAULT_QUOTA": "unlimited"},
        )
        async with bot:
            await bot.connected(sandbox.discord)
            return await measure(sandbox, moderator)


async def measure(sandbox: Sandbox, moderator: Member) -> Figures:
    """Ask for the use alone, then among edits, then as a file."""
    acknowledged: list[float] = []
    answered: list[float] = []
    others: list[float] = []
    for _ in range(REPEATS):
        command, _, seconds = await ask(sandbox, moderator, {})
        acknowledged.append(command.acknowledgement.seconds if command.acknowledgement else 0)
        answered.append(seconds)
        asking = asyncio.create_task(ask(sandbox, moderator, {}))
        others += await burst(sandbox)
        await asking
    _, exported_message, exported = await ask(
        sandbox, moderator, {"window": "this", "export": True}
    )
    return Figures(
        acknowledged=max(acknowledged),
        answered=max(answered),
        exported=exported,
        others=sorted(others)[int(len(others) * 0.99)],
        export_bytes=sum(file.size for file in exported_message.files[1:]),
    )


async def ask(
    sandbox: Sandbox, moderator: Member, options: dict[str, Given]
) -> tuple[Interaction, Message, float]:
    """Run the command; its answer and the seconds until it stood there."""
    channel = sandbox.discord.guilds[0].channels[0]
    started = time.monotonic()
    command = await sandbox.discord.invoke(channel, moderator, "usage", options)
    message = await command.settled(timeout=120)
    return command, message, time.monotonic() - started


def seed(ledger: Path, guild_id: int, edits: int, today: date, members: int = MEMBERS) -> None:
    """Write the edits, and the accounts that they come to."""
    connection = connect_to_write(ledger)
    migrate(connection)
    rows(connection, "PRAGMA foreign_keys = OFF")
    with connection:
        rows(
            connection,
            _EDITS,
            guild_id=guild_id,
            today=today.isoformat(),
            edits=edits,
            members=members,
            days=DAYS,
        )
        for statement in (_PRIVATE, _ACCOUNTS, _SERVER_ACCOUNTS):
            rows(connection, statement)
        rows(connection, "INSERT INTO server VALUES (:id, 'month')", id=guild_id)
        rule = "INSERT INTO rule VALUES (:id, 'budget', 0, :credits)"
        rows(connection, rule, id=guild_id, credits=BUDGET * edits)
    connection.close()


_EDITS = """
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :edits),
drawn AS (
    SELECT
        n,
        -- Fewer edits on some days, more of some members.
        (n * 7919 % (:days * :days / 2)) % (:days - n % 13) AS days_ago,
        1000 + (n * 104729 % :members) * (n % 7) / 6 AS member_id,
        1 + n * 31 % 4 AS count,
        CASE n * 17 % 10 WHEN 0 THEN 'high' WHEN 1 THEN 'high' WHEN 2 THEN 'low'
            WHEN 3 THEN 'low' WHEN 4 THEN 'low' ELSE 'medium' END AS quality,
        n % 20 = 0 AS failed
    FROM number
),
priced AS (
    SELECT *, CASE quality WHEN 'high' THEN 16 WHEN 'medium' THEN 8 ELSE 4 END AS price,
        date(:today, '-' || days_ago || ' days') AS day
    FROM drawn
)
INSERT INTO edit (
    id, application_id, guild_id, channel_id, member_id, day, quality, size, ratio, count, private,
    upload_limit, price, state, reason, posted, charged, owner,
    held_at, submitted_at, rendered_at, ended_at
)
SELECT
    n, 1, :guild_id, 2, member_id, day, quality, 'source', '1:1', count, 0,
    10485760, price, iif(failed, 'failed', 'delivered'), iif(failed, 'api_failed', NULL),
    iif(failed, 0, count), iif(failed, 0, price * count), 'benchmark',
    unixepoch(day) * 1000 + n % 86400000, unixepoch(day) * 1000, unixepoch(day) * 1000,
    unixepoch(day) * 1000 + n % 86400000 + 9000
FROM priced
"""

_PRIVATE = """
INSERT INTO edit_private (edit_id, member_name, source_url, source_name, prompt, held_at)
SELECT id, 'Member ' || member_id, 'https://cdn.discordapp.com/photo.png', 'photo.png',
    'make it blue', held_at
FROM edit
"""

_ACCOUNTS = """
INSERT INTO account (guild_id, member_id, day, spent, sent)
SELECT guild_id, member_id, day, sum(charged), sum(price * count)
FROM edit GROUP BY guild_id, member_id, day
"""

_SERVER_ACCOUNTS = """
INSERT INTO account (guild_id, member_id, day, spent, sent)
SELECT guild_id, 0, day, sum(spent), sum(sent) FROM account GROUP BY guild_id, day
UNION ALL
SELECT 0, 0, day, sum(spent), sum(sent) FROM account GROUP BY day
"""


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usage")
    parser.add_argument("--edits", type=int, default=EDITS, help="how many are in the ledger")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(Path(folder), options.edits))
    print(
        f"/usage over {options.edits:,} edits, {REPEATS} times: acknowledged within "
        f"{figures.acknowledged * 1000:.0f} ms, answered within {figures.answered:.2f} s; "
        f"meanwhile 100 edits at once were acknowledged within {figures.others * 1000:.0f} ms "
        f"(p99); exported in {figures.exported:.1f} s, {figures.export_bytes / 2**20:.1f} MiB"
    )


if __name__ == "__main__":
    main()
