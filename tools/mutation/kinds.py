"""The classes of mutations, and which of them are semantic: changes that a wrong translation could make."""

from typing import Final

OPERANDS: Final = "operands"
SIBLING: Final = "sibling"
LITERAL: Final = "literal"
AXIS: Final = "axis"
CONFIG: Final = "config"
DTYPE: Final = "dtype"
ORDER: Final = "order"
STATEMENT: Final = "statement"
PROBE: Final = "data probe"
SIZE: Final = "tested size"
CONSTANT: Final = "constant answer"
INFINITY: Final = "infinity lost"
INVENTED: Final = "infinity invented"
HALF: Final = "float16 round trip"
SCALE_3: Final = "scale 1+1e-3, float32"
SCALE_4: Final = "scale 1+1e-4, float32"
SCALE_5: Final = "scale 1+1e-5, float32"
SCALE_HALF: Final = "scale 1.01, half precision"

SEMANTIC: Final = (OPERANDS, SIBLING, LITERAL, AXIS, CONFIG, DTYPE, ORDER, STATEMENT)
"""Changes of what is computed, not of how exactly and not of what only other data show."""

ALL: Final = (
    *SEMANTIC,
    *(CONSTANT, SIZE, PROBE, INFINITY, INVENTED, HALF),
    *(SCALE_3, SCALE_4, SCALE_5, SCALE_HALF),
)
"""Every class, in the order of the report."""
