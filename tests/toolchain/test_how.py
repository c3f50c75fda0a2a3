"""The lines that ``verify --how`` prints compile, and load the model, in a workspace whose Burn is compiled already."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from burn_verify.burn.workspace import Workspace
from burn_verify.core.case import TensorSpec
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.ship.how import Model, lines
from toolchain.helpers import FIXTURES, OwnCache, Tiny

PORT = TensorSpec(name="x", dtype="float32", shape=(2, 3))
HEAD = '[package]\nname = "{name}"\nversion.workspace = true\nedition.workspace = true\n\n'


def built(workspace: Workspace, name: str, env: dict[str, str]) -> Path:
    run = workspace.compile(name, {}, env=env)
    assert run.code == 0, [error.rendered for _, error in run.errors]
    return Path(run.executables[name])


def test_the_lines_compile_and_load_the_model(tiny: Tiny, cache: OwnCache, tmp_path: Path) -> None:
    del tiny  # it has built the workspace
    workspace = Workspace.of(cache, silent, Target())
    if workspace.ready is None:
        pytest.skip("Burn is not compiled in the cache of this machine: burn-verify verify mnist does it")
    found = lines(Target(), [Model(name="file/add", path="add.onnx", inputs=(PORT,), outputs=(PORT,))])
    (tmp_path / "model").mkdir()
    shutil.copy(FIXTURES / "add.onnx", tmp_path / "model" / "add.onnx")
    # As a program, not as a build script: cargo would compile Burn once more for those.
    files = {
        "how_build/Cargo.toml": HEAD.format(name="how_build")
        + found.build_dependencies.replace("[build-dependencies]", "[dependencies]"),
        "how_build/src/main.rs": found.build,
        "how_app/Cargo.toml": HEAD.format(name="how_app") + found.dependencies,
        "how_app/src/main.rs": found.program,
    }
    env = {"OUT_DIR": str(tmp_path / "out")}
    with cache.lock(workspace.lock):
        try:
            workspace.write(files, ["how_build", "how_app"])
            script = built(workspace, "how_build", {})
            subprocess.run([script], cwd=tmp_path, env={**os.environ, **env}, check=True, timeout=120)
            program = built(workspace, "how_app", env)
            said = subprocess.run([program], check=True, capture_output=True, text=True, timeout=120).stdout
        finally:
            workspace.write({}, ())
            for name in ("how_build", "how_app"):
                shutil.rmtree(workspace.build.folder / "generated" / name, ignore_errors=True)
    assert said.endswith(" parameters\n")
