"""Fetching originals and results, from allowed addresses only."""
