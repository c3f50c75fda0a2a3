"""Comparison of two targets' outputs for the same inputs; a difference is found without a reference.

Both outputs may have the error that the judge allows, so the bound is wider than that of either. Runs no model:
outputs are kept during a run and compared at its end.
"""

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from burn_verify.core.errors import StageError
from burn_verify.core.result import Verdict
from burn_verify.core.stage import Stage
from burn_verify.judge.evidence import Evidence, Measured
from burn_verify.judge.metrics import is_float, widened
from burn_verify.judge.policy import Judge
from burn_verify.judge.tolerated import Question
from burn_verify.reference import measure, oracle
from burn_verify.run.stages import unexpected
from burn_verify.run.steps import Ended, Ready
from burn_verify.system.files import write_if_changed
from burn_verify.system.wire import Array, at, decode_named, decode_notes, encode_named, placed

BEFORE: Final = "before"
AFTER: Final = "after"
NEITHER: Final = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How two outputs differ, and which is nearer to the reference; see `burn_verify.core.result.Difference`."""

    nearer: str
    message: str


def keep(path: Path, answers: Mapping[str, Sequence[Array]]) -> None:
    """Write a model's outputs by data set. On a full disk the comparison is skipped; the result is kept."""
    arrays: dict[str, Array] = {}
    for place, outputs in enumerate(answers.values()):
        arrays |= placed(place, "out", outputs)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(path, encode_named(arrays, {"data_sets": "\n".join(answers)}))


def between(step: Ready | Ended, before: Path, after: Path) -> Said | None:
    """Compare the outputs of two targets; None where they agree within the bound, or where one has none.

    Arguments:
        step: the case on either target; its reference, if any, decides which output is nearer.
    """
    try:
        return _between(step, before, after)
    except Exception as error:  # an error of one case must not end the report of all cases
        return Said(nearer="", message=unexpected(Stage.COMPARE, error).message)


def _between(step: Ready | Ended, before: Path, after: Path) -> Said | None:
    prepared = step.prepared
    if prepared is None or prepared.random or not (before.is_file() and after.is_file()):
        return None
    # Most outputs are bitwise equal.
    texts = before.read_bytes(), after.read_bytes()
    if texts[0] == texts[1]:
        return None
    sides = [_read(text) for text in texts]
    for data_set in sides[0].keys() & sides[1].keys():
        known = _known(step, data_set)
        before_it, after_it = sides[0][data_set], sides[1][data_set]
        names = [output.name for output in prepared.outputs][: len(before_it)]
        found = verdict(Question(case_id=prepared.case.id), names, data_set, before_it, after_it, known)
        if not found.passes:
            return Said(nearer=_nearer(before_it, after_it, known.desired), message=found.difference)
    return None


def distance(answer: Sequence[Array], desired: Sequence[Array]) -> float:
    """Return the distance of an output from the reference: the relative root mean square over all elements.

    Infinite where count, dtype kind or shape differ, or where one of two elements is NaN or infinite and the other is
    not the same.
    """
    if len(answer) != len(desired):
        return math.inf
    total, size, count = 0.0, 0.0, 0
    for mine, wanted in zip(answer, desired, strict=True):
        if mine.shape != wanted.shape or is_float(mine.dtype) != is_float(wanted.dtype):
            return math.inf
        if not is_float(wanted.dtype):
            total, size = total + float(np.count_nonzero(mine != wanted)), size + float(wanted.size)
        else:
            apart, own = _apart(widened(mine), widened(wanted))
            total, size = total + apart, size + own
        count += wanted.size
    return math.sqrt(total / size) if size else math.sqrt(total / max(count, 1))


@np.errstate(all="ignore")
def _apart(mine: Array, wanted: Array) -> tuple[float, float]:
    """Return the sums of squares of the difference and of the reference."""
    same = (mine == wanted) | (np.isnan(mine) & np.isnan(wanted))
    finite = np.isfinite(mine) & np.isfinite(wanted)
    if not np.all(same | finite):
        return math.inf, 1.0
    gap = np.where(same, 0.0, mine - wanted)
    return float(np.sum(gap * gap)), float(np.sum(np.where(finite, wanted * wanted, 0.0)))


def _read(text: bytes) -> dict[str, list[Array]]:
    named = decode_named(text)
    return {name: at(named, place, "out") for place, name in enumerate(decode_notes(text)["data_sets"].split("\n"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The reference outputs of a data set.

    Attributes:
        desired: the most accurate reference: float64 if there is one, else the expected outputs; None without either.
        runtime: ONNX Runtime's outputs, None where it has none.
    """

    inputs: Sequence[Array] = ()
    measured: Measured = field(default_factory=Measured)
    desired: Sequence[Array] | None = None
    runtime: Sequence[Array] | None = None


def _known(step: Ready | Ended, data_set: str) -> Known:
    if isinstance(step, Ended):
        return Known()
    try:
        data = oracle.read(step.reference).data_sets[data_set]
        measured = measure.read_measures(step.reference).data_sets[data_set]
    except (StageError, KeyError):
        return Known()
    best = [measured.wide.get(place, answer) for place, answer in enumerate(data.desired)]
    stored = step.prepared.is_stored(data_set)
    return Known(inputs=data.inputs, measured=measured, desired=best, runtime=data.opinion if stored else data.desired)


def verdict(
    question: Question,
    names: Sequence[str],
    data_set: str,
    before: Sequence[Array],
    after: Sequence[Array],
    known: Known,
    judged: Judge = Judge(),  # noqa: B008  (immutable)
) -> Verdict:
    """Judge the later outputs as if the earlier ones were stored.

    For an operator the bound is doubled. For a graph it is the tolerance of its dtype, plus a term in proportion to the
    difference between ONNX Runtime's own outputs with its optimisations and without.

    Arguments:
        names: of the outputs; as many as there are earlier ones.
    """
    measured = replace(known.measured, wide={}, optimised=_spread(before, known))
    evidence = Evidence(inputs=known.inputs, stored=before, runtime=None, measured=measured)
    return judged.verdict(question, names, after, evidence, data_set)


@np.errstate(all="ignore")
def _spread(before: Sequence[Array], known: Known) -> Sequence[Array] | None:
    """Return the earlier output, shifted by the effect of ONNX Runtime's optimisations on its own output."""
    one, other = known.runtime, known.measured.optimised
    if one is None or other is None or not len(before) == len(one) == len(other):
        return None
    moved = []
    for answer, plain, optimised in zip(before, one, other, strict=True):
        alike = answer.shape == plain.shape == optimised.shape and answer.dtype == plain.dtype == optimised.dtype
        numbers = alike and is_float(answer.dtype)
        far = widened(answer) + (widened(optimised) - widened(plain)) if numbers else answer
        moved.append(np.where(np.isfinite(far), far, widened(answer)).astype(answer.dtype) if numbers else answer)
    return moved


def _nearer(before: Sequence[Array], after: Sequence[Array], desired: Sequence[Array] | None) -> str:
    if desired is None:
        return ""
    first, second = distance(before, desired), distance(after, desired)
    return NEITHER if first == second else BEFORE if first < second else AFTER
