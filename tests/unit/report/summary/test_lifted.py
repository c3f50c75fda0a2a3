"""The file of cases after `prepare`: written and read."""

import json
from dataclasses import replace

import pytest

from burn_verify.core.case import Subject
from burn_verify.core.prepared import Grade, Prepared, Proof, Status
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.report.summary.lifted import Lifted, after, from_text, lifted_case, to_text, together

SUBJECT = Subject(op_type="Celu", domain="", since_version=12, dtype="float32")
BEFORE = CaseResult(
    case_id="node/a", corpus="node", stage=Stage.CONVERT, outcome=Outcome.FAILED, reason="no Celu", subject=SUBJECT
)
STEPS = tuple(
    Proof(name=name, reason="r", grade=grade, nodes_before=1, nodes_after=2, distance=distance)
    for name, grade, distance in (("a", Grade.SAME, 0.0), ("b", Grade.CLOSE, 1e-6), ("b", Grade.STORED, None))
)
VERSIONS = {"burn": "0.22.1"}


def of(status=Status.LIFTED, before=BEFORE, **given):
    return lifted_case(Prepared(case_id=before.case_id, status=status, before=before, **given))


def test_a_case_says_what_was_done():
    case = of(proofs=STEPS)
    assert (case.operator, case.stage, case.rewritings) == ("Celu", "convert", ("a", "b"))
    assert (case.proofs, case.distance) == ({"bit-equal": 1, "close": 1, "by stored data only": 1}, 1e-6)
    assert (case.expressible, case.in_the_way) == (True, "")


def test_what_no_tensor_holds_is_told_apart():
    beyond = CaseResult(
        case_id="node/b", corpus="node", stage=Stage.RUN, outcome=Outcome.FAILED, failure=FailureKind.NO_VALUE
    )
    assert not of(Status.UNKNOWN, beyond).expressible


def test_a_file_is_read_as_it_was_written():
    lifted = Lifted(versions=VERSIONS, seconds=1.5, cases=(of(proofs=STEPS), of(Status.STAYS)))
    assert from_text(to_text(lifted)) == lifted
    assert lifted.by_case["node/a"].status is Status.STAYS


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cases": [{}], "versions": {}, "seconds": 1}'])
def test_another_file_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  (json and this module raise it, each in its own words)
        from_text(text)


def test_a_grade_that_does_not_exist_is_refused():
    data = json.loads(to_text(Lifted(versions=VERSIONS, seconds=1.0, cases=(of(),))))
    data["cases"][0]["proofs"] = {"certain": 1}
    with pytest.raises(ValueError, match="certain"):
        from_text(json.dumps(data))


def test_files_are_put_together():
    one, other = (
        Lifted(versions=VERSIONS, seconds=1.0, cases=(of(status),)) for status in (Status.STAYS, Status.LIFTED)
    )
    whole = together([one, other])
    assert (whole.seconds, [case.status for case in whole.cases]) == (2.0, [Status.LIFTED])
    with pytest.raises(ValueError, match="same versions"):
        together([one, Lifted(versions={}, seconds=0.0, cases=())])
    with pytest.raises(ValueError, match="same versions"):
        together([])


def lifted_of(*cases):
    return {case.case_id: case for case in cases}


def test_failing_cases_are_summed_up():
    again = replace(BEFORE, case_id="node/b")
    known = lifted_of(
        of(proofs=STEPS), of(before=again, proofs=STEPS[1:]), of(Status.STAYS, replace(again, case_id="c"))
    )
    found = after(["node/a", "node/b", "c", "never tried"], known)
    assert (found.failing, found.tried, found.agree, found.rewritings) == (4, 3, 2, ("b", "a"))


def test_what_agrees_as_it_is_was_no_failure():
    assert after(["node/a"], lifted_of(of(Status.AGREED))).tried == 0


@pytest.mark.parametrize(
    ("target", "known"),
    [
        (Target(burn="0.22.1", burn_onnx="0.22.0"), True),
        (Target(burn="0.21.0", burn_onnx="0.21.0"), False),
        (Target(burn="0.22.1", burn_onnx="0.22.0", backend="wgpu"), False),
        (Target(burn="0.22.1", burn_onnx="0.22.0", simplify=False), False),
        (Target(burn="0.22.1", burn_onnx="0.22.0", prepared=True), False),
    ],
)
def test_cases_were_tried_on_one_target(target, known):
    lifted = Lifted(versions={"burn": "0.22.1", "burn_onnx": "0.22.0", "onnx": "1"}, seconds=1.0, cases=())
    assert lifted.is_of(target) is known
