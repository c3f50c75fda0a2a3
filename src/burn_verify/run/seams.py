"""The seams of a run: who answers for the reference and who makes programs of models, present ones by default.

A pytest plugin hands others in by the hook ``pytest_burn_verify_seams``, a program by `burn_verify.cli.main.main`.
"""

from dataclasses import dataclass

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.program import Builders
from burn_verify.reference.engine import Engines
from burn_verify.reference.ort import OnnxRuntime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What a pipeline is made of.

    Attributes:
        engine: makes what answers for the reference.
        builder: makes what turns models into programs.
    """

    engine: Engines = OnnxRuntime
    builder: Builders = CargoBuilder
