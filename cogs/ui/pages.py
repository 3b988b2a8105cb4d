"""Paged lists, with a button beside an entry."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from discord import ui

from cogs.text.buttons import NEXT, PREVIOUS
from cogs.ui.components import Button, Item, as_components, row_of

MAX_TEXT = 4_000
"""Characters in all components of a message.

https://docs.discord.com/developers/components/reference#text-display
"""

PAGE_SIZE = 10
"""Entries on a page; with a button each, more would exceed Discord's 40 components."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list."""

    text: str
    button: Button | None = None


def page(
    heading: str, entries: Sequence[Entry], *, below: Sequence[Button] = ()
) -> list[dict[str, Any]]:
    """Lay out a heading, the entries and a row of buttons, and cut texts that are too long."""
    room = MAX_TEXT - len(heading)
    if sum(len(entry.text) for entry in entries) > room:
        share = room // len(entries)
        entries = [replace(entry, text=_cut(entry.text, share)) for entry in entries]
    items: list[Item] = [ui.TextDisplay(heading)]
    items += [_entry(entry) for entry in entries]
    if below:
        items.append(row_of(*below))
    return as_components(*items)


def page_count(entries: int, *, page_size: int = PAGE_SIZE) -> int:
    """Count the pages; an empty list has one."""
    return max(1, -(-entries // page_size))


def page_buttons(
    number: int, entries: int, custom_id: Callable[[int], str], *, page_size: int = PAGE_SIZE
) -> list[Button]:
    """Return the buttons to turn from page `number`; a single page has none."""
    pages = page_count(entries, page_size=page_size)
    if pages == 1:
        return []
    return [
        Button(PREVIOUS, custom_id(number - 1) if number else None),
        Button(NEXT, custom_id(number + 1) if number + 1 < pages else None),
    ]


def _cut(text: str, limit: int) -> str:
    """Cut a text, before inline code that wouldn't be whole: its content would become markdown."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    unclosed = _INLINE_CODE.sub(lambda code: " " * len(code[0]), kept).find("`")
    return f"{kept if unclosed < 0 else kept[:unclosed]}…"


_INLINE_CODE = re.compile(r"``.*?``|(?<!`)`[^`]+`(?!`)")


def _entry(entry: Entry) -> Item:
    if entry.button is None:
        return ui.TextDisplay(entry.text)
    return ui.Section(ui.TextDisplay(entry.text), accessory=entry.button.to_item())
