"""How a program gets its weights, and how they are stored. Data only."""

from typing import Final

FILE: Final = "file"
EMBEDDED: Final = "embedded"
BYTES: Final = "bytes"
LOADS: Final = (FILE, EMBEDDED, BYTES)
"""The ways by which a program gets its weights, burn-onnx's default first."""

FULL: Final = "full"
HALF: Final = "half"
WEIGHTS: Final = (FULL, HALF)
"""How weights are stored: as in the model, or as float16 where burn-store's ``HalfPrecisionAdapter`` does so."""
