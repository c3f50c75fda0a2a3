"""Conversions are kept by content; the converter is not started for what is kept."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from burn_verify.burn.convert import Converter, key_of
from burn_verify.cases.load import prepare
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import ConvertError
from burn_verify.core.stage import PreparedCase
from burn_verify.system.cache import Cache
from burn_verify.system.kept import seal

FIXTURES = Path(__file__).parents[3] / "fixtures"
OPTIONS = {"simplify": True, "partition": True}


@pytest.fixture
def prepared(tmp_path):
    model = tmp_path / "a.onnx"
    case = Case(id="file/a", corpus="file", source=ModelFile(path=model))
    return PreparedCase(case=case, model=model, digest="00", op_types=(), opset=17, inputs=(), outputs=())


@pytest.fixture
def converter(cache):
    made = Converter(cache, Path("no-such-program"), "1", **OPTIONS, timeout=1.0, memory_limit=0)
    yield made
    made.close()


def kept(cache, prepared):
    folder = cache.folder("converted", key_of(prepared, "1", OPTIONS))
    files = [folder / name for name in ("model.rs", "model.bpk")]
    for file in files:
        file.touch()
    seal(folder / "done.json", files, model="file/other", seconds=3.0)
    return folder


def test_what_decides_is_in_the_key(prepared):
    keys = {
        key_of(prepared, "1", OPTIONS),
        key_of(replace(prepared, digest="01"), "1", OPTIONS),
        key_of(prepared, "2", OPTIONS),
        key_of(prepared, "1", {**OPTIONS, "simplify": False}),
    }

    assert len(keys) == 4


def test_a_kept_conversion_needs_no_converter(cache, converter, prepared):
    folder = kept(cache, prepared)

    model = converter.convert(prepared)

    assert (model.label, model.module, model.seconds) == ("file/a", f"m_{folder.name}", 0.0)
    assert (model.rust, model.weights) == (folder / "model.rs", folder / "model.bpk")


def test_a_folder_without_weights_is_converted_again(cache, converter, prepared):
    (kept(cache, prepared) / "model.bpk").unlink()

    with pytest.raises(ConvertError, match="cannot be started"):
        converter.convert(prepared)


def test_a_file_name_that_is_no_utf_8_is_refused_before_the_converter_starts(converter, prepared):
    with pytest.raises(ConvertError, match="is no UTF-8"):
        converter.convert(replace(prepared, model=Path("caf\udce9.onnx")))


@pytest.fixture
def fake(cache: Cache, tmp_path: Path) -> Iterator[Converter]:
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
def add(cache: Cache, tmp_path: Path) -> PreparedCase:
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
    fake: Converter, add: PreparedCase, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    model = fake.convert(add)
    known = fake.convert(add)
    assert (model.seconds > 0, known.seconds) == (True, 0.0)
    damage(model.rust.parent / name)
    again = fake.convert(add)
    assert again.seconds > 0
    for path in (again.rust, again.weights):
        assert path.read_bytes() == (tmp_path / "rust" / path.name).read_bytes()


def refused(converter: Converter, prepared: PreparedCase) -> ConvertError:
    with pytest.raises(ConvertError) as error:
        converter.convert(prepared)
    return error.value


def test_a_refusal_is_kept_for_the_content_of_a_model_under_any_name(
    fake: Converter, prepared: PreparedCase, tmp_path: Path
) -> None:
    first = refused(fake, replace(prepared, model=tmp_path / "refuses.onnx"))
    other = refused(fake, replace(prepared, model=tmp_path / "other.onnx"))
    assert first.message.startswith("refuses.onnx is refused, request ")
    assert other.message == first.message.replace("refuses.onnx", "other.onnx")
    assert other.details == first.details
    assert first.details["location"] == "src/a.rs:3:5"


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
def test_a_damaged_refusal_is_asked_for_again(
    cache: Cache, fake: Converter, prepared: PreparedCase, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    named = replace(prepared, model=tmp_path / "refuses.onnx")
    first = refused(fake, named)
    damage(cache.folder("converted", key_of(prepared, "1", OPTIONS)) / "refused.json")
    second = refused(fake, named)
    assert (second.message != first.message, second.message[:-1]) == (True, first.message[:-1])


def test_what_the_system_refused_is_asked_for_again(fake: Converter, prepared: PreparedCase, tmp_path: Path) -> None:
    named = replace(prepared, model=tmp_path / "refuses-for-now.onnx")
    assert refused(fake, named).message != refused(fake, named).message


def test_a_record_has_a_key_and_a_file_of_its_own(cache: Cache, prepared: PreparedCase) -> None:
    options = {"record": "mpk.gz", "embed": False, "half": True}
    folder = cache.folder("converted", key_of(prepared, "1", options))
    files = [folder / name for name in ("model.rs", "model.mpk.gz")]
    for file in files:
        file.touch()
    seal(folder / "done.json", files, seconds=3.0)
    no_program = Path("no-such-program")
    made = Converter(cache, no_program, "1", **OPTIONS, record="mpk.gz", halves=True, timeout=1.0, memory_limit=0)

    assert made.convert(prepared).weights == folder / "model.mpk.gz"
