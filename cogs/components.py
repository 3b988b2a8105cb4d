"""Lays a message out in Discord's components, as data that is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from discord import ComponentType, ui

Item = ui.Item[ui.LayoutView]


def as_components(*items: Item) -> list[dict[str, Any]]:
    """The items, as a message has them."""
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    # It is sent as data, and nothing will be dispatched to it.
    view.stop()
    return view.to_components()


def without_buttons(components: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The components without rows of buttons, and without buttons beside texts."""
    kept: list[dict[str, Any]] = []
    for component in components:
        match component:
            case {"type": ComponentType.action_row.value}:
                pass
            case {
                "type": ComponentType.section.value,
                "components": texts,
                "accessory": {"type": ComponentType.button.value},
            }:
                kept += texts
            case {"components": inner}:
                kept.append({**component, "components": without_buttons(inner)})
            case _:
                kept.append({**component})
    return kept
