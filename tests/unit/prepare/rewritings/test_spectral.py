"""DFT by matrices answers the same, along all axes."""

import numpy as np
import pytest

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import node_model, put_differently

REAL = np.random.default_rng(0).standard_normal((2, 5, 6, 1)).astype(np.float32)
COMPLEX = np.random.default_rng(1).standard_normal((2, 5, 6, 2)).astype(np.float32)


@pytest.mark.parametrize("signal", [REAL, COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("axis", [1, 2, -2])
@pytest.mark.parametrize("inverse", [0, 1])
def test_a_constant_axis(signal, axis, inverse):
    put_differently("DFT", [signal, None, np.array(axis, np.int64)], constants=(2,), inverse=inverse)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_axis_at_run_time(axis):
    put_differently("DFT", [REAL, None, np.array(axis, np.int64)])


def test_half_of_the_spectrum_of_a_real_signal():
    put_differently("DFT", [REAL, None, np.array(2, np.int64)], constants=(2,), onesided=1)


@pytest.mark.parametrize("length", [4, 8])
def test_another_length(length):
    lengths = np.array(length, np.int64)
    put_differently("DFT", [REAL, lengths, np.array(2, np.int64)], constants=(1, 2))


def test_an_unknown_length_stays():
    model, _ = node_model("DFT", [REAL, np.array(4, np.int64), np.array(2, np.int64)], onesided=1)
    assert replaced(model, {"DFT": DECOMPOSITIONS["DFT"].decomposer}) is None
