"""Lays a message out in Discord's components, as data that is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ComponentType, ui

Item = ui.Item[ui.LayoutView]


@dataclass(frozen=True, slots=True)
class Button:
    """A button; without a custom id it cannot be pressed."""

    label: str
    custom_id: str | None
    style: discord.ButtonStyle = discord.ButtonStyle.secondary

    def to_item(self) -> ui.Button[ui.LayoutView]:
        """The button as discord.py has it."""
        return ui.Button(
            label=self.label,
            style=self.style,
            custom_id=self.custom_id or f"nothing:{self.label}",
            disabled=self.custom_id is None,
        )


def row_of(*buttons: Button) -> Item:
    """The buttons beside one another."""
    return ui.ActionRow(*(button.to_item() for button in buttons))


def as_components(*items: Item) -> list[dict[str, Any]]:
    """The items, as a message has them."""
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    # It is sent as data, and nothing will be dispatched to it.
    view.stop()
    return view.to_components()


def without_buttons(components: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The components without rows of buttons."""
    kept: list[dict[str, Any]] = []
    for component in components:
        match component:
            case {"type": ComponentType.action_row.value}:
                pass
            case {"components": inner}:
                kept.append({**component, "components": without_buttons(inner)})
            case _:
                kept.append({**component})
    return kept
