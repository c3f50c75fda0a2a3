"""Data sets in the layout of onnx and its zoo: folders of ``.pb`` files, serialised TensorProto. Reads names only."""

from pathlib import Path
from typing import Final

from burn_verify.core.stage import StoredFiles

PATTERN: Final = "test_data_set_*"


def data_sets(folder: Path, pattern: str = PATTERN) -> tuple[StoredFiles, ...]:
    """Return the data sets of a folder, ``test_data_set_N/{input,output}_M.pb``, in the order of their names."""
    return tuple(
        StoredFiles(name=inner.name, inputs=_numbered(inner, "input"), outputs=_numbered(inner, "output"))
        for inner in sorted(folder.glob(pattern))
        if inner.is_dir()
    )


def beside(stem: Path) -> tuple[StoredFiles, ...]:
    """Return the data sets of a model: in a folder of its name, else beside it where it is the only model there.

    Arguments:
        stem: of the model's file: ``a/model`` for ``a/model.onnx``.
    """
    if found := data_sets(stem):
        return found
    models = {path.name.partition(".onnx")[0] for path in stem.parent.glob("*.onnx*")}
    return data_sets(stem.parent) if models == {stem.name} else ()


def _numbered(folder: Path, kind: str) -> tuple[Path, ...]:
    numbered = {path: path.stem.removeprefix(f"{kind}_") for path in folder.glob(f"{kind}_*.pb")}
    return tuple(
        sorted((path for path in numbered if numbered[path].isdecimal()), key=lambda path: int(numbered[path]))
    )
