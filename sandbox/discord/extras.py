"""What messages show beside text, embeds, components and files: polls, stickers, themes, forwards.

The rules are those of https://discord.com/developers/docs/resources/poll,
https://discord.com/developers/docs/resources/message and of Discord's OpenAPI description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.discord.interactions.forms import DiscordError, Form
from sandbox.values import JsonObject, object_at, objects_at, snowflake, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.discord.guilds import Sticker

MOST_STICKERS = 3
MOST_ANSWERS = 10
LONGEST_QUESTION = 300
LONGEST_ANSWER = 55
LONGEST_EMOJI = 32
POLL_HOURS = 24
MOST_POLL_HOURS = 32 * 24
MOST_COLORS = 5
COLOR = re.compile(r"[0-9A-Fa-f]{6}")
INVALID_STICKER = 50081


@dataclass(frozen=True, slots=True)
class Extras:
    """What a message shows beside text, embeds, components and files."""

    poll: JsonObject | None = None
    stickers: tuple[JsonObject, ...] = ()
    theme: JsonObject | None = None
    snapshots: tuple[JsonObject, ...] = ()
    tts: bool = False

    def __bool__(self) -> bool:
        """Tell whether there is anything to see."""
        return bool(self.poll or self.stickers or self.theme or self.snapshots)

    @property
    def texts(self) -> list[str]:
        """What there is to be read."""
        poll = self.poll or {}
        media = [object_at(each, "poll_media") for each in objects_at(poll, "answers")]
        asked = [text_at(each, "text") for each in (object_at(poll, "question"), *media)]
        forwarded = [text_at(object_at(each, "message"), "content") for each in self.snapshots]
        return [*asked, *forwarded]

    def to_json(self) -> JsonObject:
        """Return what Discord's message object has of them."""
        body: JsonObject = {"tts": self.tts}
        if self.poll is not None:
            body["poll"] = self.poll
        if self.stickers:
            body["sticker_items"] = list(self.stickers)
        if self.theme is not None:
            body["shared_client_theme"] = self.theme
        if self.snapshots:
            body["message_snapshots"] = list(self.snapshots)
        return body


NOTHING_ELSE = Extras()


def read_poll(form: Form, now: datetime) -> JsonObject | None:
    """Return the poll that a message's `poll` becomes."""
    poll = form.object("poll")
    if poll is None:
        return None
    question = poll.object("question", required=True)
    asked = question and question.string(
        "text", shortest=1, longest=LONGEST_QUESTION, required=True
    )
    answers = poll.objects("answers", fewest=1, most=MOST_ANSWERS, required=True) or []
    hours = poll.integer("duration", least=1, most=MOST_POLL_HOURS)
    closes = now + timedelta(hours=min(hours or POLL_HOURS, MOST_POLL_HOURS))
    return {
        "question": {"text": asked},
        "answers": [
            {"answer_id": number, "poll_media": _read_answer(answer)}
            for number, answer in enumerate(answers, 1)
        ],
        "expiry": closes.isoformat(),
        "allow_multiselect": bool(poll.boolean("allow_multiselect")),
        "layout_type": poll.choice("layout_type", of={1}) or 1,
        "results": {"answer_counts": [], "is_finalized": False},
    }


def _read_answer(answer: Form) -> JsonObject:
    media = answer.object("poll_media", required=True)
    if media is None:
        return {}
    emoji = media.object("emoji")
    body: JsonObject = {}
    words = media.string("text", shortest=1, longest=LONGEST_ANSWER, required=emoji is None)
    if words is not None:
        body["text"] = words
    if emoji is not None:
        number = emoji.snowflake("id")
        name = emoji.string("name", longest=LONGEST_EMOJI)
        body["emoji"] = {"id": None if number is None else str(number), "name": name}
    return body


def read_stickers(form: Form, known: Mapping[int, Sticker]) -> tuple[JsonObject, ...]:
    """Return the stickers that a message's `sticker_ids` become; raises DiscordError."""
    wanted = form.array("sticker_ids", most=MOST_STICKERS) or ()
    found = [known.get(snowflake(each) or 0) for each in wanted]
    if None in found:
        raise DiscordError(400, INVALID_STICKER, "Invalid sticker sent")
    return tuple(each.item() for each in found if each is not None)


def read_theme(form: Form) -> JsonObject | None:
    """Return the theme that a message's `shared_client_theme` becomes."""
    theme = form.object("shared_client_theme")
    if theme is None:
        return None
    colors = theme.array("colors", fewest=1, most=MOST_COLORS, required=True) or ()
    if not all(isinstance(each, str) and COLOR.fullmatch(each) for each in colors):
        words = "Every color must be six hexadecimal digits."
        theme.wrong("colors", "STRING_TYPE_REGEX", words)
    return {
        "colors": list(colors),
        "gradient_angle": theme.integer("gradient_angle", most=360, required=True),
        "base_mix": theme.integer("base_mix", most=100, required=True),
        "base_theme": theme.choice("base_theme", of=range(5)) or 0,
    }


SNAPSHOT = (
    *("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags"),
    *("mentions", "mention_roles", "sticker_items", "components"),
)
FORWARDABLE = frozenset({0, 19, 20, 23})


def snapshots_of(message: JsonObject) -> tuple[JsonObject, ...] | None:
    """Return what a forward keeps of a message, or None for one that cannot be forwarded."""
    if message["type"] not in FORWARDABLE or "poll" in message:
        return None
    nested = objects_at(message, "message_snapshots")
    if nested:
        return tuple(nested)
    return ({"message": {key: message[key] for key in SNAPSHOT if key in message}},)
