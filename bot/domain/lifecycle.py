"""The life of an edit: its states, the arrows between them, and why a hold is given back."""

from enum import StrEnum


class State(StrEnum):
    """Where an edit is; the ledger guards every arrow by the state that it leaves."""

    HELD = "held"
    """Its price is set aside; nothing was sent."""
    SUBMITTED = "submitted"
    """The paid call may have been made; it is never made again."""
    RENDERED = "rendered"
    """The API gave the results' addresses."""
    DELIVERED = "delivered"
    """Images were posted and charged."""
    DECLINED = "declined"
    """The API said no."""
    FAILED = "failed"
    EXPIRED = "expired"
    """It waited for its turn longer than `call_schedule.MAX_WAIT`."""
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The process ended while the call was under way."""


OPEN_STATES = (State.HELD, State.SUBMITTED, State.RENDERED)

LEAVES_FROM = {
    State.DECLINED: (State.SUBMITTED,),
    State.FAILED: OPEN_STATES,
    State.EXPIRED: (State.HELD,),
    State.CANCELLED: (State.HELD,),
    State.INTERRUPTED: (State.SUBMITTED,),
}
"""For each end that voids the hold, the states that an arrow leads from to it."""


class Reason(StrEnum):
    """Why a hold was voided: the closed list that wording, usage and metrics read."""

    NOT_ACKNOWLEDGED = "not_acknowledged"
    """Discord did not take the acknowledgement in time."""
    NOT_A_PICTURE = "not_a_picture"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    SOURCE_BROKEN = "source_broken"
    """It cannot be decoded."""
    SOURCE_TOO_HEAVY = "source_too_heavy"
    """Decoding it takes more memory or time than is given."""
    SOURCES_PAUSED = "sources_paused"
    """Too many of the member's images were costly to open, so none is opened for a while."""
    SOURCE_UNREADABLE = "source_unreadable"
    """Discord no longer gave the source's bytes."""
    API_DECLINED = "api_declined"
    API_MISCONFIGURED = "api_misconfigured"
    """The key was refused, or its account has run dry: the operator's to mend."""
    API_BUSY = "api_busy"
    API_FAILED = "api_failed"
    """The call was made and what it did is unknown."""
    API_UNREACHABLE = "api_unreachable"
    NO_RESULT = "no_result"
    """The API answered, but none of its images could be fetched."""
    NOT_SPOOLED = "not_spooled"
    """The bot's disk couldn't store the source, or any of the images."""
    NOT_POSTED = "not_posted"
    """Discord accepted no message with the images."""
    ANSWER_DELETED = "answer_deleted"
    """Somebody deleted the edit's message or channel before the images were posted."""
    ANSWER_OUT_OF_REACH = "answer_out_of_reach"
    """The private answer's token was dead, and the member takes no direct messages of the bot's."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    """Its member, or a moderator, stopped it while it waited."""
    INTERRUPTED = "interrupted"
    UNFORESEEN = "unforeseen"

    @property
    def state(self) -> State:
        """The state in which an edit ends for this reason."""
        return _ENDS.get(self, State.FAILED)


MAY_HAVE_COST = frozenset(
    {
        Reason.API_FAILED,
        Reason.NO_RESULT,
        Reason.NOT_SPOOLED,
        Reason.NOT_POSTED,
        Reason.ANSWER_DELETED,
        Reason.ANSWER_OUT_OF_REACH,
        Reason.INTERRUPTED,
        Reason.UNFORESEEN,
    }
)
"""Reasons of edits that were sent and ended without images, though the API may have run them."""

_ENDS = {
    Reason.API_DECLINED: State.DECLINED,
    Reason.EXPIRED: State.EXPIRED,
    Reason.CANCELLED: State.CANCELLED,
    Reason.INTERRUPTED: State.INTERRUPTED,
}
