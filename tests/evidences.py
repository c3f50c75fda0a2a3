"""Small evidence for tests of forecasts: models, how they ended, and what is made of them."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.forecast.cells import cells
from burn_verify.forecast.gather import Example, evidence_of
from burn_verify.forecast.typed import typed
from handmade import model, value

STAGES = {
    "refused": (Stage.CONVERT, FailureKind.REFUSED),
    "does not compile": (Stage.COMPILE, FailureKind.REFUSED),
    "fails at run time": (Stage.RUN, FailureKind.PANIC),
    "wrong numbers": (Stage.COMPARE, FailureKind.MISMATCH),
}


def relu(elem_type=TensorProto.FLOAT, shape=(2, 3), name="r"):
    """Return a model of one Relu."""
    node = helper.make_node("Relu", ["x"], ["y"], name=name)
    return model([node], [value("x", elem_type, shape)], [value("y", elem_type, shape)])


def gather(axis=0, op_type="Gather"):
    """Return a model of one Gather of constant indices."""
    indices = numpy_helper.from_array(np.array([1, 0]), "i")
    node = helper.make_node(op_type, ["x", "i"], ["y"], name="g", axis=axis)
    return model([node], [value("x", shape=(2, 2))], [value("y", shape=(2, 2))], [indices])


def result(case_id, ending="agrees", op_type="Relu", **more):
    """Return the result of a case of one operator that ended so."""
    subject = Subject(op_type=op_type, domain="", since_version=14, dtype="float32")
    base = {"case_id": case_id, "corpus": "op", "subject": subject, "op_types": (op_type,), **more}
    if ending == "agrees":
        return CaseResult(stage=Stage.COMPARE, outcome=Outcome.PASSED, **{"verdict": VerdictName.AGREES, **base})
    stage, kind = STAGES[ending]
    return CaseResult(stage=stage, outcome=Outcome.FAILED, failure=kind, **base)


def example(case_id, made, ending="agrees", **more):
    """Return a model with its result as an example; its group is its id."""
    found = tuple(placed.cell for placed in cells(typed(made)))
    op_type = made.graph.node[0].op_type
    return Example(result=result(case_id, ending, op_type, **more), cells=found, group=case_id)


def evidence(*examples, declared=frozenset({"Relu", "Gather"})):
    """Return the evidence of examples on the default target."""
    made = {"started": "2026-11-30T17:04:05Z", "cases": len(examples)}
    return evidence_of(examples, Target(), made, declared)


def usual():
    """Return evidence in which Relu agrees but for int64, and Gather but for axis 1, which is refused."""
    floats = [example(f"op/relu-{size}", relu(shape=(2, size))) for size in range(3, 7)]
    ints = [
        example(f"op/relu-int-{size}", relu(TensorProto.INT64, (2, size)), "does not compile") for size in range(3, 7)
    ]
    gathers = [example(f"op/gather-{axis}", gather(axis), "refused" if axis else "agrees") for axis in (0, 1)]
    return evidence(*floats, *ints, *gathers)
