"""What can be made to go wrong, on purpose: the vocabulary of tests, drills and the page.

A fault is added to one of the lists of `Faults`; each applies a number of times, or always, and
counts how often it did.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from sandbox.discord.gateway import Gateway
from sandbox.signals import Signal
from sandbox.values import dump

HTTP_OK = 200


# What happens to a request.


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this, without doing what was asked."""

    status: int
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None

    def content(self) -> tuple[bytes, str]:
        """Return the answer's bytes and their type."""
        if self.body is not None:
            return self.body, "text/html"
        return dump(self.json).encode(), "application/json"


@dataclass(frozen=True, slots=True)
class CutReading:
    """Cut the connection as soon as a request begins, its body unread; nothing takes effect."""


@dataclass(frozen=True, slots=True)
class CutBefore:
    """Read the request, then cut the connection; nothing takes effect."""


@dataclass(frozen=True, slots=True)
class CutAfter:
    """Do what was asked, then cut the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Do what was asked, this many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Do nothing and answer nothing until `release` is called; then do what was asked."""

    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the requests that hang go on."""
        self.released.set()


RequestAction: TypeAlias = Answer | CutReading | CutBefore | CutAfter | Delay | Hang


async def wait_out(action: object) -> None:
    """Wait as long as a delay lasts, or until what hangs is released."""
    match action:
        case Delay(seconds):
            await asyncio.sleep(seconds)
        case Hang():
            await action.released.wait()
        case _:
            pass


# What Discord says.


def server_error(status: int = 502) -> Answer:
    """Return an answer as Discord's proxies give it while Discord is down."""
    return Answer(status, body=b"<html><body><h1>Bad Gateway</h1></body></html>")


def rate_limited(retry_after: float, *, via: bool = True, everywhere: bool = False) -> Answer:
    """Return Discord's 429; one without `Via` is Cloudflare's, which bots treat differently."""
    headers = {
        "Retry-After": str(max(1, round(retry_after))),
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": str(retry_after),
        "X-RateLimit-Scope": "global" if everywhere else "user",
    }
    if via:
        headers["Via"] = "1.1 google"
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    words = "You are being rate limited."
    body = {"message": words, "retry_after": retry_after, "global": everywhere}
    return Answer(429, body, headers)


def refused(status: int, code: int, message: str) -> Answer:
    """Return one of Discord's refusals."""
    return Answer(status, {"message": message, "code": code})


def banned(retry_after: int) -> Answer:
    """Return Cloudflare's 429 to an address that it lets nothing through from for a while.

    It has no `Via` and none of Discord's words
    (https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
    """
    headers = {"Retry-After": str(retry_after)}
    return Answer(429, headers=headers, body=b"<html><body>error code: 1015</body></html>")


def too_large() -> Answer:
    """Return Discord's answer to a file over the limit."""
    return refused(413, 40005, "Request entity too large")


def too_late() -> Answer:
    """Return Discord's answer to an acknowledgement after three seconds."""
    return refused(404, 10062, "Unknown interaction")


def token_dead() -> Answer:
    """Return Discord's answer to an interaction's token after fifteen minutes."""
    return refused(401, 50027, "Invalid Webhook Token")


# What the edit API says in place of images.


@dataclass(frozen=True, slots=True)
class Images:
    """Answer with this many images, whatever was asked."""

    count: int


@dataclass(frozen=True, slots=True)
class Address:
    """Answer with this address in place of each image's own, or of one by its place."""

    url: str
    image: int | None = None


def declined(message: str, code: int = 1) -> Answer:
    """Return the edit API's refusal in a successful response."""
    return Answer(HTTP_OK, {"code": code, "message": message, "data": None})


def failed(status: int, message: str = "upstream error", **headers: str) -> Answer:
    """Return the edit API's HTTP error; headers by name, as `Retry_After="2"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"code": status, "message": message}, named)


def not_json() -> Answer:
    """Return a successful response that is no JSON."""
    return Answer(HTTP_OK, body=b"<html>It works!</html>")


def other_shape() -> Answer:
    """Return a successful response whose JSON holds no images where they belong."""
    return Answer(HTTP_OK, {"code": 0, "message": "ok", "data": {"pictures": "none"}})


EditAction: TypeAlias = RequestAction | Images | Address


# What an image's download does.


@dataclass(frozen=True, slots=True)
class Redirect:
    """Redirect to an address; to itself for ever without one."""

    to: str | None = None


@dataclass(frozen=True, slots=True)
class NotAnImage:
    """Send text with an image's name."""


@dataclass(frozen=True, slots=True)
class Endless:
    """Send an image's first bytes and then zeros for ever, with no length told."""


@dataclass(frozen=True, slots=True)
class Drip:
    """Send a byte, wait, and so on."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Stall:
    """Send the first bytes and then nothing until released."""

    after: int = 1000
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Cut the downloads that stall."""
        self.released.set()


@dataclass(frozen=True, slots=True)
class CutInside:
    """Send the first bytes, then cut the connection."""

    after: int = 1000


@dataclass(frozen=True, slots=True)
class LyingLength:
    """Tell a length that is so many bytes beside the truth."""

    by: int = -1


DownloadAction: TypeAlias = (
    Answer
    | CutBefore
    | Delay
    | Hang
    | Redirect
    | NotAnImage
    | Endless
    | Drip
    | Stall
    | CutInside
    | LyingLength
)


# To what it happens.


@dataclass(slots=True, eq=False, kw_only=True)
class _Fault:
    times: int | None = 1
    fired: int = 0
    changed: Signal = field(default_factory=Signal)

    @property
    def spent(self) -> bool:
        """Whether it has applied as often as it should."""
        return self.times is not None and self.fired >= self.times

    def fire(self) -> None:
        """Count one application."""
        self.fired += 1
        self.changed.fire()

    def happened(self, times: int = 1, *, timeout: float = 10) -> Coroutine[object, object, bool]:
        """Wait until it has applied this often; raises TimeoutError."""
        return self.changed.until(lambda: True if self.fired >= times else None, timeout=timeout)


@dataclass(slots=True, eq=False, kw_only=True)
class DiscordFault(_Fault):
    """Happens to requests at Discord's REST API whose path below the base matches a pattern."""

    action: RequestAction
    method: str | None = None
    path: str = ""
    with_files: bool | None = None

    def concerns(self, method: str, path: str, *, files: bool) -> bool:
        """Tell whether a request is one of those it happens to."""
        if self.method not in {None, method} or self.with_files not in {None, files}:
            return False
        return re.search(self.path, path) is not None


@dataclass(slots=True, eq=False, kw_only=True)
class EditFault(_Fault):
    """Happens to calls of the edit API: to all, or to those whose prompt matches a pattern."""

    action: EditAction
    prompt: str | None = None

    def concerns(self, prompt: str) -> bool:
        """Tell whether a call is one of those it happens to."""
        return self.prompt is None or re.search(self.prompt, prompt) is not None

    @property
    def before_reading(self) -> bool:
        """Whether it happens before anything of the call is known, its prompt included."""
        return isinstance(self.action, CutReading)


@dataclass(slots=True, eq=False, kw_only=True)
class DownloadFault(_Fault):
    """Happens to downloads of the edit API's results: of all, or of one by its place."""

    action: DownloadAction
    image: int | None = None


F = TypeVar("F", bound=_Fault)


@dataclass(slots=True)
class FaultList(Generic[F]):
    """The faults of one side, the first one added that concerns a request being the one taken."""

    faults: list[F] = field(default_factory=list[F])

    def add(self, fault: F) -> F:
        """Switch a fault on."""
        self.faults.append(fault)
        return fault

    def remove(self, fault: F) -> None:
        """Switch a fault off."""
        if fault in self.faults:
            self.faults.remove(fault)

    def clear(self) -> None:
        """Switch all off."""
        self.faults.clear()

    def take(self, concerns: Callable[[F], bool] = lambda _: True) -> F | None:
        """Return the fault that happens now, counted, if any."""
        for fault in self.faults:
            if not fault.spent and concerns(fault):
                fault.fire()
                return fault
        return None


OneOf = TypeVar("OneOf", EditFault, DownloadFault, DiscordFault)


@contextmanager
def while_on(there: FaultList[OneOf], fault: OneOf) -> Generator[OneOf]:
    """Switch a fault on meanwhile, and let go of what hangs in it after."""
    there.add(fault)
    try:
        yield fault
    finally:
        there.remove(fault)
        if isinstance(fault.action, Hang | Stall):
            fault.action.release()


@asynccontextmanager
async def silent(gateway: Gateway) -> AsyncGenerator[None]:
    """Let no heartbeat be answered meanwhile."""
    gateway.acknowledge_heartbeats = False
    try:
        yield
    finally:
        gateway.acknowledge_heartbeats = True


@dataclass(slots=True)
class Faults:
    """All that can go wrong, by side."""

    gateway: Gateway
    discord: FaultList[DiscordFault] = field(default_factory=FaultList[DiscordFault])
    edit_api: FaultList[EditFault] = field(default_factory=FaultList[EditFault])
    downloads: FaultList[DownloadFault] = field(default_factory=FaultList[DownloadFault])

    def clear(self) -> None:
        """Switch every fault off."""
        self.discord.clear()
        self.edit_api.clear()
        self.downloads.clear()
        self.gateway.refuse_resumes = 0
        self.gateway.acknowledge_heartbeats = True
