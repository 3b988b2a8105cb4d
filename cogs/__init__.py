"""Discord commands and buttons: one feature per file."""
