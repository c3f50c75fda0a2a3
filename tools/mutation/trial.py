"""One mutant on trial: judged by the pipeline, and where it passes, asked why.

Whether something agrees is the project's own judge to say; here only survivors are looked at more closely.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, TypeAlias

from burn_verify.burn.program import Program
from burn_verify.core.case import InputHint
from burn_verify.core.errors import StageError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import ConvertedModel, Outcome, PreparedCase
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.further import as_declared
from burn_verify.reference.inputs import make_inputs
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.steps import Ready
from burn_verify.system.wire import Array
from mutation.compare import Difference, difference, near, relative
from mutation.draw import Mutant
from mutation.further import SPECIAL, USUAL, further_inputs
from mutation.originals import Original
from mutation.results import Cause, End

LEAST_SETS: Final = 20
"""Further sets of values on which a mutant has to answer as its original before it is called equivalent."""
_OTHER_SIZES: Final = "other sizes"

Shown: TypeAlias = tuple[str, list[Array], list[Array]]
"""Kind, inputs and the original's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is known of a mutant.

    Attributes:
        how: stage and verdict, or rustc's error, or the kind of values that would have shown it.
        apart: relative difference from the original on the judged data, where it passed there.
        sets: further sets on which the two were compared.
    """

    mutant: Mutant
    end: End
    cause: Cause | None = None
    how: str = ""
    apart: float | None = None
    sets: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return a line of the results."""
        found = {"cause": self.cause, "how": self.how, "apart": self.apart, "sets": self.sets}
        return {**self.mutant.to_json(), "end": self.end, **{name: value for name, value in found.items() if value}}


class Bench:
    """Tries mutants one by one.

    Arguments:
        pipeline: with the judge that is tried.
        engine: answers further sets of values.
        enough: further sets of values a mutant, at most; models that take seconds are asked fewer.
    """

    def __init__(self, pipeline: Pipeline, engine: Engine, seed: int, enough: int) -> None:
        self._pipeline = pipeline
        self._engine = engine
        self._seed = seed
        self._enough = enough
        self._shown: dict[str, list[Shown]] = {}

    def tried(self, mutant: Mutant, original: Original, model: ConvertedModel, program: Program) -> Trial:
        """Judge one compiled mutant."""
        ready = replace(original.ready, built=replace(original.ready.built, model=model, program=program))
        verified = self._pipeline.verify(ready, twin=original.twin, shrink=False)
        result, answers = verified.result, verified.outputs
        if result.outcome is Outcome.FAILED:
            return Trial(mutant=mutant, end=End.KILLED, how=_how(result))
        seen = max(difference(answers[name], original.answers[name]) for name in answers)
        apart = max((relative(answers[name], original.answers[name]) or 0.0 for name in answers), default=None)
        if seen is Difference.REAL:
            return Trial(mutant=mutant, end=End.SURVIVED, cause=Cause.BOUND, how=_how(result), apart=apart)
        found, sets = self._further(ready, original)
        if found:
            return Trial(mutant=mutant, end=End.SURVIVED, cause=Cause.DATA, how=found, apart=apart, sets=sets)
        end = End.EQUIVALENT if seen is Difference.NONE else End.ROUNDING
        return Trial(mutant=mutant, end=end, apart=apart, sets=sets)

    def _further(self, ready: Ready, original: Original) -> tuple[str, int]:
        """Return the kind of values on which mutant and original differ, empty where none do, and how many were asked.

        Values that show a difference are looked for among the ordinary ones first.
        """
        case_id = original.ready.case.id
        if case_id not in self._shown:
            # Mutants of one case stand together: no other case's values are needed any more.
            self._shown = {case_id: list(self._values(original))}
        shown = sorted(self._shown[case_id], key=lambda one: one[0] in (SPECIAL, _OTHER_SIZES))
        for kind, inputs, desired in shown:
            try:
                apart = difference(self._pipeline.infer(ready, inputs), desired)
            except StageError:
                apart = Difference.REAL
            if apart is Difference.REAL:
                return kind, len(shown)
        return "", len(shown)

    def _values(self, original: Original) -> Iterator[Shown]:
        """Yield values that the reference takes and on which the original means the same."""
        inputs, found = original.answered.inputs, 0
        if not inputs:
            return
        seed = zlib.crc32(f"{self._seed} {original.ready.case.id}".encode())
        asked = self._reference(original.prepared, inputs) is not None
        candidates = chain(_of_other_sizes(original.prepared, inputs), further_inputs(inputs, seed))
        for place, (kind, values) in enumerate(candidates):
            if found >= self._enough or (found >= LEAST_SETS and place >= USUAL):
                return
            desired = self._reference(original.prepared, values) if asked else None
            if asked and desired is None:
                continue
            if desired is not None and not as_declared(original.prepared, original.answered.outputs, desired):
                continue
            try:
                answer = self._pipeline.infer(original.ready, values)
            except StageError:
                continue
            if desired is None or near(answer, desired):
                found += 1
                yield kind, values, answer

    def _reference(self, prepared: PreparedCase, inputs: Sequence[Array]) -> list[Array] | None:
        try:
            return infer(self._engine, prepared.model, inputs)
        except StageError:
            return None


def _of_other_sizes(prepared: PreparedCase, inputs: Sequence[Array]) -> Iterator[tuple[str, list[Array]]]:
    """Yield values of other sizes, where the model leaves some open."""
    if all(isinstance(size, int) and size >= 0 for spec in prepared.inputs for size in spec.shape):
        return
    for more in (1, 2):
        hints = {hint.name: hint for hint in prepared.case.hints.inputs}
        for spec, array in zip(prepared.inputs, inputs, strict=True):
            open_ended = [not isinstance(size, int) or size < 0 for size in spec.shape]
            shape = tuple(size + more * open_ for size, open_ in zip(array.shape, open_ended, strict=True))
            hints[spec.name] = replace(hints.get(spec.name, InputHint(name=spec.name)), shape=shape)
        case = prepared.case
        drawn = make_inputs(case.id, prepared.inputs, replace(case.hints, inputs=tuple(hints.values())))
        yield _OTHER_SIZES, list(drawn.values())


def _how(result: CaseResult) -> str:
    """Return where a case ended, and how in a word."""
    return f"{result.stage}: {result.verdict or result.reason}"[:160]
