"""Tests of the edit API."""
