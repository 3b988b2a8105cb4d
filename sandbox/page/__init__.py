"""The sandbox in a browser: a page that looks like a channel, and what it talks to."""
