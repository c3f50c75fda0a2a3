"""How a program gets its weights, how they are stored, and in what kind of file. Data only."""

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

BURNPACK: Final = "bpk"
MPK: Final = "mpk"
BIN: Final = "bin"
RECORDS: Final = (BURNPACK, MPK, "mpk.gz", BIN, "json")
"""Kinds of a file of weights, by their extension. All but the first are records, which burn-import writes: MessagePack,
the same compressed, bincode and JSON."""
