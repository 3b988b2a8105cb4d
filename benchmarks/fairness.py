"""How long one member's edit waits behind a burst of 50 by another.

    python -m benchmarks.fairness

The bot runs in a process of its own with EDIT_CONCURRENCY=1 and MEMBER_LIMIT=50; the API takes a
second for each edit. The wait runs from the other's command to the sending of their edit.
"""

import asyncio

from sandbox.bot_process import BotProcess
from sandbox.sandbox import Sandbox
from tests.images_made import photo

BURST = 50
SECONDS_EACH = 1.0
LIMITS = {"EDIT_CONCURRENCY": "1", "MEMBER_LIMIT": str(BURST), "DEFAULT_QUOTA": "unlimited"}


async def main() -> None:
    """Let the one give all orders, then the other theirs, and print when that was sent."""
    async with Sandbox() as sandbox, BotProcess(sandbox.environment(), settings=LIMITS) as bot:
        await bot.connected(sandbox.discord)
        sandbox.edit_api.delay = SECONDS_EACH
        guild = sandbox.discord.guilds[0]
        image = photo(width=64, height=64)
        one, other = (sandbox.discord.add_member(guild, name) for name in ("One", "Other"))
        for _ in range(BURST):
            await sandbox.discord.invoke(
                guild.channels[0], one, "edit", {"image": image, "prompt": "one of many"}
            )
        await bot.changed.until(
            lambda: True if bot.count("edit.acknowledged") == BURST else None, timeout=60
        )
        command = await sandbox.discord.invoke(
            guild.channels[0], other, "edit", {"image": image, "prompt": "the only one"}
        )
        await bot.event("edit.sent", edit=str(command.id), timeout=60)
        before = bot.count("edit.sent") - 1
        waited = command.seconds
    print(
        f"A burst of {BURST} by one member, each {SECONDS_EACH:.0f} s, one at a time: another's "
        f"edit was sent {waited:.2f} s after its command, after {before} of the burst"
    )


if __name__ == "__main__":
    asyncio.run(main())
