"""Figures: each module prints those that the README names, with `python -m benchmarks.NAME`."""
