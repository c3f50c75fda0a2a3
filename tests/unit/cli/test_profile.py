"""The command ``burn-verify profile``, with fakes for ONNX Runtime and Burn."""

from pathlib import Path

import pytest

from burn_verify.core.errors import CompileError
from fakes import Faults, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_places_of_a_model_are_timed(command):
    code, out, _ = command("profile", ADD, "--cuts", "1", seams=seams())

    assert code == 0
    assert "Add" in out
    assert "the slowest of file/add:" in out


def test_a_prefix_that_does_not_compile_is_named(command):
    class Always(dict):
        def get(self, key, default=None):
            return CompileError("no", "no") if key[0] == "build" else default

    code, _, err = command("profile", ADD, "--cuts", "1", seams=seams(Faults(Always())))

    assert code == 1
    assert "file/add to node 1 was not timed: no" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [((ADD, "--cuts", "0"), "at least one place is needed"), ((ADD.parent,), "models: name one at a time")],
)
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("profile", *words, seams=seams())

    assert (code, out) == (4, "")
    assert message in err
