"""Discord's gateway and HTTP API, as the bot uses them."""
