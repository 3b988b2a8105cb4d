"""`/help`: how to use the bot, what it costs, and tips for prompts."""

from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord_io.replies import Replies, Reply
from bot.domain.images import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS
from bot.domain.pricing import MAX_COUNT, Quality
from cogs.text.formats import any_of
from cogs.text.images import FORMATS
from cogs.ui.components import Item, as_components
from cogs.ui.interactions import interaction_ref

_PRICES = any_of([f"{quality.price} ({quality.capitalize()})" for quality in Quality])

COMMANDS = f"""\
**Commands**
Give Darkroom an image and say what to change. It posts the result right in the channel.
- `/edit` · Edit an image. Make up to {MAX_COUNT} results, or turn on `private` so only you see \
them.
- **Apps → Edit image** · Edit an image from any message. Right-click it, or press and hold on \
mobile.
- `/edit-guided` · Answer four questions and check the prompt before you spend credits.
- `/history` · Your past edits.
- `/credits` · Credits you have left.
- `/privacy export` and `/privacy delete` · Download or delete your data.
An image can be a {FORMATS} (first frame only), up to {MAX_SOURCE_BYTES // 2**20} MB and \
{MAX_SOURCE_PIXELS // 10**6} megapixels."""

PRICES = f"""\
**Prices**
Each image costs {_PRICES} credits. Credits are reserved first, and you only pay for images that \
get posted. Declined, failed, and canceled edits are free."""

PROMPT_TIPS = """\
**Prompt tips**
1. Start with what to keep.
2. Then say what to add, remove, or change.
3. End with style and lighting.
4. Put text you want in the image in "quotes". Keep it short.
Start with one clear image. Try ideas in Low first, then select **Edit this** on the best one."""

EXAMPLES = """\
**Examples**
- Keep the woman, her face and her pose. Replace the street behind her with an empty beach at \
dusk. Warm, low light.
- Leave everything else as it is. Remove the parked cars and the power lines.
- Keep the shape of the bottle and the table. Change its label to read "Summer Ale" in dark green. \
Morning light from the left."""

BUTTONS = """\
**Buttons**
**Edit this** edits the result. **Run again** repeats the same prompt. Anyone can use both with \
their own credits. **Before & after** shows you the original next to the result. **Delete** works \
for the person who made it and for moderators. **Cancel** works while an edit is queued."""

FOR_MODERATORS = """\
**For moderators**
- `/quota` · Credit limits.
- `/usage` · Credits used.
- `/settings` · Defaults, allowed channels, log channel, blocked words, and spoilers.
You need Manage Server to use these. To give others access, go to \
**Server Settings → Integrations → Darkroom**."""

PARTS = (COMMANDS, PRICES, PROMPT_TIPS, EXAMPLES, BUTTONS, FOR_MODERATORS)


class HelpCog(commands.Cog):
    """Shows one page, the same for everyone."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    @app_commands.command(
        name="help", description="How to use Darkroom: commands, prices, and prompt tips"
    )
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def help(self, interaction: discord.Interaction) -> None:
        """Show the page."""
        await self._replies.respond(interaction_ref(interaction), Reply(components=help_page()))


def help_page() -> list[dict[str, Any]]:
    """Lay out the parts, with separators between them."""
    items: list[Item] = []
    for part in PARTS:
        if items:
            items.append(ui.Separator())
        items.append(ui.TextDisplay(part))
    return as_components(*items)
