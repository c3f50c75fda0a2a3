"""Random parameters: repeatable, float32, of the spread that their role needs."""

import numpy as np
import pytest

from burn_verify.cases.seeded.draw import Role, parameter


@pytest.mark.parametrize("role", Role)
def test_a_parameter_is_float32_of_its_shape_and_repeatable(role):
    one, other = (parameter(np.random.default_rng(7), role, (4, 3, 2, 2)) for _ in range(2))

    assert (one.dtype, one.shape) == (np.float32, (4, 3, 2, 2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("role", "fan_in"), [(Role.CONV, 64 * 9), (Role.DENSE, 64)])
def test_the_variance_of_weights_is_the_gain_over_the_fan_in(role, fan_in):
    shape = (256, 64, 3, 3) if role is Role.CONV else (2048, 64)

    assert parameter(np.random.default_rng(0), role, shape).var() * fan_in == pytest.approx(2.0, rel=0.05)


def test_scales_at_the_end_of_a_residual_branch_are_small():
    rng = np.random.default_rng(0)

    assert parameter(rng, Role.RESIDUAL_SCALE, (1000,)).max() < parameter(rng, Role.SCALE, (1000,)).min()


def test_variances_are_positive():
    assert parameter(np.random.default_rng(0), Role.VARIANCE, (1000,)).min() > 0
