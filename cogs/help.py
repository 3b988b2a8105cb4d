"""`/help`: what the bot does, what it costs, how to ask well, and where moderators go."""

from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord_io.replies import Replies, Reply
from bot.domain.images import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS
from bot.domain.pricing import MAX_COUNT, Quality
from cogs.ui.components import Item, as_components
from cogs.ui.interactions import asked_by

WHAT_IT_DOES = f"""\
**What it does**
You give a picture and say what to change; the result is posted where you asked.
- `/edit`: a picture and what to change, up to {MAX_COUNT} results; with `private` for you alone.
- *Apps → Edit image* on any message with a picture: a form for the same.
- `/edit-guided`: asks for what a good request has, and shows it to you before anything is spent.
- `/history`: your edits, their pictures, what each cost. `/credits`: what you have left.
- `/privacy`: what is kept about you, as a file, and how to have it erased.
It takes JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP and GIF (the first frame), up to \
{MAX_SOURCE_BYTES // 2**20} MiB and {MAX_SOURCE_PIXELS // 10**6} megapixels."""

WHAT_IT_COSTS = f"""\
**What it costs**
{" · ".join(f"{quality.capitalize()}: {quality.price} credits" for quality in Quality)}, for each \
picture. The price is set aside first, and only pictures that were posted are charged. What the \
service declines, what fails and what you cancel costs nothing."""

HOW_TO_ASK = """\
**How to ask well**
1. Name what must stay as it is.
2. Then say what to replace, remove or restyle.
3. Style and light come last.
4. Put words that shall stand in the picture into "quotes", and keep them short.
Begin with one clear picture, in low quality, and go on from the best result."""

EXAMPLES = """\
**Three examples**
- Keep the woman, her face and her pose. Replace the street behind her with an empty beach at \
dusk. Warm, low light.
- Leave everything else as it is. Remove the parked cars and the power lines.
- Keep the shape of the bottle and the table. Change its label to read "Summer Ale" in dark green. \
Morning light from the left."""

BUTTONS = """\
**The buttons**
`Edit again` goes on from a result and `Run again` repeats its request; anyone may, at their own \
cost. `Compare` shows source and result side by side, to you alone. `Delete` is for whoever made \
the edit and for moderators. `Cancel` is there while an edit waits in the line."""

FOR_MODERATORS = """\
**For moderators**
`/quota`: who may spend how much. `/usage`: what was spent. `/settings`: defaults, channels, a \
log, refused words, spoilers. They are offered to members who may manage the server; in \
*Server Settings → Integrations* others can be named."""

PARTS = (WHAT_IT_DOES, WHAT_IT_COSTS, HOW_TO_ASK, EXAMPLES, BUTTONS, FOR_MODERATORS)


class HelpCog(commands.Cog):
    """One page, for everybody the same."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    @app_commands.command(
        name="help", description="How to use Darkroom: commands, prices, and prompt tips"
    )
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def help(self, interaction: discord.Interaction) -> None:
        """Answer with the page."""
        await self._replies.respond(asked_by(interaction), Reply(components=help_page()))


def help_page() -> list[dict[str, Any]]:
    """The parts, with lines between them."""
    items: list[Item] = []
    for part in PARTS:
        if items:
            items.append(ui.Separator())
        items.append(ui.TextDisplay(part))
    return as_components(*items)
