"""A message for each refusal and for each way an edit ends.

A message says what happened, what it cost, and what to do next.
"""

import math
from typing import assert_never

from bot.domain.edits import Edit, OverQuota
from bot.domain.images import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS
from bot.domain.lifecycle import Reason, State
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
from bot.scheduling.call_schedule import MAX_WAIT
from bot.scheduling.kill_limit import KILLS, PAUSE_S
from cogs.text.formats import (
    any_of,
    channel_links,
    count_credits,
    minutes_text,
    plural,
    relative_time,
    seconds_text,
)
from cogs.text.images import FORMATS
from cogs.text.markdown import MAX_SHOWN, as_plain

NOT_CHARGED = "You weren't charged."

LEDGER_SILENT = (
    f"Darkroom is having trouble saving right now. Nothing changed. {NOT_CHARGED} "
    "Try again in a minute."
)

EXPORT_RUNNING = (
    "Your last export is still running, so this one didn't start. Wait for its file, then run the "
    "command again."
)

MAX_QUOTE = 60
"""Characters of a wrong choice that a refusal shows."""

_MEGABYTES = MAX_SOURCE_BYTES // 2**20
_MEGAPIXELS = MAX_SOURCE_PIXELS // 10**6

_NOT_AN_IMAGE = (
    f"Darkroom can't edit that file. Attach a {FORMATS} up to {_MEGABYTES} MB "
    f"({_MEGAPIXELS} megapixels)."
)
_SOURCES_PAUSED = (
    f"{KILLS} of your images crashed or hung while they were being opened, so Darkroom won't open "
    "your images for a while. Try again in {minutes}."
)

STATE_LABELS = {
    State.HELD: "Queued",
    State.SUBMITTED: "In progress",
    State.RENDERED: "Uploading",
    State.DELIVERED: "Done",
    State.DECLINED: "Declined",
    State.FAILED: "Failed",
    State.EXPIRED: "Timed out",
    State.CANCELLED: "Canceled",
    State.INTERRUPTED: "Interrupted",
}

REASON_LABELS = {
    Reason.NOT_ACKNOWLEDGED: "Discord too slow",
    Reason.NOT_A_PICTURE: "not an image",
    Reason.TOO_LARGE: "image too large",
    Reason.TOO_MANY_PIXELS: "too many pixels",
    Reason.SOURCE_BROKEN: "damaged image",
    Reason.SOURCE_TOO_HEAVY: "image too complex",
    Reason.SOURCES_PAUSED: "images paused",
    Reason.SOURCE_UNREADABLE: "image not downloaded",
    Reason.API_DECLINED: "declined by the image service",
    Reason.API_MISCONFIGURED: "setup problem",
    Reason.API_BUSY: "service busy",
    Reason.API_FAILED: "service error",
    Reason.API_UNREACHABLE: "service unreachable",
    Reason.NO_RESULT: "no image returned",
    Reason.NOT_SPOOLED: "not saved",
    Reason.NOT_POSTED: "upload failed",
    Reason.ANSWER_DELETED: "message deleted",
    Reason.ANSWER_OUT_OF_REACH: "DM not delivered",
    Reason.EXPIRED: "timed out in the queue",
    Reason.CANCELLED: "canceled",
    Reason.INTERRUPTED: "interrupted by a restart",
    Reason.UNFORESEEN: "internal error",
}


def refusal_text(refusal: Refusal) -> str:
    """Tell a member why their edit was refused."""
    match refusal:
        case CannotPost():
            said = (
                "Darkroom can't post images here because it's missing the Attach Files permission. "
                "Ask a moderator to turn it on, or try another channel."
            )
        case NoPicture():
            said = _NOT_AN_IMAGE
        case PictureElsewhere():
            said = "That image isn't hosted on Discord. Download it and attach it instead."
        case FileTooLarge(size):
            said = (
                f"That file is {_megabytes(size)} MB. The limit is {_MEGABYTES} MB. "
                "Attach a smaller one."
            )
        case PictureTooLarge(width, height):
            said = (
                f"That image is too large ({width} × {height}). The limit is {_MEGAPIXELS} "
                "megapixels. Resize it and try again."
            )
        case PromptBlank():
            said = "Your prompt is empty. Say what you want to change."
        case PromptTooLong(length):
            said = (
                f"Your prompt is {length:,} characters. The limit is {MAX_PROMPT:,}. Shorten it "
                "and try again."
            )
        case NotOffered(field, got):
            said = (
                f"“{as_plain(got, MAX_QUOTE)}” isn't an option for {field}. Pick one from the list."
            )
        case NotHere(channel_ids):
            channels = any_of(channel_links(channel_ids))
            said = f"You can't make edits in this channel. Try {channels}."
        case TooManyPictures(_, most):
            said = plural(
                most,
                "This server allows {count} image per edit. Lower the count and try again.",
                "This server allows up to {count} images per edit. Lower the count and try again.",
            )
        case PromptRefused(phrase):
            said = f"This server blocks prompts with “{as_plain(phrase)}”. Try rewording it."
        case NotInPrivate():
            said = "Private edits are turned off in this server. Try again without `private`."
        case CannotAfford(over, most):
            said = _cannot_afford(over, most)
        case TooManyOpen(most):
            said = plural(
                most,
                "You already have {count} edit in progress, which is the max. "
                "Wait for it to finish, or cancel it if it's still queued.",
                "You already have {count} edits in progress, which is the max. "
                "Wait for one to finish, or cancel one that's still queued.",
            )
        case LineFull():
            said = "Darkroom is at capacity right now. Try again in a few minutes."
        case LineTooLong(wait):
            said = (
                f"The queue is too long right now (about {minutes_text(wait)}). An edit can wait "
                f"up to {minutes_text(MAX_WAIT.total_seconds())}. Try again later."
            )
        case ServiceDown(wait):
            said = f"The image service is down right now. Try again in {seconds_text(wait)}."
        case SourcesPaused(wait):
            said = _SOURCES_PAUSED.format(minutes=minutes_text(wait))
        case ShuttingDown():
            said = "Darkroom is restarting. Try again in a minute."
        case LedgerSilent():
            return LEDGER_SILENT
        case Unforeseen(reference):
            return unforeseen_text(reference)
        case _:
            assert_never(refusal)
    return f"{said} {NOT_CHARGED}"


def ending_text(edit: Edit, *, max_quote: int = MAX_SHOWN) -> str:
    """Tell a member how their edit ended without images."""
    match edit.reason:
        case None:
            raise ValueError("the edit has not ended without images")
        case Reason.NOT_ACKNOWLEDGED:
            said = "Discord took too long to respond, so this edit didn't start. Try again."
        case Reason.NOT_A_PICTURE:
            said = _NOT_AN_IMAGE
        case Reason.TOO_LARGE:
            said = (
                f"That image is too large. The limit is {_MEGABYTES} MB and {_MEGAPIXELS} "
                "megapixels. Attach a smaller one."
            )
        case Reason.TOO_MANY_PIXELS:
            said = (
                f"That image is too large. The limit is {_MEGAPIXELS} megapixels. Resize it and "
                "try again."
            )
        case Reason.SOURCE_BROKEN:
            said = "That image file is damaged. Re-save it or attach another copy."
        case Reason.SOURCE_TOO_HEAVY:
            said = "That image is too complex to open. Try a smaller version, or save it as a JPEG."
        case Reason.SOURCES_PAUSED:
            said = _SOURCES_PAUSED.format(minutes=minutes_text(PAUSE_S))
        case Reason.SOURCE_UNREADABLE:
            said = "Darkroom couldn't download your image from Discord. Attach it again."
        case Reason.API_DECLINED:
            said = _declined(edit.detail, max_quote)
        case Reason.API_MISCONFIGURED:
            said = (
                "Darkroom can't reach the image service because of a setup problem. Let the bot "
                "owner know."
            )
        case Reason.API_BUSY:
            said = "The image service is busy. Try again in a few minutes."
        case Reason.API_FAILED | Reason.API_UNREACHABLE:
            said = "The image service ran into an error. Try again."
        case Reason.NO_RESULT:
            said = "The image service didn't return an image. Try again."
        case Reason.NOT_SPOOLED:
            said = "Darkroom couldn't save your image. Let the bot owner know, and try again later."
        case Reason.NOT_POSTED:
            said = (
                "Your image was made, but it couldn't be uploaded to Discord. Try again, or use a "
                "lower quality or fewer images."
            )
        case Reason.ANSWER_DELETED:
            said = "The message was deleted before your image could be posted. Try again."
        case Reason.ANSWER_OUT_OF_REACH:
            said = (
                "This took too long to show here, and Darkroom can't DM you. Turn on Direct "
                "Messages in this server's Privacy Settings and try again."
            )
        case Reason.EXPIRED:
            said = (
                f"This edit waited in the queue for {minutes_text(MAX_WAIT.total_seconds())} "
                "and timed out. Try again later."
            )
        case Reason.CANCELLED:
            said = "Edit canceled."
        case Reason.INTERRUPTED:
            said = "Darkroom restarted while making your image. Try again."
        case Reason.UNFORESEEN:
            return unforeseen_text(edit.detail or "unknown")
        case _:
            assert_never(edit.reason)
    return f"{said} {NOT_CHARGED}"


def unforeseen_text(reference: str) -> str:
    """Tell a member about an unexpected error, and how its log entry is found."""
    return (
        f"Something went wrong on our end. {NOT_CHARGED} Try again. If it keeps happening, send "
        f"the bot owner this code: `{reference}`"
    )


def outcome_label(edit: Edit) -> str:
    """Name how an edit ended in a few words, and why."""
    if edit.reason is None:
        return STATE_LABELS[edit.state]
    reason = REASON_LABELS[edit.reason]
    if edit.state is State.FAILED:
        return f"Failed: {reason}"
    return f"{reason[0].upper()}{reason[1:]}"


def _megabytes(size: int) -> str:
    # Rounded up, so that a file over the limit never shows as the limit.
    return f"{math.ceil(size / 2**20 * 10) / 10:,.1f}".removesuffix(".0")


def _cannot_afford(over: OverQuota, most: int) -> str:
    balance = over.balance
    left, bound = balance.left or 0, balance.bound or Bound.QUOTA
    values = {
        "cost": count_credits(over.hold),
        "left": f"{left:,}",
        "resets": relative_time(balance.ends_at),
    }
    fitting = [f"{count} {quality.capitalize()}" for quality, count in affordable(left, most)]
    if fitting:
        return _CANNOT_AFFORD[bound].format(**values, choices=any_of(fitting))
    return _NOTHING_FITS[bound].format(**values)


_CANNOT_AFFORD = {
    Bound.OPERATOR: (
        "This edit costs {cost}, but Darkroom has only {left} left for today across all servers. "
        "You can still make {choices}. The limit resets {resets}."
    ),
    Bound.BUDGET: (
        "This edit costs {cost}, but this server has only {left} left. "
        "You can still make {choices}. The budget resets {resets}."
    ),
    Bound.QUOTA: (
        "This edit costs {cost} and you have {left} left. "
        "You can still make {choices}. Your credits reset {resets}."
    ),
}

_NOTHING_FITS = {
    Bound.OPERATOR: "Darkroom has hit its daily limit across all servers. It resets {resets}.",
    Bound.BUDGET: (
        "This edit costs {cost}, but this server has only {left} left. That's not enough for any "
        "edit. The budget resets {resets}."
    ),
    Bound.QUOTA: (
        "This edit costs {cost} and you have {left} left. That's not enough for any edit. "
        "Your credits reset {resets}."
    ),
}


def _declined(message: str | None, max_quote: int) -> str:
    if not message or not message.strip():
        return "The image service declined this edit. Try a different prompt or image."
    return (
        f"The image service declined this edit: “{as_plain(message, max_quote)}” "
        "Try a different prompt or image."
    )
