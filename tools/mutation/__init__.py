"""Mutants of generated Rust: what they are made of, how they are judged, what came of it. See ``tools/mutate.py``."""
