"""The rewritings that may concern a model on a target, or an operator, by what burn-onnx declares to support."""

import functools
from collections.abc import Iterable, Mapping, Sequence

from burn_verify.burn.hooks import hooks_of
from burn_verify.core import versions
from burn_verify.core.target import Target
from burn_verify.prepare.rewriting import Rewriting
from burn_verify.report.summary.declared import load_packaged


@functools.cache
def supported_by(target: Target) -> frozenset[str]:
    """Return the qualified names of the operators that the burn-onnx of a target declares to support, or its hooks."""
    declared = load_packaged(target.burn_onnx)
    return frozenset((*(declared.operators if declared else ()), *_hooked(target)))


@functools.cache
def _hooked(target: Target) -> tuple[str, ...]:
    hooks = hooks_of(target)
    return hooks.operators if hooks else ()


def rewritings_for(model: bytes, target: Target) -> Sequence[Rewriting]:
    """Return the rewritings that may concern a serialised model, in the order in which they are applied.

    An operator that hooks have is left to them, and burn-import has no options to be changed.
    """
    import onnx

    from burn_verify.prepare.catalogue import candidates

    found = candidates(onnx.ModelProto.FromString(model), supported_by(target))
    left = {name for several in names_about(_hooked(target)).values() for name in several}
    optional = versions.known(target.burn).importer == versions.BURN_ONNX
    return [one for one in found if one.name not in left and (optional or not one.options)]


def sparing_rewritings_for(model: bytes, target: Target) -> Sequence[Rewriting]:
    """Return those of them that leave weights in 8 bits as they are."""
    from burn_verify.prepare.catalogue import sparing

    return sparing(rewritings_for(model, target))


def names_about(operators: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the rewritings that exist for operators, by qualified name."""
    from burn_verify.prepare.catalogue import about

    return {operator: about(operator) for operator in operators}
