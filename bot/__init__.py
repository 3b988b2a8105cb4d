"""What the bot knows and does; the words that members read are in `cogs`."""
