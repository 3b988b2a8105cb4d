"""How long a command waits for its acknowledgement when 100 come at once.

    python -m benchmarks.acknowledgement

The bot runs in a process of its own against the sandbox in this one. A time runs from the gateway's
sending a command to Discord's taking of the answer.
"""

import asyncio
from statistics import median

from sandbox.bot_process import BotProcess
from sandbox.sandbox import Sandbox
from tests.images_made import make_image, photo

BURSTS = 10
COMMANDS = 100


async def main() -> None:
    """Send the bursts and print the figures."""
    async with (
        Sandbox() as sandbox,
        BotProcess(sandbox.environment(), settings={"DEFAULT_QUOTA": "unlimited"}) as bot,
    ):
        await bot.connected(sandbox.discord)
        sandbox.edit_api.answer_with([make_image(width=64, height=64)])
        seconds = sorted([second for _ in range(BURSTS) for second in await burst(sandbox)])
    print(
        f"{COMMANDS} commands at once, {BURSTS} times: acknowledged after "
        f"{median(seconds) * 1000:.0f} ms (median), "
        f"{seconds[int(len(seconds) * 0.99)] * 1000:.0f} ms (p99), "
        f"{seconds[-1] * 1000:.0f} ms (longest)"
    )


async def burst(sandbox: Sandbox) -> list[float]:
    """Seconds until each of the commands was acknowledged."""
    guild = sandbox.discord.guilds[0]
    image = photo(width=64, height=64)
    members = [sandbox.discord.add_member(guild, f"Member {place}") for place in range(COMMANDS)]
    commands = [
        await sandbox.discord.invoke(
            guild.channels[0], member, "edit", {"image": image, "prompt": "make it blue"}
        )
        for member in members
    ]
    acknowledgements = await asyncio.gather(*(command.acknowledged() for command in commands))
    await asyncio.gather(*(command.posted(timeout=60) for command in commands))
    return [acknowledgement.seconds for acknowledgement in acknowledgements]


if __name__ == "__main__":
    asyncio.run(main())
