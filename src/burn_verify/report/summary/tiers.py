"""Two tiers of an operator's cases: those of ordinary use, and all of them.

Decided from the fields of a case, of which only generated graphs hold all. A case is of ordinary use if

- the operator is in one of its three newest versions;
- its dtype is float32, float16 or int64; where the operator takes none of these, any that it takes;
- every attribute is omitted, at its default, or has no default;
- every operand that holds data is an input of the graph with at least one dimension and one element; a setting, such as
  axes, may be constant, but is computed from no shape.

Other cases are of the full tier only.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from burn_verify.core.case import Subject
from burn_verify.core.result import CaseResult
from burn_verify.core.text import counted
from burn_verify.graph.operators import Operator, all_operators, qualified
from burn_verify.graph.signature import Signature, signature_of
from burn_verify.report.summary.ends import End, end_of
from burn_verify.report.summary.status import Status, status_of

VERSIONS: Final = 3
DTYPES: Final = ("float32", "float16", "int64")

_OMITTED: Final = "omit"
_AT_RUN_TIME: Final = "run"
_CONSTANT: Final = ("init", "const")
_FROM_SHAPE: Final = ("shape", "gathered")
"""The kinds of an operand, as `burn_verify.cases.generated` writes them into the axes of a case."""


class Tier(StrEnum):
    """What a status of an operator is about."""

    ORDINARY = "ordinary"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The cases of an operator in a tier: their status together, and how many of them agree."""

    status: Status = Status.UNTESTED
    agree: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TierCounts:
    """How many operators are verified.

    Attributes:
        operators: those with a case of their own.
        with_ordinary: those with a case of ordinary use.
        ordinary, full: those that are verified in the tier.
    """

    operators: int
    with_ordinary: int
    ordinary: int
    full: int


def tally(ends: Iterable[End]) -> Tally:
    """Return the tally of cases by how they ended."""
    every = tuple(ends)
    return Tally(status=status_of(every), agree=every.count(End.AGREES), total=len(every))


def tier_of(result: CaseResult) -> Tier | None:
    """Return the narrowest tier of a case; None for a graph of several operators."""
    if result.subject is None:
        return None
    return Tier.ORDINARY if is_ordinary(result.subject) else Tier.FULL


def tier_counts(results: Iterable[CaseResult]) -> TierCounts:
    """Count the operators that are verified in each tier; those of other domains than `DOMAINS` are left out."""
    full: dict[str, list[End]] = defaultdict(list)
    ordinary: dict[str, list[End]] = defaultdict(list)
    for result in results:
        subject = result.subject
        if subject is not None and (subject.domain, subject.op_type) in _operators():
            name = qualified(subject.op_type, subject.domain)
            end = end_of(result)
            full[name].append(end)
            if tier_of(result) is Tier.ORDINARY:
                ordinary[name].append(end)
    return TierCounts(
        operators=len(full),
        with_ordinary=len(ordinary),
        ordinary=sum(status_of(ends) is Status.VERIFIED for ends in ordinary.values()),
        full=sum(status_of(ends) is Status.VERIFIED for ends in full.values()),
    )


def tiers_sentence(counts: TierCounts) -> str:
    """Say how many operators are verified for ordinary use and entirely; empty where none has a case of its own."""
    if not counts.operators:
        return ""
    entirely = f"{counts.full} of {counted(counts.operators, 'operator')} entirely"
    if not counts.with_ordinary:
        return f"Verified {entirely}; ordinary use is not known: it needs generated graphs."
    return f"Verified for ordinary use: {counts.ordinary} of {counts.with_ordinary} operators; {entirely}."


def tiers_json(counts: TierCounts) -> dict[str, dict[str, int]]:
    """Return the counts as values that JSON knows."""
    return {
        Tier.ORDINARY.value: {"verified": counts.ordinary, "operators": counts.with_ordinary},
        Tier.FULL.value: {"verified": counts.full, "operators": counts.operators},
    }


@functools.lru_cache(maxsize=1 << 16)
def is_ordinary(subject: Subject) -> bool:
    """Return whether a case is of ordinary use; see the docstring of the module."""
    operator = _operators().get((subject.domain, subject.op_type))
    signature = signature_of(subject.op_type, subject.domain, subject.since_version)
    if not subject.axes or operator is None or signature is None:
        return False
    if subject.since_version not in operator.versions[-VERSIONS:]:
        return False
    usual = [dtype for dtype in DTYPES if dtype in operator.dtypes]
    if subject.dtype not in (usual or operator.dtypes):
        return False
    names = {name for name, _ in subject.axes}
    return all(_is_usual(name, value, names, signature) for name, value in subject.axes)


def _is_usual(axis: str, value: str, axes: Iterable[str], signature: Signature) -> bool:
    if (attribute := signature.attributes.get(axis.lower())) is not None:
        return value == _OMITTED or attribute.required or attribute.is_default(value)
    if value in _FROM_SHAPE:
        return False
    if value in _CONSTANT:
        return not _holds_data(axis, axes, signature)
    if axis != "shape" or value == _AT_RUN_TIME:
        return True
    return not any(shape == "rank0" or "0" in shape.split("x") for shape in value.split("~"))


def _holds_data(axis: str, axes: Iterable[str], signature: Signature) -> bool:
    """Return whether the operand of an axis holds data: one whose value is an axis of its own is a setting."""
    base = axis.removesuffix("_as")
    if base != axis and base in axes:
        return False
    name = base.lower()
    # Operands of a variadic input have its name and a number.
    return signature.inputs.get(name, signature.inputs.get(re.sub(r"_\d+$", "", name), True))


@functools.cache
def _operators() -> Mapping[tuple[str, str], Operator]:
    return {(operator.domain, operator.op_type): operator for operator in all_operators()}
