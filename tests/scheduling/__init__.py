"""Tests of when edits are sent."""
