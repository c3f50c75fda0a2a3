"""One cache and one converted set of the tiny models for all tests of the real toolchain."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rooms import FIXTURES, NAMES, Rooms, Tiny, case, sweep

from burn_verify.options import Settings
from burn_verify.pipeline import Pipeline


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
def cache(own: Path) -> Iterator[Rooms]:
    cache = Rooms(own)
    yield cache
    sweep(cache)


@pytest.fixture(scope="session")
def tiny(cache: Rooms) -> Tiny:
    pipeline = Pipeline(Settings(), cache)
    try:
        plan = pipeline.prepare([case(name, FIXTURES / f"{name}.onnx") for name in NAMES])
        results = {name: pipeline.verify(plan.cases[f"file/{name}"]) for name in NAMES}
    finally:
        pipeline.close()
    return Tiny(plan=plan, results=results)
