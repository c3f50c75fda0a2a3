"""Models that a command makes of another one: never written over it, with a note of what was done.

Knows no command.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burn_verify import __version__
from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.prepared import Prepared
from burn_verify.core.target import Target
from burn_verify.report.views.prepared import prepared_json
from burn_verify.system.files import write_if_changed

if TYPE_CHECKING:
    from onnx import ModelProto

PREPARED: Final = "burn_verify.prepare"
QUANTISED: Final = "burn_verify.quantize"
"""Keys of the notes in ``metadata_props``."""


def check_files(paths: Sequence[Path | None], sources: Sequence[Path], *, force: bool) -> None:
    """Refuse before the work what could not be written after it.

    Arguments:
        paths: to be written; None for what nobody asked for.
        sources: the model as the user names it, and as it is read.
        force: whether a file that exists is replaced; the model never is.

    Raises:
        UsageError: a file is the model, lies in no folder, is there already, or is asked for twice.
    """
    wanted = [path for path in paths if path is not None]
    for place, path in enumerate(wanted):
        if path.exists() and any(source.exists() and path.samefile(source) for source in sources):
            message = f"{path} is the model itself, which is never written over: name another file"
            raise UsageError(message)
        if path.exists() and not force:
            message = f"{path} exists: name another file, or add --force to replace it"
            raise UsageError(message)
        if path.is_dir() or not path.parent.is_dir():
            message = f"{path} cannot be written: it is a folder, or in none"
            raise UsageError(message)
        if path.absolute() in [other.absolute() for other in wanted[:place]]:
            message = f"{path} is named twice: name another file"
            raise UsageError(message)


def bytes_of(model: "ModelProto", path: Path) -> bytes:
    """Return a model serialised.

    Arguments:
        path: for the message.

    Raises:
        StoreError: it is too large for one file.
    """
    from google.protobuf.message import EncodeError

    try:
        data: bytes = model.SerializeToString()
    except (ValueError, EncodeError) as error:
        message = f"{path}: the model is too large for one file: {error}"
        raise StoreError(message) from error
    return data


def write_model(path: Path, model: "ModelProto") -> None:
    """Write a model to a file.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        write_if_changed(path, bytes_of(model, path))
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise StoreError(message) from error


def annotate(model: "ModelProto", key: str, note: Mapping[str, Any]) -> None:
    """Note in a model what was done to it; an older note under the same key is replaced."""
    kept = [entry for entry in model.metadata_props if entry.key != key]
    entries = {entry.key: entry.value for entry in kept} | {key: json.dumps(note)}
    del model.metadata_props[:]
    for name, value in entries.items():
        model.metadata_props.add(key=name, value=value)


def prepare_note(found: Prepared, target: Target) -> dict[str, Any]:
    """Return the note about rewritings: what was done, for which Burn."""
    about = prepared_json(found)
    note = {key: about[key] for key in ("status", "steps", "options")}
    return note | {"burn_verify": __version__, "burn": target.burn, "burn_onnx": target.burn_onnx}
