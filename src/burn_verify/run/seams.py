"""The replaceable components of a run: the reference engine, the builder of models, and the cache.

A pytest plugin replaces them by the hook ``pytest_burn_verify_seams``, a program by `burn_verify.cli.main.main`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.export import Exporter
from burn_verify.burn.program import Builders, Exporters
from burn_verify.reference.engine import Engines
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """The components of a pipeline.

    Attributes:
        engine: creates the engine that computes the reference.
        builder: creates the builder that converts and compiles models.
        exporter: creates what writes compiled models as ONNX again.
        cache: creates the cache from its folder; None is the user's cache folder.
    """

    engine: Engines = OnnxRuntime
    builder: Builders = CargoBuilder
    exporter: Exporters = Exporter
    cache: Callable[[Path | None], Cache] = Cache
