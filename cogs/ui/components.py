"""Builds Discord's message components as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ComponentType, ui

Item = ui.Item[ui.LayoutView]


@dataclass(frozen=True, slots=True)
class Button:
    """A button; it's disabled if it has no custom id."""

    label: str
    custom_id: str | None
    style: discord.ButtonStyle = discord.ButtonStyle.secondary

    def to_item(self) -> ui.Button[ui.LayoutView]:
        """Return it as a discord.py item."""
        return ui.Button(
            label=self.label,
            style=self.style,
            custom_id=self.custom_id or f"nothing:{self.label}",
            disabled=self.custom_id is None,
        )


def row_of(*buttons: Button) -> Item:
    """Put buttons in a row."""
    return ui.ActionRow(*(button.to_item() for button in buttons))


def as_components(*items: Item) -> list[dict[str, Any]]:
    """Return the items as a message's components."""
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    # It's sent as data, so discord.py has nothing to dispatch to it.
    view.stop()
    return view.to_components()


def without_buttons(components: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Copy the components without their rows of buttons."""
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
