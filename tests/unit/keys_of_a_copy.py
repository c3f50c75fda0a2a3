"""Run with a copy of the package on the path: changes one byte of each of its files and prints which keys change.

Prints JSON: names of keys by path below the package, and by name of a library that seems to be of another version.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import burn_verify
from burn_verify.burn import batch, convert, release
from burn_verify.burn.workspace import Workspace
from burn_verify.cases import load
from burn_verify.cases.conformance import collection as conformance
from burn_verify.cases.generated import collection as generated
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel, PreparedCase, Reference
from burn_verify.core.target import Target
from burn_verify.reference import measure, oracle
from burn_verify.run import known_verdicts
from burn_verify.several import collection as several
from burn_verify.system import made_by
from burn_verify.system.cache import Cache

PACKAGE = Path(burn_verify.__file__).parent
LIBRARIES = ("onnx", "onnxruntime", "numpy", "ml_dtypes", "hypothesis", "allpairspy", "pytest", "rich")


def keys(folder: Path, workspace: Workspace) -> dict[str, str]:
    """Return every key of the cache for one and the same model, by folder of the cache."""
    made_by.source_digest.cache_clear()
    made_by.installed_version.cache_clear()
    path = folder / "model.onnx"
    case = Case(id="file/model", corpus="file", source=ModelFile(path=path))
    prepared = PreparedCase(case=case, model=path, digest="0" * 64, op_types=(), opset=17, inputs=(), outputs=())
    reference = Reference(path=folder / "reference.safetensors", data_sets=("seeded",), seconds=0.0)
    model = ConvertedModel(label="model", module="m_0", rust=path, weights=path, seconds=0.0)
    return {
        "reference": oracle.key_of(prepared),
        "measured": measure.key_of(prepared, reference),
        "conformance": conformance.key(),
        "generated": generated.key(),
        "several": several.key(),
        "seeded": load.SEEDED_BY.digest,
        "converted": convert.key_of(prepared, workspace.converter_fingerprint, {"simplify": True, "partition": True}),
        "binaries": batch.key_of(workspace, [model]),
        "release": release.key_of(workspace, model),
        "ready": workspace.fingerprint,
        "verdicts": known_verdicts.MADE_BY.digest,
    }


@contextmanager
def changed_byte(path: Path) -> Iterator[None]:
    """Change the last byte of a file for a while."""
    before = path.read_bytes()
    path.write_bytes(before[:-1] + (b" " if before[-1:] != b" " else b"\n") if before else b"\n")
    yield
    path.write_bytes(before)


@contextmanager
def other_version(library: str, folder: Path) -> Iterator[None]:
    """Let a library seem to be of another version for a while."""
    shadow = folder / library
    note = shadow / f"{library}-9999.dist-info" / "METADATA"
    note.parent.mkdir(parents=True)
    note.write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 9999\n", encoding="utf-8")
    sys.path.insert(0, str(shadow))
    yield
    sys.path.remove(str(shadow))


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [name for name, key in after.items() if key != before[name]]


def main(folder: Path) -> None:
    """Print what changes which keys."""
    (folder / "model.onnx").write_bytes(b"model")
    workspace = Workspace.of(Cache(folder / "cache"), silent, Target())
    before = keys(folder, workspace)
    found = {}
    for path in (path for path in sorted(PACKAGE.rglob("*")) if path.is_file()):
        with changed_byte(path):
            # Rust is read when a workspace is made, which asks for the compiler and takes its time.
            fresh = workspace if path.suffix == ".py" else Workspace.of(Cache(folder / "cache"), silent, Target())
            found[str(path.relative_to(PACKAGE))] = changed(before, keys(folder, fresh))
    for name in LIBRARIES:
        with other_version(name, folder):
            found[name] = changed(before, keys(folder, workspace))
    assert keys(folder, workspace) == before
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
