"""Every command of the guide from a model to a program is typed, in its order, with the real Burn.

Skipped where Burn or the server is not compiled, or where MNIST would be a stand-in: the guide asks for its names.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from burn_verify.burn import wasm
from burn_verify.burn.server import is_built
from burn_verify.burn.workspace import Workspace, recipes_built
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import WASMS, Target
from burn_verify.core.versions import DEFAULT
from burn_verify.system.cache import Cache
from documented import code_of

CACHE = Cache(settings_from({}).cache_dir)
MIRROR = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or Path(__file__).parents[3] / "shared" / "zoo")
pytestmark = [
    pytest.mark.skipif(
        not (recipes_built(CACHE, DEFAULT) and is_built(CACHE)), reason="the server or Burn is not compiled here"
    ),
    pytest.mark.skipif(not (MIRROR / "index.json").is_file(), reason="no mirror: set BURN_VERIFY_ZOO_MIRROR"),
]
GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "convert-and-serve.md").read_text(encoding="utf-8")
BLOCKS = code_of(GUIDE, "sh")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("guide")


@pytest.fixture(scope="module")
def environment():
    """As a user has it, with the Burn that is compiled already."""
    target = Workspace.of(CACHE, silent, Target()).build.target
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"CARGO_TARGET_DIR": target, "BURN_VERIFY_CACHE": CACHE.root, "BURN_VERIFY_ZOO_MIRROR": MIRROR}
    return {**os.environ, "PATH": path, **{name: str(value) for name, value in own.items()}}


def typed(block):
    """Return a block as it is typed here: on a free port, in the profile that is compiled."""
    lines = block.replace("3000", str(free_port())).splitlines()
    lines = [line.replace("cargo test", "cargo test --profile correctness") for line in lines]
    lines = [line.replace("cargo run", "cargo run --profile correctness") for line in lines]
    return "\n".join(["set -e -o pipefail -m", *lines])


def test_the_guide_has_commands():
    names = {line.split()[0] for block in BLOCKS for line in block.splitlines()}
    assert {"burn-verify", "pytest", "curl", "(cd", "./probe", "kill"} <= names


@pytest.mark.parametrize("place", range(len(BLOCKS)))
def test_a_block_of_the_guide_runs(place, folder, environment):
    block = BLOCKS[place]
    if "wasm" in block and (why := next(filter(None, map(wasm.missing, WASMS)), "")):
        pytest.skip(why)
    done = subprocess.run(
        ["bash", "-c", typed(block)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
