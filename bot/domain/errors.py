"""Faults, one tree by whose fault it is; they carry data, and no text for members."""

from bot.domain.lifecycle import Reason


class DarkroomError(Exception):
    """Anything that this program foresees going wrong."""


class EditError(DarkroomError):
    """What ends one edit, and the reason that its void keeps."""

    reason: Reason


class SourceError(EditError):
    """The member's image can't be edited."""


class NotAnImageError(SourceError):
    """The bytes are in none of the formats of `images.Format`."""

    reason = Reason.NOT_A_PICTURE


class TooLargeError(SourceError):
    """More bytes than `limit`."""

    reason = Reason.TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class TooManyPixelsError(SourceError):
    """More pixels than the limit."""

    reason = Reason.TOO_MANY_PIXELS

    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"{width} x {height} pixels")
        self.width = width
        self.height = height


class BrokenImageError(SourceError):
    """The bytes start like an image but can't be decoded."""

    reason = Reason.SOURCE_BROKEN


class TooHeavyError(SourceError):
    """Decoding takes more memory or time than one image may take."""

    reason = Reason.SOURCE_TOO_HEAVY


class SourcesPausedError(SourceError):
    """Too many of the member's images were costly to open, so none is opened for a while."""

    reason = Reason.SOURCES_PAUSED


class SourceUnreadableError(SourceError):
    """Discord no longer serves the image."""

    reason = Reason.SOURCE_UNREADABLE


class ServiceError(EditError):
    """The edit API, or the way to it, failed."""


class DeclinedError(ServiceError):
    """The API refused this edit; `message` is its own text, where it gave one."""

    reason = Reason.API_DECLINED

    def __init__(self, message: str | None) -> None:
        super().__init__("the edit API declined")
        self.message = message


class MisconfiguredError(ServiceError):
    """The API refused the key or its account (HTTP 401, 402, 403), for the operator to mend."""

    reason = Reason.API_MISCONFIGURED

    def __init__(self, status: int) -> None:
        super().__init__(f"the edit API answered HTTP {status}")
        self.status = status


class BusyError(ServiceError):
    """The API turned the call away (HTTP 429 or 503) for longer than an edit waits."""

    reason = Reason.API_BUSY


class ServiceFailedError(ServiceError):
    """The call was made and no usable answer came; the API may have executed it."""

    reason = Reason.API_FAILED


class UnreachableError(ServiceError):
    """No connection could be made, so the call was surely not executed."""

    reason = Reason.API_UNREACHABLE


class ResultLostError(ServiceError):
    """A result couldn't be downloaded: gone, too slow, too large, not an image, or forbidden."""

    reason = Reason.NO_RESULT


class WaitedTooLongError(EditError):
    """The edit's turn did not come in time."""

    reason = Reason.EXPIRED


class NotPostedError(EditError):
    """Discord accepted no message with the images."""

    def __init__(self, reason: Reason = Reason.NOT_POSTED) -> None:
        super().__init__("the images couldn't be posted")
        self.reason = reason


class OperatorError(DarkroomError):
    """What only whoever runs the bot can mend; `str()` of it is shown to them as it is."""


class BadSettingsError(OperatorError):
    """One or more settings are missing or unreadable."""


class LoginRefusedError(OperatorError):
    """Discord refused the bot's token."""

    def __init__(self) -> None:
        super().__init__(
            "Discord refused the token in DISCORD_TOKEN. Make a new one at "
            "https://discord.com/developers/applications (your application, Bot, Reset Token) "
            "and put it into .env."
        )


class DiscordRefusedError(OperatorError):
    """Discord did not let the bot in, or ended its session for good."""


class LedgerInUseError(OperatorError):
    """Another process has this database."""


class LedgerUnusableError(OperatorError):
    """The database cannot be opened, is of a newer version, or is no ledger."""


class ListFullError(DarkroomError):
    """A server's list, of refused phrases or of channels, takes no more."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"the list {name} is full")
        self.name = name
        self.value = value


class LedgerError(DarkroomError):
    """The ledger did not carry out a statement; its transaction was rolled back."""


class ChildFailedError(DarkroomError):
    """A child process did not answer."""


class ChildTimeoutError(ChildFailedError):
    """It had not answered when its time was up."""


class ChildHungError(ChildFailedError):
    """It used no processor for so long that it was killed."""


class ChildKilledError(ChildFailedError):
    """A signal ended it: its own crash's, or one of the system, whose limits it passed."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal} ended it")
        self.signal = signal


class ConfinementError(DarkroomError):
    """No system calls can be taken away from a process here."""
