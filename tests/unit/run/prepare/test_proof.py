"""Steps are proved by the answers before and after them."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.core.errors import OracleError
from burn_verify.core.prepared import Grade
from burn_verify.prepare.recipe import Step
from burn_verify.prepare.rewriting import Promise, Rewriting
from burn_verify.reference.data_set import DataSet
from burn_verify.run.prepare.proof import proofs
from burn_verify.run.prepare.tools import EngineTools
from fakes import FakeEngine, Faults
from handmade import model, value

X = np.float32([1, -2])


def of(*op_types):
    names = ["x", *(f"t{place}" for place in range(len(op_types) - 1)), "y"]
    nodes = [helper.make_node(name, [names[place]], [names[place + 1]]) for place, name in enumerate(op_types)]
    return model(nodes, [value("x", shape=[2])], [value("y", shape=[2])]).SerializeToString()


def step(before, after, promise=Promise.SAME):
    rewriting = Rewriting(name="n", reason="r", promise=promise, function=lambda m, t: None)
    return Step(rewriting=rewriting, before=before, after=after)


class Refusing(FakeEngine):
    """Refuses what onnx's evaluator does not know."""

    def infer_all(self, path, sets, **given):
        """Answer."""
        try:
            return super().infer_all(path, sets, **given)
        except NotImplementedError as error:
            raise OracleError(str(error)) from error


@pytest.fixture
def proved(cache, tmp_path):
    tools = EngineTools(Refusing(cache, 1.0, Faults()), tmp_path)

    def prove(*steps, stored=False, why=""):
        data = {"seeded": DataSet(inputs=[X], desired=[-X])}
        return proofs(steps, data, stored, tools, lambda answers: why)

    return prove


def test_equal_bits_are_proved_and_nodes_are_counted(proved):
    (one,) = proved(step(of("Neg"), of("Neg", "Identity")))
    assert (one.grade, one.distance, one.nodes_before, one.nodes_after) == (Grade.SAME, 0.0, 1, 2)


def test_a_promise_that_is_broken_is_declined(proved):
    (one,) = proved(step(of("Neg"), of("Abs")))
    assert one.grade is Grade.DECLINED
    assert "were to be the same" in one.why
    assert one.distance == 2.0


def test_what_is_close_is_judged(proved):
    changed = step(of("Neg"), of("Abs"), Promise.CLOSE)
    assert [one.grade for one in proved(changed)] == [Grade.CLOSE]
    assert [(one.grade, one.why) for one in proved(changed, why="too far")] == [(Grade.DECLINED, "too far")]


def test_a_result_that_nobody_runs_is_declined(proved):
    assert [one.grade for one in proved(step(of("Neg"), of("Nonsense")))] == [Grade.DECLINED]


def test_stored_answers_decide_where_the_reference_ran_nothing(proved):
    (one,) = proved(step(of("Nonsense"), of("Neg")), stored=True)
    assert (one.grade, one.distance) == (Grade.STORED, None)
    assert [one.grade for one in proved(step(of("Nonsense"), of("Nonsense", "Neg")), stored=True)] == [Grade.STORED]
    assert [one.grade for one in proved(step(of("Nonsense"), of("Nonsense", "Neg")))] == [Grade.DECLINED]


def test_every_step_is_proved_by_the_one_before(proved):
    found = proved(step(of("Neg"), of("Neg", "Identity")), step(of("Neg", "Identity"), of("Abs")))
    assert [one.grade for one in found] == [Grade.SAME, Grade.DECLINED]


def test_no_step_needs_no_proof(proved):
    assert proved() == []
