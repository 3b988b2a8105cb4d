"""What members and moderators choose among."""

from discord import app_commands

from bot.pricing import RATIOS, SOURCE_SIZE, Quality

QUALITIES = [
    app_commands.Choice(
        name=f"{quality.capitalize()} · {quality.price} credits each", value=quality.value
    )
    for quality in Quality
]
SIZES = [
    app_commands.Choice(name="Nearest to the picture's own", value=SOURCE_SIZE),
    *(app_commands.Choice(name=ratio, value=ratio) for ratio in RATIOS),
]
