"""A graph and its twins answer the same, or one of them is told."""

from dataclasses import replace

import numpy as np
import pytest

from burn_verify.cases.generated.twins import BATCH
from burn_verify.core.case import Case, TensorSpec, Unavailable
from burn_verify.core.errors import RunError
from burn_verify.core.stage import PreparedCase, StoredArrays
from burn_verify.run.twins import Twins, with_twins
from burn_verify.system.wire import encode_named, placed

X = np.array([1.0, -2.0, 3.0], np.float32)
PAIR = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "data.safetensors"
    path.write_bytes(encode_named(placed(0, "in", [PAIR])))
    spec = (TensorSpec(name="y", dtype="float32", shape=(2, 3)),)
    return PreparedCase(
        case=Case(id="op/a", corpus="op", source=Unavailable(reason="")),
        model=tmp_path,
        digest="",
        op_types=("Neg",),
        opset=17,
        inputs=spec,
        outputs=spec,
        stored=(StoredArrays(name="seeded", path=path, place=0),),
    )


@pytest.fixture
def batched(graph):
    """Return a case that has a batch in front, and so is asked in two halves."""
    return replace(graph, inputs=(TensorSpec(name="x", dtype="float32", shape=(BATCH, 3)),))


@pytest.fixture
def twin(graph):
    return replace(graph, case=replace(graph.case, id="op/b"))


def right(inputs):
    return [-inputs[0]]


def wrong(inputs):
    return [inputs[0]]


def panics(inputs):
    raise RunError("Burn panicked: no such shape", "panic")


def halves_panic(inputs):
    return right(inputs) if len(inputs[0]) == 2 else panics(inputs)


def of_another_rank(inputs):
    return right(inputs) if len(inputs[0]) == 2 else [-inputs[0][0, 0]]


def test_twins_that_agree_are_named(graph, batched, twin):
    assert with_twins(graph, right, twin, right).agree == ("as op/b",)
    assert with_twins(batched, right, twin, right).agree == ("as op/b", "with the batch in two parts")
    assert with_twins(graph, right, None, right) == Twins()


@pytest.mark.parametrize(
    ("mine", "other", "said"),
    [
        (right, wrong, "answers otherwise, as op/b"),
        (right, panics, "answers, but fails as op/b: Burn panicked: no such shape"),
        (panics, right, "fails, but answers as op/b: Burn panicked: no such shape"),
    ],
)
def test_a_twin_that_differs_or_fails_alone_is_told(graph, twin, mine, other, said):
    assert said in with_twins(graph, mine, twin, other).differ


def test_two_that_fail_alike_are_told_of_themselves(graph, batched, twin):
    assert with_twins(graph, panics, twin, panics) == Twins()
    assert with_twins(batched, panics, twin, panics) == Twins()


@pytest.mark.parametrize("fails", [halves_panic, of_another_rank])
def test_a_half_that_fails_is_told(batched, fails):
    assert "answers, but fails with the batch in two parts" in with_twins(batched, fails, None, right).differ


@pytest.mark.parametrize("fails", [halves_panic, of_another_rank])
def test_halves_that_nobody_takes_are_no_twins(batched, fails):
    asked = []

    def takes(inputs):
        asked.append(inputs[0].shape)
        return False

    assert with_twins(batched, fails, None, right, takes) == Twins()
    assert asked == [(1, 3)]
    assert with_twins(batched, right, None, right, takes).agree == ("with the batch in two parts",)


def test_a_graph_without_twins_says_nothing(graph):
    assert with_twins(graph, right, None, right).evidence == {}
