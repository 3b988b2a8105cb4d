"""What can be made to go wrong from the page, for as long as its switch is on."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from sandbox import faults
from sandbox.bot_process import BotProcess
from sandbox.faults import (
    Address,
    Answer,
    CutAfter,
    CutInside,
    Delay,
    DiscordFault,
    DownloadAction,
    DownloadFault,
    EditAction,
    EditFault,
    Endless,
    FaultList,
    Faults,
    Hang,
    Images,
    NotAnImage,
    OneOf,
    RequestAction,
    Stall,
    silent,
    while_on,
)
from sandbox.page.feed import Feed
from sandbox.sandbox import Sandbox

Trouble: TypeAlias = Callable[[Sandbox, BotProcess], AbstractAsyncContextManager[None]]

FORBIDDEN = "https://10.0.0.1/image.png"
REFUSAL = "Your request was rejected by the safety system."
CALLBACKS, ANSWERS = "^/interactions/", "^/webhooks/"


@dataclass(frozen=True, slots=True)
class Switch:
    """A trouble by a name, on one side of the bot; `once` is one that passes at once."""

    name: str
    side: str
    label: str
    trouble: Trouble = field(repr=False)
    once: bool = False


def _while_on(side: Callable[[Faults], FaultList[OneOf]], make: Callable[[], OneOf]) -> Trouble:
    """Let a fault happen as long as its switch is on."""

    @asynccontextmanager
    async def trouble(sandbox: Sandbox, _: BotProcess) -> AsyncGenerator[None]:
        with while_on(side(sandbox.faults), make()):
            yield

    return trouble


def _calls(make: Callable[[], EditAction]) -> Trouble:
    """Let each call of the edit API meet with this."""
    return _while_on(lambda faults: faults.edit_api, lambda: EditFault(action=make(), times=None))


def _downloads(make: Callable[[], DownloadAction], image: int | None = None) -> Trouble:
    """Let each download of a result, or of the one with a number, meet with this."""
    return _while_on(
        lambda faults: faults.downloads,
        lambda: DownloadFault(action=make(), image=image, times=None),
    )


def _requests(
    make: Callable[[], RequestAction], path: str, *, files: bool | None = None
) -> Trouble:
    """Let such requests at Discord meet with this."""
    return _while_on(
        lambda faults: faults.discord,
        lambda: DiscordFault(action=make(), path=path, with_files=files, times=None),
    )


@asynccontextmanager
async def _cut_gateway(sandbox: Sandbox, _: BotProcess) -> AsyncGenerator[None]:
    sandbox.faults.gateway.drop_all()
    yield


@asynccontextmanager
async def _end_sessions(sandbox: Sandbox, _: BotProcess) -> AsyncGenerator[None]:
    await sandbox.faults.gateway.invalidate_all(resumable=False)
    yield


@asynccontextmanager
async def _end_tokens(sandbox: Sandbox, _: BotProcess) -> AsyncGenerator[None]:
    sandbox.discord.expire_tokens()
    yield


API, RESULTS, DISCORD, GATEWAY, BOT = "Edit API", "Results", "Discord", "Gateway", "Bot"

OF_THE_EDIT_API = (
    Switch("slow", API, "Takes 10 s", _calls(lambda: Delay(10))),
    Switch("declines", API, "Declines", _calls(lambda: faults.declined(REFUSAL))),
    Switch("key", API, "Refuses the key (401)", _calls(lambda: faults.failed(401))),
    Switch("unpaid", API, "Is not paid (402)", _calls(lambda: faults.failed(402))),
    Switch("bad-request", API, "Refuses (400)", _calls(lambda: faults.failed(400, REFUSAL))),
    Switch(
        "busy",
        API,
        "Is busy (429, Retry-After)",
        _calls(lambda: faults.failed(429, Retry_After="2")),
    ),
    Switch("fails", API, "Fails (500)", _calls(lambda: faults.failed(500))),
    Switch("cuts", API, "Cuts the connection", _calls(CutAfter)),
    Switch("hangs", API, "Never answers", _calls(Hang)),
    Switch("not-json", API, "Answers no JSON", _calls(faults.not_json)),
    Switch("other-shape", API, "Answers another shape", _calls(faults.other_shape)),
    Switch("away", API, "Takes no connection", lambda sandbox, _: sandbox.edit_api.away()),
    Switch("fewer", API, "Makes one image only", _calls(lambda: Images(1))),
    Switch("none", API, "Makes no image", _calls(lambda: Images(0))),
    Switch("forbidden", RESULTS, "At a private address", _calls(lambda: Address(FORBIDDEN))),
    Switch("gone", RESULTS, "Gone (404)", _downloads(lambda: Answer(404))),
    Switch("first-gone", RESULTS, "The first is gone", _downloads(lambda: Answer(404), 0)),
    Switch("no-image", RESULTS, "No images", _downloads(NotAnImage)),
    Switch("too-large", RESULTS, "Too large", _downloads(Endless)),
    Switch("cut", RESULTS, "Cut in the middle", _downloads(CutInside)),
    Switch("stalled", RESULTS, "Stalled", _downloads(Stall)),
)

OF_ALL_ELSE = (
    Switch(
        "too-late",
        DISCORD,
        "Acknowledgement too late (10062)",
        _requests(faults.too_late, CALLBACKS),
    ),
    Switch("unanswered", DISCORD, "Acknowledgement never answered", _requests(Hang, CALLBACKS)),
    Switch(
        "answer-lost",
        DISCORD,
        "Acknowledged, answer lost (40060)",
        _requests(CutAfter, CALLBACKS),
    ),
    Switch(
        "rate-limit",
        DISCORD,
        "Answers limited (429)",
        _requests(lambda: faults.rate_limited(2), ANSWERS),
    ),
    Switch(
        "rate-limit-edge",
        DISCORD,
        "Answers limited, no Via (429)",
        _requests(lambda: faults.rate_limited(2, via=False), ANSWERS),
    ),
    Switch("down", DISCORD, "Answers fail (502)", _requests(faults.server_error, ANSWERS)),
    Switch(
        "no-files",
        DISCORD,
        "Files too large (413)",
        _requests(faults.too_large, ANSWERS, files=True),
    ),
    Switch("upload-cut", DISCORD, "Uploads cut", _requests(CutAfter, ANSWERS, files=True)),
    Switch("tokens", DISCORD, "Tokens run out now", _end_tokens, once=True),
    Switch("gateway-cut", GATEWAY, "Cut the connection", _cut_gateway, once=True),
    Switch("gateway-new", GATEWAY, "End the session", _end_sessions, once=True),
    Switch(
        "gateway-silent",
        GATEWAY,
        "Heartbeats unanswered",
        lambda sandbox, _: silent(sandbox.faults.gateway),
    ),
    Switch("disk", BOT, "Has no disk for results", lambda _, bot: bot.without_spool()),
)


class Switchboard:
    """The switches on offer, and which of them are on."""

    def __init__(self, sandbox: Sandbox, bot: BotProcess, feed: Feed, *, real_api: bool) -> None:
        self._sandbox = sandbox
        self._bot = bot
        self._feed = feed
        # What the real edit API does is not the sandbox's to decide.
        offered = OF_ALL_ELSE if real_api else (*OF_THE_EDIT_API, *OF_ALL_ELSE)
        self._switches: Mapping[str, Switch] = {switch.name: switch for switch in offered}
        self._on: dict[str, AsyncExitStack] = {}
        self._turning = asyncio.Lock()
        for name in self._switches:
            self._show(name)

    def __contains__(self, name: str) -> bool:
        return name in self._switches

    async def turn(self, name: str, *, on: bool) -> None:
        """Switch one on or off; one that passes at once is off again after it."""
        switch = self._switches[name]
        async with self._turning:
            if on and name not in self._on:
                trouble = AsyncExitStack()
                await trouble.enter_async_context(switch.trouble(self._sandbox, self._bot))
                self._on[name] = trouble
            if (not on or switch.once) and name in self._on:
                await self._on[name].aclose()
                del self._on[name]
            self._show(name)

    def _show(self, name: str) -> None:
        switch = self._switches[name]
        self._feed.put(
            "switch",
            name,
            {
                "name": name,
                "side": switch.side,
                "label": switch.label,
                "once": switch.once,
                "on": name in self._on,
            },
        )
