"""Which branches and bodies no data set enters, with the real ONNX Runtime."""

import numpy as np
import pytest

from burn_verify.reference.branches import never_entered
from burn_verify.reference.ort import OnnxRuntime
from parsed import parsed

IF = """y = If (c) <
    then_branch = t () => (float[2] u) { u = Neg(v) },
    else_branch = e () => (float[2] w) { w = Abs(v) }
>"""
ZERO = np.array(0, np.float32)
BY_SUM = parsed(f"(float[2] v) => (float[2] y) {{ s = ReduceSum<keepdims = 0>(v) c = Greater(s, k) {IF} }}", k=ZERO)
BY_INPUT = parsed(f"(bool c, float[2] v) => (float[2] y) {{ {IF} }}")
LOOP = parsed(
    """(int64 n, float[3] x) => (float[3] y) {
        y = Loop (n, , x) <body = b (int64 i, bool c, float[3] t) => (bool d, float[3] u) {
            d = Identity(c) u = Add(t, t)
        }>
    }"""
)
V = np.array([1, 2], np.float32)


def test_a_branch_that_no_set_takes_is_named(engine: OnnxRuntime) -> None:
    (text,) = never_entered(engine, BY_SUM, [[V]])
    assert text.startswith("the else branch of If y is never taken")
    assert never_entered(engine, BY_SUM, [[V], [-V]]) == ()


def test_a_condition_that_is_an_input(engine: OnnxRuntime) -> None:
    (text,) = never_entered(engine, BY_INPUT, [[np.array(False), V]])
    assert "then branch" in text
    assert never_entered(engine, BY_INPUT, [[np.array(False), V], [np.array(True), V]]) == ()


@pytest.mark.parametrize(("count", "entered"), [(0, False), (2, True)])
def test_a_body_that_is_never_entered(engine: OnnxRuntime, count: int, entered: bool) -> None:
    found = never_entered(engine, LOOP, [[np.array(count), np.ones(3, np.float32)]])
    assert bool(found) is not entered


def test_a_model_without_branches_is_not_run(engine: OnnxRuntime) -> None:
    assert never_entered(engine, parsed("(float[2] v) => (float[2] y) { y = Neg(v) }"), [[V]]) == ()
