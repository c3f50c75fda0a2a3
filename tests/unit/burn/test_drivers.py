"""The answer about a driver: its devices, or why there is none."""

import pytest

from burn_verify.burn import drivers
from burn_verify.burn.drivers import Device


@pytest.fixture
def driver(monkeypatch):
    def install(devices):
        monkeypatch.setattr(drivers, "DRIVERS", {"wgpu": devices})

    return install


def test_devices_are_plain_values(driver):
    driver(lambda: [Device(name="llvmpipe", lacks=("int64",))])

    assert drivers.answer("wgpu") == {"devices": [{"name": "llvmpipe", "lacks": ("int64",)}], "why": ""}


def test_a_driver_without_a_device_says_so(driver):
    driver(list)

    assert drivers.answer("wgpu") == {"devices": [], "why": "the driver offers no device"}


def test_a_missing_driver_is_a_reason(driver):
    def missing():
        message = "no Vulkan driver is installed"
        raise OSError(message)

    driver(missing)

    assert drivers.answer("wgpu") == {"devices": [], "why": "no Vulkan driver is installed"}


def test_backends_on_the_processor_need_no_driver():
    assert drivers.DRIVERS.keys() == {"wgpu", "cuda"}
