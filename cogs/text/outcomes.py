"""Every refusal and every end of an edit, a value with data, put into words.

Each says in a sentence or two what happened, whether it cost anything, and what to do.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import assert_never

from bot.domain.edits import Edit, OverQuota
from bot.domain.images import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS
from bot.domain.lifecycle import Reason
from bot.domain.pricing import affordable
from bot.domain.quotas import Bound
from bot.domain.refusals import (
    MAX_PROMPT,
    CannotAfford,
    CannotPost,
    FileTooLarge,
    LedgerSilent,
    LineFull,
    LineTooLong,
    NoPicture,
    NotHere,
    NotInPrivate,
    NotOffered,
    PictureElsewhere,
    PictureTooLarge,
    PromptBlank,
    PromptRefused,
    PromptTooLong,
    Refusal,
    ServiceDown,
    ShuttingDown,
    SourcesPaused,
    TooManyOpen,
    TooManyPictures,
    Unforeseen,
)
from bot.ledger.archive import KeptEdit
from bot.scheduling.call_schedule import MAX_WAIT
from bot.scheduling.kill_limit import KILLS, PAUSE_S
from cogs.text.images import FORMATS
from cogs.text.markdown import SHOWN, as_plain

LEDGER_SILENT = (
    "The bot cannot reach its ledger just now, so nothing was changed. Nothing was charged. "
    "Try again in a minute."
)

EXPORT_RUNNING = (
    "Your last export is still running, so this one wasn't started. Wait until its file is here, "
    "then run the command again."
)

_LIMITS = f"up to {MAX_SOURCE_BYTES // 2**20} MiB and {MAX_SOURCE_PIXELS // 10**6} megapixels"
MOST_CHANNELS = 10
"""Channels that a refusal names."""

LONGEST_QUOTED = 60
"""Characters of a wrong choice that a refusal shows."""

_SOURCES_PAUSED = (
    f"{KILLS} of your images crashed or hung while they were being opened, so your images "
    "aren't opened for a while."
)

_NOT_A_PICTURE = (
    f"That file is not a picture that can be edited. Attach a {FORMATS} picture of {_LIMITS}."
)


def refusal_text(refusal: Refusal) -> str:
    """Why an order is not taken, for its member alone."""
    match refusal:
        case CannotPost():
            said = (
                "The bot may not post pictures here: it lacks the permission “Attach Files” in "
                "this channel, so the edit was not made. Ask a moderator to give it that, or use "
                "another channel."
            )
        case NoPicture():
            said = _NOT_A_PICTURE
        case PictureElsewhere():
            said = "That picture does not lie at Discord. Save it, and attach it yourself."
        case FileTooLarge(size):
            said = (
                f"That file has {size / 2**20:.1f} MiB, more than the "
                f"{MAX_SOURCE_BYTES // 2**20} MiB that are taken. Attach a smaller one."
            )
        case PictureTooLarge(width, height):
            said = _too_many_pixels(f" ({width} × {height})")
        case PromptBlank():
            said = "The prompt is empty. Say in it what to change in the picture."
        case PromptTooLong(length):
            said = (
                f"The prompt has {length:,} characters, more than the {MAX_PROMPT:,} that are "
                "taken. Make it shorter."
            )
        case NotOffered(field, got):
            said = (
                f"{field}: got “{as_plain(got, LONGEST_QUOTED)}”, which is not offered. "
                "Choose one of those that are shown."
            )
        case NotHere(channel_ids):
            said = f"Edits are not made in this channel. Run it in {listed_channels(channel_ids)}."
        case TooManyPictures(count, most):
            said = (
                f"count: got {count}, and this server lets one edit have {most} at most. "
                "Choose fewer pictures."
            )
        case PromptRefused(phrase):
            said = (
                f"This server does not take prompts with “{as_plain(phrase)}”. "
                "Say it without, if you can."
            )
        case NotInPrivate():
            said = "This server wants every edit to be seen. Run it again without `private`."
        case CannotAfford(over, most):
            said = _cannot_afford(over, most)
        case TooManyOpen(most):
            said = (
                f"You have {counted(most, 'edit')} under way, which is as many as "
                "one member may have at once. Try again when one of them is done, or cancel one "
                "that waits."
            )
        case LineFull(most):
            edits = f"{most} edit{' is' if most == 1 else 's are'}"
            said = f"{edits} under way, and no more may be. Try again in a few minutes."
        case LineTooLong(wait):
            said = (
                f"The line is long: this edit would wait about {minutes_text(wait)}, and none "
                f"waits longer than {minutes_text(MAX_WAIT.total_seconds())}. "
                "Try again later."
            )
        case ServiceDown(wait):
            said = (
                "The edit service has failed again and again, so no edit is sent to it just now. "
                f"Try again in {math.ceil(wait)} s."
            )
        case SourcesPaused(wait):
            said = f"{_SOURCES_PAUSED} You can edit again in {minutes_text(wait)}."
        case ShuttingDown():
            said = "The bot is about to start anew. Try again in a minute."
        case LedgerSilent():
            return LEDGER_SILENT
        case Unforeseen(reference):
            return unforeseen_text(reference)
        case _:
            assert_never(refusal)
    return f"{said} Nothing was charged."


def ending_text(edit: Edit | KeptEdit, *, most_quoted: int = SHOWN) -> str:
    """How an edit without pictures ended; of what the service said, so many characters."""
    match edit.reason:
        case None:
            raise ValueError("the edit has not ended without pictures")
        case Reason.NOT_ACKNOWLEDGED:
            said = (
                "Discord was too slow to confirm this command, so the edit was not made. "
                "Run the command again."
            )
        case Reason.NOT_A_PICTURE:
            said = _NOT_A_PICTURE
        case Reason.TOO_LARGE:
            said = f"That picture is larger than is taken: {_LIMITS}. Attach a smaller one."
        case Reason.TOO_MANY_PIXELS:
            said = _too_many_pixels("")
        case Reason.SOURCE_BROKEN:
            said = (
                "That picture's file is damaged, so it cannot be opened. Attach another copy of "
                "it, or save it once more first."
            )
        case Reason.SOURCE_TOO_HEAVY:
            said = (
                "Opening that picture takes more memory or time than the bot has for one. "
                "Make it smaller, or save it as a JPEG."
            )
        case Reason.SOURCES_PAUSED:
            said = f"{_SOURCES_PAUSED} Try again in {minutes_text(PAUSE_S)}."
        case Reason.SOURCE_UNREADABLE:
            said = "Discord did not give the attached picture to the bot. Attach it again."
        case Reason.API_DECLINED:
            said = _declined(edit.detail, most_quoted)
        case Reason.API_MISCONFIGURED:
            said = (
                "The bot is not set up rightly for the editing service; its owner has been told. "
                "Try again later."
            )
        case Reason.API_BUSY:
            said = "The editing service is busy. Try again in a few minutes."
        case Reason.API_FAILED | Reason.API_UNREACHABLE:
            said = "The editing service failed. Try again."
        case Reason.NO_RESULT:
            said = "The editing service gave no picture that could be fetched. Try again."
        case Reason.NOT_SPOOLED:
            said = (
                "The bot's disk did not take the picture; its owner has been told. Try again later."
            )
        case Reason.NOT_POSTED:
            said = (
                "The picture was made, but Discord did not take it: its upload failed. "
                "Try again; if that does not help, choose a lower quality or fewer pictures."
            )
        case Reason.ANSWER_DELETED:
            said = (
                "The edit's message was deleted before the picture could be posted in it. "
                "Run the command again."
            )
        case Reason.ANSWER_OUT_OF_REACH:
            said = (
                "The picture took so long that Discord no longer showed it in your private "
                "answer, and the bot may not send you direct messages. Allow direct messages in "
                "the server's privacy settings, or try again."
            )
        case Reason.EXPIRED:
            minutes = minutes_text(MAX_WAIT.total_seconds())
            said = f"The edit's turn did not come within {minutes}. Try again later."
        case Reason.CANCELLED:
            said = "This edit was cancelled while it waited."
        case Reason.INTERRUPTED:
            said = "The bot was restarted while the picture was being made. Run the command again."
        case Reason.UNFORESEEN:
            return unforeseen_text(edit.detail or "unknown")
        case _:
            assert_never(edit.reason)
    return f"{said} Nothing was charged."


def unforeseen_text(reference: str) -> str:
    """What is said when something broke that nobody foresaw."""
    return (
        "Something went wrong inside the bot. Nothing was charged. Try again; if it happens "
        f"again, give its owner the reference {reference}."
    )


def minutes_text(seconds: float) -> str:
    """A while, in words: whole minutes, of which one that has begun counts."""
    minutes = max(1, math.ceil(seconds / 60))
    return counted(minutes, "minute")


def count_credits(number: int) -> str:
    """A number of credits, in words."""
    return counted(number, "credit")


def counted(number: int, what: str) -> str:
    """So many of something, in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def day_text(day: date) -> str:
    """A day, for people."""
    return f"{day.day} {day:%b %Y}"


def day_and_time(moment: datetime) -> str:
    """A moment in UTC, for people."""
    return f"{day_text(moment)}, {moment:%H:%M} UTC"


def listed_channels(channel_ids: Sequence[int], last: str = "or") -> str:
    """The first of the channels by their links, and how many more there are."""
    shown = [f"<#{channel_id}>" for channel_id in channel_ids[:MOST_CHANNELS]]
    more = len(channel_ids) - len(shown)
    if more:
        shown.append(counted(more, "other"))
    *first, final = shown
    return f"{', '.join(first)} {last} {final}" if first else final


def _cannot_afford(over: OverQuota, most: int) -> str:
    balance = over.balance
    left, ends = balance.left or 0, day_and_time(balance.ends_at)
    match balance.bound:
        case Bound.OPERATOR:
            who = f"the bot's own budget for today has {left} left; it renews on {ends}"
        case Bound.BUDGET:
            who = f"this server's budget has {left} left until {ends}"
        case _:
            who = f"you have {left} left until {ends}, when a new window begins"
    said = f"This edit costs {count_credits(over.hold)} and {who}."
    if fitting := affordable(left, most):
        orders = [f"{quality.capitalize()} × {count}" for quality, count in fitting]
        return f"{said} {' or '.join(orders)} would fit."
    if balance.bound is Bound.OPERATOR:
        return f"{said} It is used up: nothing fits until then."
    return f"{said} Nothing fits until then."


def _too_many_pixels(shape: str) -> str:
    return (
        f"That picture has too many pixels{shape}: up to {MAX_SOURCE_PIXELS // 10**6} megapixels "
        "are taken. Make it smaller."
    )


def _declined(message: str | None, most: int) -> str:
    if not message or not message.strip():
        return "The editing service declined this edit. Change the prompt or the picture."
    return (
        f"The editing service declined this edit and says: “{as_plain(message, most)}” "
        "Change the prompt or the picture."
    )
