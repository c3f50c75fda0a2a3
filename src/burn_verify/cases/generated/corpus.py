"""Generated graphs of one operator each: declared by specs, chosen by covering arrays, built as models."""

from typing import Final

CORPUS: Final = "op"
"""The first word of the ids of these cases."""
