"""Lays an edit's message out in Discord's components, with the buttons under it."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.discord_io.custom_ids import write_persistent
from bot.discord_io.edit_messages import Cards
from bot.discord_io.fallback_message import id_line
from bot.domain.edits import Edit, Order
from bot.domain.refusals import Refusal
from bot.editing.ports import Receipt
from bot.scheduling.progress import Stage
from cogs.text.images import picture_notes
from cogs.text.markdown import as_line, as_plain
from cogs.text.outcomes import count_credits, ending_text, refusal_text
from cogs.ui.components import Button, Item, as_components, row_of, without_buttons
from cogs.ui.pages import MOST_TEXT
from cogs.ui.waiting_card import waiting_card

AGAIN, RUN, COMPARE, DELETE, PROMPT = "again", "run", "compare", "delete", "prompt"
DELETE_SURELY, KEEP = "delete.surely", "delete.keep"
"""What the buttons do."""

FOLDED, FOLDED_LINES = 300, 6
"""Characters of a prompt that a card shows, counted after escaping, and lines."""

ASKED = 120
"""Characters of a prompt that a card without pictures shows."""

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
                ui.TextDisplay(f"{ending_text(edit)}\n{_what_was_asked(edit.order)}"),
                _ending_row(edit.order),
                accent_colour=_NOT_MADE,
            )
        )

    def in_fallback_message(self, edit: Edit, card: list[dict[str, Any]]) -> list[dict[str, Any]]:
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
        return [*as_components(ui.TextDisplay(f"{said}\n{id_line(order.id)}")), *card]

    def alt_text(self, edit: Edit) -> str:
        prompt = edit.order.prompt
        return prompt if len(prompt) <= ALT_TEXT else f"{prompt[: ALT_TEXT - 1]}…"

    def refusal(self, refusal: Refusal) -> str:
        return refusal_text(refusal)


def buttons_row(edit: Edit) -> Item:
    """The buttons under an edit that has ended."""
    return _result_row(edit.order) if edit.posted else _ending_row(edit.order)


def asking_row(delete_id: str, keep_id: str | None = None) -> Item:
    """Under the question whether to delete a message."""
    buttons = [Button("Delete for good", delete_id, discord.ButtonStyle.danger)]
    if keep_id is not None:
        buttons.append(Button("Keep it", keep_id))
    return row_of(*buttons)


def _result_row(order: Order) -> Item:
    buttons = [
        Button("Edit again", write_persistent(AGAIN, order.id), discord.ButtonStyle.primary),
        _run_button(order),
        Button("Compare", write_persistent(COMPARE, order.id)),
    ]
    if _folded(order.prompt) != as_plain(order.prompt, MOST_TEXT):
        buttons.append(Button("Whole prompt", write_persistent(PROMPT, order.id)))
    return row_of(*buttons, _delete_button(order))


def _folded(prompt: str) -> str:
    lines = as_plain(prompt, FOLDED).split("\n")
    if len(lines) <= FOLDED_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[:FOLDED_LINES], "…"])


def _ending_row(order: Order) -> Item:
    return row_of(_run_button(order), _delete_button(order))


def _run_button(order: Order) -> Button:
    return Button(f"Run again · {order.hold}", write_persistent(RUN, order.id))


def _delete_button(order: Order) -> Button:
    return Button("Delete", write_persistent(DELETE, order.id))


def _what_was_asked(order: Order) -> str:
    """In one line, for an edit without pictures, which looks like any other."""
    asked = as_line(order.prompt, ASKED)
    return f"-# {asked}" if order.private else f"-# {asked} · <@{order.member_id}>"


def _summary(edit: Edit, receipt: Receipt) -> str:
    order = edit.order
    left = "unlimited" if receipt.left is None else str(receipt.left)
    facts = [order.quality.capitalize(), edit.ratio or order.size]
    facts.append(count_credits(receipt.charged))
    if edit.rendered_at is not None and edit.submitted_at is not None:
        facts.append(f"{max(1, round((edit.rendered_at - edit.submitted_at).total_seconds()))} s")
    facts.append(f"{left} left")
    if not order.private:
        # Of what a button or a form began, Discord does not show whose it is.
        facts.append(f"<@{order.member_id}>")
    summary = f"-# {' · '.join(facts)}"
    summary += "".join(f"\n-# {note}" for note in picture_notes(edit, receipt))
    missing = order.count - len(receipt.images)
    if missing:
        summary += (
            f"\n-# {missing} of {order.count} pictures could not be had or posted, "
            "and cost nothing."
        )
    return summary
