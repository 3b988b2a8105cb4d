"""Tests of Discord's gateway and HTTP API."""
