"""Figures: each module prints those in docs/performance.md, with `python -m benchmarks.NAME`."""
