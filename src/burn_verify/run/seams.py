"""The seams of a run: who answers for the reference, who makes programs of models, and where things are kept.

A pytest plugin hands others in by the hook ``pytest_burn_verify_seams``, a program by `burn_verify.cli.main.main`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.program import Builders
from burn_verify.reference.engine import Engines
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What a pipeline is made of.

    Attributes:
        engine: makes what answers for the reference.
        builder: makes what turns models into programs.
        cache: makes the cache, of a folder or of None, which is the user's.
    """

    engine: Engines = OnnxRuntime
    builder: Builders = CargoBuilder
    cache: Callable[[Path | None], Cache] = Cache
