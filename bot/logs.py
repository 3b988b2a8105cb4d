"""Logs are structured events, written to standard error, with every secret taken out in one place.

A terminal gets lines for people, anything else one JSON object a line: `event`, `level`,
`timestamp` and the event's own fields.
"""

import logging
import queue
import re
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener

import structlog
from structlog.typing import Processor

REDACTED = "[redacted]"

_TOKENS = (
    # In addresses of Discord's routes that carry an interaction's token.
    re.compile(r"((?:webhooks|interactions)/\d+/)[^/\s\"'?\\]+"),
    # In payloads of the gateway, as Python or JSON writes them, quoted again or not.
    re.compile(r"(\\*[\"']token\\*[\"']: ?\\*[\"'])[^\"'\\]+"),
)


@contextmanager
def logging_to_stderr(level: str, secrets: Iterable[str]) -> Generator[None]:
    """Send all logs of this process, the libraries' too, through one handler that redacts.

    Lines are written by a thread of their own: a reader of them that is slow, or does not read at
    all, never holds up the event loop.
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
    on_terminal = sys.stderr.isatty()
    renderer: Processor = (
        # A plain traceback: the decorated ones print local variables, secrets among them.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if on_terminal
        else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([] if on_terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
    )
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = QueueHandler(lines)
    handler.setFormatter(_RedactingFormatter(formatter, secrets))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # At DEBUG discord.py writes whole payloads, interaction tokens and members' words included.
    logging.getLogger("discord").setLevel(max(logging.INFO, logging.getLogger().level))
    writer = QueueListener(lines, logging.StreamHandler(sys.stderr))
    writer.start()
    try:
        yield
    finally:
        writer.stop()


def redact(line: str, secrets: Iterable[str]) -> str:
    """The line without the secrets given, and without any interaction's token."""
    for secret in secrets:
        line = line.replace(secret, REDACTED)
    for token in _TOKENS:
        line = token.sub(rf"\g<1>{REDACTED}", line)
    return line


class _RedactingFormatter(logging.Formatter):
    """Redacts what another formatter made."""

    def __init__(self, formatter: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._formatter = formatter
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._formatter.format(record), self._secrets)
