"""The GPT Image 2 edit API: its messages as values, and the paid call."""
