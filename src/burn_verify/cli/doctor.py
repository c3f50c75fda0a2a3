"""The command ``burn-verify doctor``: what this machine has and lacks, one check a line, each with advice.

Changes nothing and builds nothing.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from burn_verify import __version__
from burn_verify.burn import devices
from burn_verify.burn.cargo import INSTALL_RUST, MIN_RUSTC, is_new_enough
from burn_verify.burn.workspace import recipes_built
from burn_verify.cases import zoo
from burn_verify.core.errors import CommandFailed
from burn_verify.core.options import Settings
from burn_verify.core.versions import DEFAULT, DEPRECATED, VERSIONS, BurnVersion
from burn_verify.system import sandbox
from burn_verify.system.cache import Cache
from burn_verify.system.download import reachable
from burn_verify.system.process import output_of

_DRIVERS: Final = {
    "wgpu": "a Vulkan driver is needed; apt-get install mesa-vulkan-drivers, or the like, brings one in software",
    "cuda": "an NVIDIA card and its driver are needed",
}
_LACKS: Final = "models that need them on the device are not run there, and fail with this reason; others are verified"
_NEEDED_GIB: Final = 4.0
"""Burn's dependencies and a day's binaries; measured 1.2 GiB after the first build."""


class Grade(StrEnum):
    """The severity of a check: only `MISSING` stops a run."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the report; `advice` is what to do, empty where nothing has to be done."""

    name: str
    grade: Grade
    found: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Check]:
    """Yield every check; none of them raises."""
    yield Check(name="burn-verify", grade=Grade.OK, found=__version__)
    yield _cargo()
    yield _rustc()
    yield _linker()
    yield from (_package(name) for name in ("onnx", "onnxruntime", "numpy"))
    cache = Cache(settings.cache_dir)
    yield _disk(cache)
    yield from (_toolchain(cache, version) for version in VERSIONS)
    yield from map(_backend, devices.found(cache, DEFAULT))
    yield _sandbox()
    yield _models(settings)


def _cargo() -> Check:
    try:
        return Check(name="cargo", grade=Grade.OK, found=output_of(["cargo", "-V"]))
    except CommandFailed as error:
        return _unanswered("cargo", error)


def _rustc() -> Check:
    try:
        found = output_of(["rustc", "-V"])
    except CommandFailed as error:
        return _unanswered("rustc", error)
    enough = is_new_enough(found)
    if enough is None:
        return Check(name="rustc", grade=Grade.MISSING, found=f"it says {found!r}", advice=INSTALL_RUST)
    if not enough:
        wanted = ".".join(map(str, MIN_RUSTC))
        return Check(
            name="rustc", grade=Grade.MISSING, found=f"{found}, {wanted} is needed", advice="rustup update stable"
        )
    return Check(name="rustc", grade=Grade.OK, found=found)


def _unanswered(name: str, error: CommandFailed) -> Check:
    found = "not found" if shutil.which(name) is None else f"it does not answer: {error.summary}"
    return Check(name=name, grade=Grade.MISSING, found=found, advice=INSTALL_RUST)


def _linker() -> Check:
    if shutil.which("cc") is None:
        return Check(name="linker", grade=Grade.MISSING, found="no cc", advice="apt-get install gcc, or the like")
    return Check(name="linker", grade=Grade.OK, found="cc")


def _package(name: str) -> Check:
    try:
        return Check(name=name, grade=Grade.OK, found=version(name))
    except PackageNotFoundError:
        return Check(name=name, grade=Grade.MISSING, found="not installed", advice=f"pip install {name}")


def _disk(cache: Cache) -> Check:
    place = next(folder for folder in (cache.root, *cache.root.parents) if folder.is_dir())
    if not os.access(place, os.W_OK):
        advice = "choose another place with --burn-cache-dir DIR"
        return Check(name="disk", grade=Grade.MISSING, found=f"the cache {cache.root} cannot be written", advice=advice)
    free = shutil.disk_usage(place).free / 2**30
    found = f"{free:.0f} GiB free for the cache at {cache.root}"
    if free < _NEEDED_GIB:
        advice = f"{_NEEDED_GIB:g} GiB are needed: free some, or choose another place with --burn-cache-dir DIR"
        return Check(name="disk", grade=Grade.MISSING, found=found, advice=advice)
    return Check(name="disk", grade=Grade.OK, found=found)


def _toolchain(cache: Cache, version: BurnVersion) -> Check:
    name = f"burn {version.burn}"
    default = ", the default" if version == DEFAULT else ""
    built = recipes_built(cache, version)
    if not built:
        option = "" if version == DEFAULT else f" --burn-version {version.burn}"
        advice = f"burn-verify verify mnist{option} builds it, once, in some minutes"
        return Check(name=name, grade=Grade.NOTE, found=f"not compiled yet{default}", advice=advice)
    sets = "; ".join(" and ".join(recipe.backends) for recipe in built)
    return Check(
        name=name, grade=Grade.OK, found=f"compiled for {sets}, with {version.importer} {version.burn_onnx}{default}"
    )


def _backend(found: devices.Found) -> Check:
    marks = [
        *([found.lacks] if found.lacks else []),
        *(["not compiled yet"] if not found.compiled else []),
        *(["deprecated by Burn"] if found.backend in DEPRECATED else []),
    ]
    device = found.why or found.device
    text = f"{device} ({', '.join(marks)})" if marks else device
    if found.why:
        return Check(name=found.backend, grade=Grade.NOTE, found=text, advice=_DRIVERS.get(found.backend, ""))
    if found.lacks:
        return Check(name=found.backend, grade=Grade.NOTE, found=text, advice=_LACKS)
    return Check(name=found.backend, grade=Grade.OK, found=text)


def _sandbox() -> Check:
    why = sandbox.lacking()
    if why:
        advice = "run models that you do not trust on another machine (docs/untrusted.md)"
        return Check(name="sandbox", grade=Grade.NOTE, found=why, advice=advice)
    return Check(name="sandbox", grade=Grade.OK, found="converter and models run without network")


def _models(settings: Settings) -> Check:
    if settings.zoo_mirror is not None:
        return Check(name="models", grade=Grade.OK, found=f"mirror {settings.zoo_mirror}")
    if settings.offline or not reachable(zoo.load().base_url):
        advice = "stand-ins with random weights are used where there are any; --zoo-mirror DIR names a folder of models"
        return Check(name="models", grade=Grade.NOTE, found="no mirror, and the hub is not reachable", advice=advice)
    return Check(name="models", grade=Grade.OK, found="the hub is reachable")
