"""What routes are made of: a request, a handler's reply, and Discord's standing refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sandbox.discord.interactions.forms import DiscordError, Problems
from sandbox.discord.uploads import Body, Received
from sandbox.values import snowflake


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of Discord's standing refusals."""

    status: int
    code: int
    message: str

    def error(self) -> DiscordError:
        """Return it as an error to raise."""
        return DiscordError(self.status, self.code, self.message)


UNKNOWN_CHANNEL = Refusal(404, 10003, "Unknown Channel")
UNKNOWN_GUILD = Refusal(404, 10004, "Unknown Guild")
UNKNOWN_MEMBER = Refusal(404, 10007, "Unknown Member")
UNKNOWN_MESSAGE = Refusal(404, 10008, "Unknown Message")
UNKNOWN_ROLE = Refusal(404, 10011, "Unknown Role")
UNKNOWN_USER = Refusal(404, 10013, "Unknown User")
UNKNOWN_WEBHOOK = Refusal(404, 10015, "Unknown Webhook")
UNKNOWN_INTERACTION = Refusal(404, 10062, "Unknown interaction")
ALREADY_ACKNOWLEDGED = Refusal(400, 40060, "Interaction has already been acknowledged.")
UNAUTHORIZED = Refusal(401, 0, "401: Unauthorized")
NOT_FOUND = Refusal(404, 0, "404: Not Found")
MISSING_ACCESS = Refusal(403, 50001, "Missing Access")
MISSING_PERMISSIONS = Refusal(403, 50013, "Missing Permissions")
CANNOT_MESSAGE = Refusal(403, 50007, "Cannot send messages to this user")
NO_MUTUAL_SERVER = Refusal(
    403, 50278, "Cannot send messages to this user due to having no mutual guilds"
)
NOT_ITS_AUTHOR = Refusal(403, 50005, "Cannot edit a message authored by another user")
OTHER_APPLICATION = Refusal(
    403, 20012, "You are not authorized to perform this action on this application"
)
DEAD_TOKEN = Refusal(401, 50027, "Invalid Webhook Token")


@dataclass(slots=True, eq=False)
class Request:
    """A request from a bot; `read` is set with its body, `status` with the answer."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: datetime
    json: object = None
    files: Sequence[Received] = ()
    read: bool = False
    status: int | None = None


@dataclass(slots=True)
class RestCall:
    """A request as its handler sees it."""

    where: Mapping[str, str]
    query: Mapping[str, str]
    body: Body

    def id(self, name: str) -> int:
        """Return an id from the path; raises DiscordError if it isn't a snowflake."""
        value = snowflake(self.where[name])
        if value is None:
            problems = Problems()
            words = f'Value "{self.where[name]}" is not snowflake.'
            problems.add((name,), "NUMBER_TYPE_COERCE", words)
            problems.check()
        return value or 0

    def flag(self, name: str) -> bool:
        """Return a boolean from the query."""
        return self.query.get(name, "").lower() in {"1", "true"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A handler's response; `DONE` is the empty one."""

    body: object = None
    status: int = 200


DONE = Reply(status=204)
Handler: TypeAlias = Callable[[RestCall], Reply]
Route: TypeAlias = tuple[str, str, Handler]
"""A method, a path below the API's base, and the handler of both."""
