"""Discord and the edit API as real servers on loopback, with the bot as a child beside them."""
