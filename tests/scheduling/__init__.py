"""Tests of who goes next, and when."""
