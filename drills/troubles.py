"""What goes wrong in the fault drill, on every side of the bot; each for as long as a `with`."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from random import Random

import apsw

from bot.ledger.sqlite.connection import connect_to_write, rows
from drills.crowd import has_ended
from drills.running import Stage
from sandbox import faults
from sandbox.discord.gateway import Gateway
from sandbox.faults import (
    Address,
    Answer,
    CutAfter,
    CutBefore,
    CutInside,
    CutReading,
    Delay,
    DiscordFault,
    DownloadAction,
    DownloadFault,
    Drip,
    EditAction,
    EditFault,
    Endless,
    FaultList,
    Faults,
    Hang,
    Images,
    LyingLength,
    NotAnImage,
    OneOf,
    Redirect,
    RequestAction,
    Stall,
    silent,
    while_on,
)
from tests.store_faults import let_files_grow

Trouble = Callable[[Stage, Random], AbstractAsyncContextManager[None]]

FORBIDDEN = "https://10.0.0.1/image.png"
CALLBACK, ANSWER, CHANNEL = "/callback$", "/messages/@original$", "^/channels/"

MOST_CALLS = 4
"""So many calls of the edit API fail together: one less than what makes the bot pause."""

RECENT = 100
"""Interactions, of which some are still open."""


def _while_on(
    side: Callable[[Faults], FaultList[OneOf]], make: Callable[[Random], OneOf]
) -> Trouble:
    """Let a fault happen meanwhile."""

    @asynccontextmanager
    async def trouble(stage: Stage, rng: Random) -> AsyncGenerator[None]:
        with while_on(side(stage.sandbox.faults), make(rng)):
            yield

    return trouble


def _calls(make: Callable[[], EditAction]) -> Trouble:
    """Let some calls of the edit API meet with this."""
    return _while_on(
        lambda side: side.edit_api,
        lambda rng: EditFault(action=make(), times=rng.randint(1, MOST_CALLS)),
    )


def _all_calls(make: Callable[[], EditAction]) -> Trouble:
    """Let every call of the edit API meet with this, so that the bot stops calling it."""
    return _while_on(lambda side: side.edit_api, lambda _: EditFault(action=make(), times=None))


def _downloads(make: Callable[[], DownloadAction], image: int | None = None) -> Trouble:
    """Let some downloads of results, or of those in one place, meet with this."""
    return _while_on(
        lambda side: side.downloads,
        lambda rng: DownloadFault(action=make(), image=image, times=rng.randint(1, 8)),
    )


def _requests(
    make: Callable[[], RequestAction], path: str, *, files: bool | None = None
) -> Trouble:
    """Let such requests at Discord meet with this: one, some or all."""
    return _while_on(
        lambda side: side.discord,
        lambda rng: DiscordFault(
            action=make(), path=path, with_files=files, times=rng.choice((1, 5, 20, None))
        ),
    )


def _at_gateway(happen: Callable[[Gateway], Awaitable[None]]) -> Trouble:
    """Let something happen to the gateway's connection, at once."""

    @asynccontextmanager
    async def trouble(stage: Stage, _: Random) -> AsyncGenerator[None]:
        await happen(stage.sandbox.faults.gateway)
        yield

    return trouble


async def _cut(gateway: Gateway) -> None:
    gateway.drop_all()


async def _cut_for_good(gateway: Gateway) -> None:
    gateway.refuse_resumes += 1
    gateway.drop_all()


@asynccontextmanager
async def _dead_tokens(stage: Stage, _: Random) -> AsyncGenerator[None]:
    stage.sandbox.discord.expire_tokens()
    stage.witness.note_expired()
    yield


@asynccontextmanager
async def _deleted_message(stage: Stage, rng: Random) -> AsyncGenerator[None]:
    """Delete the message of an edit that is under way, where there is one."""
    recent = stage.sandbox.discord.interactions[-RECENT:]
    messages = [each.message for each in recent if each.message is not None]
    under_way = [each for each in messages if not each.ephemeral and not has_ended(each)]
    if under_way:
        stage.sandbox.discord.delete(rng.choice(under_way))
    yield


@asynccontextmanager
async def _deleted_channel(stage: Stage, rng: Random) -> AsyncGenerator[None]:
    """Delete a channel with all that is under way there; another takes its place."""
    discord = stage.sandbox.discord
    guild = discord.guilds[0]
    channel = rng.choice(guild.channels)
    stage.witness.note_deleted(channel.id)
    discord.delete_channel(channel)
    stage.sandbox.world.add_channel(guild, "another")
    yield


@asynccontextmanager
async def _locked_ledger(stage: Stage, _: Random) -> AsyncGenerator[None]:
    """Let another process's transaction keep the bot from writing."""
    other = await asyncio.to_thread(connect_to_write, stage.bot.ledger)
    try:
        with suppress(apsw.BusyError):
            await asyncio.to_thread(rows, other, "BEGIN IMMEDIATE")
        yield
    finally:
        other.close()


@asynccontextmanager
async def _full_disk(stage: Stage, _: Random) -> AsyncGenerator[None]:
    """Let no file of the bot take a byte, the ledger's as little as the spool's."""
    pid = stage.bot.pid
    if pid is not None:
        with suppress(ProcessLookupError):
            let_files_grow(pid, most=0)
    yield
    if pid is not None:
        with suppress(ProcessLookupError):
            let_files_grow(pid)


@asynccontextmanager
async def _killed(stage: Stage, _: Random) -> AsyncGenerator[None]:
    """Kill the bot; whoever keeps it running starts it again."""
    await stage.crash()
    yield


@asynccontextmanager
async def _asked_to_end(stage: Stage, _: Random) -> AsyncGenerator[None]:
    """Ask the bot to end, as for a deploy, and let it end what it has begun."""
    stage.bot.terminate()
    yield


TROUBLES: Mapping[str, Trouble] = {
    "the edit API answers late": _calls(lambda: Delay(2)),
    "the edit API answers after the time-out": _calls(lambda: Delay(8)),
    "the edit API hangs": _calls(Hang),
    "the edit API declines": _calls(lambda: faults.declined("No.")),
    "the edit API refuses the request": _calls(lambda: faults.failed(400)),
    "the edit API refuses the key": _calls(lambda: faults.failed(401)),
    "the edit API is not paid": _calls(lambda: faults.failed(402)),
    "the edit API fails": _calls(lambda: faults.failed(500)),
    "the edit API is busy": _calls(lambda: faults.failed(429)),
    "the edit API is busy for a second": _calls(lambda: faults.failed(429, Retry_After="1")),
    "the edit API is away for a second": _calls(lambda: faults.failed(503, Retry_After="1")),
    "the edit API cuts before reading": _calls(CutReading),
    "the edit API cuts before working": _calls(CutBefore),
    "the edit API cuts instead of answering": _calls(CutAfter),
    "the edit API answers no JSON": _calls(faults.not_json),
    "the edit API answers another shape": _calls(faults.other_shape),
    "the edit API makes one image": _calls(lambda: Images(1)),
    "the edit API makes no image": _calls(lambda: Images(0)),
    "the edit API gives private addresses": _calls(lambda: Address(FORBIDDEN)),
    "the edit API gives one private address": _calls(lambda: Address(FORBIDDEN, 0)),
    "a result is gone": _downloads(lambda: Answer(404)),
    "the first result is gone": _downloads(lambda: Answer(404), 0),
    "a result's server fails": _downloads(lambda: Answer(500)),
    "a result is cut off before it begins": _downloads(CutBefore),
    "a result is cut off inside": _downloads(lambda: CutInside(after=50)),
    "a result is late": _downloads(lambda: Delay(2)),
    "a result hangs": _downloads(Hang),
    "a result stalls": _downloads(lambda: Stall(after=50)),
    "a result drips": _downloads(lambda: Drip(0.01)),
    "a result is redirected for ever": _downloads(Redirect),
    "a result is redirected inwards": _downloads(lambda: Redirect(FORBIDDEN)),
    "a result is not an image": _downloads(NotAnImage),
    "a result is endless": _downloads(Endless),
    "a result is shorter than told": _downloads(lambda: LyingLength(5)),
    "a result is longer than told": _downloads(lambda: LyingLength(-1)),
    "acknowledgements come too late": _requests(faults.too_late, CALLBACK),
    "acknowledgements hang": _requests(Hang, CALLBACK),
    "acknowledgements are slow": _requests(lambda: Delay(1), CALLBACK),
    "acknowledgements fail": _requests(faults.server_error, CALLBACK),
    "acknowledgements are limited": _requests(lambda: faults.rate_limited(1), CALLBACK),
    "acknowledgements are cut off unread": _requests(CutReading, CALLBACK),
    "acknowledgements are cut off": _requests(CutBefore, CALLBACK),
    "acknowledgements are taken, and cut off": _requests(CutAfter, CALLBACK),
    "answers hang": _requests(Hang, ANSWER),
    "answers are slow": _requests(lambda: Delay(1), ANSWER),
    "answers fail": _requests(faults.server_error, ANSWER),
    "answers are limited": _requests(lambda: faults.rate_limited(1), ANSWER),
    "answers are limited by Cloudflare": _requests(
        lambda: faults.rate_limited(1, via=False), ANSWER
    ),
    "answers are cut off unread": _requests(CutReading, ANSWER),
    "answers are cut off": _requests(CutBefore, ANSWER),
    "answers are taken, and cut off": _requests(CutAfter, ANSWER),
    "uploads are too large": _requests(faults.too_large, "", files=True),
    "messages fail": _requests(faults.server_error, CHANNEL),
    "messages are taken, and cut off": _requests(CutAfter, CHANNEL),
    "Discord is down": _requests(faults.server_error, ""),
    "Discord limits everything": _requests(lambda: faults.rate_limited(1, everywhere=True), ""),
    "tokens run out": _dead_tokens,
    "the gateway closes": _at_gateway(lambda gateway: gateway.close_all(4000)),
    "the gateway is cut off": _at_gateway(_cut),
    "the gateway is cut off and does not resume": _at_gateway(_cut_for_good),
    "the gateway asks to resume": _at_gateway(lambda gateway: gateway.reconnect_all()),
    "the gateway invalidates the session": _at_gateway(
        lambda gateway: gateway.invalidate_all(resumable=False)
    ),
    "the gateway invalidates the session for a moment": _at_gateway(
        lambda gateway: gateway.invalidate_all(resumable=True)
    ),
    "the gateway is silent": lambda stage, _: silent(stage.sandbox.faults.gateway),
    "a message is deleted": _deleted_message,
    "a channel is deleted": _deleted_channel,
    "the ledger is locked": _locked_ledger,
    "there is no spool": lambda stage, _: stage.bot.without_spool(),
    **({"the disk is full": _full_disk} if sys.platform == "linux" else {}),
    "the bot is killed": _killed,
    "the bot is asked to end": _asked_to_end,
}

OUTAGES: Mapping[str, Trouble] = {
    "the edit API is down": _all_calls(lambda: faults.failed(500)),
    "the edit API cuts everything": _all_calls(CutBefore),
    "the edit API takes no connection": lambda stage, _: stage.sandbox.edit_api.away(),
}
"""What makes the bot refuse edits for half a minute or more."""
