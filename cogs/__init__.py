"""Discord's face: one feature a file, and the words that members read."""
