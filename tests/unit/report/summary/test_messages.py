"""The message of a case beyond its reason, and the line of Rust."""

import pytest

from burn_verify.report.summary.messages import message_and_rust
from reported import a_failure

HEAD = "Failed to parse ONNX file '/cache/x.onnx': Type inference failed: "


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
