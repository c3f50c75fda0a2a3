"""Failures joined into larger graphs, and what a reduction leaves of them. See ``tools/reduce_many.py``."""
