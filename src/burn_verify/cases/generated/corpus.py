"""The name of the corpus of generated graphs."""

from typing import Final

CORPUS: Final = "op"
"""The corpus, and the first part of the ids of its cases."""
