"""A quantised model made ready for Burn: only what has to be rewritten, weights in 8 bits where they can stay so."""

import tempfile
from dataclasses import replace
from pathlib import Path

from burn_verify.core.case import ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.prepared import Prepared
from burn_verify.core.progress import Listener
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Target
from burn_verify.run.prepare.preparing import preparation
from burn_verify.run.prepare.rules import rewritings_for, sparing_rewritings_for
from burn_verify.run.quantise.calibration import first_name
from burn_verify.run.seams import Seams
from burn_verify.system.cache import Cache

_DRAWS = 2
"""Further data sets that are drawn beside the sample."""


def readied(
    prepared: PreparedCase,
    model: bytes,
    settings: Settings,
    target: Target,
    *,
    cache: Cache,
    listen: Listener,
    seams: Seams,
) -> Prepared:
    """Rewrite a quantised model until it agrees, as `prepare` does.

    What keeps weights in 8 bits is tried first, all other rewritings only where that does not do.

    Arguments:
        prepared: the model that was quantised; its sample and drawn inputs prove the steps.
        model: the quantised one, serialised.

    Raises:
        ToolchainError: nothing could be built, for a reason outside the models.
    """
    sample = first_name(prepared)
    hints = replace(prepared.case.hints, sample=sample, draws=_DRAWS if sample else prepared.case.hints.draws)
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
        path = Path(folder) / f"{prepared.model.stem}-int8.onnx"
        path.write_bytes(model)
        case = replace(prepared.case, source=ModelFile(path=path), hints=hints)
        found: Prepared | None = None
        for rules in (sparing_rewritings_for, rewritings_for):
            with preparation(
                settings, target, cache=cache, listen=listen, seams=seams, thrifty=True, rewritings=rules
            ) as open_one:
                found = open_one.prepare([case])[case.id]
            if found.agrees:
                break
    assert found is not None
    return found
