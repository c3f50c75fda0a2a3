"""The command ``burn-verify package``, with fakes for ONNX Runtime and Burn."""

from pathlib import Path

import pytest

import shipped
from burn_verify.core.errors import ConvertError
from fakes import Faults

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_a_crate_is_written(command, tmp_path):
    code, out, _ = command("package", ADD, "-o", tmp_path / "made", "--load", "file", seams=shipped.seams())

    assert code == 0
    assert "file/add agrees" in out
    assert (tmp_path / "made" / "build.rs").is_file()


def test_what_does_not_pass_is_not_packaged(command, tmp_path):
    faults = Faults({("convert", "add"): ConvertError("no such operator")})

    code, out, err = command("package", ADD, "-o", tmp_path / "made", seams=shipped.seams(faults))

    assert (code, out) == (1, "")
    assert "file/add is not packaged: convert: no such operator" in err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((ADD, "-o", "."), "nothing is overwritten"),
        ((ADD.parent, "-o", "made"), "models: name one"),
        ((ADD,), "-o/--output"),
        ((ADD, "-o", "made", "--load", "magic"), "invalid choice"),
    ],
)
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("package", *words, seams=shipped.seams())

    assert (code, out) == (4, "")
    assert message in err
