"""An engine answers other values only where it confirms the stored answer; what it refuses is left out."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

import handmade
from burn_verify.core.case import Case, Tolerance, Unavailable
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind, PreparedCase, VariedData
from burn_verify.graph import facts
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.further import evaluated_answers, varied_answers
from burn_verify.reference.varied import NAMES, ORDINARY
from fakes import FakeEngine, Faults

X = np.array([1.0, 2.0, 3.0, 4.0], np.float32)


@pytest.fixture
def prepared(tmp_path):
    nodes = [helper.make_node("Abs", ["x"], ["y"])]
    model = handmade.model(nodes, [handmade.value("x", shape=[4])], [handmade.value("y", shape=[4])])
    onnx.save(model, path := tmp_path / "a.onnx")
    case = Case(id="node/a", corpus="node", source=Unavailable(reason=""))
    known = facts.facts(model)
    return PreparedCase(
        case=case,
        model=path,
        digest="a",
        varied=VariedData(like="stored_0", names=NAMES),
        tolerance=Tolerance(rtol=1e-3, atol=1e-7),
        op_types=known.op_types,
        opset=known.opset,
        inputs=known.inputs,
        outputs=known.outputs,
    )


@pytest.fixture
def engine(cache):
    return FakeEngine(cache, 1.0, Faults())


def stored(opinion=X, inputs=X):
    opinions = {} if opinion is None else {"engine": [opinion]}
    return DataSet(inputs=[inputs], desired=[X], opinions=opinions)


def test_every_kind_is_answered(prepared, engine):
    found = varied_answers(engine, prepared, stored())
    assert tuple(found) == NAMES
    for inputs, answers in found.values():
        np.testing.assert_array_equal(answers[0], np.abs(inputs[0]))
    assert sum(engine.faults.calls.values()) == 1


def test_an_engine_that_contradicts_the_stored_answer_is_not_asked(prepared, engine):
    assert varied_answers(engine, prepared, stored(X + 1)) == {}
    assert varied_answers(engine, prepared, stored(None)) == {}
    assert varied_answers(engine, replace(prepared, varied=None), stored()) == {}
    assert not engine.faults.calls


class Picky(FakeEngine):
    """Refuses negative values."""

    def infer_all(self, model, sets, **asked):
        if any((array < 0).any() for inputs in sets for array in inputs):
            message = "negative"
            raise OracleError(message, kind=FailureKind.REFUSED)
        return super().infer_all(model, sets, **asked)


def test_values_that_the_engine_refuses_are_left_out(prepared, cache):
    found = varied_answers(Picky(cache, 1.0, Faults()), prepared, stored())
    assert "varied-near" in found
    assert "varied-large" not in found
    assert all((inputs[0] >= 0).all() or np.isnan(inputs[0]).any() for inputs, _ in found.values())


def test_a_closed_engine_ends_the_case(prepared, cache):
    closed = OracleError("closed", kind=FailureKind.CLOSED)
    with pytest.raises(OracleError, match="closed"):
        varied_answers(FakeEngine(cache, 1.0, Faults({("infer", "a"): closed})), prepared, stored())


def test_sizes_that_the_model_does_not_declare_are_left_out(prepared, engine):
    other = replace(prepared, outputs=(replace(prepared.outputs[0], shape=(5,)),))
    assert varied_answers(engine, other, stored()), "the stored answer has other sizes itself: nothing can be said"
    short = DataSet(inputs=[X], desired=[np.abs(np.append(X, X[:1]))], opinions={"engine": [np.append(X, X[:1])]})
    assert varied_answers(engine, other, short) == {}


def test_the_evaluator_answers_ordinary_values_where_it_confirms_the_stored_answer(prepared):
    found = evaluated_answers(prepared, stored(None))
    assert tuple(found) == ORDINARY
    for inputs, answers in found.values():
        np.testing.assert_array_equal(answers[0], np.abs(inputs[0]))
    assert evaluated_answers(prepared, stored(None, X + 1)) == {}
    assert evaluated_answers(replace(prepared, varied=None), stored(None)) == {}
