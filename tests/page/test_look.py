"""The page has the sizes and colours of Discord's client that `docs/look.md` lists."""

import re
from pathlib import Path

import pytest

from sandbox.page.running import RunningPage
from tests.page.conftest import OpenTab
from tests.page.samples import BUTTONS, SENT
from tests.page.stand_in import StandIn

pytestmark = pytest.mark.asyncio(loop_scope="package")

ROOMY = (1600, 900)
LOOK = Path(__file__).parents[2] / "docs" / "look.md"
ROW = re.compile(r"^\| [^|`]+ \| `([^`]+)` \| `([^`]+)` \| ([^|]+) \|$", re.MULTILINE)


async def test_what_is_listed_measures_as_in_discord(
    stage: RunningPage, open_tab: OpenTab, bot: StandIn
):
    listed = ROW.findall(LOOK.read_text(encoding="utf-8"))
    assert len(listed) > 30
    for sample in (*SENT, BUTTONS):
        await sample.post(bot, stage.sandbox.world.guilds[0].channels[0])
    tab = await open_tab(stage, size=ROOMY)

    measured = [
        (selector, style, await tab.page.locator(selector).first.evaluate(MEASURE, style))
        for selector, style, _ in listed
    ]

    assert measured == [(selector, style, as_measured(value)) for selector, style, value in listed]


MEASURE = "(element, style) => getComputedStyle(element).getPropertyValue(style)"


def as_measured(value: str) -> str:
    """A colour as browsers tell it; sizes stay as they are."""
    if not value.startswith("#"):
        return value
    red, green, blue = bytes.fromhex(value[1:])
    return f"rgb({red}, {green}, {blue})"
