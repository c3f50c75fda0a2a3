"""Where a model fails first, as text for a terminal. Pure."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tabulate import tabulate

from burn_verify.core.located import Finding, Growth, Located, PieceKind, Proof, Suspect

_SHOWN: Final = 6
_DIGEST: Final = re.compile(r" file '[0-9a-f]{32}\.onnx'")
_PROOFS: Final = {
    Proof.ALONE: "proved: fed ONNX Runtime's values in place of this, the rest of the model passes",
    Proof.TOGETHER: "proved: the rest passes once all of these are fed from ONNX Runtime; this alone is not enough",
    Proof.FURTHER: "fed ONNX Runtime's values in place of this, the rest of the model fails for another reason",
    Proof.REFUTED: "not proved: fed ONNX Runtime's values in place of these, the rest of the model still fails",
    Proof.LAST: "nothing is left of the model without it: it computes the outputs itself",
    Proof.UNBUILT: "not proved: without it the rest of the model cannot be built or run",
    Proof.INLINED: "proved: with the nodes of the chosen branches in place the model passes, or gets further",
    Proof.NONE: "not proved: the model was not run without it",
}
_KINDS: Final = {
    PieceKind.NODE: "fails alone, fed right values",
    PieceKind.GROUP: "fails with the nodes that compute its shapes, and right values",
    PieceKind.PAIR: "the two fail together, each of them alone does not",
    PieceKind.SEGMENT: "these nodes fail together, fed right values",
    PieceKind.PREFIX: "from this node on the model fails; no node alone does",
    PieceKind.BRANCH: "fails as an If, not its branches",
}


def located_text(located: Located) -> str:
    """Return the answer in about a screen."""
    return "\n".join(_lines(located))


def located_line(located: Located) -> str:
    """Return the answer in one line, for a failure among others."""
    first = located.first
    if first is None:
        return f"{located.finding}: {located.pieces} pieces of {located.nodes} nodes tried"
    more = f" and {len(located.suspects) - 1} more" if len(located.suspects) > 1 else ""
    fault = "" if located.fault is None else f"; {located.fault.line}"
    return f"first wrong: {_names(first)}{more} ({_KINDS[first.kind]}; {located.proof}{fault})"


def _lines(located: Located) -> Iterator[str]:
    yield f"{located.model} on {located.target}: {located.finding}"
    if located.stage is not None:
        yield f"  the whole ends at {located.stage}: {_said(located.message, located.reason)}"
    fed = f"fed the values of data set {located.data_set}" if located.data_set else "fed nothing"
    yield f"  {located.nodes} nodes, {located.pieces} pieces, {fed}"
    for place, suspect in enumerate(located.suspects[:_SHOWN]):
        yield ""
        yield from _suspect(suspect, place)
        if place == 0:
            yield f"   {_PROOFS[located.proof]}"
            yield from (f"   the rest: {_first_line(located.rest)}",) if located.rest else ()
            yield from _fault(located)
    if not located.suspects:
        yield from _fault(located)
    for place, suspect in enumerate(located.hidden[:_SHOWN]):
        yield from ("", *_suspect(suspect, place))
    if more := len(located.suspects[_SHOWN:]):
        yield f"\nand {more} more, see --json"
    if located.later:
        yield "\nfurther obstacles, at later stages:"
        yield from (f"  {_names(one)}: {one.stage}: {one.reason}" for one in located.later[:_SHOWN])
    if located.finding is Finding.AMPLIFIED:
        yield "  every node is right within rounding when it is fed right values: the model amplifies what is left"
    if located.unknown:
        names = ", ".join(located.unknown[:_SHOWN])
        yield f"\n{len(located.unknown)} nodes are in no piece that could be run: {names}"
    if located.growth:
        yield "\nthe error in the whole model, where it grows most:"
        yield _growth(located.growth)


def _fault(located: Located) -> Iterator[str]:
    if located.fault is not None:
        yield f"   {located.fault.line}"


def _suspect(suspect: Suspect, place: int) -> Iterator[str]:
    yield f"{place + 1}. {_names(suspect)}: {_KINDS[suspect.kind]}"
    for node in suspect.nodes:
        yield f"   {node.name} [{node.cell}] {', '.join(node.inputs)} -> {', '.join(node.outputs)}"
    yield f"   {suspect.stage}: {_said(suspect.message, suspect.reason)}"


def _names(suspect: Suspect) -> str:
    shown = suspect.nodes[-2:] if suspect.kind is PieceKind.PAIR else suspect.nodes[-1:]
    return " and ".join(f"{node.op_type} `{node.name}`" for node in shown)


def _growth(growth: tuple[Growth, ...]) -> str:
    """Return the values at which the error grows most, in the order of the graph, as a table."""
    known = [one for one in growth if one.share is not None]
    steps = [(one.share or 0.0) - (before.share or 0.0) for before, one in pairwise(known)]
    largest = sorted(range(len(steps)), key=lambda place: -steps[place])[:_SHOWN]
    chosen = sorted({0, *(place + 1 for place in largest)}) if known else []
    rows = [
        [known[place].node, known[place].value, _number(known[place].share), _number(known[place].max_abs)]
        for place in chosen
    ]
    return tabulate(rows, headers=["node", "value", "error / rounding", "max_abs"], disable_numparse=True)


def _said(message: str, reason: str) -> str:
    """Return the first line of a message; the reason where that is a heading, as of Burn's checks of shapes.

    The name of a piece's file, a digest, says nothing and is left out.
    """
    first = _DIGEST.sub("", _first_line(message or reason))
    return reason if first.startswith("===") and reason else first


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
