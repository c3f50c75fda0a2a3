"""Further values for a generated graph that agrees: Hypothesis draws them, ONNX Runtime and compiled Burn run on them.

The processes are resident and the graph is already compiled, so a set of values takes about a millisecond. Decides
neither agreement (see `comparison`) nor which values are drawn (see `cases.generated`).
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from burn_verify.cases.generated.build import Choice, Space
from burn_verify.cases.generated.registry import operator_specs
from burn_verify.cases.generated.search import Failed, Feeds, search
from burn_verify.cases.generated.snippet import snippet
from burn_verify.core.case import Subject
from burn_verify.core.errors import CompareError, OracleError, RunError, StageError
from burn_verify.core.result import Verdict
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.graph.operators import qualified
from burn_verify.judge.evidence import Measured
from burn_verify.judge.metrics import identical
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Engine
from burn_verify.reference.evaluator import Evaluator
from burn_verify.reference.measure import Measurer, at_hand
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto


Answered: TypeAlias = list[tuple[Feeds, list[Array]]]
"""Sets of values with their reference outputs, without the sets that the reference rejects."""

Answering: TypeAlias = Callable[[Sequence[Feeds]], Answered]

Judging: TypeAlias = Callable[[DataSet, Sequence[Array], Sequence[Callable[[], Measured]]], Verdict]
"""Returns the verdict for a set, the actual outputs, and sources of evidence about the set, the cheapest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The result of a search over drawn values.

    Attributes:
        agree: number of sets that agree.
        no_reference: number of sets that the reference rejects.
        error: the error for the smallest failing values found; None where all agree.
        program: a Python program that reproduces the failure; empty where there is none.
    """

    agree: int
    no_reference: int
    error: StageError | None = None
    program: str = ""

    @property
    def evidence(self) -> dict[str, Any]:
        """The fields for the record."""
        counts = {"examples": {"agree": self.agree, "no reference": self.no_reference}}
        return {**counts, "example": self.program} if self.program else counts


class ExampleSearch:
    """Searches the graphs of a run for values on which they fail.

    Arguments:
        examples: number of sets of values per graph.
        seed: the random seed.
        judge_timeout: time limit (seconds) of the float64 reference.
    """

    def __init__(self, cache: Cache, engine: Engine, *, examples: int, seed: int, judge_timeout: float) -> None:
        self._memory = cache.folder("examples")
        self._examples = examples
        self._seed = seed
        self._engine = engine
        self._measurer = Measurer(cache, engine, judge_timeout)

    def search(
        self,
        prepared: PreparedCase,
        infer: Callable[[Sequence[Sequence[Array]]], list[list[Array]]],
        judged: Judging,
        *,
        shrink: bool,
    ) -> Drawn:
        """Search for values on which a graph disagrees, panics or crashes.

        Arguments:
            infer: runs compiled Burn on sets of inputs; raises `RunError`.
            judged: see `Judging`.
            shrink: whether to search for the smallest failing set.
        """
        import onnx

        choice = choice_of(prepared.subject)
        if choice is None:
            return Drawn(agree=0, no_reference=0)
        model = onnx.load(prepared.model)
        desired_of = self._answers(prepared, model)

        def check(several: Sequence[Feeds]) -> int:
            answered = desired_of(several)
            sets = [list(feeds.values()) for feeds, _ in answered]
            try:
                answers = infer(sets)
            except RunError:
                answers = _one_by_one(answered, infer)
            for (feeds, desired), actual in zip(answered, answers, strict=True):
                if identical(actual, desired):
                    continue
                data = DataSet(inputs=list(feeds.values()), desired=desired)
                ways = (partial(at_hand, model, data), partial(self._measurer.of_data_set, prepared, data))
                verdict = judged(data, actual, ways)
                if not verdict.passes:
                    raise Failed(CompareError(verdict.message, verdict.reason, kind=FailureKind.MISMATCH), feeds)
            return len(answered)

        memory = self._memory / digest_of(prepared.case.id)[:16]
        found = search(choice, check, examples=self._examples, seed=self._seed, memory=memory, shrink=shrink)
        if found.error is None or found.feeds is None:
            return Drawn(agree=found.examples, no_reference=found.rejected)
        program = snippet(model, found.feeds, prepared.case.id)
        return Drawn(agree=found.examples, no_reference=found.rejected, error=found.error, program=program)

    def close(self) -> None:
        """Terminate the engine."""
        self._engine.close()

    def _answers(self, prepared: PreparedCase, model: "ModelProto") -> Answering:
        if prepared.evaluated:
            return _evaluating(model)
        return lambda several: self._inferred(prepared, several)

    def _inferred(self, prepared: PreparedCase, several: Sequence[Feeds]) -> Answered:
        try:
            answers = self._engine.infer_all(prepared.model, [list(feeds.values()) for feeds in several])
        except OracleError:
            if len(several) == 1:
                return []
            # The engine rejects one of them: run each alone.
            return [pair for feeds in several for pair in self._inferred(prepared, [feeds])]
        return list(zip(several, answers, strict=True))


def choice_of(subject: Subject | None) -> Choice | None:
    """Return the graph that a generated case was made from; None where its declaration no longer exists."""
    if subject is None:
        return None
    spec = operator_specs().get(qualified(subject.op_type, subject.domain))
    if spec is None:
        return None
    return Space(spec, subject.since_version).choice_of(subject.dtype, dict(subject.axes))


def _one_by_one(
    answered: Answered, infer: Callable[[Sequence[Sequence[Array]]], list[list[Array]]]
) -> list[list[Array]]:
    """Run Burn on each set alone, to find the failing one."""
    answers = []
    for feeds, _ in answered:
        try:
            answers += infer([list(feeds.values())])
        except RunError as error:
            raise Failed(error, feeds) from error
    return answers


def _evaluating(model: "ModelProto") -> Answering:
    """Return a function that runs onnx's reference evaluator, for models without an ONNX Runtime kernel."""
    evaluator = Evaluator(model)

    def answers(several: Sequence[Feeds]) -> Answered:
        answered = []
        for feeds in several:
            with contextlib.suppress(ValueError):
                answered.append((feeds, evaluator.answer(feeds)))
        return answered

    return answers
