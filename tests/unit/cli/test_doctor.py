"""What doctor says of backends: which device, what it lacks, what to type."""

import pytest

from burn_verify.burn import devices
from burn_verify.burn.devices import Found
from burn_verify.cli.doctor import Check, Grade, examine
from burn_verify.core.options import Settings


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Return what doctor says of a backend of which this was found."""

    def told(found: Found) -> Check:
        monkeypatch.setattr(devices, "found", lambda cache, version: iter([found]))
        checks = examine(Settings(cache_dir=tmp_path / "cache", offline=True))
        return next(check for check in checks if check.name == found.backend)

    return told


def test_a_device_without_64_bit_integers(told):
    check = told(Found(backend="wgpu", device="a card", lacks="no 64-bit integers", compiled=True))
    assert (check.grade, check.found) == (Grade.NOTE, "a card (no 64-bit integers)")
    assert check.advice == (
        "models that need them on the device are not run there, and fail with this reason; others are verified"
    )


def test_a_device_that_lacks_nothing(told):
    check = told(Found(backend="wgpu", device="a card", compiled=True))
    assert (check.grade, check.found, check.advice) == (Grade.OK, "a card", "")


def test_no_device(told):
    check = told(Found(backend="wgpu", why="the driver offers no device"))
    assert (check.grade, check.found) == (Grade.NOTE, "the driver offers no device (not compiled yet)")
    assert check.advice.startswith("a Vulkan driver is needed")
