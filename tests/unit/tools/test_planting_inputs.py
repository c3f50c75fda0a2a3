"""Faults that other sizes and values show, as changes of generated Rust, and the models they are planted in."""

import onnx
import pytest

from planting import own
from planting.inputs import FAULTS, Fault, first_sample, frozen, last_wrong, other_branch, replaced, swapped
from planting.sized import Tried, report

RUST = """
impl Model {
    pub fn forward(&self, k: i64, x: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let a = if k == 16 {
            x.clone().exp()
        } else {
            x.clone().abs()
        };
        (a, x.reshape([1, 2]))
    }
}
"""


def changed(edit) -> str:
    return Fault(kind="any", model="any", edit=edit).change(RUST).applied(RUST)


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (first_sample("x"), "x.narrow(0, 0, 1).expand(sizes)"),
        (frozen("x", 2, 1, 7), "x.reshape([sizes[0], 7])"),
        (last_wrong(1, 8), "({ let y = a; let n = y.dims()[1]; if n > 8 {"),
        (swapped(1, 16), "let pair = (a, x.reshape([1, 2])); if pair.0.dims()[1] > 16 { (pair.1, pair.0) }"),
        (replaced(r"reshape\(\[(\d)", r"reshape([\g<1>0"), "x.reshape([10, 2])"),
    ],
)
def test_a_fault_changes_one_place(edit, text):
    assert text in changed(edit)
    assert changed(edit).count("fn forward") == 1


def test_the_second_branch_is_changed():
    assert "} else { let made = {\n            x.clone().abs()\n        }; made.neg() };" in changed(other_branch())


def test_a_module_without_the_place_is_told():
    with pytest.raises(ValueError, match="not in the module"):
        changed(replaced("arange", "none"))


@pytest.mark.parametrize("name", own.NAMES)
def test_own_models_are_right(name):
    onnx.checker.check_model(own.model(name), full_check=True)


def test_there_are_ten_own_models_and_each_has_a_fault():
    assert len(own.NAMES) >= 10
    assert {fault.model for fault in FAULTS if fault.own} == set(own.NAMES)


def test_the_report_counts_what_was_found_and_quotes_the_sentence():
    first, second, third = FAULTS[:3]
    text = report(
        [
            Tried(fault=second, end="missed"),
            Tried(fault=first, end="found", stage="run", said="right at batch=1, not at batch=3: a|b"),
            Tried(fault=third, end="not at hand"),
        ]
    )
    assert "1 of 2 were found" in text
    assert r"right at batch=1, not at batch=3: a\|b" in text
    assert text.index(first.case) < text.index("not at hand")
