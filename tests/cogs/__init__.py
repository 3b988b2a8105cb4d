"""Tests of what members and moderators use."""
