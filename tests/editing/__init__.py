"""Tests of an edit, from its order to its end."""
