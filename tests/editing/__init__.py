"""Tests of edits, from the order to the end."""
