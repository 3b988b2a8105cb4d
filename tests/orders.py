"""Orders as members give them, for tests that have no Discord."""

from dataclasses import replace
from typing import Any

from bot.domain.edits import Order
from bot.domain.pricing import Quality

TOKEN = "an-interaction-token-that-must-not-stay"


def order(edit_id: int, **changes: Any) -> Order:
    """An order of Ada's for one medium picture, but for what the test says."""
    usual = Order(
        id=edit_id,
        application_id=1,
        guild_id=20,
        channel_id=30,
        member_id=40,
        member_name="Ada",
        token=TOKEN,
        source_url="https://cdn.discordapp.com/photo.png",
        source_name="photo.png",
        prompt="make it blue",
        quality=Quality.MEDIUM,
        size="source",
        count=1,
        private=False,
        upload_limit=10 * 2**20,
    )
    return replace(usual, **changes)
