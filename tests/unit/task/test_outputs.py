"""Which output is scored."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.task.outputs import scored

A, B, C = np.zeros(1, "f4"), np.zeros(2, "f4"), np.zeros(3, "i8")


def test_the_only_one_the_only_float_and_the_named_one():
    assert scored({"c": C}, "", "s") is C
    assert scored({"a": A, "c": C}, "", "s") is A
    assert scored({"a": A, "b": B}, "b", "s") is B
    with pytest.raises(Wrong, match="several outputs, a, b"):
        scored({"a": A, "b": B}, "", "s")
    with pytest.raises(Wrong, match="'d' is none of the outputs a"):
        scored({"a": A}, "d", "s")
