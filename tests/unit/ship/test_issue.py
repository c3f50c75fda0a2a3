"""The files of a folder that shows a failure."""

import io
import tomllib
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.graph.shrink import Draft
from burn_verify.ship.issue import Evidence, files_of
from handmade import model, value

RUST = """// Generated from ONNX "/home/me/tiny.onnx" by burn-onnx
impl Default for Model {
    fn default() -> Self {
        Self::from_file("/home/me/model.bpk", &Default::default())
    }
}

impl Model {
    pub fn forward(&self, input0: Tensor<1>, input1: i64) -> (Tensor<1>, [i64; 1]) {
        (input0, [1])
    }
}
"""
X = np.array([1.5, -2], np.float32)


def evidence(stage, **more):
    nodes = [helper.make_node("Neg", ["a"], ["y"]), helper.make_node("Shape", ["a"], ["s"])]
    ends = [value("a", shape=[2]), value("n", 7, [])], [value("y", shape=[2]), value("s", 7, [1])]
    result = CaseResult(
        case_id="tiny", corpus="file", stage=stage, outcome=Outcome.FAILED, reason="no Neg", message="no Neg\nat all",
        details={"rust": "let a = b;", "line": 7},
    )  # fmt: skip
    inputs = X, np.array(3)
    draft = Draft(model=model(nodes, *ends), inputs=inputs)
    return Evidence(title="zoo/large", target=Target(), result=result, draft=draft, versions={"burn": "0.22.1"}, **more)


def test_a_refusal_is_shown_by_burn_onnx_alone():
    made = files_of(evidence(Stage.CONVERT))
    assert b'input("tiny.onnx")' in made["src/main.rs"]
    assert set(tomllib.loads(made["Cargo.toml"].decode())["dependencies"]) == {"burn-onnx"}
    assert "src/model.rs" not in made
    onnx.checker.check_model(onnx.load_from_string(made["tiny.onnx"]))


def test_code_that_does_not_compile_is_in_the_folder():
    made = files_of(evidence(Stage.COMPILE, rust=RUST, weights=b"w"))
    assert set(tomllib.loads(made["Cargo.toml"].decode())["dependencies"]) == {"burn", "burn-store"}
    assert b"mod model;" in made["src/main.rs"]
    assert b"/home/me" not in made["src/model.rs"]
    assert made["model.bpk"] == b"w"
    assert "Generated line 7: `let a = b;`" in made["README.md"].decode()


def test_an_input_of_no_axes_has_a_shape_whose_type_rustc_knows():
    found = evidence(Stage.RUN, rust=RUST, weights=b"w")
    draft = replace(found.draft, inputs=(np.array(1.5, np.float32), np.array(3)))
    main = files_of(replace(found, draft=draft))["src/main.rs"].decode()
    assert ".to_vec(), [0usize; 0], DType::F32)" in main


@pytest.mark.parametrize("stage", [Stage.RUN, Stage.COMPARE])
def test_a_program_prints_what_is_expected_and_what_comes(stage):
    made = files_of(evidence(stage, rust=RUST, weights=b"w", expected=(-X, np.array([2])), actual=(X,)))
    main = made["src/main.rs"].decode()
    assert "Tensor::<1>::from_data(TensorData::from_bytes_vec(" in main
    assert "let input1 = 3;" in main
    assert 'println!("expected y: float32[2] [-1.5, 2.0]");' in main
    assert 'println!("expected s: int64[1] [2]");' in main
    assert 'println!("actual   s: [i64; 1] {output1:?}");' in main
    assert "let (output0, output1) = model.forward(input0, input1);" in main
    assert made["values/input0.bin"] == X.tobytes()
    np.testing.assert_array_equal(np.load(io.BytesIO(made["expected.npz"]))["y"], -X)
    report = made["README.md"].decode()
    assert "actual" in report
    assert len(report.splitlines()) < 40


def test_whole_numbers_are_not_shown_as_floats():
    kinds = RUST.replace("(Tensor<1>, [i64; 1])", "(Tensor<1>, Tensor<1, Int>)")
    large = np.array([2**60 + 1])
    made = files_of(evidence(Stage.COMPARE, rust=kinds, weights=b"w", expected=(X, large), actual=(X, large - 1)))
    main, report = made["src/main.rs"].decode(), made["README.md"].decode()
    assert 'println!("expected s: int64[1] [1152921504606846977]");' in main
    assert "output0.to_data().iter::<f64>()" in main
    some = files_of(evidence(Stage.COMPARE, rust=kinds.replace("Int>)", "Bool>)"), expected=(X, np.array([True]))))
    assert "output1.to_data().iter::<bool>()" in some["src/main.rs"].decode()
    assert "expected s: bool[1] [true]" in some["src/main.rs"].decode()
    assert "output1.to_data().iter::<i64>()" in main
    assert "actual   s: int64[1] [1152921504606846976]" in report


def test_the_message_names_the_file_that_is_there():
    some = evidence(Stage.CONVERT)
    message = f"Failed to parse ONNX file '{'0a' * 16}.onnx': no Neg"
    made = files_of(replace(some, result=replace(some.result, message=message)))
    assert "Failed to parse ONNX file 'tiny.onnx': no Neg" in made["README.md"].decode()


def test_code_with_numbers_of_half_precision_has_their_crate():
    made = files_of(evidence(Stage.COMPILE, rust=f"{RUST}// half::f16::ONE", weights=b"w"))
    assert set(tomllib.loads(made["Cargo.toml"].decode())["dependencies"]) == {"burn", "burn-store", "half"}


def test_two_projects_are_told_apart_in_a_shared_target_folder():
    versions = {
        tomllib.loads(files_of(evidence(stage))["Cargo.toml"].decode())["package"]["version"]
        for stage in (Stage.CONVERT, Stage.COMPILE)
    }
    assert len(versions) == 2


def test_nothing_of_ours_is_needed():
    for stage in (Stage.CONVERT, Stage.COMPILE, Stage.COMPARE):
        made = files_of(evidence(stage, rust="" if stage is Stage.CONVERT else RUST))
        assert "burn_verify" not in (made["src/main.rs"] + made["Cargo.toml"]).decode()


def test_known_cases_are_named():
    assert "node/test_neg" in files_of(evidence(Stage.CONVERT, known=("node/test_neg",)))["README.md"].decode()
