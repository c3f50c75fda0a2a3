"""The command ``burn-verify blame``, with fakes for ONNX Runtime and Burn."""

from pathlib import Path

import pytest

from fakes import seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_targets_that_answer_alike_have_no_part_to_blame(command):
    code, out, _ = command("blame", ADD, "--good", "flex", "--bad", "wgpu", seams=seams())

    assert code == 2
    assert "good: Burn 0.22.1 on flex: agrees" in out
    assert out.splitlines()[-1] == "the results do not differ: no part is to blame"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((ADD, "--good", "flex", "--bad", "flex"), "are the same target"),
        ((ADD, "--good", "flex", "--bad", "tpu"), "--bad tpu: "),
        (("file/add", "--good", "flex", "--bad", "wgpu"), "name the .onnx file"),
        ((ADD, "--good", "flex"), "the following arguments are required: --bad"),
    ],
)
def test_a_mistake_is_one_line(command, words, message):
    code, out, err = command("blame", *words, seams=seams())

    assert (code, out) == (4, "")
    assert message in err
    assert "Traceback" not in err


def test_another_python_needs_burn_verify(command, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)

    code, _, err = command("blame", ADD, "--good", "flex", "--bad", "wgpu", "--good-python", python, seams=seams())

    assert code == 4
    assert "this is no Python with burn-verify" in err
