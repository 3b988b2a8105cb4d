"""A stand-in for the edit API, which imitates edits."""
