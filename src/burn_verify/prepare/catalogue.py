"""Every rewriting, in the order in which they are applied: what makes nodes comes before what clears up after it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final

import onnx

from burn_verify.graph import facts
from burn_verify.graph.operators import qualified
from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.prepare.replace import Decomposer, replaced
from burn_verify.prepare.rewriting import Promise, Rewriting, Risk, Tools, unchanged
from burn_verify.prepare.rewritings import control, folding, functions, names, scalars, versions

RAISED: Final = Rewriting(
    name="opset up",
    reason="burn-onnx takes some operators from a later version on",
    promise=Promise.CLOSE,
    function=versions.raised,
    risk=Risk.LITTLE,
)
LOCAL: Final = Rewriting(
    name="local functions in place",
    reason="burn-onnx takes a function of the model for a custom operator",
    promise=Promise.SAME,
    function=lambda model, tools: functions.with_local_bodies(model),
)
FOLDED: Final = Rewriting(
    name="constants folded",
    reason="burn-onnx needs axes, sizes and other arguments as constants",
    # ONNX Runtime packs the weights of a layer where they are constants, and then adds in another order.
    promise=Promise.CLOSE,
    function=folding.folded,
)
DEQUANTISED: Final = Rewriting(
    name="weights dequantised",
    reason="a layer whose weights come through DequantizeLinear has no weights when it is loaded",
    promise=Promise.CLOSE,
    function=folding.dequantised,
)
UNROLLED: Final = Rewriting(
    name="control flow in place",
    reason="burn-onnx infers no types in many bodies of Loop, Scan and If",
    promise=Promise.SAME,
    function=control.unrolled,
)
SHAPES: Final = Rewriting(
    name="shapes stored",
    reason="burn-onnx infers ranks for some operators only, and takes what has none for a number",
    promise=Promise.SAME,
    function=folding.with_shapes,
)
CONSTANTS: Final = Rewriting(
    name="constants of one element",
    reason="constants of rank 0 become native numbers, which do not mix with tensors",
    promise=Promise.SAME,
    function=scalars.constants_of_one_element,
)
VALUES: Final = Rewriting(
    name="values of one element",
    reason="values of rank 0 become native numbers, which do not mix with tensors",
    promise=Promise.SAME,
    function=scalars.values_of_one_element,
    risk=Risk.SOME,
)
NAMES: Final = Rewriting(
    name="names made distinct",
    reason="burn-onnx mixes up names that differ in case or punctuation only, and stumbles over Rust keywords",
    promise=Promise.SAME,
    function=names.distinct,
)
UNSIMPLIFIED: Final = Rewriting(
    name="simplify off",
    reason="burn-onnx's graph simplification breaks some models",
    promise=Promise.OPTIONS,
    function=unchanged,
    options={"simplify": False},
)
UNPARTITIONED: Final = Rewriting(
    name="partition off",
    reason="burn-onnx's splitting into submodules breaks some models",
    promise=Promise.OPTIONS,
    function=unchanged,
    options={"partition": False},
)

_INFLATING: Final = frozenset({RAISED.name, FOLDED.name, DEQUANTISED.name, VALUES.name})
_PAIRS: Final = ("QuantizeLinear", "DequantizeLinear")
"""Operators whose nodes stand for quantised values; by arithmetic, the weights behind them are folded to floats."""
_DEFINITION: Final = "{} by its definition"

FREE: Final = frozenset({UNSIMPLIFIED.name})
"""Names of the options that are tried together with the whole."""


def candidates(model: onnx.ModelProto, supported: frozenset[str]) -> list[Rewriting]:
    """Return the rewritings that may concern a model, in the order in which they are applied.

    Arguments:
        supported: qualified names of the operators that burn-onnx says it supports.
    """
    present = {qualified(node.op_type, node.domain) for node in facts.nodes(model)}
    # A definition in the place of a node brings operators that need a rewriting of their own.
    present |= functions.operators_inside(model)
    return [
        RAISED,
        LOCAL,
        UNROLLED,
        *(_in_place(name, supported) for name in sorted(functions.functions_in_the_standard(present))),
        *_decompositions(present),
        FOLDED,
        DEQUANTISED,
        SHAPES,
        CONSTANTS,
        VALUES,
        NAMES,
        UNSIMPLIFIED,
        UNPARTITIONED,
    ]


def sparing(rewritings: Iterable[Rewriting]) -> list[Rewriting]:
    """Return the rewritings that leave quantised weights as they are: small files, and QDQ pairs as pairs."""
    left_out = _INFLATING | {put_differently(name) for name in _PAIRS}
    return [one for one in rewritings if one.name not in left_out and one.risk is not Risk.LAST]


def put_differently(name: str) -> str:
    """Return the name of the rewriting that replaces the nodes of an operator by others."""
    return f"{name} put differently"


def about(operator: str) -> tuple[str, ...]:
    """Return the names of the rewritings that exist for one operator, by its qualified name."""
    defined = [_DEFINITION.format(operator)] if functions.functions_in_the_standard([operator]) else []
    return (*defined, *([put_differently(operator)] if operator in DECOMPOSITIONS else []))


def _in_place(name: str, supported: frozenset[str]) -> Rewriting:
    def function(model: onnx.ModelProto, tools: Tools) -> onnx.ModelProto | None:
        del tools
        # A body may hold further operators that burn-onnx lacks.
        return functions.with_bodies_of(model, (functions.all_functions() - supported) | {name})

    why = "computes it wrongly in some cases" if name in supported else "does not have it"
    risk = Risk.LAST if name in supported else Risk.NONE
    return Rewriting(
        name=_DEFINITION.format(name),
        reason=f"the standard defines {name} by other operators, and burn-onnx {why}",
        promise=Promise.CLOSE,
        function=function,
        risk=risk,
    )


def _decompositions(present: set[str]) -> Iterator[Rewriting]:
    for name, one in DECOMPOSITIONS.items():
        if name in present:
            yield Rewriting(
                name=put_differently(name),
                reason=f"{name}: {one.reason}",
                evidence=one.evidence,
                promise=one.promise,
                function=partial(_decomposed, table={name: one.decomposer}, oldest=one.oldest),
            )


def _decomposed(
    model: onnx.ModelProto, tools: Tools, *, table: Mapping[str, Decomposer], oldest: int
) -> onnx.ModelProto | None:
    del tools
    return replaced(model, table, oldest)
