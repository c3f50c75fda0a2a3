"""List the devices that a graphics driver or CUDA offers on this machine, without Burn.

Runs as a separate process (``python -m burn_verify.burn.drivers wgpu``), since a driver may crash its process.
Prints the devices, or the reason why there is none, as JSON. Calls C through `ctypes` and imports no large package.
"""

import ctypes
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

_VULKAN_STRUCTURE_INSTANCE: Final = 1
_VULKAN_INCOMPATIBLE_DRIVER: Final = -9
# VkPhysicalDeviceProperties: five 32-bit numbers, then the name; the limits that follow are not read.
_PROPERTIES_BYTES: Final = 4096
_NAME: Final = slice(20, 276)
# VkPhysicalDeviceFeatures: 55 flags of 32 bits, and the dtypes that depend on two of them. Support for float16 is
# reported by an extension, which is not queried.
_FEATURES: Final = 55
_FEATURE_OF: Final = {"float64": 39, "int64": 40, "uint64": 40}
_CUDA_NO_DEVICE: Final = 100


class _InstanceInfo(ctypes.Structure):
    """VkInstanceCreateInfo without application information."""

    _fields_ = (
        ("structure", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("application", ctypes.c_void_p),
        ("layers", ctypes.c_uint32),
        ("layer_names", ctypes.c_void_p),
        ("extensions", ctypes.c_uint32),
        ("extension_names", ctypes.c_void_p),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that a driver offers.

    Attributes:
        name: name reported by the driver, ``CPU`` for backends without a driver.
        lacks: names of dtypes that this device does not support and other devices of its kind do.
    """

    name: str
    lacks: tuple[str, ...] = ()


def vulkan_devices() -> list[Device]:
    """Return Vulkan's devices; https://registry.khronos.org/vulkan/specs/latest/man/html/.

    Raises:
        OSError: there is no Vulkan, or no driver.
    """
    vulkan = _library("libvulkan.so.1", "Vulkan")
    instance, info = ctypes.c_void_p(), _InstanceInfo(structure=_VULKAN_STRUCTURE_INSTANCE)
    code = vulkan.vkCreateInstance(ctypes.byref(info), None, ctypes.byref(instance))
    if code == _VULKAN_INCOMPATIBLE_DRIVER:
        message = "no Vulkan driver is installed"
        raise OSError(message)
    _check(code, "vkCreateInstance")
    count = ctypes.c_uint32()
    _check(vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None), "vkEnumeratePhysicalDevices")
    handles = (ctypes.c_void_p * count.value)()
    _check(vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles), "vkEnumeratePhysicalDevices")
    devices = []
    for handle in handles[: count.value]:
        properties = ctypes.create_string_buffer(_PROPERTIES_BYTES)
        vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(handle), properties)
        name = properties.raw[_NAME].split(b"\0")[0].decode("utf-8", "replace")
        features = (ctypes.c_uint32 * _FEATURES)()
        vulkan.vkGetPhysicalDeviceFeatures(ctypes.c_void_p(handle), features)
        lacks = tuple(dtype for dtype, feature in _FEATURE_OF.items() if not features[feature])
        devices.append(Device(name=name, lacks=lacks))
    return devices


def cuda_devices() -> list[Device]:
    """Return CUDA's devices; https://docs.nvidia.com/cuda/cuda-driver-api/.

    Raises:
        OSError: there is no CUDA, or no driver.
    """
    cuda = _library("libcuda.so.1", "CUDA")
    if (code := cuda.cuInit(0)) == _CUDA_NO_DEVICE:
        return []
    _check(code, "cuInit")
    count = ctypes.c_int()
    _check(cuda.cuDeviceGetCount(ctypes.byref(count)), "cuDeviceGetCount")
    devices = []
    for index in range(count.value):
        name = ctypes.create_string_buffer(256)
        _check(cuda.cuDeviceGetName(name, len(name), index), "cuDeviceGetName")
        devices.append(Device(name=name.value.decode("utf-8", "replace")))
    return devices


DRIVERS: Final[Mapping[str, Callable[[], list[Device]]]] = {"wgpu": vulkan_devices, "cuda": cuda_devices}
"""Functions that list devices, by backend of Burn that needs a driver."""


def _library(file: str, name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(file)
    except OSError as error:
        message = f"no {name} on this machine: {file} cannot be loaded"
        raise OSError(message) from error


def _check(code: int, call: str) -> None:
    if code != 0:
        message = f"{call} failed with {code}"
        raise OSError(message)


def answer(backend: str) -> dict[str, object]:
    """Return ``devices``, and in ``why`` the reason where there is none."""
    try:
        devices = [asdict(device) for device in DRIVERS[backend]()]
    except OSError as error:
        return {"devices": [], "why": str(error)}
    return {"devices": devices, "why": "" if devices else "the driver offers no device"}


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1])))
