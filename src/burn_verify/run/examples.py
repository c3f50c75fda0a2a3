"""Further values for a generated graph that agrees: Hypothesis draws, ONNX Runtime and compiled Burn answer.

The processes are resident and the graph is compiled already, so a set of values costs about a millisecond. Does not
decide what agrees (see `comparison`), nor what is drawn (see `cases.generated`).
"""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from burn_verify.cases.generated.build import Choice, Space
from burn_verify.cases.generated.evaluator import Evaluator
from burn_verify.cases.generated.registry import records
from burn_verify.cases.generated.search import Failed, Feeds, Search, search
from burn_verify.cases.generated.snippet import snippet
from burn_verify.core.case import Subject
from burn_verify.core.errors import CompareError, OracleError, RunError
from burn_verify.core.result import Verdict
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.graph.operators import qualified
from burn_verify.judge.evidence import Measured
from burn_verify.reference.measure import Measurer, at_hand
from burn_verify.reference.oracle import DataSet, Oracle
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto


Answered: TypeAlias = list[tuple[Feeds, list[Array]]]
"""Sets of values with the answers of the reference, without those that it refuses."""

Answering: TypeAlias = Callable[[Sequence[Feeds]], Answered]

Judging: TypeAlias = Callable[[DataSet, Sequence[Array], Sequence[Callable[[], Measured]]], Verdict]
"""From a set, what came, and ways to find out more about the set, the cheapest first, to the verdict."""


class Drawing:
    """Searches the graphs of a run.

    Arguments:
        examples: how many sets of values a graph.
        seed: what they are drawn from.
        timeout: seconds one answer may take.
        judge_timeout: seconds that float64 may take.
    """

    def __init__(self, cache: Cache, *, examples: int, seed: int, timeout: float, judge_timeout: float) -> None:
        self._memory = cache.folder("examples")
        self._examples = examples
        self._seed = seed
        self._oracle = Oracle(cache, timeout)
        self._measurer = Measurer(cache, self._oracle, judge_timeout)

    def search(
        self,
        prepared: PreparedCase,
        infer: Callable[[Sequence[Sequence[Array]]], list[list[Array]]],
        judged: Judging,
        *,
        shrink: bool,
    ) -> Search:
        """Look for values on which a graph disagrees, panics or dies.

        Arguments:
            infer: compiled Burn's answers to sets of inputs; raises `RunError`.
            judged: see `Judging`.
            shrink: whether the smallest set is worth its time.
        """
        import onnx

        choice = choice_of(prepared.subject)
        if choice is None:
            return Search(examples=0, rejected=0)
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
                if _identical(actual, desired):
                    continue
                data = DataSet(inputs=list(feeds.values()), desired=desired)
                ways = (partial(at_hand, model, data), partial(self._measurer.of_data_set, prepared, data))
                verdict = judged(data, actual, ways)
                if not verdict.passes:
                    raise Failed(CompareError(verdict.message, verdict.reason, kind=FailureKind.MISMATCH), feeds)
            return len(answered)

        memory = self._memory / digest_of(prepared.case.id)[:16]
        return search(choice, check, examples=self._examples, seed=self._seed, memory=memory, shrink=shrink)

    def close(self) -> None:
        """End ONNX Runtime's process."""
        self._oracle.close()

    def _answers(self, prepared: PreparedCase, model: "ModelProto") -> Answering:
        if prepared.evaluated:
            return _evaluating(model)
        return lambda several: self._inferred(prepared, several)

    def _inferred(self, prepared: PreparedCase, several: Sequence[Feeds]) -> Answered:
        try:
            answers = self._oracle.infer_all(prepared.model, [list(feeds.values()) for feeds in several])
        except OracleError:
            if len(several) == 1:
                return []
            # One of them is refused: ask for each alone.
            return [pair for feeds in several for pair in self._inferred(prepared, [feeds])]
        return list(zip(several, answers, strict=True))


def choice_of(subject: Subject | None) -> Choice | None:
    """Return the graph that a generated case was made from; None where its declaration is no longer there."""
    if subject is None:
        return None
    record = records().get(qualified(subject.op_type, subject.domain))
    if record is None:
        return None
    return Space(record, subject.since_version).choice_of(subject.dtype, dict(subject.axes))


def program_of(prepared: PreparedCase, feeds: Feeds) -> str:
    """Return a failing example as a Python program."""
    import onnx

    return snippet(onnx.load(prepared.model), feeds, prepared.case.id)


def _one_by_one(
    answered: Answered, infer: Callable[[Sequence[Sequence[Array]]], list[list[Array]]]
) -> list[list[Array]]:
    """Ask Burn for each set alone, to find the one that it fails on."""
    answers = []
    for feeds, _ in answered:
        try:
            answers += infer([list(feeds.values())])
        except RunError as error:
            raise Failed(error, feeds) from error
    return answers


def _identical(actual: Sequence[Array], desired: Sequence[Array]) -> bool:
    """Return whether answers are the same to the last bit, which is seen faster than judged."""
    return len(actual) == len(desired) and all(
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
        for one, other in zip(actual, desired, strict=True)
    )


def _evaluating(model: "ModelProto") -> Answering:
    """Return the answers of onnx's reference evaluator, where ONNX Runtime has no kernel."""
    evaluator = Evaluator(model)

    def answers(several: Sequence[Feeds]) -> Answered:
        answered = []
        for feeds in several:
            with contextlib.suppress(ValueError):
                answered.append((feeds, evaluator.answer(feeds)))
        return answered

    return answers
