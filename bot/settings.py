"""Every setting: its name, type, default and meaning, read from the environment and from `.env`.

A process reads them once, at its start; one message names everything that is wrong with them.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar, cast

from environs import Env
from yarl import URL

from bot.errors import BadSettings
from bot.quotas import OperatorLimits

T = TypeVar("T")

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
    """Credits a member may spend in a window where the server has no rule; None: unlimited."""
    operator_budget: int | None
    """Credits a UTC day over all servers; None: unlimited."""
    servers: frozenset[int] | None
    """The servers that are served; None: all."""
    retention: timedelta | None
    """How long prompts, names and addresses are kept; None: for ever."""
    edit_concurrency: int
    member_limit: int
    """Open edits of one member, over all servers."""
    queue_limit: int
    """Open edits in this process."""
    edit_timeout: float
    """Seconds."""
    edit_source: Literal["url", "data"]
    spool_dir: Path
    require_child_sandbox: bool
    """Whether the bot refuses to start where child processes can't be confined."""
    shutdown_grace: float
    """Seconds that edits under way have once the bot is told to end."""
    log_level: str

    @property
    def limits(self) -> OperatorLimits:
        """What the operator set for all servers."""
        return OperatorLimits(self.default_quota, self.operator_budget, self.member_limit)


def read_settings(dotenv: Path = Path(".env")) -> Settings:
    """The settings that the environment gives, or else the file `dotenv`, or else the defaults.

    Raises:
        BadSettings: naming every setting that is missing or unreadable.
    """
    read = _open(dotenv)
    database = read.database()
    settings = Settings(
        discord_token=read.required("DISCORD_TOKEN", _secret),
        edit_api_key=read.required("EDIT_API_KEY", _secret),
        edit_api_url=read.optional("EDIT_API_URL", "https://api.gptimageapi.dev", _address),
        discord_api_url=read.optional("DISCORD_API_URL", "https://discord.com/api/v10", _address),
        database=database,
        default_quota=read.optional("DEFAULT_QUOTA", "80", _credits),
        operator_budget=read.optional("OPERATOR_BUDGET", "unlimited", _credits),
        servers=read.optional("SERVERS", "all", _servers),
        retention=read.optional("RETENTION_DAYS", "90", _retention),
        edit_concurrency=read.optional("EDIT_CONCURRENCY", "8", _count),
        member_limit=read.optional("MEMBER_LIMIT", "5", _count),
        queue_limit=read.optional("QUEUE_LIMIT", "500", _count),
        edit_timeout=read.optional("EDIT_TIMEOUT", "180", _seconds),
        edit_source=read.optional("EDIT_SOURCE", "url", _source_mode),
        spool_dir=read.optional("SPOOL_DIR", f"{database}.spool", Path),
        require_child_sandbox=read.optional("REQUIRE_CHILD_SANDBOX", "off", _switch),
        shutdown_grace=read.optional("SHUTDOWN_GRACE", "25", _grace),
        log_level=read.optional("LOG_LEVEL", "info", _log_level),
    )
    read.raise_if_wrong()
    return settings


def read_database(dotenv: Path = Path(".env")) -> Path:
    """The SQLite file alone, for whoever has none of the bot's secrets.

    Raises:
        BadSettings: it is unreadable.
    """
    read = _open(dotenv)
    database = read.database()
    read.raise_if_wrong()
    return database


def _open(dotenv: Path) -> "_Reader":
    env = Env()
    try:
        env.read_env(dotenv, recurse=False)
    except (OSError, ValueError) as fault:
        raise BadSettings(f"{dotenv} cannot be read: {fault}") from fault
    return _Reader(env)


class _Reader:
    """Reads settings one by one and remembers what is wrong with them."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._wrong: list[str] = []

    def required(self, name: str, parse: Callable[[str], T]) -> T:
        given = self._given(name)
        if not given.strip():
            self._wrong.append(f"{name} is not set; it takes {_TAKES[name]}")
        return self._parsed(name, given, parse)

    def optional(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        """What is set, or what `default` means where nothing or only blanks are."""
        given = self._given(name)
        return self._parsed(name, given if given.strip() else default, parse)

    def database(self) -> Path:
        return self.optional("DATABASE_URL", "sqlite:///bot.db", _database)

    def raise_if_wrong(self) -> None:
        if self._wrong:
            heading = "Some settings are wrong (.env.example lists them all):"
            raise BadSettings("\n  ".join([heading, *self._wrong]))

    def _given(self, name: str) -> str:
        return self._env.str(name, "")

    def _parsed(self, name: str, given: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(given)
        except ValueError:
            if given.strip():
                shown = "unreadable" if parse is _secret else f"{_without_password(given)!r}"
                self._wrong.append(f"{name} is {shown}; it takes {_TAKES[name]}")
            # Never used: raise_if_wrong comes before the settings are handed out.
            return cast("T", None)


_TAKES = {
    "DISCORD_TOKEN": "the bot's token, from https://discord.com/developers/applications",
    "EDIT_API_KEY": "the edit API's key, on one line and without blanks",
    "EDIT_API_URL": "an http or https address without credentials, query or fragment",
    "DISCORD_API_URL": "an http or https address without credentials, query or fragment",
    "DATABASE_URL": "sqlite:///relative/path or sqlite:////absolute/path, without a query",
    "DEFAULT_QUOTA": f"a whole number from 0 to {LARGEST_QUOTA:,}, or unlimited",
    "OPERATOR_BUDGET": f"a whole number from 0 to {LARGEST_QUOTA:,}, or unlimited",
    "SERVERS": "servers' ids with commas between them, or all",
    "RETENTION_DAYS": f"a whole number of days from 0 to {LONGEST_RETENTION:,}; 0 is for ever",
    "EDIT_CONCURRENCY": "a whole number, 1 or more",
    "MEMBER_LIMIT": "a whole number, 1 or more",
    "QUEUE_LIMIT": "a whole number, 1 or more",
    "EDIT_TIMEOUT": "a number of seconds above 0",
    "REQUIRE_CHILD_SANDBOX": "on or off",
    "SHUTDOWN_GRACE": "a number of seconds, 0 or more",
    "EDIT_SOURCE": "url or data",
    "SPOOL_DIR": "a folder's path",
    "LOG_LEVEL": "debug, info, warning or error",
}


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
    # A query would become a part of the file's name: a new ledger, in which nobody has spent.
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


def _log_level(given: str) -> str:
    level = given.strip().lower()
    if level not in {"debug", "info", "warning", "error"}:
        raise ValueError
    return level


def _without_password(given: str) -> str:
    """What was given, safe to show: what may be credentials in an address is masked."""
    before_host = re.compile(r"(\w+://)?.*@", re.DOTALL)
    return re.sub(r"[?#].*", "***", before_host.sub(r"\1***@", given), flags=re.DOTALL)
