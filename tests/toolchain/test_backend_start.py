"""Backends are started before anything runs on them, and say why they cannot be."""

import pytest

from burn_verify.burn.drivers import Device
from burn_verify.burn.recipe import Recipe
from burn_verify.burn.runner import Runner
from burn_verify.burn.workspace import Workspace, recipes_built
from burn_verify.core.errors import RunError
from burn_verify.core.progress import silent
from burn_verify.core.stage import RunnerBinary
from burn_verify.core.target import Target
from burn_verify.core.versions import DEFAULT
from toolchain.helpers import OwnCache


@pytest.fixture
def probe(cache: OwnCache):
    binary = RunnerBinary(path=Workspace.of(cache, silent, Target()).probe(), modules=frozenset())
    runner = Runner(cache, binary, timeout=60, memory_limit=0)
    yield runner
    runner.close()


def with_wgpu(cache: OwnCache) -> Recipe:
    built = [recipe for recipe in recipes_built(cache, DEFAULT) if "wgpu" in recipe.backends]
    return built[0] if built else pytest.skip("no toolchain with wgpu is compiled: tox run -e targets")


def test_flex_starts(probe: Runner) -> None:
    assert probe.start("flex") == Device(name="CPU")
    assert probe.start("flex") == Device(name="CPU")


def test_a_backend_that_was_not_compiled_in(probe: Runner) -> None:
    with pytest.raises(RunError, match="wgpu does not start: this binary has no backend 'wgpu'"):
        probe.start("wgpu")
    assert probe.start("flex") == Device(name="CPU")


def test_wgpu_without_a_driver_says_so(cache: OwnCache, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(cache, silent, with_wgpu(cache))
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES", "__EGL_VENDOR_LIBRARY_FILENAMES"):
        monkeypatch.setenv(name, "/nowhere.json")
    # Mesa's OpenGL would do as well, in software.
    monkeypatch.setenv("WGPU_BACKEND", "vulkan")
    runner = Runner(
        cache, RunnerBinary(path=workspace.folder / "probe", modules=frozenset()), timeout=60, memory_limit=0
    )
    try:
        with pytest.raises(RunError, match="wgpu does not start: "):
            runner.start("wgpu")
        assert runner.start("flex") == Device(name="CPU")
    finally:
        runner.close()
