"""How a case ended: the operator, the smallest case, text without folders."""

import pytest

from burn_verify.core.stage import Stage
from burn_verify.report.summary.ends import blamed_operator, smallest, without_folders
from reported import a_failure


@pytest.mark.parametrize(
    ("stage", "details", "operator"),
    [
        (Stage.CONVERT, {"operator": "Conv2d"}, "Conv"),
        (Stage.CONVERT, {"unsupported": ["mamba::Scan"]}, "mamba.Scan"),
        (Stage.CONVERT, {"unsupported": ["Foo", "Bar"]}, "several"),
        (Stage.CONVERT, {"operator": "Gemm"}, "several"),
        (Stage.COMPILE, {"node": "reducel11"}, "ReduceL1"),
        (Stage.COMPILE, {"node": "linear1"}, "several"),
        (Stage.RUN, {}, "several"),
        (Stage.COMPARE, {}, "several"),
    ],
)
def test_the_operator_of_a_larger_graph(stage, details, operator):
    # What a reason begins with decides nothing.
    assert blamed_operator(a_failure(stage=stage, op_type=None, reason="Conv: x", details=details)) == operator


def test_the_operator_of_a_case_of_its_own():
    assert blamed_operator(a_failure(reason="Gemm: x")) == "Conv"
    assert blamed_operator(a_failure(op_type=None, op_types=("com.microsoft.X",))) == "com.microsoft.X"


def test_the_smallest_case():
    def fed(case_id, *shapes, op_types=("Conv",)):
        return a_failure(case_id, op_types=op_types, details={"inputs": {"stored_0": list(shapes)}})

    cases = [
        a_failure("a"),
        fed("b", "float32[2]", op_types=("Add", "Conv")),
        fed("c", "float32[2,3]", "int64[]"),
        fed("longer", "float32[2]", "int64"),
        fed("e", "float32[1,3]"),
        fed("d", "float32[0,9]", "int64[3]"),
    ]
    ordered = []
    while cases:
        ordered.append(smallest(cases))
        cases.remove(ordered[-1])
    assert [case.case_id for case in ordered] == ["d", "e", "longer", "c", "a", "b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read '/home/some body/x/m.onnx': no", "cannot read 'm.onnx': no"),
        ("at /root/.cargo/registry/burn/src/lib.rs:3:1", "at lib.rs:3:1"),
        ("a / b", "a / b"),
        ("let n = a / (b / c.d);", "let n = a / (b / c.d);"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("y: 4/6 elements", "y: 4/6 elements"),
    ],
)
def test_folders_are_left_out(text, shown):
    assert without_folders(text) == shown
