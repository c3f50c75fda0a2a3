"""A model that passed the pipeline, with all that is needed to ship it. What did not pass is an error, not a value."""

from dataclasses import dataclass
from importlib.metadata import version

from burn_verify.core.case import Case
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.result import CaseResult
from burn_verify.core.target import PROCESS, Target
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.reference import oracle
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
        outputs: what compiled Burn answered, by data set.
        judge: the judge that let it pass.
    """

    ready: Ready
    result: CaseResult
    outputs: Outputs
    judge: Judge

    @property
    def inputs(self) -> list[Array]:
        """The inputs of the first data set.

        Raises:
            OracleError: they are not in the cache any more.
        """
        return next(iter(oracle.read(self.ready.reference).data_sets.values())).inputs

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
            "verdict": str(self.result.verdict),
            "against": f"{', '.join(against)}; ONNX Runtime {version('onnxruntime')}, onnx {version('onnx')}",
            "data sets": ", ".join(self.outputs),
            "greatest difference": ", ".join(dict.fromkeys(apart)) or "none: every element is equal",
        }


def prove(
    settings: Settings, cache: Cache, case: Case, seams: Seams, listen: Listener, *, via: str = PROCESS
) -> Proven:
    """Take a case through the whole pipeline.

    Arguments:
        via: how the compiled model is asked, see `Target.via`.

    Raises:
        StageError: it did not pass; the error is that of its stage.
        ToolchainError: nothing could be built, for a reason outside the case.
    """
    target = Target(simplify=settings.simplify[0], partition=settings.partition[0], via=via)
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
    return Proven(ready=step, result=verified.result, outputs=verified.outputs, judge=judge)
