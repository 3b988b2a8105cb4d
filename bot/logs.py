"""Write structured events to standard error, and redact every secret in one place.

Secrets are redacted in an event's values before it is rendered, so no escaping hides them. A
terminal gets readable lines; everything else gets one JSON object per line with `event`, `level`,
`timestamp` and the event's own fields.
"""

import json
import logging
import queue
import re
import sys
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from typing import cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"

_SLASH = r"(?:\\*/|%(?:25)*2[fF])"

_TOKENS = (
    # In the paths of Discord's routes that contain an interaction's token.
    re.compile(rf"((?:webhooks|interactions){_SLASH}\d+{_SLASH})(?:(?!{_SLASH})[^\s?])+"),
    # In the representation of an object.
    re.compile(r"""(\btoken=(["']))(?:(?!\2).)+""", re.DOTALL),
    # In payloads of the gateway, as Python or JSON writes them, quoted again or not: up to the
    # quote that is escaped just as the first one, or to the end if there is none.
    re.compile(
        r"""([\"']token\\*+["']\s*:\s*(\\*+)(["'])).*?(?:(?<!\\)(?=\2\3\s*(?:[,}\]]|$))|$)""",
        re.DOTALL,
    ),
)


@contextmanager
def logging_to_stderr(level: str, secrets: Iterable[str]) -> Generator[None]:
    """Send all logs of this process, including the libraries', through one handler that redacts.

    A thread writes the lines, so a reader that is slow or stuck never blocks the event loop.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        # The decorated tracebacks print local variables, including secrets.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Redactor(secrets),
            renderer,
        ],
    )
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = _RedactingHandler(lines)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # At DEBUG, discord.py logs whole payloads with interaction tokens and prompts.
    logging.getLogger("discord").setLevel(max(logging.INFO, logging.getLogger().level))
    writer = QueueListener(lines, logging.StreamHandler(sys.stderr))
    writer.start()
    logging.captureWarnings(capture=True)
    print_crash, threading.excepthook = threading.excepthook, _log_crash
    try:
        yield
    finally:
        threading.excepthook = print_crash
        logging.captureWarnings(capture=False)
        writer.stop()


class _RedactingHandler(QueueHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a record can't be formatted. The inherited method prints it with its secrets."""
        text = json.dumps({"event": "log.unreadable", "level": "error", "logger": record.name})
        self.enqueue(logging.makeLogRecord({"msg": text}))


def _log_crash(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        logging.getLogger(__name__).error("thread.crashed", exc_info=crash.exc_value)


class Redactor:
    """Replaces the given secrets and all interaction tokens in an event."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [_pattern_of(secret) for secret in secrets]

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Redact an event, as one of structlog's processors."""
        return {self.redact(name): self._redact_value(name, event[name]) for name in event}

    def redact(self, text: str) -> str:
        """Return the text without secrets, however often they are quoted or escaped."""
        for secret in self._secrets:
            text = secret.sub(REDACTED, text)
        for token in _TOKENS:
            text = token.sub(rf"\g<1>{REDACTED}", text)
        return text

    def _redact_value(self, name: str, value: object) -> object:
        match value:
            case _ if name == "token":
                return REDACTED
            case None | bool() | int() | float():
                return value
            case str():
                return self.redact(value)
            case Mapping():
                items = cast("Mapping[object, object]", value).items()
                return {
                    self.redact(str(key)): self._redact_value(str(key), each) for key, each in items
                }
            case list() | tuple():
                return [self._redact_value("", each) for each in cast("list[object]", value)]
            case _:
                return self.redact(repr(value))


def _pattern_of(secret: str) -> re.Pattern[str]:
    """Match a secret unescaped, and as JSON, `repr`, bytes and URLs escape it, at any depth.

    Each level of escaping adds backslashes or replaces a character with its code. So each character
    may have more backslashes before it than in the secret, and a backslash that begins an escape
    after the secret may be matched too. A run of backslashes matches as a whole or not at all, so a
    long run costs no time.
    """
    parts = re.findall(r"(\\*)([^\\]|$)", secret)
    forms = [_any_form(len(run), char) for run, char in parts if run or char]
    return re.compile(r"(?<!\\)(?<!%5[cC])" + "".join(forms))


_BACKSLASH = r"(?:\\|(?i:%(?:25)*5c))"


def _any_form(backslashes: int, char: str) -> str:
    """Match at least this many backslashes, and the character after them if there is one."""
    run = f"{_BACKSLASH}{{{backslashes},}}+"
    if not char:
        return run
    encoded = char.encode("utf-8", "surrogatepass")
    units = char.encode("utf-16-be", "surrogatepass")
    numbers = (
        "".join(f"%(?:25)*{byte:02x}" for byte in encoded),
        f"{_BACKSLASH}++".join(f"x{byte:02x}" for byte in encoded),
        f"{_BACKSLASH}++".join(f"u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        f"x{ord(char):02x}",
        f"U{ord(char):08x}",
    )
    return f"{run}(?:(?i:{'|'.join(numbers)})|{re.escape(char)})"
