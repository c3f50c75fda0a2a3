"""Find which of Burn's backends work on this machine, and why the others do not.

Compiles nothing. A backend that is already compiled is started. For any other backend, only its driver is queried.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from burn_verify.burn.drivers import DRIVERS
from burn_verify.burn.lacks import in_words
from burn_verify.burn.recipe import Recipe
from burn_verify.burn.runner import Runner
from burn_verify.burn.workspace import Workspace, recipes_built
from burn_verify.core.errors import CommandFailed, RunError
from burn_verify.core.progress import silent
from burn_verify.core.stage import RunnerBinary
from burn_verify.core.versions import BurnVersion
from burn_verify.system.cache import Cache
from burn_verify.system.process import output_of

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The state of a backend.

    Attributes:
        device: name of the device, empty where there is none; several names where the choice of Burn is not known.
        lacks: the dtypes that the device does not support, in words; empty where no device was started.
        why: the reason why the backend does not work, empty where it works.
        compiled: whether the backend was started; otherwise only its driver was queried.
    """

    backend: str
    device: str = ""
    lacks: str = ""
    why: str = ""
    compiled: bool = False


def found(cache: Cache, version: BurnVersion) -> Iterator[Found]:
    """Yield the state of every backend of a version."""
    built = recipes_built(cache, version)
    for backend in version.backends:
        with_it = [recipe for recipe in built if backend in recipe.backends]
        yield _started(cache, backend, with_it[0]) if with_it else _looked_for(backend)


def _started(cache: Cache, backend: str, recipe: Recipe) -> Found:
    probe = RunnerBinary(path=Workspace(cache, silent, recipe).folder / "probe", modules=frozenset())
    runner = Runner(cache, probe, timeout=_TIMEOUT, memory_limit=0)
    try:
        device = runner.start(backend)
        return Found(backend=backend, device=device.name, lacks=in_words(device.lacks), compiled=True)
    except RunError as error:
        return Found(backend=backend, why=error.message, compiled=True)
    finally:
        runner.close()


def _looked_for(backend: str) -> Found:
    if backend not in DRIVERS:
        return Found(backend=backend, device="CPU")
    try:
        answer = json.loads(output_of([sys.executable, "-m", "burn_verify.burn.drivers", backend]))
    except CommandFailed as error:
        return Found(backend=backend, why=f"its driver does not survive being asked: {error.summary}")
    named = (
        f"{device['name']} ({lacks})" if (lacks := in_words(device["lacks"])) else device["name"]
        for device in answer["devices"]
    )
    return Found(backend=backend, device=", ".join(named), why=answer["why"])
