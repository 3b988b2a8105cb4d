"""Drills: the bot under load, killed and cut off at random, and every invariant checked after."""
