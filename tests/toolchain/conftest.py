"""One cache and one converted set of the tiny models for all tests of the real toolchain."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from burn_verify.burn import checkouts, disk
from burn_verify.burn.cargo import host
from burn_verify.burn.workspace import Workspace
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.target import Checkout, Target
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.process import output_of
from toolchain.helpers import FIXTURES, NAMES, OwnCache, Tiny, case, sweep

ADD = Path("src/import/burn/node/add.rs")
RIGHT, WRONG = "#lhs_bc.add(#rhs_bc)", "#lhs_bc.sub(#rhs_bc)"


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder for the run, shared by pytest-xdist's workers, so that each batch is compiled once.

    Its name is as bad as a user's cache folder may be.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / 'own "ü" {0}'
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cache(own: Path) -> Iterator[OwnCache]:
    cache = OwnCache(own)
    yield cache
    sweep(cache)


@pytest.fixture(scope="session")
def tiny(cache: OwnCache) -> Tiny:
    pipeline = Pipeline(Settings(), cache)
    try:
        plan = pipeline.prepare([case(name, FIXTURES / f"{name}.onnx") for name in NAMES])
        results = {name: pipeline.verify(plan.cases[f"file/{name}"]).result for name in NAMES}
    finally:
        pipeline.close()
    return Tiny(plan=plan, results=results)


@pytest.fixture(scope="session")
def broken(cache: OwnCache, own: Path) -> Iterator[Checkout]:
    """A copy of the registry's sources in which an addition subtracts."""
    plain = Workspace.of(cache, silent, Target())
    plain.converter()
    with cache.lock(plain.lock):
        # Crates of earlier tests are gone, and cargo would miss them.
        plain.write({}, ())
    manifest = plain.build.folder / "Cargo.toml"
    # Crates of other platforms were never downloaded, and cargo would miss them.
    asked = ["--offline", "--format-version=1", "--filter-platform", host(), "--manifest-path", str(manifest)]
    said = output_of(["cargo", "metadata", *asked])
    (found,) = [package for package in json.loads(said)["packages"] if package["name"] == "burn-onnx"]
    copy = own / "broken burn-onnx"
    if not copy.exists():
        shutil.copytree(Path(found["manifest_path"]).parent, copy)
        text = (copy / ADD).read_text()
        assert text.count(RIGHT) == 1
        (copy / ADD).write_text(text.replace(RIGHT, WRONG))
    checkout = checkouts.look(cache, "burn-onnx", str(copy))
    yield checkout
    # The copy lies elsewhere in the next run, so nobody would ever use this again.
    local = Workspace.of(cache, silent, Target(burn_onnx_checkout=checkout))
    for usage in disk.usages(cache) if local.ready else ():
        if usage.folder == local.converter().parent:
            disk.free(cache, usage)
