"""Lays out an edit's message, with the buttons under it."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.discord_io.custom_ids import write_persistent
from bot.discord_io.edit_messages import Cards
from bot.discord_io.fallback_message import id_line
from bot.discord_io.message_images import walk_components
from bot.discord_io.replies import Component
from bot.domain.edits import Edit, Order
from bot.domain.refusals import Refusal
from bot.editing.ports import Receipt
from bot.scheduling.progress import Stage
from cogs.text import buttons
from cogs.text.formats import count_credits, plural
from cogs.text.images import image_notes
from cogs.text.markdown import as_line, as_plain
from cogs.text.outcomes import ending_text, refusal_text
from cogs.ui.components import Button, Item, as_components, row_of, without_buttons
from cogs.ui.pages import MAX_TEXT
from cogs.ui.waiting_card import waiting_card

AGAIN, RUN, COMPARE, DELETE, PROMPT = "again", "run", "compare", "delete", "prompt"
DELETE_SURELY, KEEP = "delete.surely", "delete.keep"
"""Names of the buttons' actions in custom ids."""

FOLDED_LENGTH, FOLDED_LINES = 300, 6
"""Characters, after escaping, and lines of a prompt that a card shows."""

ENDING_PROMPT = 120
"""Characters of a prompt that a card without images shows."""

MAX_ALT_TEXT = 1_024
"""https://docs.discord.com/developers/components/reference#media-gallery"""

_MADE = discord.Colour(0x3BA55D)
_NOT_MADE = discord.Colour(0xED4245)

_IN_DIRECT_MESSAGE = (
    "Here's how your private edit in <#{channel_id}> turned out. Discord couldn't show it there "
    "anymore. To edit or rerun it, use `/history` in that server."
)
_IN_CHANNEL = "<@{member_id}> Here's how your edit turned out:"


class EditCards(Cards):
    """The cards in English."""

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
                ui.TextDisplay(_folded(edit.order.prompt)),
                ui.TextDisplay(_summary(edit, receipt)),
                _result_row(edit.order),
                accent_colour=_MADE,
            )
        )

    def waiting(self, edit: Edit, stage: Stage) -> tuple[str, list[dict[str, Any]]]:
        return waiting_card(edit, stage)

    def ending(self, edit: Edit) -> list[dict[str, Any]]:
        return as_components(
            ui.Container(
                ui.TextDisplay(f"{ending_text(edit)}\n{_prompt_line(edit.order)}"),
                _ending_row(edit.order),
                accent_colour=_NOT_MADE,
            )
        )

    def in_fallback_message(self, edit: Edit, card: list[dict[str, Any]]) -> list[dict[str, Any]]:
        order = edit.order
        if order.private:
            # In direct messages there is no server for the buttons to work in.
            card = without_buttons(card)
            text = _IN_DIRECT_MESSAGE.format(channel_id=order.channel_id)
        else:
            text = _IN_CHANNEL.format(member_id=order.member_id)
        return [*as_components(ui.TextDisplay(f"{text}\n{id_line(order.id)}")), *card]

    def alt_text(self, edit: Edit) -> str:
        prompt = edit.order.prompt
        return prompt if len(prompt) <= MAX_ALT_TEXT else f"{prompt[: MAX_ALT_TEXT - 1]}…"

    def refusal(self, refusal: Refusal) -> str:
        return refusal_text(refusal)


def buttons_row(edit: Edit) -> Item:
    """Return the buttons under an edit that ended."""
    return _result_row(edit.order) if edit.posted else _ending_row(edit.order)


def is_card_of(edit: Edit, components: Sequence[Component]) -> bool:
    """Check whether a message is the edit's own: only that one has its delete buttons."""
    custom_ids = {write_persistent(name, edit.order.id) for name in (DELETE, DELETE_SURELY)}
    parts = walk_components({"components": components})
    return any(part.get("custom_id") in custom_ids for part in parts)


def _result_row(order: Order) -> Item:
    row = [
        Button(buttons.EDIT_THIS, write_persistent(AGAIN, order.id), discord.ButtonStyle.primary),
        _run_button(order),
        Button(buttons.COMPARE, write_persistent(COMPARE, order.id)),
    ]
    if _folded(order.prompt) != as_plain(order.prompt, MAX_TEXT):
        row.append(Button(buttons.FULL_PROMPT, write_persistent(PROMPT, order.id)))
    return row_of(*row, _delete_button(order))


def _folded(prompt: str) -> str:
    lines = as_plain(prompt, FOLDED_LENGTH).split("\n")
    if len(lines) <= FOLDED_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[:FOLDED_LINES], "…"])


def _ending_row(order: Order) -> Item:
    return row_of(_run_button(order), _delete_button(order))


def _run_button(order: Order) -> Button:
    return Button(buttons.run_again(order.hold), write_persistent(RUN, order.id))


def _delete_button(order: Order) -> Button:
    return Button(buttons.DELETE, write_persistent(DELETE, order.id))


def _prompt_line(order: Order) -> str:
    prompt = as_line(order.prompt, ENDING_PROMPT)
    return f"-# {prompt}" if order.private else f"-# {prompt} · <@{order.member_id}>"


def _summary(edit: Edit, receipt: Receipt) -> str:
    order = edit.order
    facts = [
        order.quality.capitalize(),
        edit.ratio or order.size,
        count_credits(receipt.charged),
        # Discord doesn't show who clicked the button or sent the form that started an edit.
        _left(receipt) if order.private else f"<@{order.member_id}>",
    ]
    notes = image_notes(edit, receipt)
    missing = order.count - len(receipt.images)
    if missing:
        notes.append(
            plural(
                missing,
                "{count} of {total} images failed. You weren't charged for it.",
                "{count} of {total} images failed. You weren't charged for them.",
                total=order.count,
            )
        )
    return "\n".join(f"-# {line}" for line in (" · ".join(facts), *notes))


def _left(receipt: Receipt) -> str:
    return "unlimited credits left" if receipt.left is None else f"{receipt.left:,} left"
