"""Every setting of the environment and `.env`: its name, accepted values, default and meaning.

A process reads them once, when it starts. One message names everything that's wrong with them.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Generic, Literal, TypeVar, cast

from dotenv import dotenv_values
from yarl import URL

from bot.domain.errors import BadSettingsError
from bot.domain.quotas import OperatorLimits

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

LARGEST_QUOTA = 1_000_000_000_000
"""Far above any use and far below what a 64-bit column holds."""

LONGEST_RETENTION = 36_500
"""Days."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process; its `repr` shows no secret."""

    discord_token: str = field(repr=False)
    edit_api_key: str = field(repr=False)
    edit_api_url: URL
    discord_api_url: URL
    database: Path
    """The SQLite file."""
    default_quota: int | None
    """Credits a member may spend per period if the server sets no limit; None: unlimited."""
    operator_budget: int | None
    """Credits per UTC day for all servers together; None: unlimited."""
    servers: frozenset[int] | None
    """The servers to serve; None: all."""
    retention: timedelta | None
    """How long to keep prompts, names and image links; None: forever."""
    edit_concurrency: int
    member_limit: int
    """Open edits per member, over all servers."""
    queue_limit: int
    """Open edits in this process."""
    edit_timeout: float
    """Seconds."""
    edit_source: Literal["url", "data"]
    spool_dir: Path
    require_child_sandbox: bool
    """Whether the bot refuses to start where child processes can't be confined."""
    shutdown_grace: float
    """Seconds that edits in progress get to finish when the bot is told to stop."""
    log_level: str

    @property
    def limits(self) -> OperatorLimits:
        """Return the limits that the operator set for all servers."""
        return OperatorLimits(self.default_quota, self.operator_budget, self.member_limit)


def read_settings(environment: Mapping[str, str], dotenv: Path = Path(".env")) -> Settings:
    """Read the settings from the environment, else from the file `dotenv`, else from the defaults.

    Raises:
        BadSettingsError: names every setting that is missing or unreadable.
    """
    read = _Reader(environment, dotenv)
    database = read(DATABASE_URL)
    settings = Settings(
        discord_token=read(DISCORD_TOKEN),
        edit_api_key=read(EDIT_API_KEY),
        edit_api_url=read(EDIT_API_URL),
        discord_api_url=read(DISCORD_API_URL),
        database=database,
        default_quota=read(DEFAULT_QUOTA),
        operator_budget=read(OPERATOR_BUDGET),
        servers=read(SERVERS),
        retention=read(RETENTION_DAYS),
        edit_concurrency=read(EDIT_CONCURRENCY),
        member_limit=read(MEMBER_LIMIT),
        queue_limit=read(QUEUE_LIMIT),
        edit_timeout=read(EDIT_TIMEOUT),
        edit_source=read(EDIT_SOURCE),
        spool_dir=read(SPOOL_DIR) or Path(f"{database}.spool"),
        require_child_sandbox=read(REQUIRE_CHILD_SANDBOX),
        shutdown_grace=read(SHUTDOWN_GRACE),
        log_level=read(LOG_LEVEL),
    )
    read.raise_if_wrong()
    return settings


def read_database(environment: Mapping[str, str], dotenv: Path = Path(".env")) -> Path:
    """Read only the SQLite file's path, for commands that don't need the bot's secrets.

    Raises:
        BadSettingsError: DATABASE_URL is unreadable.
    """
    read = _Reader(environment, dotenv)
    database = read(DATABASE_URL)
    read.raise_if_wrong()
    return database


class _Reader:
    """Reads settings one by one and collects what's wrong with them."""

    def __init__(self, environment: Mapping[str, str], dotenv: Path) -> None:
        try:
            self._given = {**dotenv_values(dotenv), **environment}
        except (OSError, ValueError) as error:
            raise BadSettingsError(f"{dotenv} can't be read: {error}") from error
        self._wrong: list[str] = []

    def __call__(self, setting: "Setting[T]") -> T:
        """Parse the given value, or the default if it's missing or blank."""
        given = self._given.get(setting.name) or ""
        if setting.default is None and not given.strip():
            self._wrong.append(f"{setting.name} is not set; it takes {setting.takes}")
        elif not given.strip():
            given = setting.default or ""
        try:
            return setting.parse(given)
        except ValueError:
            if given.strip():
                shown = "unreadable" if setting.is_secret else f"{_without_password(given)!r}"
                self._wrong.append(f"{setting.name} is {shown}; it takes {setting.takes}")
            # Never used: raise_if_wrong runs before the settings are returned.
            return cast("T", None)

    def raise_if_wrong(self) -> None:
        if self._wrong:
            heading = "Some settings are wrong (.env.example lists them all):"
            raise BadSettingsError("\n  ".join([heading, *self._wrong]))


def _secret(given: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", given):
        raise ValueError
    return given


def _address(given: str) -> URL:
    address = URL(given.strip().rstrip("/"))
    bare = not (address.user or address.password or address.query_string or address.fragment)
    if address.scheme not in {"http", "https"} or not address.host or not bare:
        raise ValueError
    return address


def _database(given: str) -> Path:
    scheme, _, path = given.strip().partition(":///")
    # A query would become part of the file's name: a new ledger, in which nobody has spent.
    if scheme != "sqlite" or not path or path == ":memory:" or "?" in path:
        raise ValueError
    return Path(path)


def _credits(given: str) -> int | None:
    if given.strip().lower() == "unlimited":
        return None
    quota = int(given)
    if not 0 <= quota <= LARGEST_QUOTA:
        raise ValueError
    return quota


def _servers(given: str) -> frozenset[int] | None:
    if given.strip().lower() == "all":
        return None
    return frozenset(map(_snowflake, re.split(r"[\s,;]+", given.strip(" \t,;"))))


def _snowflake(given: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", given):
        raise ValueError
    return int(given)


def _retention(given: str) -> timedelta | None:
    days = int(given)
    if not 0 <= days <= LONGEST_RETENTION:
        raise ValueError
    return timedelta(days=days) if days else None


def _count(given: str) -> int:
    count = int(given)
    if count < 1:
        raise ValueError
    return count


def _seconds(given: str) -> float:
    seconds = float(given)
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError
    return seconds


def _grace(given: str) -> float:
    return 0.0 if float(given) == 0 else _seconds(given)


def _source_mode(given: str) -> Literal["url", "data"]:
    match given.strip().lower():
        case "url":
            return "url"
        case "data":
            return "data"
        case _:
            raise ValueError


def _switch(given: str) -> bool:
    match given.strip().lower():
        case "on":
            return True
        case "off":
            return False
        case _:
            raise ValueError


def _folder(given: str) -> Path | None:
    return Path(given) if given.strip() else None


def _log_level(given: str) -> str:
    level = given.strip().lower()
    if level not in {"debug", "info", "warning", "error"}:
        raise ValueError
    return level


def _without_password(given: str) -> str:
    """Mask everything in the value that could be credentials in an address."""
    before_host = re.compile(r"(\w+://)?.*@", re.DOTALL)
    return re.sub(r"[?#].*", "***", before_host.sub(r"\1***@", given), flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co]):
    """A setting, as the program, its messages and its docs know it."""

    name: str
    parse: Callable[[str], T_co]
    """Raises ValueError for what it doesn't take."""
    takes: str
    """Completes "it takes …" in a message to the operator."""
    meaning: str
    default: str | None = None
    """As the operator would write it; None if the setting is required."""

    @property
    def is_secret(self) -> bool:
        """Return whether messages must not show the value."""
        return self.parse is _secret


_ORIGIN = "an http or https address without credentials, query or fragment"
_CREDITS = f"a whole number from 0 to {LARGEST_QUOTA:,}, or unlimited"
_COUNT = "a whole number, 1 or more"

DISCORD_TOKEN = Setting(
    "DISCORD_TOKEN",
    _secret,
    "the bot's token, from https://discord.com/developers/applications",
    "The bot's token: https://discord.com/developers/applications, your application, Bot, "
    "Reset Token",
)
EDIT_API_KEY = Setting(
    "EDIT_API_KEY",
    _secret,
    "the edit API's key, on one line and without blanks",
    "The edit API's key",
)
EDIT_API_URL = Setting(
    "EDIT_API_URL",
    _address,
    _ORIGIN,
    "The edit API's origin; requests go to `/v1/images/edit` under it",
    "https://api.gptimageapi.dev",
)
DISCORD_API_URL = Setting(
    "DISCORD_API_URL",
    _address,
    _ORIGIN,
    "Discord's REST base, for a sandbox or a rate-limiting proxy; the gateway is found under it",
    "https://discord.com/api/v10",
)
DATABASE_URL = Setting(
    "DATABASE_URL",
    _database,
    "sqlite:///relative/path or sqlite:////absolute/path, without a query",
    "The ledger: `sqlite:///relative/path` or `sqlite:////absolute/path`",
    "sqlite:///bot.db",
)
DEFAULT_QUOTA = Setting(
    "DEFAULT_QUOTA",
    _credits,
    _CREDITS,
    "Credits a member may spend per period where the server sets no limit, or `unlimited`",
    "80",
)
OPERATOR_BUDGET = Setting(
    "OPERATOR_BUDGET",
    _credits,
    _CREDITS,
    "Credits per UTC day for all servers together, or `unlimited`; counts what is held, and what "
    "was sent and not surely refused",
    "unlimited",
)
SERVERS = Setting(
    "SERVERS",
    _servers,
    "servers' ids with commas between them, or all",
    "The ids of the servers to serve, with commas between them, or `all`",
    "all",
)
RETENTION_DAYS = Setting(
    "RETENTION_DAYS",
    _retention,
    f"a whole number of days from 0 to {LONGEST_RETENTION:,}; 0 is forever",
    "Days to keep prompts, names and image links; `0` is forever",
    "90",
)
EDIT_CONCURRENCY = Setting(
    "EDIT_CONCURRENCY", _count, _COUNT, "Edits in progress at the edit API at once", "8"
)
MEMBER_LIMIT = Setting(
    "MEMBER_LIMIT",
    _count,
    _COUNT,
    "Open edits per member, waiting or in progress, over all servers",
    "5",
)
QUEUE_LIMIT = Setting(
    "QUEUE_LIMIT", _count, _COUNT, "Open edits of all members, waiting or in progress", "500"
)
EDIT_TIMEOUT = Setting(
    "EDIT_TIMEOUT",
    _seconds,
    "a number of seconds above 0",
    "Seconds for one call of the edit API",
    "180",
)
EDIT_SOURCE = Setting(
    "EDIT_SOURCE",
    _source_mode,
    "url or data",
    "How the original is sent: `url`, or `data` (a data URL)",
    "url",
)
SPOOL_DIR = Setting(
    "SPOOL_DIR",
    _folder,
    "a folder's path",
    "Where results wait until they are posted; if not set, `.spool` is added to the ledger's path",
    "",
)
REQUIRE_CHILD_SANDBOX = Setting(
    "REQUIRE_CHILD_SANDBOX",
    _switch,
    "on or off",
    "`on` refuses to start where the system can't confine the child processes that open images",
    "off",
)
SHUTDOWN_GRACE = Setting(
    "SHUTDOWN_GRACE",
    _grace,
    "a number of seconds, 0 or more",
    "Seconds that edits in progress get to finish when the bot is told to stop (SIGTERM)",
    "25",
)
LOG_LEVEL = Setting(
    "LOG_LEVEL",
    _log_level,
    "debug, info, warning or error",
    "`debug`, `info`, `warning` or `error`; no level shows interaction tokens",
    "info",
)

SETTINGS: tuple[Setting[object], ...] = (
    *(DISCORD_TOKEN, EDIT_API_KEY, EDIT_API_URL, DISCORD_API_URL, DATABASE_URL),
    *(DEFAULT_QUOTA, OPERATOR_BUDGET, SERVERS, RETENTION_DAYS),
    *(EDIT_CONCURRENCY, MEMBER_LIMIT, QUEUE_LIMIT, EDIT_TIMEOUT, EDIT_SOURCE),
    *(SPOOL_DIR, REQUIRE_CHILD_SANDBOX, SHUTDOWN_GRACE, LOG_LEVEL),
)
"""All settings, in the order of the docs."""
