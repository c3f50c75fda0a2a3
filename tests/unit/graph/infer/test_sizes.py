"""Rules for dimensions."""

import numpy as np
import pytest

from burn_verify.graph.infer.rules import infer
from burn_verify.graph.infer.sizes import is_batch
from parsed import parsed


def dims(text, opset=17, **weights):
    return infer(parsed(text, opset, **weights)).dims


def ones(*shape):
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    ("text", "shape", "size"),
    [
        ("(float[N,K,H,W] x) => (float[N,2,?,?] y) { y = Conv(x, w) }", (2, 3, 3, 3), 3),
        ("(float[N,K,H,W] x) => (float[N,2,?,?] y) { y = Conv<group = 2>(x, w) }", (2, 3, 3, 3), 6),
        ("(float[N,K,H,W] x) => (float[N,2,?,?] y) { y = ConvTranspose(x, w) }", (5, 3, 3, 3), 5),
        ("(float[N,K] x) => (float[N,3] y) { y = MatMul(x, w) }", (6, 3), 6),
        ("(float[K,N] x) => (float[3,N] y) { y = MatMul(w, x) }", (3, 6), 6),
        ("(float[N,K] x) => (float[N,3] y) { y = Gemm(x, w) }", (6, 3), 6),
        ("(float[N,K] x) => (float[N,6] y) { y = Gemm<transB = 1>(x, w) }", (6, 3), 3),
        ("(float[N,K] x) => (float[N,K] y) { a = Relu(x) y = Add(a, w) }", (9,), 9),
        ("(float[2,K] x) => (float[3,4] y) { y = Reshape(x, to) }", (1,), 6),
        ("(float[N,2,K] x) => (float[N,2,K] y) { y = LayerNormalization(x, w) }", (7,), 7),
        ("(float[T,2,K] x) => (float[T,1,2,4] y) { y = LSTM<hidden_size = 4>(x, w, r) }", (1, 16, 5), 5),
    ],
)
def test_weights_fix_a_dimension(text, shape, size):
    assert dims(text, w=ones(*shape), to=np.array([3, 4]), r=ones(1, 16, 4))["K"].size == size


@pytest.mark.parametrize(
    "text",
    [
        "(float[A,4] x, float[B,4] z) => (float[A,4] y) { y = Add(x, z) }",
        "(float[2,A] x, float[B,4] z) => (float[2,4] y) { y = MatMul(x, z) }",
        "(float[A,4] x, float[B,3] z) => (float[A,7] y) { y = Concat<axis = 1>(x, z) }",
        "(float[A,4] x, float[B,4] z) => (float[A,4] y) { p = Relu(x) q = Neg(z) y = Mul(p, q) }",
    ],
)
def test_dimensions_that_meet_move_together(text):
    assert dims(text)["B"].equals == "A"


def test_an_image_has_sides_that_are_multiples_of_32():
    found = dims("(float[N,3,H,W] x) => (float[N,4,?,?] y) { a = Relu(x) y = Conv(a, w) }", w=ones(4, 3, 3, 3))
    assert (found["H"].multiple, found["W"].candidates[0]) == (32, 224)
    assert found["N"].batch


def test_declared_anchors_tell_the_side_of_an_image():
    text = "(float[N,3,H,W] x) => (float[N,6300,4] y) { a = Conv(x, w) y = Reshape(a, to) }"
    found = dims(text, w=ones(4, 3, 3, 3), to=np.array([0, 6300, 4]))
    assert found["H"].candidates[0] == 320


@pytest.mark.parametrize(
    ("text", "least", "weights"),
    [
        ("(float[N,1,S] x) => (float[N,4,?] y) { y = Conv(x, w) }", 25, {"w": ones(4, 1, 25)}),
        ("(float[N,1,S] x) => (float[N,4,?] y) { y = Conv<dilations = [3]>(x, w) }", 13, {"w": ones(4, 1, 5)}),
        ("(float[N,1,S] x) => (float[N,4,?] y) { y = Conv<pads = [2, 2]>(x, w) }", 21, {"w": ones(4, 1, 25)}),
        ('(float[N,S] x) => (float[N,?] y) { y = Pad<mode = "reflect">(x, p) }', 33, {"p": np.array([0, 32, 0, 8])}),
        ("(float[N,1,S] x) => (float[N,1,?] y) { y = MaxPool<kernel_shape = [9]>(x) }", 9, {}),
    ],
)
def test_a_window_needs_room(text, least, weights):
    assert dims(text, **weights)["S"].least == least


def test_the_rank_of_an_input_without_a_shape_is_that_of_its_operand():
    model = parsed("(float x) => (float y) { y = MatMul(x, w) }", w=ones(4, 5))
    model.graph.input[0].type.tensor_type.ClearField("shape")
    (spec,) = infer(model).inputs
    assert spec.shape == ("x_dim0", 4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("batch", True), ("N", True), ("unk__12", True), ("?", True), ("x_dim0", True), ("seq", False), ("x_dim1", False)],
)
def test_names_of_a_batch(name, expected):
    assert is_batch(name, "x") is expected


@pytest.mark.parametrize(("name", "expected"), [("batch", True), ("bs", True), ("N", False), ("seq", False)])
def test_a_batch_by_its_name_may_be_on_any_axis(name, expected):
    found = dims(f"(float[S,{name},4] x) => (float[S,{name},4] y) {{ y = Relu(x) }}").get(name)
    assert (found is not None and found.batch) is expected
