"""Which cells of a case a failure is about.

Reads results; knows no file.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind
from burn_verify.forecast.cells import INTERFACE, Cell
from burn_verify.graph.names import named_in
from burn_verify.graph.operators import qualified

_VARIABLE: Final = re.compile(r"\b([a-z][a-z0-9]*\d)_out\d")
"""A variable in generated Rust, named after its node."""

_PLAIN_DTYPES: Final = {
    **{
        f"{letter}{bits}": f"{word}{bits}" for letter, word in (("I", "int"), ("U", "uint")) for bits in (8, 16, 32, 64)
    },
    **{"F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16", "Bool": "bool"},
}
_FEW: Final = 8
"""In a case of more cells than these it is not guessed which of several alike failed."""

_CONVERSION: Final = re.compile(r"UnsupportedConversion { from: (\w+)")


def blamed(result: CaseResult, cells: Collection[Cell], innocent: Collection[Cell]) -> frozenset[Cell]:
    """Return the cells of a failed case that its failure is about; empty where it cannot be told.

    Arguments:
        cells: those of the case.
        innocent: cells that agree in some other case.
    """
    operators = {cell.operator for cell in cells}
    names = _named(result, operators)
    found = {cell for cell in cells if cell.operator in names}
    if (conversion := _CONVERSION.search(result.message)) and conversion[1] in _PLAIN_DTYPES:
        dtype = _PLAIN_DTYPES[conversion[1]]
        found = {cell for cell in found if ("output dtype", dtype) in cell.facets} or found
    guilty = {cell for cell in found if cell not in innocent} or found
    # Of many alike nothing tells which one it is.
    return frozenset(guilty) if len(guilty) == 1 or len(cells) <= _FEW else frozenset()


def operators_named(result: CaseResult, operators: Iterable[str]) -> frozenset[str]:
    """Return the operators that a failure names as unsupported."""
    told = result.details.get("unsupported") or ()
    return frozenset(filter(None, (_fitting(str(name), operators) for name in told)))


def _named(result: CaseResult, operators: Collection[str]) -> frozenset[str]:
    """Return the operators that a failure is about: those that it names, else the one that the case is about."""
    if result.failure is FailureKind.NO_VALUE:
        return frozenset({INTERFACE})
    if unsupported := operators_named(result, operators):
        return unsupported
    for name in _names(result):
        if found := _fitting(name, operators):
            return frozenset({found})
    subject = result.subject
    return frozenset({qualified(subject.op_type, subject.domain)} if subject else ())


def _names(result: CaseResult) -> Iterator[str]:
    """Yield names of the node that a failure is about, the surest first."""
    yield from (str(result.details[key]) for key in ("operator", "node") if result.details.get(key))
    yield from named_in(result.message)
    yield from _VARIABLE.findall(str(result.details.get("rust") or ""))[:1]


def _fitting(name: str, operators: Iterable[str]) -> str | None:
    """Return the operator of a name that burn-onnx gave: ``AveragePool2d``, ``lstm1``, ``ai.onnx.ml::Normalizer``."""
    plain = name.rpartition("::")[2].lower()
    fitting = (
        operator
        for operator in operators
        if re.fullmatch(rf"{re.escape(operator.rpartition('.')[2].lower())}(?:[123]d)?\d*", plain)
    )
    # The longest: reducel11 is the first ReduceL1.
    return max(fitting, key=len, default=None)
