"""Orders for tests that don't run Discord."""

from dataclasses import fields, replace
from typing import Any

from bot.domain.edits import Order, PersonalData
from bot.domain.pricing import Quality

TOKEN = "an-interaction-token-that-must-not-stay"

_PERSONAL = {field.name for field in fields(PersonalData)}


def order(edit_id: int, **changes: Any) -> Order:
    """Return an order of Ada's for one medium image, with changes to it or its personal data."""
    personal = PersonalData(
        member_name="Ada",
        prompt="make it blue",
        source_url="https://cdn.discordapp.com/photo.png",
        source_name="photo.png",
    )
    own = {name: changes.pop(name) for name in _PERSONAL & changes.keys()}
    usual = Order(
        id=edit_id,
        application_id=1,
        guild_id=20,
        channel_id=30,
        member_id=40,
        token=TOKEN,
        quality=Quality.MEDIUM,
        size="source",
        count=1,
        private=False,
        upload_limit=10 * 2**20,
        personal=replace(personal, **own),
    )
    return replace(usual, **changes)
