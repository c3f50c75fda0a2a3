"""The names of the corpora of generated graphs."""

from typing import Final

CORPUS: Final = "op"
"""The corpus, and the first part of the ids of its cases."""

SEVERAL: Final = "several"
"""The corpus of graphs of several operators, and the first part of the ids of its cases."""
