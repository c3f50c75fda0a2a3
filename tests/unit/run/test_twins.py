"""A graph beside its twins: who answers, who fails, and what is said of it. Compiled Burn is a function here."""

from dataclasses import replace

import numpy as np
import pytest

from burn_verify.cases.generated.twins import BATCH
from burn_verify.core.case import Case, TensorSpec, Unavailable
from burn_verify.core.errors import RunError
from burn_verify.core.stage import PreparedCase, StoredArrays
from burn_verify.run.compare import compare
from burn_verify.system.wire import encode_named, placed

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def prepared(tmp_path):
    path = tmp_path / "data.safetensors"
    path.write_bytes(encode_named(placed(0, "in", [X])))
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
def batched(prepared):
    """Return a case that has a batch in front, and so is asked in two halves."""
    return replace(prepared, inputs=(TensorSpec(name="x", dtype="float32", shape=(BATCH, 3)),))


@pytest.fixture
def twin(prepared):
    return replace(prepared, case=replace(prepared.case, id="op/b"))


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


def test_twins_that_agree_are_named(prepared, batched, twin):
    assert compare(prepared, right, twin, right) == {"twins": "as op/b"}
    assert compare(batched, right, twin, right) == {"twins": "as op/b; with the batch in two parts"}
    assert compare(prepared, right, None, right) == {}


@pytest.mark.parametrize(
    ("mine", "other", "said"),
    [
        (right, wrong, "answers otherwise, as op/b"),
        (right, panics, "answers, but fails as op/b: Burn panicked: no such shape"),
        (panics, right, "fails, but answers as op/b: Burn panicked: no such shape"),
    ],
)
def test_a_twin_that_differs_or_fails_alone_is_told(prepared, twin, mine, other, said):
    assert said in compare(prepared, mine, twin, other)["twins_differ"]


def test_two_that_fail_alike_are_told_of_themselves(prepared, batched, twin):
    assert compare(prepared, panics, twin, panics) == {}
    assert compare(batched, panics, twin, panics) == {}


@pytest.mark.parametrize("fails", [halves_panic, of_another_rank])
def test_a_half_that_fails_is_told(batched, fails):
    assert "answers, but fails with the batch in two parts" in compare(batched, fails, None, right)["twins_differ"]
