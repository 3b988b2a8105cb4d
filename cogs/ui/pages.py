"""Lists that are paged in place, with a button beside an entry to take it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from discord import ui

from cogs.ui.components import Button, Item, as_components, row_of

MOST_TEXT = 4_000
"""Characters in all of a message's components.

https://docs.discord.com/developers/components/reference#text-display
"""

PAGE = 10
"""Entries on a page: with their buttons Discord's 40 components take no more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    text: str
    button: Button | None = None


def page(
    heading: str, entries: Sequence[Entry], *, below: Sequence[Button] = ()
) -> list[dict[str, Any]]:
    """A heading, the entries, and a row of buttons; too long texts are cut."""
    room = MOST_TEXT - len(heading)
    if sum(len(entry.text) for entry in entries) > room:
        share = room // len(entries)
        entries = [replace(entry, text=_cut(entry.text, share)) for entry in entries]
    items: list[Item] = [ui.TextDisplay(heading)]
    items += [_entry(entry) for entry in entries]
    if below:
        items.append(row_of(*below))
    return as_components(*items)


def pages_of(count: int, *, most: int = PAGE) -> int:
    """How many pages so many entries fill, at least one, with so many on a page."""
    return max(1, -(-count // most))


def turning(
    number: int, count: int, custom_id: Callable[[int], str], *, most: int = PAGE
) -> list[Button]:
    """Buttons from page `number` of so many entries to the next ones; none for a single page."""
    pages = pages_of(count, most=most)
    if pages == 1:
        return []
    return [
        Button("Previous", custom_id(number - 1) if number else None),
        Button("Next", custom_id(number + 1) if number + 1 < pages else None),
    ]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _entry(entry: Entry) -> Item:
    if entry.button is None:
        return ui.TextDisplay(entry.text)
    return ui.Section(ui.TextDisplay(entry.text), accessory=entry.button.to_item())
