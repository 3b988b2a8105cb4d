"""Lays a message out in Discord's components, as data that is sent."""

from typing import Any

from discord import ui

Item = ui.Item[ui.LayoutView]


def as_components(*items: Item) -> list[dict[str, Any]]:
    """The items, as a message has them."""
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    # It is sent as data, and nothing will be dispatched to it.
    view.stop()
    return view.to_components()
