"""Parts: graphs of one operator that the evidence calls right, and what they take and give."""

import functools
from dataclasses import replace

import pytest

from burn_verify.core.target import Target
from burn_verify.forecast.cells import cells
from burn_verify.forecast.endings import Ending
from burn_verify.forecast.evidence import Evidence, packaged
from burn_verify.several.corpus import OPSET
from burn_verify.several.parts import DTYPES, Part, ValueType, parts


def evidence() -> Evidence:
    found = packaged(Target())
    assert found is not None
    return found


@functools.cache
def some() -> tuple[Part, ...]:
    return parts(evidence(), ("Relu", "Add", "Where", "Gather", "Softmax"))


def test_every_part_is_of_a_cell_that_agrees() -> None:
    assert {part.operator for part in some()} == {"Relu", "Add", "Where", "Gather", "Softmax"}
    for part in some():
        assert part.model.opset_import[0].version == OPSET
        own = [placed.cell for placed in cells(part.model) if placed.cell.operator == part.operator]
        assert {evidence().only_ending_of(cell) for cell in own} == {Ending.AGREES}


def test_without_evidence_there_are_none() -> None:
    assert parts(replace(evidence(), entries={}), ("Relu", "Add")) == ()


def test_a_type_says_dtype_sizes_and_names() -> None:
    plain = next(part for part in some() if part.choice.id == "op/Relu-14/float32/default")
    assert plain.free == (("X", ValueType("float32", (2, 3), ("", ""))),)
    assert plain.outputs == (("Y", ValueType("float32", (2, 3), ("", ""))),)
    named = [part for part in parts(evidence(), ("Relu", "Tanh", "Neg")) if part.symbolic]
    assert named
    for part in named:
        assert all(kind.names[-1] == "d1" for _, kind in (*part.free, *part.outputs) if kind.shape)


def test_indices_are_nothing_that_another_part_may_compute() -> None:
    gathers = [part for part in some() if part.operator == "Gather"]
    assert gathers
    assert {name for part in gathers for name, _ in part.free} == {"data"}


@pytest.mark.parametrize("name", ["RandomNormal", "ai.onnx.ml.Scaler"])
def test_random_numbers_and_other_domains_have_no_parts(name: str) -> None:
    assert parts(evidence(), (name,)) == ()


def test_only_a_few_dtypes_are_parts() -> None:
    assert {kind.dtype for part in some() for _, kind in part.free} <= set(DTYPES)
