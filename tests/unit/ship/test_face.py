"""The typed face: the types that burn-onnx wrote, under names that Rust takes."""

import pytest

from burn_verify.core.case import TensorSpec
from burn_verify.core.errors import ConvertError
from burn_verify.ship.face import RUST_WORDS, described, face_of, identifiers, port_table, portable, struct

GENERATED = """\
// Generated from ONNX "/somewhere/a.onnx" by burn-onnx
use burn::prelude::*;

impl Sub {
    pub fn forward(&self, a: Tensor<9>) -> Tensor<9> {
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::from_file(
            "/somewhere/a.bpk",
            &Default::default(),
        )
    }
}

impl Model {
    pub fn new(device: &Device) -> Self {
    }

    pub fn forward(SIGNATURE {
    }
}
"""


def spec(name, dtype="float32", shape=(1,)):
    return TensorSpec(name=name, dtype=dtype, shape=shape)


def face(signature, inputs, outputs):
    return face_of(GENERATED.replace("SIGNATURE", signature), [*map(spec, inputs)], [*map(spec, outputs)])


@pytest.mark.parametrize(
    ("signature", "takes", "gives"),
    [
        ("&self, a: Tensor<2>) -> Tensor<1, Int>", ["Tensor<2>"], ["Tensor<1, Int>"]),
        ("&self) -> Tensor<1, Bool>", [], ["Tensor<1, Bool>"]),
        (
            "\n        &self,\n        a: Tensor<4>,\n        b: [i64; 3],\n    ) -> (Tensor<2>, i64)",
            ["Tensor<4>", "[i64; 3]"],
            ["Tensor<2>", "i64"],
        ),
        (
            "&self, a: half::f16, b: bool) -> (\n        [i64; 2],\n        f64,\n    )",
            ["half::f16", "bool"],
            ["[i64; 2]", "f64"],
        ),
    ],
)
def test_types_are_read_from_the_signature(signature, takes, gives):
    found = face(signature, [f"i{place}" for place in range(len(takes))], [f"o{place}" for place in range(len(gives))])

    assert [port.kind for port in found.inputs] == takes
    assert [port.kind for port in found.outputs] == gives


@pytest.mark.parametrize("text", ["fn main() {}", GENERATED.replace("SIGNATURE", "&self, a: f32, b: f32) -> f32")])
def test_code_that_does_not_fit_the_graph_is_an_error(text):
    with pytest.raises(ConvertError, match="the model takes 1 and gives 1"):
        face_of(text, [spec("a")], [spec("b")])


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (["Input3"], ("input3",)),
        (["input_ids", "input.ids", "input:ids"], ("input_ids", "input_ids_2", "input_ids_3")),
        (["type", "self", "fn"], ("type_", "self_", "fn_")),
        (["123", "", "/", "é"], ("_123", "value", "value_2", "value_3")),
        (["inputIds", "X", "x"], ("input_ids", "x", "x_2")),
        (["a_2", "a", "a"], ("a_2", "a", "a_3")),
    ],
)
def test_names_become_identifiers_that_are_unique(names, fields):
    assert identifiers(names) == fields
    assert not set(fields) & RUST_WORDS


def test_generated_code_without_what_names_a_machine():
    text = portable(GENERATED)

    assert "somewhere" not in text
    assert "impl Default" not in text
    assert text.count("impl Model") == 1


def test_ports_as_rust():
    (port,) = face("&self, a: Tensor<3>) -> f32", ['a "quoted"'], ["o"]).inputs
    port = type(port)(field=port.field, kind=port.kind, name=port.name, dtype="float16", shape=(1, "batch", None))

    assert described(port) == '`a "quoted"`: float16[1, batch, ?]'
    assert 'name: "a \\"quoted\\"", dtype: "float16", shape: &[Some(1), None, None]' in port_table("INPUTS", [port])
    assert "pub a_quoted: Tensor<3>," in struct("Inputs", "What goes in.", [port])
