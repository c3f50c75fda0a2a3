"""What tells whether two conversions are the same program: generated text and weights, without their place.

burn-onnx writes the paths of the model and of the weights into the text, documents what it writes, and draws an id for
every parameter of the weights, which no computation reads.
"""

import re
from pathlib import Path
from typing import Final

from burn_verify.core.stage import ConvertedModel
from burn_verify.system.files import digest_of

_COMMENT: Final = re.compile(rb"^[ \t]*//[^\n]*\n?", re.MULTILINE)
"""A line that is a comment. Texts with line breaks in them, of which a line might look so, are escaped by burn-onnx."""
_MAGIC: Final = b"NRUB"
_START: Final = 10
"""Bytes of a weights' file before its description: magic number, version, length of the description (4 bytes)."""
_PARAM_ID: Final = re.compile(rb"(hparam_id\x1b).{8}", re.DOTALL)


def program_digest(model: ConvertedModel) -> str:
    """Return a digest that is equal for two conversions only if they are the same program."""
    return digest_of(_text(model.rust), _weights(model.weights))


def _text(rust: Path) -> bytes:
    return _COMMENT.sub(b"", rust.read_bytes()).replace(str(rust.parent).encode(), b"")


def _weights(path: Path) -> bytes:
    """Return the weights with the same id for every parameter; as they are where the file has another form."""
    data = path.read_bytes() if path.is_file() else b""
    if not data.startswith(_MAGIC):
        return data
    end = _START + int.from_bytes(data[6:_START], "little")
    return data[:_START] + _PARAM_ID.sub(rb"\g<1>........", data[_START:end]) + data[end:]
