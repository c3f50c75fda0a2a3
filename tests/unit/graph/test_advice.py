"""What of a model burn-onnx is known to stumble over, told in the model's own names."""

import os
from pathlib import Path

import numpy as np
import onnx.inliner
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.graph.advice import advice, plain, without_tensor

FLOAT = TensorProto.FLOAT


def a_model(nodes, inputs=("x",), outputs=("y",), weights=(), shape=(2, 3), functions=()):
    values, results = (
        [helper.make_tensor_value_info(name, FLOAT, shape) for name in names] for names in (inputs, outputs)
    )
    tensors = [numpy_helper.from_array(np.ones(3, np.float32), name) for name in weights]
    return helper.make_model(
        helper.make_graph(nodes, "g", values, results, tensors),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)],
        functions=functions,
        ir_version=8,
    )


def node(op_type, inputs, outputs, **fields):
    return helper.make_node(op_type, list(inputs), list(outputs), **fields)


def test_a_model_that_nothing_speaks_against_gets_no_advice():
    assert advice(a_model([node("Mul", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"])], weights=["w"])) == ()


@pytest.mark.parametrize("name", ["ref", "type", "self", "Self", "yield", "gen"])
def test_a_keyword_of_rust(name):
    (said,) = advice(a_model([node("Relu", [name], ["y"])], inputs=[name]))
    assert said.startswith(f"input `{name}` is a Rust keyword")
    (said,) = advice(a_model([node("Relu", ["x"], [name])], outputs=[name]))
    assert said.startswith(f"output `{name}` is a Rust keyword")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (a_model([node("Mul", ["P", "p"], ["y"])], inputs=["p"], weights=["P"]), "`p` and `P` differ in case only"),
        (
            a_model([node("Mul", ["x", "W"], ["h"]), node("Mul", ["h", "w"], ["y"])], weights=["W", "w"]),
            "`W` and `w` differ in case only",
        ),
        (
            a_model([node("Mul", ["x", "R"], ["r"]), node("Relu", ["r"], ["y"])], weights=["R"]),
            "`R` and `r` differ in case only",
        ),
        (
            a_model([node("Sum", ["a/b", "a:b", "a.b"], ["y"])], inputs=["a/b", "a:b", "a.b"]),
            "`a/b` and `a:b` and `a.b` differ in punctuation only",
        ),
        (
            a_model([node("Mul", ["x", "x"], ["c:0"]), node("Add", ["c:0", "x"], ["c/0"]), node("Relu", ["c/0"], "y")]),
            "`c:0` and `c/0` differ in punctuation only",
        ),
        (
            a_model([node("Sum", ["out", "out.", "/out"], ["y"])], inputs=["out", "out.", "/out"]),
            "`out` and `out.` and `/out` are written alike",
        ),
        (
            a_model([node("Sum", ["fooBar", "foo_bar"], ["y"])], inputs=["fooBar", "foo_bar"]),
            "`fooBar` and `foo_bar` are written alike",
        ),
        (a_model([node("Relu", ["x"], ["y"])], shape=None), "input `x` has no shape"),
        (a_model([node("Sum", ["a", "b"], ["y"])], inputs=["a", "b"], shape=None), "inputs `a`, `b` have no shape"),
    ],
)
def test_names_that_collide_and_shapes_that_are_missing(model, said):
    (told,) = advice(model)
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a/b:0", "a_b_0"),
        ("a..b__c", "a_b_c"),
        ("fooBarBAZ", "foo_bar_baz"),
        ("out.", "out"),
        ("/x", "x"),
        ("//x", "_x"),
        ("_x_", "_x"),
        ("0", "_0"),
        ("...", "_"),
        ("Ünï", "n"),
        ("", ""),
    ],
)
def test_a_name_as_burn_onnx_writes_it(name, written):
    assert plain(name) == written


def a_type(word):
    """A type in the words of the sentence that tells it: the inner ones first."""
    tensor = helper.make_tensor_type_proto(FLOAT, [2])
    zipped = helper.make_map_type_proto(TensorProto.INT64, tensor)
    return {
        "sequence": helper.make_sequence_type_proto(tensor),
        "zipmap": helper.make_sequence_type_proto(zipped),
        "map": zipped,
        "optional": helper.make_optional_type_proto(helper.make_sequence_type_proto(tensor)),
        "sparse": helper.make_sparse_tensor_type_proto(FLOAT, [2]),
        "tensor": tensor,
        "nothing": onnx.TypeProto(),
    }[word]


@pytest.mark.parametrize(
    ("word", "kind", "said"),
    [
        ("sequence", "sequence", "a sequence of (a tensor of float32)"),
        ("zipmap", "sequence", "a sequence of (a map of int64 to (a tensor of float32))"),
        ("map", "map", "a map of int64 to (a tensor of float32)"),
        ("optional", "optional", "an optional (a sequence of (a tensor of float32))"),
        ("sparse", "sparse_tensor", "a sparse tensor of float32"),
        ("tensor", None, None),
        ("nothing", None, None),
    ],
)
@pytest.mark.parametrize("put", ["input", "output"])
def test_what_is_no_tensor_is_named(word, kind, said, put):
    model = a_model([node("Relu", ["x"], ["y"])])
    value = (model.graph.input if put == "input" else model.graph.output)[0]
    value.type.CopyFrom(a_type(word))

    assert without_tensor(model) == kind
    told = [line for line in advice(model) if "tensors only" in line]
    assert [line.partition(", and Burn has a value for tensors only: ")[0] for line in told] == [
        f"{put} `{value.name}` is {said}" for kind in [kind] if kind
    ]
    assert [("zipmap" in line) for line in told] == [word == "zipmap" and put == "output" for _ in told]


def test_a_scalar_has_a_shape():
    assert advice(a_model([node("Relu", ["x"], ["y"])], shape=())) == ()


def test_local_functions_have_to_be_inlined():
    twice = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    model = a_model([node("Twice", ["x"], ["y"], domain="mine")], functions=[twice])
    (said,) = advice(model)
    assert said.startswith("the model has local functions ('Twice')")
    assert "onnx.inliner.inline_local_functions" in said
    assert advice(onnx.inliner.inline_local_functions(model)) == ()


def test_many_are_told_by_the_first_few():
    names = [f"{letter}{case}" for letter in "abcdef" for case in ("x", "X")]
    (said,) = advice(a_model([node("Sum", names, ["y"])], inputs=names))
    assert said.startswith("`ax` and `aX`, `bx` and `bX`, `cx` and `cX` and 3 more differ in case only")


FAULTS = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or "nowhere").parent / "faults"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("03-expand-by-shape", "input `ref` is a Rust keyword"),
        ("04-range-positions", "`P` and `p`"),
        ("22-names-collide", "`a/b` and `a:b` and `a.b`, `c:0` and `c/0` differ in punctuation only"),
        ("27-optional-skipped", "`R` and `r` differ in case only"),
        ("43-local-function", "the model has local functions ('Twice')"),
        ("69-shape-not-said", "input `x` has no shape"),
        ("81-weights-differ-by-case", "`W` and `w`, `R` and `r` differ in case only"),
        ("91-local-function-2", "the model has local functions ('Twice')"),
    ],
)
def test_models_of_public_reports_are_told_what_they_stumble_over(name, said):
    path = FAULTS / f"{name}.onnx"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here: it lies beside the folder that BURN_VERIFY_ZOO_MIRROR names")
    (told,) = advice(onnx.load(path))
    assert said in told
