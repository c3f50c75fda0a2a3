"""A model that passed the pipeline, with all that is needed to ship it. What did not pass is an error, not a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from burn_verify.core.case import Case
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.result import CaseResult
from burn_verify.core.target import PROCESS, Target
from burn_verify.core.ways import FULL, HALF
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.reference import measure, oracle, stored_half
from burn_verify.reference.engine import Engine
from burn_verify.run.compare import verdict_on, with_moves
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.results import error_of
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Outputs, Ready
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A case that passed on a target.

    Attributes:
        outputs: what compiled Burn answered, by data set, where the judge let it pass; a data set about which there is
            doubt is not among them.
        judge: the judge that let it pass.
        moves: how far stored weights may move an output, by data set and place; empty for full ones.
    """

    ready: Ready
    result: CaseResult
    outputs: Outputs
    judge: Judge
    moves: Mapping[str, Mapping[int, Array]] = field(default_factory=dict)

    @property
    def inputs(self) -> list[Array]:
        """The inputs of the first data set.

        Raises:
            OracleError: they are not in the cache any more.
        """
        return oracle.read(self.ready.reference).data_sets[next(iter(self.outputs))].inputs

    @property
    def about(self) -> dict[str, str]:
        """What was verified and against what, for people: texts by name."""
        metrics = self.result.metrics
        apart = [f"`{one.name}` {one.max_abs:.3g}" for one in metrics if one.max_abs is not None]
        against = sorted({one.reference or "the expected output" for one in metrics})
        target = self.ready.built.target
        return {
            "model": f"{self.result.case_id}, sha256 `{self.ready.prepared.digest}`",
            "on": f"Burn {target.version}, burn-onnx {target.burn_onnx}, backend {target.backend}",
            "weights": _STORED[target.weights],
            "verdict": str(self.result.verdict),
            "against": f"{', '.join(against)}; ONNX Runtime {version('onnxruntime')}, onnx {version('onnx')}",
            "data sets": ", ".join(self.outputs),
            "greatest difference": ", ".join(dict.fromkeys(apart)) or "none: every element is equal",
        }


_STORED: Final = {
    FULL: "as in the model",
    HALF: "stored as float16 by burn-store's `HalfPrecisionAdapter`, loaded as float32; the bounds have room for that",
}


def prove(
    settings: Settings,
    cache: Cache,
    case: Case,
    seams: Seams,
    listen: Listener,
    *,
    via: str = PROCESS,
    weights: str = FULL,
) -> Proven:
    """Take a case through the whole pipeline.

    Arguments:
        via: how the compiled model is asked, see `Target.via`.
        weights: how they are stored, see `Target.weights`.

    Raises:
        StageError: it did not pass; the error is that of its stage.
        ToolchainError: nothing could be built, for a reason outside the case.
    """
    target = Target(simplify=settings.simplify[0], partition=settings.partition[0], via=via, weights=weights)
    pipeline = Pipeline(settings, cache, listen, engine=seams.engine, builder=seams.builder)
    try:
        step = pipeline.prepare([case], target).cases[case.id]
        verified = pipeline.verify(step)
    finally:
        pipeline.close()
    if (error := error_of(verified.result)) is not None:
        raise error
    assert isinstance(step, Ready)
    judge = Judge(mode=settings.judge, overrides=packaged(), burn_backend=target.backend)
    moves = {} if weights == FULL else _moves(step, seams.engine(cache, settings.timeout, memory_limit=0))
    outputs = right(step, verified.outputs, judge, moves)
    return Proven(ready=step, result=verified.result, outputs=outputs, judge=judge, moves=moves)


def right(
    ready: Ready, outputs: Outputs, judge: Judge, moves: Mapping[str, Mapping[int, Array]] | None = None
) -> Outputs:
    """Return the outputs that the judge lets pass: a case may pass although a data set was left out for doubt."""
    known, measures = oracle.read(ready.reference), with_moves(measure.read_measures(ready.reference), moves or {})
    return {
        name: answers
        for name, answers in outputs.items()
        if verdict_on(ready.prepared, name, known.data_sets[name], measures.data_sets[name], answers, judge).passes
    }


def _moves(ready: Ready, engine: Engine) -> Mapping[str, Mapping[int, Array]]:
    """Return how far stored weights may move an output: as the pipeline found it, since samples are always the same."""
    known = oracle.read(ready.reference).data_sets
    sets = {name: data.inputs for name, data in known.items() if not ready.prepared.is_varied(name)}
    try:
        return stored_half.deviations(engine, ready.prepared.model, sets)
    finally:
        engine.close()
