"""GridSample and RoiAlign by neighbours answer the same."""

import numpy as np
import pytest

from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import replaced
from rewriting import node_model, put_differently

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.standard_normal((2, 3, 5, 4)).astype(np.float32)
VOLUME = RANDOM.standard_normal((1, 2, 3, 4, 5)).astype(np.float32)
GRID = RANDOM.uniform(-1.2, 1.2, (2, 3, 6, 2)).astype(np.float32)
CUBE = RANDOM.uniform(-1.2, 1.2, (1, 2, 3, 2, 3)).astype(np.float32)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_images(mode, padding, corners):
    put_differently("GridSample", [IMAGE, GRID], mode=mode, padding_mode=padding, align_corners=corners)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_volumes(mode, corners):
    put_differently("GridSample", [VOLUME, CUBE], mode=mode, align_corners=corners)


def test_a_reflection_stays():
    model, _ = node_model("GridSample", [IMAGE, GRID], padding_mode="reflection")
    assert replaced(model, {"GridSample": DECOMPOSITIONS["GridSample"].decomposer}) is None


REGIONS = np.array([[0, 0, 3, 4], [1, 1, 2.5, 3.2], [-2, -1, 6, 9]], np.float32)


@pytest.mark.parametrize("half", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("mode", ["avg", "max"])
def test_regions(mode, half):
    given = {"output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.8}
    batches = np.array([0, 1, 1], np.int64)
    inputs = [IMAGE, REGIONS, batches]
    put_differently("RoiAlign", inputs, mode=mode, coordinate_transformation_mode=half, **given)


def test_samples_by_the_size_of_a_region_stay():
    model, _ = node_model("RoiAlign", [IMAGE, REGIONS, np.array([0, 1, 1], np.int64)], output_height=2, output_width=2)
    assert replaced(model, {"RoiAlign": DECOMPOSITIONS["RoiAlign"].decomposer}) is None
