"""What all graphs of several operators have in common: versions, forms, and how many are made together."""

from typing import Final

OPSET: Final = 21
"""The opset of every graph; parts are of the versions that it selects."""

IR_VERSION: Final = 10
"""The version of the format that this opset needs."""

BLOCK: Final = 100
"""Graphs that are made and kept together."""

PATTERN: Final = "pattern"
SYMBOLIC: Final = "symbolic"

KINDS: Final = (
    *("chain", "diamond", PATTERN, "shared", SYMBOLIC, "chain", "dead-end", PATTERN, "branch", "chain", "loop"),
    *(SYMBOLIC, PATTERN, "diamond"),
)
"""The forms of the graphs, which come by turns."""
