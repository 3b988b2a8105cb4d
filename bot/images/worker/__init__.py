"""Pixel work. It runs only in confined child processes."""
