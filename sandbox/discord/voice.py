"""Voice messages: what they need, and what they cannot have.

The rules are those of https://discord.com/developers/docs/resources/message#voice-messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.discord.interactions.forms import DiscordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.discord.cdn import StoredFile


def check_voice(files: Sequence[StoredFile], *, more: bool) -> None:
    """Refuse a voice message that is not one sound alone; raises DiscordError."""
    if more:
        words = "Voice messages do not support additional content"
        raise DiscordError(400, 50159, words)
    if len(files) != 1 or not (files[0].content_type or "").startswith("audio/"):
        words = "Voice messages must have a single audio attachment"
        raise DiscordError(400, 50160, words)
    if files[0].duration_secs is None or files[0].waveform is None:
        words = "Voice messages must have supporting metadata"
        raise DiscordError(400, 50161, words)
