"""Places that can be mutated are found in generated Rust, and what is put there is Rust again."""

import numpy as np
import pytest

from mutation import kinds
from mutation.boundary import Answered, constants
from mutation.change import Change, change_of
from mutation.draw import changes_of
from mutation.rust import Module

TEXT = """\
// @generated
#[derive(Module, Debug)]
pub struct Model {
    conv2d1: Conv2d,
    #[module(skip)]
    device: Device,
}

impl Default for Model {
    fn default() -> Self {
        Self::from_file("/a/model.bpk", &Default::default())
    }
}

impl Model {
    #[allow(unused_variables)]
    pub fn new(device: &Device) -> Self {
        let conv2d1 = Conv2dConfig::new([3, 8], [3, 3])
            .with_stride([1, 1])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_groups(1)
            .with_bias(true)
            .init(device);
        Self {
            conv2d1,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(
        &self,
        a: Tensor<4>,
        b: Tensor<4>,
        k: Tensor<1, Int>,
    ) -> (Tensor<4>, Tensor<4>) {
        let conv2d1_out1 = self.conv2d1.forward(a.clone());
        let sub1_out1 = a.sub(b.clone());
        let relu1_out1 = burn::tensor::activation::relu(sub1_out1);
        let abs1_out1 = relu1_out1.abs().mul_scalar(0.5f32);
        let axes = &b.dims()[0..2];
        let softmax1_out1 = burn::tensor::activation::softmax(abs1_out1, 1);
        let mask = b.clone().greater_elem(0f64);
        let out = softmax1_out1.permute([0, 2, 1, 3]);
        (conv2d1_out1, out)
    }
}
"""


def answers(dtype="float32"):
    one = np.array([[[[1.0, np.inf]]]], dtype)
    inputs = [np.zeros((1, 2, 3, 4), "f4"), np.ones((1, 2, 3, 4), "f4"), np.array([1, 2])]
    return Answered(inputs=inputs, outputs=[one, np.ones((1, 1, 1, 2), dtype)])


@pytest.fixture(scope="module")
def changes():
    return changes_of(TEXT, answers())


def test_the_parts_of_a_module_are_found():
    module = Module(TEXT)

    assert [function.name for function in module.functions] == ["new", "forward"]
    assert module.forward.parameters == (("a", "Tensor<4>"), ("b", "Tensor<4>"), ("k", "Tensor<1, Int>"))
    assert module.forward.returns == ("Tensor<4>", "Tensor<4>")
    assert module.text[slice(*module.returned)] == "(conv2d1_out1, out)"
    assert [module.text[slice(*part)] for part in module.returned_parts] == ["conv2d1_out1", "out"]


@pytest.mark.parametrize(
    ("kind", "new"),
    [
        (kinds.OPERANDS, "let sub1_out1 = b.clone().sub(a);"),
        (kinds.OPERANDS, "let (a, b) = (b, a);"),
        (kinds.SIBLING, "let sub1_out1 = a.add(b.clone());"),
        (kinds.SIBLING, "let relu1_out1 = burn::tensor::activation::gelu(sub1_out1);"),
        (kinds.LITERAL, "let abs1_out1 = relu1_out1.abs().mul_scalar(0.505f32);"),
        (kinds.LITERAL, "let abs1_out1 = relu1_out1.abs().mul_scalar(-0.5f32);"),
        (kinds.AXIS, "let softmax1_out1 = burn::tensor::activation::softmax(abs1_out1, 2);"),
        (kinds.CONFIG, ".with_stride([2, 1])"),
        (kinds.CONFIG, ".with_padding(PaddingConfig2d::Explicit(1, 1, 1, 0))"),
        (kinds.CONFIG, ".with_bias(false)"),
        (kinds.ORDER, "let out = softmax1_out1.permute([2, 0, 1, 3]);"),
        (kinds.ORDER, "(out, conv2d1_out1)"),
        (kinds.STATEMENT, "let conv2d1_out1 = (a.clone());"),
        (kinds.STATEMENT, "let relu1_out1 = (sub1_out1);"),
        (kinds.PROBE, "let abs1_out1 = relu1_out1.mul_scalar(0.5f32);"),
        (kinds.PROBE, "let mask = b.clone().greater_equal_elem(0f64);"),
        (kinds.PROBE, "let a = a.abs();"),
        (kinds.PROBE, "let k = k.clamp_min(0);"),
        (kinds.SIZE, "let axes = &[1usize, 2usize, 3usize, 4usize][0..2];"),
        (kinds.INFINITY, "(conv2d1_out1.clone().mask_fill(conv2d1_out1.is_inf(), 0f32), out)"),
        (kinds.HALF, "(conv2d1_out1, out.cast(burn::tensor::DType::F16).cast(burn::tensor::DType::F32))"),
        (kinds.SCALE_4, "(conv2d1_out1, out.mul_scalar(1.0001f64))"),
        (kinds.CONSTANT, "let device = returned.0.device();"),
    ],
)
def test_a_change_of_each_class_is_found(changes, kind, new):
    made = [change for change in changes if change.kind == kind and new in map(str.strip, change.new.splitlines())]

    assert len(made) == 1


def test_half_precision_is_scaled_by_what_it_can_tell():
    found = {change.kind for change in changes_of(TEXT, answers("float16"))}

    assert kinds.SCALE_HALF in found
    assert not found & {kinds.SCALE_4, kinds.HALF}


def test_one_thing_is_changed_and_each_change_is_made_once(changes):
    texts = [change.applied(TEXT) for change in changes]

    assert TEXT not in texts
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")


def test_neither_strings_nor_comments_nor_types_are_changed(changes):
    assert all(
        '"/a/model.bpk"' in change.applied(TEXT) and "// @generated" in change.applied(TEXT) for change in changes
    )
    # But for sizes, no type has a number that is a value.
    assert not any("Tensor<5>" in change.new or "Tensor<3>" in change.new for change in changes)


def test_a_change_is_made_again_in_text_with_other_paths(changes):
    elsewhere = TEXT.replace("/a/model.bpk", "/a/much/longer/path/model.bpk")

    for change in changes:
        again = Change.from_json({**change.to_json(), "more": "fields"})
        assert again == change
        assert again.applied(elsewhere).replace("/much/longer/path", "") == change.applied(TEXT)


def test_equal_lines_are_told_apart():
    text = "x\ny = 1\nx\ny = 1\n"
    change = change_of(text, kinds.LITERAL, "+1", text.rindex("1"), text.rindex("1") + 1, "2")

    assert change.applied(text) == "x\ny = 1\nx\ny = 2\n"
    assert change.diff == "-y = 1\n+y = 2"
    with pytest.raises(ValueError, match="not in the module"):
        change.applied("x\ny = 1\n")


def test_the_constant_answer_is_the_first_one():
    named = constants(answers())

    assert np.frombuffer(named["answer_0.bin"], "f4").tolist() == [1.0, np.inf]
    assert named.keys() == {"answer_0.bin", "answer_1.bin"}


def test_text_that_is_not_understood_gives_no_mutants():
    assert changes_of("fn main() {}", answers()) == []
    assert changes_of("pub fn forward(&self, x: Tensor<1>) -> Tensor<1> { (x", answers()) == []
