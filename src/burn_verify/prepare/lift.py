"""A program of its own that raises the opset of a model: onnx's version converter asserts, and may die.

python -m burn_verify.prepare.lift OLD NEW OPSET
"""

import sys
from pathlib import Path

import onnx
from onnx import version_converter


def main(source: str, made: str, opset: str) -> None:
    """Read a model, raise its opset and write it."""
    model = onnx.ModelProto.FromString(Path(source).read_bytes())
    # The converter overlooks initializers that are not inputs at IR version 3.
    model.ir_version = max(4, model.ir_version)
    Path(made).write_bytes(version_converter.convert_version(model, int(opset)).SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
