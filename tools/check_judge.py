"""Check the judge: ONNX Runtime never disagrees with itself, and answers that were tampered with are caught.

usage: python tools/check_judge.py [--zoo-mirror DIR] [--every N]

Runs all of ONNX's own cases and all models of the mirror by ONNX Runtime, with its optimisations off and on, with one
thread and with two; and spoils the answers in every way that fits them. Exit code 1 where an honest answer disagrees or
fewer of the spoilt ones do than `LEAST` and `LEAST_CAUGHT` say.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tabulate import tabulate

from bench import find_mirror
from burn_verify.cases import load
from burn_verify.core.case import Case
from burn_verify.core.errors import StageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Progress
from burn_verify.core.result import VerdictName
from burn_verify.core.stage import PreparedCase
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.evidence import Evidence
from burn_verify.judge.metrics import is_float, widened
from burn_verify.judge.overrides import packaged
from burn_verify.judge.policy import Judge
from burn_verify.judge.tolerated import Question
from burn_verify.judge.weigh import weigh
from burn_verify.judge.yardstick import Yardstick
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.inputs import SEEDED
from burn_verify.reference.measure import Measurer, read_measures
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.compare import evidence_of
from burn_verify.run.session import Session
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.wire import Array

LEAST_CAUGHT = 0.99
LEAST = {"scaled by 1 + 1e-4": 0.98, "scaled by 1 + 1e-5": 0.94, "half precision scaled by 1.01": 0.8}
"""The share to be caught of kinds that come near to what rounding does; of all others together `LEAST_CAUGHT`."""
LEAST_SPOILT = 300
UNTOUCHED = "untouched"
WAYS = ((True, 1), (True, 2), (False, 1), (False, 2))
"""Optimisations and threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A data set of a case and what is known of it."""

    prepared: PreparedCase
    data_set: str
    evidence: Evidence

    def verdict(self, actual: Sequence[Array], evidence: Evidence) -> str:
        """Return the name of the verdict over some answers."""
        question = Question(case_id=self.prepared.case.id, random=self.prepared.random)
        names = [output.name for output in self.prepared.outputs]
        judge = Judge(overrides=packaged(), burn_backend="flex")
        return judge.verdict(question, names, actual, evidence, self.data_set).name


def main() -> None:
    """Check both ways, print the counts and exit with 1 where one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--zoo-mirror", type=Path, default=find_mirror(), help="a folder of zoo models")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth case, for a quick look")
    arguments = parser.parse_args()
    models = () if arguments.zoo_mirror is None else ("all",)
    settings = Settings(models=models, conformance=("all",), zoo_mirror=arguments.zoo_mirror)
    honest: Counter[str] = Counter()
    alarms: list[tuple[str, str]] = []
    spoilt: Counter[tuple[str, str]] = Counter()
    missed: list[tuple[str, str]] = []
    cache = Cache(None)
    engine = OnnxRuntime(cache, settings.timeout)
    with LongWork(sys.stderr) as work:
        session = Session.open(settings, work.listen)
        cases = session.selected.cases[:: arguments.every]
        for place, case in enumerate(cases):
            work.listen(Progress(phase="reference", done=place, total=len(cases), text=case.id))
            for known in knowns(case, cache, engine, settings.judge_timeout):
                for way, name in against_itself(known, engine):
                    honest[name] += 1
                    if name == VerdictName.DISAGREES:
                        alarms.append((case.id, way))
                for kind, name in tampered(known):
                    spoilt[kind, name] += 1
                    if (name == VerdictName.DISAGREES) == (kind == UNTOUCHED):
                        missed.append((case.id, kind))
    engine.close()
    sys.exit(told(honest, alarms, spoilt, missed))


def knowns(case: Case, cache: Cache, engine: Engine, timeout: float) -> Iterator[Known]:
    """Yield what is known of each data set of a case; nothing where there is no reference."""
    try:
        prepared = load.prepare(case, cache)
        reference = Measurer(cache, engine, timeout).measured(prepared, Oracle(cache, engine).answer(prepared))
        answers = read(reference)
    except StageError:
        return
    measures = read_measures(reference)
    for name, data in answers.data_sets.items():
        evidence = evidence_of(data, measures.data_sets[name], stored=name != SEEDED)
        yield Known(prepared=prepared, data_set=name, evidence=evidence)


def against_itself(known: Known, engine: Engine) -> Iterator[tuple[str, str]]:
    """Yield how ONNX Runtime ran, and the verdict over its answer where its own answer is what is expected."""
    if known.evidence.runtime is None:
        return
    evidence = replace(known.evidence, stored=None)
    for optimise, threads in WAYS:
        try:
            actual = infer(engine, known.prepared.model, known.evidence.inputs, optimise=optimise, threads=threads)
        except StageError:
            # Some models are refused with optimisations: that is no answer.
            continue
        way = f"optimisations {'on' if optimise else 'off'}, {threads} thread{'s' * (threads > 1)}"
        yield way, known.verdict(actual, evidence)


def tampered(known: Known) -> Iterator[tuple[str, str]]:
    """Yield kind and verdict of every spoilt answer, and first those of the untouched one."""
    evidence = known.evidence
    if known.prepared.random:
        return
    # Some stored answers were written down with four digits: then ONNX Runtime's is the honest one.
    candidates = [evidence.desired, *([evidence.runtime] if evidence.runtime is not None else [])]
    verdicts = [known.verdict(answers, evidence) for answers in candidates]
    verdict = VerdictName.AGREES if VerdictName.AGREES in verdicts else verdicts[0]
    yield UNTOUCHED, verdict
    if verdict != VerdictName.AGREES:
        return
    honest = list(candidates[verdicts.index(VerdictName.AGREES)])
    for place, answer in enumerate(honest):
        yardstick = weigh(place, answer, evidence).yardstick
        for kind, spoil in KINDS.items():
            changed = spoil(answer, yardstick)
            if changed is not None and changed.tobytes() != answer.tobytes() and not legal(evidence, answer, changed):
                actual = [*honest[:place], changed, *honest[place + 1 :]]
                yield kind, known.verdict(actual, evidence)


def told(
    honest: Counter[str],
    alarms: Sequence[tuple[str, str]],
    spoilt: Counter[tuple[str, str]],
    missed: Sequence[tuple[str, str]],
) -> int:
    """Print the counts and return the exit code."""
    print(f"ONNX Runtime against itself: {honest.total()} answers")
    print(tabulate(sorted(honest.items()), headers=["verdict", "answers"]))
    for case_id, way in alarms[:20]:
        print(f"  false alarm: {case_id}, {way}")
    kinds = sorted({kind for kind, _ in spoilt} - {UNTOUCHED})
    rows = [
        (kind, sum(count for pair, count in spoilt.items() if pair[0] == kind), spoilt[kind, VerdictName.DISAGREES])
        for kind in kinds
    ]
    plain = [row for row in rows if row[0] not in LEAST]
    total, caught = sum(row[1] for row in plain), sum(row[2] for row in plain)
    fine = [row for row in rows if row[0] in LEAST]
    sharp = all(row[2] >= LEAST[row[0]] * row[1] for row in fine)
    flagged = spoilt[UNTOUCHED, VerdictName.DISAGREES]
    print(f"\nspoilt answers: {caught} of {total} caught ({caught / max(total, 1):.2%})")
    print(tabulate([[*row, f"{row[2] / row[1]:.1%}"] for row in rows], headers=["spoilt by", "answers", "caught", ""]))
    by_case = {case_id: [kind for other, kind in missed if other == case_id] for case_id, _ in missed}
    for case_id, found in by_case.items():
        kinds_of = "; ".join(f"{kind}, {count} times" if count > 1 else kind for kind, count in Counter(found).items())
        print(f"  missed: {case_id}: {kinds_of}")
    print(f"untouched answers: {flagged} of {sum(spoilt[pair] for pair in spoilt if pair[0] == UNTOUCHED)} flagged")
    enough = total >= LEAST_SPOILT and caught >= LEAST_CAUGHT * total and not flagged
    print(f"\nno false alarm: {'no' if alarms else 'yes'}")
    print(f"{LEAST_CAUGHT:.0%} of {LEAST_SPOILT} or more caught, no untouched one flagged: {'yes' if enough else 'no'}")
    for kind, *_ in fine:
        print(f"{LEAST[kind]:.0%} of those {kind}: {'yes' if sharp else 'see above'}")
    return 0 if enough and sharp and not alarms else 1


def legal(evidence: Evidence, answer: Array, changed: Array) -> bool:
    """Tell whether the standard allows the other answer too: rows of a set in any order, another index of a tie."""
    lone = evidence.measured.lone
    if lone is None or answer.dtype != np.int64:
        return False
    if lone.facts.op_type == "NonMaxSuppression":
        return sorted(map(tuple, answer.tolist())) == sorted(map(tuple, changed.tolist()))
    data = lone.inputs(evidence.inputs)[0] if lone.facts.op_type in {"ArgMax", "ArgMin"} else None
    if data is None:
        return False
    axis = int(lone.facts.attributes.get("axis", 0))
    if not ((changed >= 0) & (changed < data.shape[axis])).all():
        return False
    pair = (answer, changed)
    if not lone.facts.attributes.get("keepdims", 1):
        pair = (np.expand_dims(answer, axis), np.expand_dims(changed, axis))
    ours, other = (np.take_along_axis(data, indices, axis) for indices in pair)
    return np.array_equal(ours, other)


# Ways to spoil an answer: None where one does not fit it.


@np.errstate(all="ignore")
def off_by_four_bounds(answer: Array, yardstick: Yardstick) -> Array | None:
    """Move the first element whose neighbourhood allows it by four times what is allowed there, or one if exact."""
    if not answer.size or answer.dtype.kind in "OUb":
        return None
    changed = answer.copy().reshape(-1)
    if not is_float(answer.dtype):
        limit = 1.0 if yardstick.bound.limit is None else float(np.max(yardstick.bound.limit))
        changed[0] = changed[0] + type(changed[0])(4 * limit if limit >= 1 else 1)
        return changed.reshape(answer.shape)
    reference = yardstick.reference.reshape(-1)
    limits = np.zeros(1) if yardstick.bound.limit is None else yardstick.bound.limit
    limits = np.broadcast_to(limits, answer.shape).reshape(-1)
    places = np.flatnonzero(np.isfinite(reference) & np.isfinite(limits) & np.isfinite(widened(changed)))
    for place in places:
        if limits[place] == 0:
            changed[place] = np.nextafter(changed[place], np.inf) if answer.dtype.kind == "f" else changed[place] + 1
        else:
            changed[place] = reference[place] + 4.01 * limits[place]
        if np.isfinite(changed[place]) and abs(float(changed[place]) - reference[place]) >= 3.9 * limits[place]:
            return changed.reshape(answer.shape)
        changed[place] = answer.reshape(-1)[place]
    return None


def sign_of_zero(answer: Array, yardstick: Yardstick) -> Array | None:
    """Turn the sign of the zeros of operators that copy."""
    if not yardstick.zeros or not is_float(answer.dtype) or not (answer == 0).any():
        return None
    changed = answer.copy()
    changed[answer == 0] = -changed[answer == 0]
    return changed


def rows_swapped(answer: Array, yardstick: Yardstick) -> Array | None:
    """Swap the first two rows that are not allowed to be mistaken for one another."""
    if answer.ndim < 1 or answer.shape[0] < 2:
        return None
    changed = answer.copy()
    changed[[0, 1]] = changed[[1, 0]]
    return changed if yardstick.misses(changed).any() else None


def off_by_one_index(answer: Array, yardstick: Yardstick) -> Array | None:
    """Shift all elements by one place."""
    changed = np.roll(answer.reshape(-1), 1).reshape(answer.shape)
    return changed if yardstick.misses(changed).any() else None


def scaled(answer: Array, yardstick: Yardstick) -> Array | None:
    """Scale by 1.001, where a float has the digits to tell."""
    if answer.dtype not in (np.float32, np.float64) or not np.isfinite(answer).any():
        return None
    return np.asarray(answer * answer.dtype.type(1.001))


def scaled_by(factor: float, *dtypes: str) -> Callable[[Array, Yardstick], Array | None]:
    """Return what scales answers of some dtypes."""

    def spoil(answer: Array, yardstick: Yardstick) -> Array | None:
        if dtype_name(answer.dtype) not in dtypes or not np.isfinite(widened(answer)).any():
            return None
        return np.asarray((widened(answer) * factor).astype(answer.dtype))

    return spoil


@np.errstate(all="ignore")
def infinity_dropped(answer: Array, yardstick: Yardstick) -> Array | None:
    """Put zeros where there is an infinity."""
    if not is_float(answer.dtype) or not np.isinf(widened(answer)).any():
        return None
    return np.where(np.isinf(widened(answer)), np.zeros((), answer.dtype), answer)


@np.errstate(all="ignore")
def infinity_negated(answer: Array, yardstick: Yardstick) -> Array | None:
    """Turn the sign of infinities."""
    if not is_float(answer.dtype) or not np.isinf(widened(answer)).any():
        return None
    return np.where(np.isinf(widened(answer)), -answer, answer)


@np.errstate(all="ignore")
def half_precision(answer: Array, yardstick: Yardstick) -> Array | None:
    """Round float32 to float16."""
    if answer.dtype != np.float32:
        return None
    return np.asarray(answer.astype(np.float16).astype(np.float32))


def nan_dropped(answer: Array, yardstick: Yardstick) -> Array | None:
    """Put zeros where there is NaN."""
    if not is_float(answer.dtype) or not np.isnan(answer).any():
        return None
    return np.where(np.isnan(answer), np.zeros((), answer.dtype), answer)


def last_channel_zero(answer: Array, yardstick: Yardstick) -> Array | None:
    """Put zeros into the last channel, or the last element of what has no channels."""
    if answer.ndim < 1 or not answer.size or answer.dtype.kind in "OU":
        return None
    changed = answer.copy()
    changed[(slice(None), -1) if answer.ndim > 1 else -1] = 0
    return changed if yardstick.misses(changed).any() else None


KINDS: dict[str, Callable[[Array, Yardstick], Array | None]] = {
    "one element off by 4 bounds": off_by_four_bounds,
    "sign of zero": sign_of_zero,
    "rows swapped": rows_swapped,
    "off by one index": off_by_one_index,
    "scaled by 1.001": scaled,
    "scaled by 1 + 1e-4": scaled_by(1 + 1e-4, "float32"),
    "scaled by 1 + 1e-5": scaled_by(1 + 1e-5, "float32"),
    "half precision scaled by 1.01": scaled_by(1.01, "float16", "bfloat16"),
    "infinity dropped": infinity_dropped,
    "infinity negated": infinity_negated,
    "rounded to float16": half_precision,
    "NaN dropped": nan_dropped,
    "last channel zero": last_channel_zero,
}


if __name__ == "__main__":
    main()
