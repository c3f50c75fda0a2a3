"""Which backends work here, where nothing was compiled: only drivers are looked for, and nothing is made."""

import json

import pytest

from burn_verify.burn import devices, drivers
from burn_verify.burn.devices import Found
from burn_verify.core import versions
from burn_verify.core.errors import CommandFailed
from burn_verify.system.cache import Cache


def asked(monkeypatch, **answers):
    """Let the drivers say these things; None stands for a process that died."""

    def output_of(argv):
        if answers[argv[-1]] is None:
            raise CommandFailed("python -m", "a word", "it was ended by SIGSEGV", -11)
        return json.dumps(answers[argv[-1]])

    monkeypatch.setattr(devices, "output_of", output_of)


def found(tmp_path, version="0.22.1"):
    everything = {one.backend: one for one in devices.found(Cache(tmp_path / "cache"), versions.resolve(version))}
    assert not (tmp_path / "cache").exists()
    return everything


def test_every_backend_is_looked_for(tmp_path, monkeypatch):
    devices = [{"name": "llvmpipe", "lacks": ["int64", "uint64"]}, {"name": "a card", "lacks": []}]
    asked(monkeypatch, wgpu={"devices": devices, "why": ""}, cuda={"devices": [], "why": "no CUDA"})
    assert list(found(tmp_path).values()) == [
        Found(backend="flex", device="CPU"),
        Found(backend="ndarray", device="CPU"),
        Found(backend="wgpu", device="llvmpipe (no 64-bit integers), a card"),
        Found(backend="cuda", why="no CUDA"),
    ]
    assert list(found(tmp_path, "0.21.0")) == ["flex"]


def test_a_driver_that_takes_the_process_with_it(tmp_path, monkeypatch):
    asked(monkeypatch, wgpu=None, cuda=None)
    assert found(tmp_path)["wgpu"].why == "its driver does not survive being asked: it was ended by SIGSEGV"


def test_a_library_that_is_not_there(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(drivers.ctypes, "CDLL", missing)
    assert drivers.answer("wgpu") == {
        "devices": [],
        "why": "no Vulkan on this machine: libvulkan.so.1 cannot be loaded",
    }
    assert "libcuda.so.1 cannot be loaded" in drivers.answer("cuda")["why"]


@pytest.mark.parametrize("devices", [[], [drivers.Device(name="a card", lacks=("float64",))]])
def test_an_answer_has_devices_or_says_why_not(monkeypatch, devices):
    monkeypatch.setattr(drivers, "DRIVERS", {"wgpu": lambda: devices})
    answer = json.loads(json.dumps(drivers.answer("wgpu")))
    assert [(one["name"], tuple(one["lacks"])) for one in answer["devices"]] == [
        (device.name, device.lacks) for device in devices
    ]
    assert bool(answer["why"]) != bool(devices)


@pytest.mark.parametrize("backend", drivers.DRIVERS)
def test_this_machine_answers_without_an_exception(backend):
    answer = drivers.answer(backend)
    assert bool(answer["why"]) != bool(answer["devices"])
