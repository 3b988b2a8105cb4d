"""Lays an edit's message out in Discord's components."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.discord_front import Cards
from bot.editing import Receipt
from bot.ledger import Edit
from bot.refusals import Refusal
from cogs.components import as_components, without_buttons
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

    def in_second_message(self, edit: Edit, card: list[dict[str, Any]]) -> list[dict[str, Any]]:
        order = edit.order
        if order.private:
            # Buttons in direct messages would be of no server, and answer nothing.
            card = without_buttons(card)
            said = (
                f"About your private edit in <#{order.channel_id}>, where Discord no longer shows "
                "you the answer. `/history` there has its buttons."
            )
        else:
            said = f"<@{order.member_id}> About your edit, whose first message cannot be changed:"
        return [*as_components(ui.TextDisplay(f"{said}\n-# Edit {order.id}")), *card]

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
    missing = order.count - len(receipt.pictures)
    if missing:
        summary += (
            f"\n-# {missing} of {order.count} pictures could not be had or posted, "
            "and cost nothing."
        )
    return summary
