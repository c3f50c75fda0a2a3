"""Resize by matrices and Gather answers the same, in all modes."""

import numpy as np
import pytest

from rewriting import put_differently

IMAGE = np.random.default_rng(0).standard_normal((1, 2, 5, 6)).astype(np.float32)
SCALES = np.array([1, 1, 1.6, 0.5], np.float32)
MODES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]


@pytest.mark.parametrize("coordinates", MODES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_scales_come_at_run_time(mode, coordinates):
    given = {"mode": mode, "coordinate_transformation_mode": coordinates}
    put_differently("Resize", [IMAGE, None, SCALES], **given)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_sizes_are_constants(mode):
    sizes = np.array([1, 2, 3, 9], np.int64)
    put_differently("Resize", [IMAGE, None, None, sizes], mode=mode, constants=(3,))


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_halves_go_where_they_should(nearest):
    scales = np.array([1, 1, 2, 2], np.float32)
    put_differently("Resize", [IMAGE, None, scales], mode="nearest", nearest_mode=nearest)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_shrinking_may_be_smoothed(mode):
    scales = np.array([1, 1, 0.6, 0.5], np.float32)
    put_differently("Resize", [IMAGE, None, scales], mode=mode, antialias=1)


def test_what_is_outside_may_be_left_out():
    put_differently("Resize", [IMAGE, None, SCALES], mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5)


def test_some_axes_only():
    put_differently("Resize", [IMAGE, None, np.array([2.0, 0.5], np.float32)], mode="linear", axes=[3, 2])


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_the_aspect_ratio_is_kept(policy):
    sizes = np.array([7, 8], np.int64)
    put_differently("Resize", [IMAGE, None, None, sizes], mode="nearest", axes=[2, 3], keep_aspect_ratio_policy=policy)


def test_a_region_is_cropped():
    region = np.array([0, 0, 0.4, 0.6, 1, 1, 0.6, 0.8], np.float32)
    sizes = np.array([1, 2, 3, 3], np.int64)
    given = {"coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 10.0}
    put_differently("Resize", [IMAGE, region, None, sizes], mode="linear", **given)
