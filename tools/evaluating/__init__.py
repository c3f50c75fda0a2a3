"""Parts of ``tools/evaluation.py``."""
