"""Short reasons from what burn-onnx, rustc and panics really say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.burn import reasons

CUSTOM = """\
Failed to parse ONNX file 'candy.onnx': model contains 3 custom op(s) with no covering inference hook:
  - Affine used by 1 node(s)
  - Crop used by 7 node(s)
  - ImageScaler used by 1 node(s)
Register hooks via ModelGen::register_custom_op."""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (CUSTOM, "unsupported operators: Affine, Crop, ImageScaler"),
        (
            "Failed to parse ONNX file 'm.onnx': Type inference failed: Node 'reduceprod1' (ReduceProd): "
            "Type mismatch: expected Tensor, got Shape(1)",
            "ReduceProd: Type mismatch: expected Tensor, got Shape(1)",
        ),
        (
            "Failed to parse ONNX file 's.onnx': Type inference failed: Node 'if1' (If): Failed to build "
            "then_branch: Type inference failed: Node 'lstm1' (Lstm): LSTM expects input tensor of rank 3, got rank 5",
            "Lstm: LSTM expects input tensor of rank 3, got rank 5",
        ),
        (
            "Code generation failed for node 'constant3' (Constant): called `Result::unwrap()` on an `Err` value: "
            "UnsupportedConversion { from: I8, to: I64 }",
            "Constant: called `Result::unwrap()` on an `Err` value: UnsupportedConversion { from: I8, to: I64 }",
        ),
        (
            "Failed to parse ONNX file '/a/b.onnx': Type inference failed: the graph has a cycle",
            "the graph has a cycle",
        ),
        ("Failed to parse ONNX file '/it's/b.onnx': Processing error: no outputs", "no outputs"),
        ("something new", "something new"),
        ("\n  first line\nsecond line\n", "first line"),
        ("", ""),
    ],
)
def test_a_refusal(message, reason):
    assert reasons.refusal(message).reason == reason


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1),
    st.text(st.characters(categories=["L", "N"]), min_size=1),
    st.integers(min_value=0),
)
@settings(deadline=None, derandomize=True)
def test_equal_causes_give_equal_reasons(path, node, count):
    def said(path, node):
        return f"Failed to parse ONNX file '{path}.onnx': Type inference failed: Node '{node}' (Gather): bad axis"

    assert (
        reasons.refusal(said(path, node)).reason == reasons.refusal(said("a", "gather1")).reason == "Gather: bad axis"
    )
    assert reasons.refusal(CUSTOM.replace("7", str(count)).replace("candy", path)) == reasons.refusal(CUSTOM)


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ([("E0308", "mismatched types")], "E0308: mismatched types"),
        ([(None, "aborting")], "aborting"),
        ([("E0308", "mismatched types"), ("E0061", "arguments"), (None, "x")], "E0308: mismatched types (+2 more)"),
    ],
)
def test_a_rejection(errors, reason):
    assert reasons.rejection(errors) == reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("index out of bounds\nnote: run with `RUST_BACKTRACE=1`", "index out of bounds"),
        ("\n=== Tensor Operation Error ===\n  Operation: 'Reshape'", "=== Tensor Operation Error ==="),
        ("", ""),
    ],
)
def test_a_panic(message, reason):
    assert reasons.panic(message) == reason


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("src/lib.rs:3:5", "src/lib.rs:3:5"),
        (
            "/home/somebody/.cargo/registry/src/index-1949cf8c6b5b557f/burn-tensor-0.22.1/src/tensor.rs:9:1",
            "burn-tensor-0.22.1/src/tensor.rs:9:1",
        ),
    ],
)
def test_a_location(text, location):
    assert reasons.location(text) == location


def test_a_location_in_a_given_folder_is_relative_to_it(tmp_path):
    text = f"panicked at {tmp_path}/m_1/model.rs:3:5, called from {tmp_path}/m_1/model.rs:9:1"
    assert reasons.location(text, tmp_path) == "panicked at m_1/model.rs:3:5, called from m_1/model.rs:9:1"


@given(st.text())
@settings(deadline=None, derandomize=True)
def test_a_reason_is_one_short_line(text):
    for reason in (reasons.refusal(text).reason, reasons.panic(text)):
        assert len(reason) <= 160
        assert "\n" not in reason


def test_what_is_cut_shows_it():
    assert reasons.panic("x" * 160) == "x" * 160
    assert reasons.panic("x" * 161) == "x" * 159 + "…"


def test_a_check_of_burn_is_known_by_its_operation_and_first_reason():
    message = (
        "=== Tensor Operation Error ===\n  Operation: 'Reshape'\n  Reason:\n"
        "    1. The shapes differ. Current shape: [0, 5], target shape: [1, 5, 5]. \n"
    )
    assert reasons.panic(message) == "Reshape: The shapes differ"


@pytest.mark.parametrize(
    ("message", "where", "kind", "reason"),
    [
        (
            "Unsupported ONNX operation(s): Foo (node 'foo1'), Bar (node 'bar1'), Foo (node 'foo2')",
            "burn-onnx-0.22.0/src/import/model_gen.rs:416:33",
            "unsupported operator",
            "unsupported operators: Foo, Bar",
        ),
        (
            "Node 'cast1' (Cast): Invalid attribute 'to': Float8 dtype (type_id=17) is not supported.",
            "burn-onnx-0.22.0/src/import/model_gen.rs:416:33",
            "unsupported attribute",
            "Cast: Invalid attribute 'to': Float8 dtype (type_id=…) is not supported.",
        ),
        (
            "Unsupported ops: [Foo, Bar, Foo]",
            "burn-import-0.19.1/src/onnx/model_gen.rs:533:13",
            "unsupported operator",
            "unsupported operators: Foo, Bar",
        ),
        (
            "burn-onnx does not currently support 3D max pooling",
            "burn-onnx-0.22.0/src/import/burn/node_codegen.rs:56:9",
            "unsupported attribute",
            "burn-onnx does not currently support 3D max pooling",
        ),
        (
            "called `Option::unwrap()` on a `None` value",
            "burn-onnx-0.22.0/src/import/burn/node_codegen.rs:56:9",
            "internal panic",
            "called `Option::unwrap()` on a `None` value",
        ),
    ],
)
def test_three_kinds_of_refusal_are_kept_apart(message, where, kind, reason):
    found = reasons.refusal(message, where)
    assert (found.kind, found.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("Unsupported ONNX operation(s): Foo (node 'foo1'), Bar (node 'bar1')", {"unsupported": ["Foo", "Bar"]}),
        ("  - mamba::Scan used by 2 node(s)", {"unsupported": ["mamba::Scan"]}),
        ("Node 'if1' (If): Node 'cast1' (Cast): no such dtype", {"operator": "Cast"}),
        ("Conv2d: no such padding", {"operator": "Conv2d"}),
        ("no such thing", {}),
    ],
)
def test_what_is_refused_is_named_in_fields(message, named):
    assert reasons.refusal(message).named == named


WGSL = """\
Error while reading data: use `try_into_data` instead to catch the error at runtime: An error happened during execution
Caused by:
  The bytes were never written (failure #19, still claiming 2 buffer(s))
Caused by:
  WGSL compilation failed for kernel `kernel_binop_c_i16_n_1_10110e5b`: Validation Error
"""
SHADER = """
Caused by:
  In Device::create_shader_module, label = 'kernel_binop_c_i16_n_1_10110e5b'

Shader 'kernel_binop_c_i16_n_1_10110e5b' parsing error: the `wgpu_int16` enable extension is not enabled
  ┌─ wgsl:1:58
"""


def test_a_failure_of_a_device_is_its_innermost_cause():
    assert reasons.panic(WGSL + SHADER) == "shader: the `wgpu_int16` enable extension is not enabled"
    assert reasons.panic(WGSL).startswith("WGSL compilation failed for kernel")


def test_a_check_with_an_abbreviation_is_told_whole():
    message = (
        "=== Tensor Operation Error ===\n  Operation: 'PReLu'\n  Reason:\n"
        "    1. Number of channels in input tensor and  number of weights must be equal Got no. of channels: 6, "
        "no. of weights: 4\n"
    )
    assert reasons.panic(message) == (
        "PReLu: Number of channels in input tensor and number of weights must be equal Got no. of channels: 6, "
        "no. of weights: 4"
    )


def test_a_long_refusal_ends_with_a_sentence():
    said = "burn-onnx does not currently support 3D max pooling: Burn lacks a native MaxPool3d primitive."
    refused = f"Node 'p1' (MaxPool3d): {said} Tracking issue: https://github.com/tracel-ai/burn-onnx/issues/{'1' * 60}"
    assert reasons.refusal(refused).reason == f"MaxPool3d: {said}"
