"""What every engine shares: one set of inputs is a list of one."""

import numpy as np

from burn_verify.reference.engine import infer
from fakes import FakeEngine, Faults

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_one_set_of_inputs_has_one_answer(cache, identity):
    (answer,) = infer(FakeEngine(cache, 1.0, Faults()), identity(), [X])
    np.testing.assert_array_equal(answer, X)
