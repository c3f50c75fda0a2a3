"""Which of Burn's backends work on this machine, and why others do not.

Compiles nothing: a backend that was compiled before is started, of another one only its driver is looked for.
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
    """What is known of a backend.

    Attributes:
        device: its name, empty where there is none; several where it is not known which of them would be started.
        lacks: what it has not and others of its kind have, in words; empty where no device was started.
        why: why it does not work, empty where it does.
        compiled: whether the backend itself was started, and not only its driver looked for.
    """

    backend: str
    device: str = ""
    lacks: str = ""
    why: str = ""
    compiled: bool = False


def found(cache: Cache, version: BurnVersion) -> Iterator[Found]:
    """Yield what is known of every backend of a version."""
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
