"""What the converter made is kept, and made again where it was damaged."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from burn_verify.burn.convert import Converter
from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.stage import PreparedCase
from burn_verify.system.cache import Cache

FIXTURES = Path(__file__).parents[3] / "fixtures"


@pytest.fixture
def converter(cache: Cache, tmp_path: Path) -> Iterator[Converter]:
    """Return a converter that hands out the same two files for every model."""
    rust, binary = tmp_path / "rust", tmp_path / "converter"
    rust.mkdir()
    (rust / "model.rs").write_text("// a model\n" * 100)
    (rust / "model.bpk").write_bytes(bytes(range(256)) * 16)
    words = [sys.executable, "-S", "-E", str(FIXTURES / "fake_child.py"), "converter", "--rust", str(rust)]
    binary.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n")
    binary.chmod(0o755)
    made = Converter(cache, binary, "1", simplify=True, partition=True, timeout=60, memory_limit=0)
    yield made
    made.close()


@pytest.fixture
def prepared(cache: Cache, tmp_path: Path) -> PreparedCase:
    path = tmp_path / "add.onnx"
    shutil.copy(FIXTURES / "add.onnx", path)
    return prepare(Case(id="file/add", corpus="file", source=ModelFile(path=path)), cache)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
@pytest.mark.parametrize("name", ["model.rs", "model.bpk", "done.json"])
def test_damage_is_mended(
    converter: Converter, prepared: PreparedCase, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    model = converter.convert(prepared)
    known = converter.convert(prepared)
    assert (model.seconds > 0, known.seconds) == (True, 0.0)
    damage(model.rust.parent / name)
    again = converter.convert(prepared)
    assert again.seconds > 0
    for path in (again.rust, again.weights):
        assert path.read_bytes() == (tmp_path / "rust" / path.name).read_bytes()
