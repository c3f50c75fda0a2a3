"""What rewriting may do about a model, in sentences for a terminal and as JSON.

Takes values and gives text; decides nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from burn_verify.core.text import counted, one_line, shortened
from burn_verify.forecast.remedies import Remedy
from burn_verify.forecast.tried import Tried

NOT_TRIED: Final = (
    "rewriting the model was not tried here: burn-verify prepare MODEL -o NEW.onnx does, and proves every step"
)
"""Said of a model that fails, or is expected to, and of which it is not known what rewriting makes of it."""

_KINDS: Final = 6
"""So many kinds of node are told of."""
_REASON: Final = 100


def of_case(tried: Tried) -> str:
    """Return what `prepare` makes of this very case, in a sentence."""
    if tried.agrees:
        names = ", ".join(tried.rewritings)
        return f"`burn-verify prepare` makes this agree: {counted(len(tried.rewritings), 'rewriting')} ({names})"
    why = shortened(one_line(tried.in_the_way), _REASON)
    return f"`burn-verify prepare` was tried on this case, and it does not agree after it either: {why}"


def sentences_of(remedies: Sequence[Remedy], whole: Tried | None) -> Iterator[str]:
    """Yield what is known of rewriting a model that is expected to fail, kind of node by kind of node.

    Arguments:
        whole: what `prepare` made of the model itself; None where that is not known.
    """
    if whole is not None:
        yield of_case(whole)
        return
    yield from (f"rewriting {_of_kind(one)}" for one in remedies[:_KINDS])
    if len(remedies) > _KINDS:
        helped = sum(one.helps for one in remedies[_KINDS:])
        yield f"rewriting {len(remedies) - _KINDS} more kinds of node: of {helped} the nearest case agrees after it"
    yield NOT_TRIED


def summary_of(remedies: Sequence[Remedy]) -> str:
    """Return in one sentence what is known of rewriting a model that failed, and was not rewritten."""
    helped = [one for one in remedies if one.helps]
    if not helped:
        return NOT_TRIED
    names = dict.fromkeys(name for one in helped if one.tried for name in one.tried.rewritings)
    kinds = counted(len(remedies), "failing kind") + " of node"
    return f"{NOT_TRIED}; it makes the nearest case agree of {len(helped)} of {kinds}, by {', '.join(names)}"


def as_json(remedies: Sequence[Remedy], whole: Tried | None) -> dict[str, Any]:
    """Return everything that is known of rewriting a model: JSON values only."""
    return {
        "model": None if whole is None else _tried_json(whole),
        "kinds": [
            {
                "operator": one.found.cell.operator,
                "node": one.first.name,
                "nodes": one.nodes,
                "case": one.case_id or None,
                "tried": None if one.tried is None else _tried_json(one.tried),
                "rewritings": list(one.fitting),
            }
            for one in remedies
        ],
    }


def _tried_json(tried: Tried) -> dict[str, Any]:
    way = {} if tried.agrees else {"in_the_way": tried.in_the_way}
    return {"agrees": tried.agrees, "rewritings": list(tried.rewritings), **way}


def _of_kind(one: Remedy) -> str:
    where = f"{one.found.cell.operator} {one.first.label}".strip()
    more = f" and {one.nodes - 1} more" if one.nodes > 1 else ""
    if one.tried is None:
        exists = f"there is {' and '.join(one.fitting)}" if one.fitting else "nothing is there for the operator alone"
        return f"{where}{more}: it was tried on no case of the operator; {exists}"
    near = f"{where}{more}: the nearest case that it was tried on, {one.case_id},"
    if one.tried.agrees:
        return f"{near} agrees after it, by {', '.join(one.tried.rewritings)}"
    return f"{near} does not agree after it either: {shortened(one_line(one.tried.in_the_way), _REASON)}"
