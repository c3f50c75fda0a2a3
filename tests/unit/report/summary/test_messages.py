"""The message of a case beyond its reason, and the line of Rust."""

import pytest

from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.report.summary.messages import message_and_rust

HEAD = "Failed to parse ONNX file '/cache/x.onnx': Type inference failed: "


def a_failure(case_id="node/a", stage=Stage.RUN, op_type="Conv", **fields):
    subject = op_type and Subject(op_type=op_type, domain="", since_version=1, dtype="float32")
    fields.setdefault("op_types", (op_type,) if op_type else ("Conv", "MatMul", "ReduceL1"))
    return CaseResult(
        case_id=case_id, corpus="node", stage=stage, outcome=Outcome.FAILED, subject=subject or None, **fields
    )


@pytest.mark.parametrize(
    ("message", "reason", "said"),
    [
        (HEAD + "Node 'conv1' (Conv): bad dtype: 7", "Conv: bad dtype: …", ""),
        (HEAD + "Node 'conv1' (Conv): bad", "Conv: worse", "Node 'conv1' (Conv): bad"),
        ("index 5 out of bounds", "panic: index 5 out of bounds", ""),
        (
            "=== Error ===\n  Operation: 'Reshape'\n  Reason: x",
            "panic: === Error ===",
            "Operation: 'Reshape' Reason: x",
        ),
        ("Y: float32[2] 1/2 differ [node/a, stored_0]", "wrong values", "Y: float32[2] 1/2 differ"),
        ("first\nsecond", "reason", "first"),
        ("", "reason", ""),
    ],
)
def test_only_what_adds_something_is_said(message, reason, said):
    assert message_and_rust(a_failure(message=message, reason=reason), reason)[0] == said
