"""The command ``burn-verify load``: what is wrong is told before anything is built; ship/test_load has the load."""

from pathlib import Path

import pytest

from burn_verify.core.errors import ConvertError
from fakes import Faults, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_what_does_not_pass_is_not_loaded(command):
    code, out, err = command("load", ADD, seams=seams(Faults({("convert", "add"): ConvertError("no such operator")})))

    assert (code, out) == (1, "")
    assert "file/add is not loaded: convert: no such operator" in err


@pytest.mark.parametrize("words", [("--requests", "0"), ("--clients", "1000"), ("--clients", "-1")])
def test_a_mistake_is_one_line(command, words):
    code, out, err = command("load", ADD, *words, seams=seams())

    assert (code, out) == (4, "")
    assert f"{words[0]}: a number from 1" in err
