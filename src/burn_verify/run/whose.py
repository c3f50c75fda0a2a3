"""Ask whose fault a failing model is: on another backend first, then by the round trip; `run.fault` decides."""

from collections.abc import Sequence
from dataclasses import replace

from burn_verify.core.errors import ToolchainError, UsageError
from burn_verify.core.located import Fault, Side
from burn_verify.core.stage import Stage
from burn_verify.reference.oracle import read
from burn_verify.run.fault import Other, Trip, decided, same_answers
from burn_verify.run.models import Model
from burn_verify.run.results import Verified
from burn_verify.run.round_trip import Travelled, trips
from burn_verify.run.search import Batch, Instruments, Search
from burn_verify.run.steps import Ready


def whose(asked: Model, verified: Verified, search: Search, instruments: Instruments) -> Fault:
    """Return whose fault it is that a model failed, which may be a piece of another one.

    Arguments:
        verified: how it failed on the target of the search.
    """
    failure = verified.result
    if failure.stage not in (Stage.RUN, Stage.COMPARE):
        return decided(failure)
    target = replace(search.target, backend=instruments.backend) if instruments.backend else search.target
    try:
        with replace(search, target=target).batch([asked]) as batch:
            step = batch.ready([asked.name])[asked.name]
            other = _other(instruments.backend, batch, asked.name, step, verified) if instruments.backend else None
            trip = _trip(search, batch, step, verified) if instruments.round_trip and isinstance(step, Ready) else None
    except (ToolchainError, UsageError) as error:
        return Fault(side=Side.UNDECIDED, facts=(f"{target.label}: {error}".partition("\n")[0],))
    return decided(failure, other, trip)


def _other(backend: str, batch: Batch, name: str, step: object, verified: Verified) -> Other:
    made = batch.judged([name])[name]
    alike = None
    if isinstance(step, Ready):
        sets = read(step.reference).data_sets
        both = [one for one in verified.outputs if one in made.outputs and one in sets]
        alike = same_on(both, verified, made, step) if both else None
    return Other(backend=backend, result=made.result, alike=alike)


def same_on(names: Sequence[str], one: Verified, other: Verified, step: Ready) -> bool:
    """Return whether two answers are wrong alike on some data sets of a case."""
    sets = read(step.reference).data_sets
    return all(same_answers(one.outputs[name], other.outputs[name], sets[name].desired) for name in names)


def _trip(search: Search, batch: Batch, step: Ready, verified: Verified) -> Trip:
    settings = search.settings
    exporter = search.seams.exporter(search.cache, settings, search.listen, search.target.burn)
    engine = search.seams.engine(search.cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        wanted = {step.case.id: Travelled(step=step, verified=verified)}
        return trips(wanted, exporter, engine, batch.models.judged)[step.case.id]
    except (ToolchainError, UsageError) as error:
        return Trip(obstacle=str(error).partition("\n")[0])
    finally:
        engine.close()
