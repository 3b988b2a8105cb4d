"""Lays an edit's message out in Discord's components."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.discord_front import Cards
from bot.editing import Receipt
from bot.ledger import Edit
from bot.refusals import Refusal
from cogs.components import as_components
from cogs.picture_words import picture_notes
from cogs.plain_text import as_plain
from cogs.wording import count_credits, ending_text, refusal_text

ALT_TEXT = 1_024
"""Characters of a picture's description that Discord takes."""

_MADE = discord.Colour(0x3BA55D)
_NOT_MADE = discord.Colour(0xED4245)


class EditCards(Cards):
    """`discord_front.Cards` in English."""

    def result(self, edit: Edit, receipt: Receipt, names: Sequence[str]) -> list[dict[str, Any]]:
        alt_text = self.alt_text(edit)
        gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery(
            *(
                discord.MediaGalleryItem(
                    f"attachment://{name}", description=alt_text, spoiler=receipt.spoiler
                )
                for name in names
            )
        )
        return as_components(
            ui.Container(
                gallery,
                ui.TextDisplay(as_plain(edit.order.prompt)),
                ui.TextDisplay(_summary(edit, receipt)),
                accent_colour=_MADE,
            )
        )

    def ending(self, edit: Edit) -> list[dict[str, Any]]:
        return as_components(
            ui.Container(ui.TextDisplay(ending_text(edit)), accent_colour=_NOT_MADE)
        )

    def alt_text(self, edit: Edit) -> str:
        prompt = edit.order.prompt
        return prompt if len(prompt) <= ALT_TEXT else f"{prompt[: ALT_TEXT - 1]}…"

    def refusal(self, refusal: Refusal) -> str:
        return refusal_text(refusal)


def _summary(edit: Edit, receipt: Receipt) -> str:
    order = edit.order
    left = "unlimited" if receipt.left is None else str(receipt.left)
    facts = [order.quality.capitalize(), edit.ratio or order.size]
    summary = f"-# {' · '.join(facts)} · {count_credits(receipt.charged)} · {left} left"
    summary += "".join(f"\n-# {note}" for note in picture_notes(edit, receipt))
    missing = order.count - len(receipt.pictures)
    if missing:
        summary += (
            f"\n-# {missing} of {order.count} pictures could not be had or posted, "
            "and cost nothing."
        )
    return summary
