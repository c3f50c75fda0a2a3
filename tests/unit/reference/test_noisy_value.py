"""Values in samples: stacked and sliced along an axis, all samples alike."""

import numpy as np
import pytest

from burn_verify.reference.noisy_value import SAMPLES, Value, sliced, stacked

NOISY = Value(
    clean=np.arange(6.0).reshape(2, 3),
    samples=tuple(np.arange(6.0).reshape(2, 3) + place for place in range(SAMPLES)),
    live=True,
    dtype="float32",
)
EXACT = Value(clean=np.zeros((2, 3)), flips=True, dtype="float32")


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_what_is_stacked_can_be_sliced_again(axis):
    whole = stacked([NOISY, EXACT], axis)
    for place, value in enumerate((NOISY, EXACT)):
        again = sliced(whole, place, axis)
        np.testing.assert_array_equal(again.clean, value.clean)
        for sample in range(SAMPLES):
            np.testing.assert_array_equal(again.sample(sample), value.sample(sample))
    assert (whole.live, whole.flips, whole.dtype) == (True, True, "float32")


def test_without_noise_there_are_no_samples():
    assert stacked([EXACT, EXACT]).samples == ()
    assert sliced(EXACT, 0, 0).samples == ()


def test_nothing_has_no_shape():
    with pytest.raises(NotImplementedError, match="without turns"):
        stacked([])
