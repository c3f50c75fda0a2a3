"""The converter of models that embed their weights: the packaged one with burn-onnx's other way of loading."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from burn_verify.burn.workspace import Workspace
from burn_verify.system.cache import Cache
from burn_verify.system.files import copy_atomically, digest_of
from burn_verify.system.kept import seal, sealed

_NAME: Final = "converter-embedding"

_EDITS: Final[Mapping[str, str]] = {
    "        .partition(request.partition)\n": "        .partition(request.partition)\n"
    "        .load_strategy(compat::burn_onnx::LoadStrategy::Embedded)\n",
    # The generated code includes the weights under the name that burn-onnx gave them.
    "        fs::rename(&made, out_dir.join": "        link(&made, &out_dir.join",
    "fn sole_file(": "fn link(made: &Path, name: &Path) -> io::Result<()> {\n"
    "    if made == name { Ok(()) } else { fs::hard_link(made, name) }\n}\n\nfn sole_file(",
}
"""What differs from the packaged converter."""


def converter_files(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the files of the crate that converts models so that they embed their weights.

    Arguments:
        sources: the packaged workspace, text by path.

    Raises:
        ValueError: the packaged converter is another.
    """
    code = sources["converter/src/main.rs"]
    for before, after in _EDITS.items():
        if code.count(before) != 1:
            msg = f"{code.count(before)} times {before!r} in the converter, 1 expected"
            raise ValueError(msg)
        code = code.replace(before, after)
    manifest = sources["converter/Cargo.toml"].replace('name = "converter"', f'name = "{_NAME}"', 1)
    return {f"{_NAME}/Cargo.toml": manifest, f"{_NAME}/src/main.rs": code}


def embedding_converter(cache: Cache, workspace: Workspace) -> Path:
    """Return the compiled converter of models that embed their weights; build it if it is not built yet.

    Arguments:
        workspace: of the target.

    Raises:
        ToolchainError: cargo failed.
    """
    workspace = workspace.converting
    files = converter_files(workspace.sources)
    key = digest_of(workspace.fingerprint, *(part for one in files.items() for part in one))[:24]
    folder = cache.folder("embedding") / key
    note, binary = folder / "done.json", folder / _NAME
    if sealed(note) is not None:
        return binary
    with cache.lock(workspace.lock, workspace.waiting):
        if sealed(note) is None:
            workspace.write(files, [_NAME])
            # With the packages of the first build: alone it would have other features, and compile Burn once more.
            run = workspace.compile(_NAME, {_NAME: _NAME}, beside=("converter", "runner"))
            if run.code != 0:
                what = "the converter of models that embed their weights could not be built"
                raise workspace.build.failure(what, run.code)
            copy_atomically(Path(run.executables[_NAME]), binary)
            seal(note, [binary])
    return binary
