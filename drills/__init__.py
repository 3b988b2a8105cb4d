"""Drills: the bot under load, killed and cut off at random, and every invariant checked after.

A seed draws the same troubles and the same commands again; what these meet with depends on how
fast the machine is, too.
"""
