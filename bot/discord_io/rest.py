"""The few calls of Discord's REST API on which an edit's outcome rests, and when each is repeated.

They are made here and not by discord.py, which repeats an acknowledgement past its three seconds,
raises a 429 that has no `Via` header, and does not repeat what a cut connection left unanswered.
"""

import asyncio
import contextlib
import io
import math
import secrets
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from json import dumps, loads
from pathlib import Path
from typing import Any, cast

import aiohttp
import structlog
from yarl import URL

JSON = Mapping[str, Any]

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
ALREADY_ACKNOWLEDGED = 40060
THREAD_ARCHIVED = 50083
MISSING_ACCESS, CANNOT_MESSAGE_USER, NO_MUTUAL_SERVER = 50001, 50007, 50278
"""https://docs.discord.com/developers/topics/opcodes-and-status-codes#json"""

TOO_LARGE = frozenset({40005, 50045})
"""A request's and a file's size, as the same page has them."""

ANSWER_WITHIN = 3.0
"""Seconds that Discord waits for the first answer to an interaction.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response
"""

REQUEST_TIMEOUT = 15.0
UPLOAD_TIMEOUT = 120.0
"""Seconds for one request; an upload may have 25 MiB to carry."""

CARD_TIMEOUT = 5.0
"""Seconds for a change of a message that a newer one replaces soon."""

UPLOADS = 16
"""Requests with files on the wire at once: for edits, and as many for answers to other commands."""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""Seconds before a failed request is made again; each pause is twice the one before."""

PAUSE_BEFORE_UPLOAD = 1.0
"""Seconds before an upload is made again."""

LONGEST_PAUSE_BEFORE_ANSWER = 0.5
"""Seconds, so that the three that Discord waits are used to their end."""

LISTED = 100
"""Messages in one list: as many as Discord gives."""

LARGEST_ANSWER = 4 * 2**20
"""Bytes of an answer that are read."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What Discord answered."""

    status: int
    code: int
    """Discord's own error code; 0 where it gave none."""
    retry_after: float
    """Seconds that a 429 asks to wait."""
    body: JSON
    items: Sequence[JSON] = ()
    """What a list that was asked for has in it."""
    exhausted_for: float = 0.0
    """Seconds in which the same route takes one more request at most."""
    repeated: bool = False
    """Whether a try before failed, which may have been carried out all the same."""

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The first answer to an interaction, reached by the interaction's own token."""

    application_id: int
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """Its route."""
        return f"webhooks/{self.application_id}/{self.token}/messages/@original"


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """A message of the bot's, reached by its channel with the bot's token."""

    channel_id: int
    message_id: int

    @property
    def path(self) -> str:
        """Its route."""
        return f"channels/{self.channel_id}/messages/{self.message_id}"


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a message; its description is for those who do not see it."""

    name: str
    content: bytes | Path
    description: str | None = None


class DiscordRest:
    """Requests under one REST base, over a session that is handed in."""

    def __init__(self, session: aiohttp.ClientSession, base: URL, bot_token: str) -> None:
        self._session = session
        self._base = base
        self._authorization = {"Authorization": f"Bot {bot_token}"}
        self._uploads = asyncio.Semaphore(UPLOADS)
        self._other_uploads = asyncio.Semaphore(UPLOADS)
        self._limits = _Limits()

    async def respond(self, interaction_id: int, token: str, body: JSON) -> Answer | None:
        """Give the first answer to an interaction, tried for as long as Discord waits for it.

        None: Discord did not say within its limit whether it took the answer.
        """
        return await self._request(
            "POST",
            f"interactions/{interaction_id}/{token}/callback",
            query={"with_response": "true"},
            json_body=body,
            until=in_seconds(ANSWER_WITHIN),
            longest_pause=LONGEST_PAUSE_BEFORE_ANSWER,
        )

    async def post(
        self,
        channel_id: int,
        body: JSON,
        *,
        files: Sequence[File] = (),
        nonce: str | None = None,
        tries: int | None = None,
        until: float,
    ) -> Answer | None:
        """Post a message, tried until Discord takes or refuses it.

        A nonce keeps a try whose answer was lost from posting twice, for the few minutes in which
        Discord remembers it.
        https://docs.discord.com/developers/resources/message#create-message-jsonform-params
        """
        return await self._request(
            "POST",
            f"channels/{channel_id}/messages",
            headers=self._authorization,
            json_body={**body, "nonce": nonce or secrets.token_hex(12), "enforce_nonce": True},
            files=files,
            tries=tries,
            until=until,
        )

    async def open_direct_messages(self, user_id: int, *, until: float) -> Answer | None:
        """The channel of somebody's direct messages, whether they take any or not."""
        return await self._request(
            "POST",
            "users/@me/channels",
            headers=self._authorization,
            json_body={"recipient_id": str(user_id)},
            until=until,
        )

    async def get_bot_user(self, *, until: float) -> Answer | None:
        """Return the bot's own user."""
        return await self._request("GET", "users/@me", headers=self._authorization, until=until)

    async def get(
        self, message: FirstAnswer | OwnMessage, *, tries: int | None = None, until: float
    ) -> Answer | None:
        """Look a message of the bot's up."""
        return await self._request(
            "GET", message.path, headers=self._headers_for(message), tries=tries, until=until
        )

    async def list_messages(self, channel_id: int, *, after: int, until: float) -> Answer | None:
        """The messages of a channel that came next after an id, at most `LISTED` of them."""
        return await self._request(
            "GET",
            f"channels/{channel_id}/messages",
            query={"after": str(after), "limit": str(LISTED)},
            headers=self._authorization,
            until=until,
        )

    async def delete(self, message: FirstAnswer | OwnMessage, *, until: float) -> Answer | None:
        """Delete a message of the bot's; a 404 says that it was deleted already."""
        return await self._request(
            "DELETE", message.path, headers=self._headers_for(message), until=until
        )

    async def edit(
        self,
        message: FirstAnswer | OwnMessage,
        body: JSON,
        *,
        files: Sequence[File] = (),
        tries: int | None = None,
        until: float,
        of_edit: bool = True,
    ) -> Answer | None:
        """Edit a message of the bot's; of files before, only those that `body` names stay.

        Files of an edit never wait for those of others, such as exports.
        """
        return await self._request(
            "PATCH",
            message.path,
            headers=self._headers_for(message),
            json_body=body,
            files=files,
            tries=tries,
            until=until,
            uploads=self._uploads if of_edit else self._other_uploads,
        )

    def _headers_for(self, message: FirstAnswer | OwnMessage) -> Mapping[str, str] | None:
        """The headers: an interaction's token, which is in the path, is enough by itself."""
        return self._authorization if isinstance(message, OwnMessage) else None

    async def edit_once(self, message: FirstAnswer, body: JSON) -> Answer | None:
        """Edit a message of the bot's in one try, which nothing else waits for.

        While a limit that Discord told forbids it, it is not made: the answer is that limit.
        """
        if limited := self._limits.find(message.path):
            return limited
        return await self._try("PATCH", message.path, json=body, timeout=CARD_TIMEOUT)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        until: float,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: JSON | None = None,
        files: Sequence[File] = (),
        tries: int | None = None,
        longest_pause: float = LONGEST_PAUSE,
        uploads: asyncio.Semaphore | None = None,
    ) -> Answer | None:
        """The answer, after at most `tries` that failed and until the loop's time `until`.

        A try fails with a 5xx or no answer; a 429 is waited for and is no try. What the
        last try came to is returned: None where it was not answered.
        """
        answer: Answer | None = None
        pause = PAUSE_BEFORE_UPLOAD if files else FIRST_PAUSE
        longest = UPLOAD_TIMEOUT if files else REQUEST_TIMEOUT
        failed = 0
        while (left := until - _now()) > 0:
            if limited := self._limits.find(path):
                if limited.retry_after >= left:
                    return answer if failed else answer or limited
                await asyncio.sleep(limited.retry_after)
                continue
            async with (uploads or self._uploads) if files else contextlib.nullcontext():
                left = until - _now()
                # Others may have had their turns first, and been limited.
                if left <= 0 or self._limits.find(path):
                    continue
                with _as_form(json_body, files) if files else contextlib.nullcontext() as form:
                    answer = await self._try(
                        method,
                        path,
                        params=query,
                        headers=headers,
                        data=form,
                        json=None if files else json_body,
                        timeout=min(left, longest),
                    )
            if failed and answer is not None:
                answer = replace(answer, repeated=True)
            if answer is not None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                continue
            if not is_failure(answer):
                return answer
            failed += 1
            if failed == tries or _now() + pause >= until:
                return answer
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest_pause)
        return answer

    async def _try(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: aiohttp.FormData | None = None,
        json: JSON | None,
        timeout: float,
    ) -> Answer | None:
        """One try; what its answer forbids is kept."""
        try:
            async with self._session.request(
                method,
                # `encoded`: a token's characters go out as they came.
                URL(f"{self._base}/{path}", encoded=True),
                params=params,
                headers=headers,
                data=data,
                json=json,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                body, items = _parse(await _read(response.content))
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            log.warning("discord.unanswered", method=method, fault=type(fault).__name__)
            return None
        code = body.get("code")
        answer = Answer(
            status=response.status,
            code=code if isinstance(code, int) else 0,
            retry_after=_retry_after(body, response.headers.get("Retry-After")),
            body=body,
            items=items,
            exhausted_for=_exhausted_for(response.headers),
        )
        if not answer.ok:
            log.warning("discord.refused", method=method, status=answer.status, code=answer.code)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._limits.note(path, answer)
        return answer


class _Limits:
    """What Discord's 429s forbid for a while: one route, or all but answers to interactions.

    https://docs.discord.com/developers/topics/rate-limits
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def find(self, path: str) -> Answer | None:
        """The limit that forbids a request now, as Discord would tell it; None where none does."""
        now = _now()
        until_all = 0.0 if path.startswith("interactions/") else self._until.get(_ALL, 0.0)
        left = max(until_all, self._until.get(path, 0.0)) - now
        if left <= 0:
            return None
        body = {"global": until_all > now}
        return Answer(HTTPStatus.TOO_MANY_REQUESTS, 0, retry_after=left, body=body)

    def note(self, path: str, limit: Answer) -> None:
        """Keep what a 429 forbids: at any rate what it was the answer to."""
        now = _now()
        self._until = {each: until for each, until in self._until.items() if until > now}
        # What has none of Discord's words comes from before it, and concerns the bot's address.
        of_all = limit.body.get("global") is True or not limit.body
        for kept in (path, _ALL) if of_all else (path,):
            self._until[kept] = now + max(limit.retry_after, FIRST_PAUSE)


_ALL = ""


def list_files(files: Sequence[File]) -> list[JSON]:
    """The `attachments` of a message that these files come with.

    https://docs.discord.com/developers/reference#uploading-files
    """
    return [
        {"id": place, "filename": file.name}
        | ({} if file.description is None else {"description": file.description})
        for place, file in enumerate(files)
    ]


@contextlib.contextmanager
def _as_form(body: JSON | None, files: Sequence[File]) -> Generator[aiohttp.FormData]:
    """A message and its files, which are open meanwhile."""
    with contextlib.ExitStack() as opened:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", dumps(body), content_type="application/json")
        for place, file in enumerate(files):
            # aiohttp writes bytes in one piece, and a file bit by bit.
            content = file.content
            reader = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
            form.add_field(f"files[{place}]", opened.enter_context(reader), filename=file.name)
        yield form


def is_failure(answer: Answer | None) -> bool:
    """Whether nothing is known of what Discord did with the request, or it may pass next time."""
    return answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def is_too_large(answer: Answer | None) -> bool:
    """Whether the request's files have more bytes than are taken."""
    return answer is not None and (
        answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or answer.code in TOO_LARGE
    )


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(2**16):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            break
    return bytes(body)


def _parse(body: bytes) -> tuple[JSON, Sequence[JSON]]:
    """The object, or the list, that an answer holds; empty where it is neither, as a proxy's is."""
    try:
        parsed: object = loads(body)
    except ValueError:
        return {}, ()
    if isinstance(parsed, list):
        return {}, cast("list[JSON]", parsed)
    return cast("JSON", parsed) if isinstance(parsed, dict) else {}, ()


def _retry_after(body: JSON, header: str | None) -> float:
    """Seconds to wait after a 429, which a proxy may say in the header alone."""
    for said in (body.get("retry_after"), header):
        try:
            seconds = float(said or "")
        except (TypeError, ValueError, OverflowError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return 1.0


def _exhausted_for(headers: Mapping[str, str]) -> float:
    """How long a route's limit leaves one request or none.

    https://docs.discord.com/developers/topics/rate-limits#header-format
    """
    try:
        remaining, seconds = (
            float(headers.get(f"X-RateLimit-{name}", "")) for name in ("Remaining", "Reset-After")
        )
    except ValueError:
        return 0.0
    return seconds if remaining <= 1 and math.isfinite(seconds) else 0.0


def in_seconds(seconds: float) -> float:
    """The loop's time then, which the requests' `until` is."""
    return _now() + seconds


def _now() -> float:
    return asyncio.get_running_loop().time()
