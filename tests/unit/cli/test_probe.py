"""The command ``burn-verify probe``, with fakes for ONNX Runtime and Burn; tests/serve builds one."""

from pathlib import Path

import pytest

import shipped
from burn_verify.burn.wasm import PLATFORM, RUSTC
from burn_verify.core.errors import ConvertError
from fakes import Faults

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_what_does_not_pass_is_not_probed(command, tmp_path):
    faults = Faults({("convert", "add"): ConvertError("no such operator")})

    code, out, err = command("probe", ADD, "-o", tmp_path / "made", seams=shipped.seams(faults))

    assert (code, out) == (1, "")
    assert "file/add is not probed: convert: no such operator" in err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [((ADD, "-o", "."), "nothing is overwritten"), ((ADD.parent, "-o", "made"), "models: name one"), ((ADD,), "-o/--")],
)
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("probe", *words, seams=shipped.seams())

    assert (code, out) == (4, "")
    assert message in err


def test_without_a_standard_library_there_is_no_webassembly(command, tmp_path, monkeypatch):
    monkeypatch.setenv(RUSTC, str(tmp_path / "none"))

    code, out, err = command("probe", ADD, "-o", tmp_path / "made", "--platform", PLATFORM, seams=shipped.seams())

    assert (code, out) == (3, "")
    assert "does not know wasm32-wasip1" in err
