"""Data sets with other values than a stored one: compiled Burn runs on all of them, and each is judged.

A set on which Burn answers as the reference to the last bit needs no judge; most do. The order of stages is not known
here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from burn_verify.burn.program import Inference
from burn_verify.core.errors import StageError
from burn_verify.core.result import Verdict
from burn_verify.judge.evidence import Measured
from burn_verify.judge.metrics import identical
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.inputs import described
from burn_verify.run.steps import FED, Answered, Ended, Varied
from burn_verify.system.wire import Array

Doubt: TypeAlias = Callable[[DataSet], str]
"""Returns why an engine's result is no evidence against Burn; empty where it is. Called where Burn fails."""


def certain(data: DataSet) -> str:
    """Return no doubt; see `Doubt`."""
    del data
    return ""


def _nothing(name: str, data: DataSet) -> Measured:
    """Return no measurements; see `Further`."""
    del name, data
    return Measured()


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """What is asked where the answers and the measurements at hand do not decide.

    Attributes:
        measure: returns all measurements of a data set, by its name.
    """

    doubt: Doubt = certain
    measure: Callable[[str, DataSet], Measured] = _nothing


def asked(
    answered: Answered, infer_all: Callable[[Sequence[Sequence[Array]]], Sequence[Inference]], doubt: Doubt
) -> Answered | Ended:
    """Run a model on the values that are not stored; the first failure ends the case, unless there is doubt about it.

    Arguments:
        infer_all: runs compiled Burn on sets of inputs; raises `RunError`.
    """
    sets = _sets(answered)
    if not sets:
        return answered
    try:
        inferred = infer_all([data.inputs for data in sets.values()])
        outputs = {name: one.outputs for name, one in zip(sets, inferred, strict=True)}
        return replace(answered, outputs={**answered.outputs, **outputs})
    except StageError:
        return _one_by_one(answered, sets, infer_all, doubt)


def _one_by_one(
    answered: Answered,
    sets: Mapping[str, DataSet],
    infer_all: Callable[[Sequence[Sequence[Array]]], Sequence[Inference]],
    doubt: Doubt,
) -> Answered | Ended:
    outputs, doubts = dict(answered.outputs), {}
    for name, data in sets.items():
        try:
            outputs[name] = infer_all([data.inputs])[0].outputs
        except StageError as error:
            if why := doubt(data):
                doubts[name] = why
                continue
            end = answered.ended(error)
            fed = described(answered.ready.prepared.inputs, data.inputs)
            return replace(end, evidence={**end.evidence, FED: fed, "varied": {"failed": name}})
    return replace(answered, outputs=outputs, evidence={**answered.evidence, "varied": {"doubt": doubts}})


def judged(answered: Answered, verdict_of: Callable[[str, Measured | None], Verdict], further: Further) -> Varied:
    """Judge the answers to the values that are not stored, up to the first disagreement.

    Arguments:
        verdict_of: returns the verdict over a data set, by its name and its measurements, None for those at hand.
    """
    agree: list[str] = []
    doubts: dict[str, str] = dict(answered.evidence.get("varied", {}).get("doubt", {}))
    for name, data in _sets(answered).items():
        if name not in answered.outputs:
            continue
        verdict = None
        if not identical(answered.outputs[name], data.desired) and not verdict_of(name, None).agrees:
            verdict = verdict_of(name, further.measure(name, data))
        if verdict is None or verdict.passes:
            agree.append(name)
        elif why := further.doubt(data):
            doubts[name] = why
        else:
            fed = tuple(described(answered.ready.prepared.inputs, data.inputs))
            return Varied(agree=tuple(agree), doubts=doubts, failed=verdict, fed=fed)
    return Varied(agree=tuple(agree), doubts=doubts)


def _sets(answered: Answered) -> dict[str, DataSet]:
    prepared = answered.ready.prepared
    return {name: data for name, data in answered.known.data_sets.items() if prepared.is_varied(name)}
