"""How one case ended, and the operator that it counts for, as the reports on operators use it.

Knows results one by one; what follows for an operator is told in `operator_rows`, and nothing here is text to show.
"""

import math
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from burn_verify.cases import sized
from burn_verify.cases.conformance.suites import COLLECTED
from burn_verify.cases.generated.corpus import CORPUS as GENERATED
from burn_verify.cases.generated.corpus import SEVERAL as OF_SEVERAL
from burn_verify.core.result import CaseResult, VerdictName
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.text import one_line, without_numbers
from burn_verify.graph.operators import qualified

SEVERAL: Final = "several"
"""In place of an operator: a failure that may be of several operators of a graph."""

_SIZES = re.compile(r"\[([\d,\s]*)\]$")
# A folder in quotes may hold blanks, one without does not.
_QUOTED_FOLDER = re.compile(r"(?<=['\"`])/[^'\"`\n]*/(?=[^'\"`/\n]*['\"`])")
_FOLDER = re.compile(r"(?<![\w:/.)\]*])/(?:[^\s/'\"`:*]+/)+(?=[\w.])")


class End(StrEnum):
    """How a case ended, for a report on operators."""

    AGREES = "agrees"
    WRONG = "wrong"
    RANDOM = "random"  # passed, but drew numbers: shapes and, of single operators, distributions were checked
    INSENSITIVE = "insensitive"  # passed, but the reference could not have told right from wrong
    FAILED = "failed"  # panicked, died or hung at run time
    NO_VALUE = "no value"  # Burn has no tensor for what the case is fed or answers
    DEVICE = "device"  # it lacks what the model needs, and says nothing of Burn
    NOT_SERVABLE = "not servable"  # what is fed or answered has no form in this protocol
    NO_PROGRAM = "no program"  # the generated Rust does not compile
    REFUSED = "refused"  # by burn-onnx
    SILENT = "silent"  # skipped, not loaded, without reference: says nothing of Burn


_PASSED: Final[Mapping[str, End]] = {
    VerdictName.AGREES: End.AGREES,
    VerdictName.LOOSE: End.AGREES,
    VerdictName.ORACLE_DISAGREES: End.AGREES,
    VerdictName.NONDETERMINISTIC: End.RANDOM,
    VerdictName.INSENSITIVE: End.INSENSITIVE,
}
"""Ends of cases that passed, by the judge's word."""

_AT_RUN: Final = {
    FailureKind.NO_VALUE: End.NO_VALUE,
    FailureKind.DEVICE: End.DEVICE,
    FailureKind.NOT_SERVABLE: End.NOT_SERVABLE,
}
"""Ends of cases that were not run, or not to their end, by what ended them; others fail at run time."""


def end_of(result: CaseResult) -> End:
    """Classify a result; nothing but a comparison in which every element counted is agreement."""
    if result.outcome is Outcome.SKIPPED:
        return End.SILENT
    if result.outcome is Outcome.PASSED:
        if result.stage is not Stage.COMPARE:
            return End.SILENT
        return _PASSED.get(result.verdict or "", End.SILENT)
    if result.stage is Stage.RUN:
        return _AT_RUN.get(result.failure or FailureKind.ERROR, End.FAILED)
    ends = {Stage.COMPARE: End.WRONG, Stage.COMPILE: End.NO_PROGRAM, Stage.CONVERT: End.REFUSED}
    return ends.get(result.stage, End.SILENT)


def is_model(result: CaseResult) -> bool:
    """Return whether a case is a model, rather than a case that comes with onnx or is made of one operator."""
    return result.corpus not in (*COLLECTED, GENERATED, OF_SEVERAL, sized.CORPUS)


def attempted(result: CaseResult) -> bool:
    """Return whether a case was compiled and started."""
    ran = result.outcome is not Outcome.SKIPPED and result.stage in (Stage.RUN, Stage.COMPARE)
    return ran and end_of(result) is not End.DEVICE


def headroom_of(result: CaseResult) -> float | None:
    """Return how much of its bound the worst output uses: 1 is the bound; None where no bound is recorded."""
    known = [output.headroom for output in result.metrics if output.headroom is not None]
    return max(known, key=lambda used: math.inf if math.isnan(used) else used, default=None)


def reason_of(result: CaseResult) -> str:
    """Return the normalised reason, else a substitute, in one line without absolute paths."""
    reason = one_line(without_folders(result.reason)) or first_line(result)
    return reason or f"no reason given at {result.stage}"


def common(cause: str, reasons: Iterable[str]) -> str:
    """Return the reason of results of one cause where it is the same for all, else what they have in common.

    Arguments:
        cause: their reason without numbers, or the code of rustc.
    """
    kinds = {reason for reason in reasons if without_numbers(reason) == cause}
    return kinds.pop() if len(kinds) == 1 else cause


def first_line(result: CaseResult) -> str:
    """Return the first line of the message without absolute paths."""
    return one_line(without_folders(result.message.strip().partition("\n")[0]))


def without_folders(text: str) -> str:
    """Return a text with absolute paths reduced to their last part."""
    return _FOLDER.sub("", _QUOTED_FOLDER.sub("", text))


def smallest(results: Iterable[CaseResult]) -> CaseResult:
    """Return the result to look at first: few operators, then few input elements, then a short id."""
    return min(results, key=lambda result: (len(result.op_types), _elements(result), *_shortest(result.case_id)))


def own_operator(result: CaseResult) -> str | None:
    """Return the operator that a case is about, None for a graph of several."""
    return qualified(result.subject.op_type, result.subject.domain) if result.subject else None


def blamed_operator(result: CaseResult) -> str:
    """Return the operator that a failure is about: the case's own, else the one that the failure names."""
    if own := own_operator(result):
        return own
    if len(result.op_types) == 1:
        return result.op_types[0]
    if len(unsupported := unsupported_operators(result)) == 1:
        return unsupported[0]
    names = [str(result.details.get(key) or "") for key in ("operator", "node")]
    return next((named for name in names if name and (named := _operator_of_node(name, result))), SEVERAL)


def unsupported_operators(result: CaseResult) -> tuple[str, ...]:
    """Return the operators that burn-onnx says it does not have, by the names that a record has for them."""
    found = result.details.get("unsupported")
    # burn-onnx writes domain::op_type.
    return tuple(str(name).replace("::", ".") for name in found) if isinstance(found, list | tuple) else ()


def _operator_of_node(name: str, result: CaseResult) -> str | None:
    """Return the operator that burn-onnx names a node after, e.g. Conv for ``Conv2d`` and ``conv2d1``."""
    fitting = [
        op_type
        for op_type in result.op_types
        if re.fullmatch(rf"{re.escape(op_type.rpartition('.')[2])}([123]d)?\d*", name, re.IGNORECASE)
    ]
    # The longest: reducel11 is the first ReduceL1.
    return max(fitting, key=len, default=None)


def _elements(result: CaseResult) -> float:
    """Return the number of input elements of a case, infinity where it is not known."""
    data_sets = result.details.get("inputs")
    if not isinstance(data_sets, dict):
        return math.inf
    return sum(_product(str(text)) for inputs in data_sets.values() for text in inputs)


def _product(text: str) -> float:
    found = _SIZES.search(text)
    return math.prod(int(size) for size in re.findall(r"\d+", found[1])) if found else 1


def _shortest(case_id: str) -> tuple[int, str]:
    return len(case_id), case_id
