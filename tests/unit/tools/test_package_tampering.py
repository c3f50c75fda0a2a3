"""What is changed in a packaged crate is one thing, and the page says what came of it."""

import difflib

import numpy as np
import pytest
from safetensors.numpy import load, save

from package_tampering import Row, changed, changes, other_byte, other_digit, other_line, other_script, outcome, page

CODE = """\
impl Model {
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let constant1_out1 = self.constant1.val();
        let conv1_out1 = self.conv1.forward(x);
        let shape1_out1 = [1, 2];
        let add1_out1 = conv1_out1.add(constant1_out1);
        add1_out1
    }
}
"""
ROWS = [
    Row(model="a", style="pregenerated", change="", green=True, failed=(), said="", seconds=61.0, packaging=2.0),
    Row(
        model="a",
        style="pregenerated",
        change="one byte of the weights",
        green=False,
        failed=("these_are_the_files",),
        said="weights/model.bpk was changed | here",
        seconds=2.0,
    ),
    Row(model="a", style="build.rs", change="one byte of the model", green=True, failed=(), said="", seconds=3.0),
]


def lines_changed(before, after):
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def test_one_byte_is_another():
    whole = bytes(range(100))

    assert sum(one != other for one, other in zip(whole, other_byte(whole), strict=True)) == 1


@pytest.mark.parametrize("value", [-0.97556, 0.0, 7.0, 9.25e-9])
def test_one_digit_of_the_first_answer_is_another(value):
    stored = {"000/in/000": np.array([value]), "000/out/000": np.array([value, 2.0]), "000/out/001": np.array([3.0])}

    came = load(other_digit(save(stored)))

    differing = {name for name, array in stored.items() if came[name].tobytes() != array.tobytes()}
    assert differing == {"000/out/000"}
    assert (came["000/out/000"] != stored["000/out/000"]).tolist() == [True, False]


def test_one_line_of_the_forward_pass_is_another():
    less, more = [line for line in lines_changed(CODE, other_line(CODE.encode()).decode()) if "let" in line]

    assert less == "-         let add1_out1 = conv1_out1.add(constant1_out1);"
    assert more == "+         let add1_out1 = { let it = conv1_out1.add(constant1_out1); it.clone() + it };"


def test_a_build_script_adds_a_line_to_the_code():
    text = other_script(b"fn main() {\n    a();\n}\n").decode()

    assert text.startswith("fn main() {\n    a();\n")
    assert "const CHANGED" in text
    assert text.count("{") == text.count("}")


def test_what_cannot_be_changed_is_told(tmp_path):
    with pytest.raises(ValueError, match="no end"):
        other_script(b"")
    with pytest.raises(ValueError, match="no line"):
        other_line(b"pub fn forward(&self) {}")
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(ValueError, match="a is not changed"), changed(tmp_path / "a", lambda whole: whole):
        pass


def test_a_file_is_put_back(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with changed(tmp_path / "a", other_byte):
        assert (tmp_path / "a").read_bytes() != b"abc"
    assert (tmp_path / "a").read_bytes() == b"abc"


def test_both_kinds_of_code_are_changed():
    assert {path for style in ("build.rs", "pregenerated") for _, path, _ in changes(style)} == {
        "weights/model.bpk",
        "tests/golden.safetensors",
        "src/generated.rs",
        "build.rs",
        "model/model.onnx",
    }


def test_what_cargo_says_is_read():
    out = """\
test a ... ok
test b ... FAILED

---- b stdout ----
thread 'b' (7) panicked at tests/golden.rs:23:9:
x was changed
"""
    assert outcome(out, "error: test failed") == {"failed": ("b",), "said": "x was changed"}
    assert outcome("", "warning: a\nerror[E0425]: no value `a`") == {
        "failed": (),
        "said": "error[E0425]: no value `a`",
    }


def test_the_page_counts_and_names_what_is_wrong():
    text = page(ROWS, "Made by hand.")

    assert "1 of 1 runs of crates as they were written are green, 1 of 2 runs after a change are red." in text
    assert r"weights/model.bpk was changed \| here" in text
    assert "Wrong: a, build.rs: one byte of the model" in text
    assert "Wrong" not in page(ROWS[:2], "")
