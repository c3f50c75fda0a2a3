"""What is kept is found again only by the very code and libraries that made it.

Files are changed in a copy of the package, by `keys_of_a_copy` in a process of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import burn_verify
from burn_verify.burn.convert import key_of as converted_key
from burn_verify.burn.workspace import MADE_BY as COMPILED_BY
from burn_verify.cases.index import MADE_BY as COLLECTED_BY
from burn_verify.cases.load import SEEDED_BY
from burn_verify.core.case import Case, Hints, InputHint, ModelFile
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import PreparedCase, StoredFiles
from burn_verify.reference.oracle import MADE_BY as ANSWERED_BY
from burn_verify.reference.oracle import key_of as reference_key
from burn_verify.run.known_verdicts import MADE_BY as SAID_BY
from burn_verify.several.collection import MADE_BY as WOVEN_BY
from burn_verify.system.made_by import MadeBy
from imports import imported_names

PACKAGE = Path(burn_verify.__file__).parent
PROGRAM = Path(__file__).with_name("keys_of_a_copy.py")
MADE_BY = {
    "reference": ANSWERED_BY,
    "measured": ANSWERED_BY,
    "conformance": COLLECTED_BY,
    "generated": COLLECTED_BY,
    "several": WOVEN_BY,
    "seeded": SEEDED_BY,
    "binaries": COMPILED_BY,
    "release": COMPILED_BY,
    "verdicts": SAID_BY,
}
"""By folder of the cache."""

OF_RUST = {"converted", "binaries", "release", "ready"}
"""Kept, and decided by our Rust."""

ANSWER_NOTHING = {
    "PIL",
    "burn_verify",
    "filelock",
    "google",
    "jsonschema",
    "platformdirs",
    "pooch",
    "psutil",
    "requests",
    "rich",
    "safetensors",
    "tokenizers",
    "wasmtime",
    "zstandard",
}
"""Distributions that rooms import and that decide no value of a corpus: locks, folders, downloads, the terminal,
containers, hosts of programs, and what reads models and data of the user's own."""


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """The keys that change with one byte of a file, or with the version of a library."""
    folder = tmp_path_factory.mktemp("keys")
    shutil.copytree(PACKAGE, folder / "copy" / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", "target"))
    environment = {**os.environ, "PYTHONPATH": str(folder / "copy"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def modules(made_by: MadeBy) -> set[str]:
    return {str(path.relative_to(PACKAGE)) for room in made_by.rooms for path in (PACKAGE / room).rglob("*.py")}


@pytest.mark.parametrize("kept", MADE_BY)
def test_each_module_of_the_rooms_is_in_the_key(changes: Mapping[str, list[str]], kept: str) -> None:
    python = {path for path in changes if path.endswith(".py")}
    assert {path for path in python if kept in changes[path]} == modules(MADE_BY[kept])


@pytest.mark.parametrize("kept", sorted(OF_RUST))
def test_each_file_of_the_workspace_is_in_the_key(changes: Mapping[str, list[str]], kept: str) -> None:
    rust = {path for path in changes if path.startswith("rust/")}
    other = {path for path in rust if "/versions/" in path or path.endswith(".md")}
    overlaid = {"rust/Cargo.lock"} & {path.replace("compat/versions/0.22.1/", "") for path in other}
    assert {path for path in rust if kept in changes[path]} == rust - other - overlaid


@pytest.mark.parametrize("kept", MADE_BY)
def test_the_versions_of_the_libraries_are_in_the_key(changes: Mapping[str, list[str]], kept: str) -> None:
    assert {name for name in ("pytest", "rich", *COLLECTED_BY.libraries) if kept in changes[name]} == set(
        MADE_BY[kept].libraries
    )


@pytest.mark.parametrize("kept", MADE_BY)
def test_rooms_of_a_key_are_closed_under_import(kept: str) -> None:
    made_by = MADE_BY[kept]
    own = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in modules(made_by)}
    names = (name for path in modules(made_by) for name in imported_names(PACKAGE / path))
    ours = {name.removeprefix("burn_verify.") for name in names if name.startswith("burn_verify.")}
    strays = {name for name in ours if name not in own and name.rpartition(".")[0] not in own}
    assert strays - {"__version__"} == set()


@pytest.mark.parametrize("kept", sorted(set(MADE_BY) - {"verdicts"}))  # its rooms are nearly all: they print, too
def test_libraries_of_a_key_are_all_that_the_rooms_import(kept: str) -> None:
    names = (name.partition(".")[0] for path in modules(MADE_BY[kept]) for name in imported_names(PACKAGE / path))
    assert set(names) - sys.stdlib_module_names - ANSWER_NOTHING - set(MADE_BY[kept].libraries) == set()


def prepared(tmp_path: Path) -> PreparedCase:
    path = tmp_path / "model.onnx"
    case = Case(id="file/model", corpus="file", source=ModelFile(path=path))
    return PreparedCase(case=case, model=path, digest="0", op_types=(), opset=17, inputs=(), outputs=())


def test_what_is_fed_is_in_the_key_of_a_reference(tmp_path: Path) -> None:
    plain = prepared(tmp_path)
    data = tmp_path / "input_0.pb"
    data.write_bytes(b"one")
    stored = StoredFiles(name="stored", inputs=(data,), outputs=())
    hinted = replace(plain.case, hints=Hints(inputs=(InputHint(name="x", scale=2.0),)))
    others = [
        replace(plain, fed=()),
        replace(plain, digest="1"),
        replace(plain, case=hinted),
        replace(plain, stored=(stored,)),
        replace(plain, stored=(stored,), fed=()),
        replace(plain, stored=(replace(stored, name="other"),)),
    ]
    assert len({reference_key(one) for one in (plain, *others)}) == 1 + len(others)
    # One model is fed the same under every name.
    assert reference_key(replace(plain, case=replace(plain.case, id="file/other"))) == reference_key(plain)


def test_stored_data_are_keyed_by_their_content(tmp_path: Path) -> None:
    data = tmp_path / "input_0.pb"
    data.write_bytes(b"one")
    times = data.stat()
    case = replace(prepared(tmp_path), stored=(StoredFiles(name="stored", inputs=(data,), outputs=()),))
    before = reference_key(case)
    data.write_bytes(b"two")
    os.utime(data, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert reference_key(case) != before
    data.unlink()
    with pytest.raises(OracleError, match="stored test data cannot be read"):
        reference_key(case)


def test_what_the_converter_is_asked_is_in_its_key(tmp_path: Path) -> None:
    case = prepared(tmp_path)
    options = [{"simplify": one, "partition": other} for one in (False, True) for other in (False, True)]
    found = {converted_key(case, fingerprint, asked) for fingerprint in ("a", "b") for asked in options}
    found.add(converted_key(replace(case, digest="1"), "a", options[0]))
    assert len(found) == 9
