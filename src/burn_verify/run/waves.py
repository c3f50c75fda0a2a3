"""The pieces of a model in batches that fit into memory, and the order in which those of a batch are judged."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from burn_verify.core.located import PieceKind
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.graph.pieces import Piece, pieces
from burn_verify.run.models import Model
from burn_verify.run.parts import Part

ANSWERED: Final = (Stage.RUN, Stage.COMPARE)
"""The stages at which a failure is seen only when the model runs."""

_PIECES_AT_ONCE: Final = 1200
_BYTES_AT_ONCE: Final = 1 << 30

Wanted: TypeAlias = tuple[str, Part, Piece]
"""A piece with its name in a batch and the part of which it is cut."""


def models_of(wave: Sequence[Wanted]) -> list[Model]:
    """Return pieces as models that are fed the values of their part; without values, inputs are drawn."""
    return [
        Model(name=name, model=piece.cut.model, inputs=part.arrays(piece.cut.feeds) if part.values.specs else None)
        for name, part, piece in wave
    ]


def every_piece(parts: Sequence[Part], places: frozenset[int] | None) -> Iterator[Wanted]:
    """Yield the pieces of all parts.

    Arguments:
        places: the nodes of the whole model that are to be in some piece, None for all.
    """
    for number, part in enumerate(parts):
        inside = part.used if places is None or part.outer is not None else places
        if places is not None and part.outer is not None and part.outer not in places:
            continue
        for place, piece in enumerate(pieces(part.graph, part.known, inside)):
            yield f"part {number} piece {place}", part, piece


def waves(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    """Yield pieces in batches that fit into memory and temporary storage."""
    wave: list[Wanted] = []
    size = 0
    for one in wanted:
        _, part, piece = one
        added = part.values.bytes_of(piece.cut.feeds) + piece.cut.model.ByteSize()
        if wave and (size + added > _BYTES_AT_ONCE or len(wave) == _PIECES_AT_ONCE):
            yield wave
            wave, size = [], 0
        wave.append(one)
        size += added
    if wave:
        yield wave


def in_turn(wave: Sequence[Wanted], whole: CaseResult) -> Iterator[Sequence[Wanted]]:
    """Yield pieces in the order in which they are judged, those that are needed only if the others do not fail last.

    Of a whole that passes, only nodes alone are judged.
    """
    if whole.outcome is not Outcome.FAILED:
        yield [one for one in wave if one[2].kind is PieceKind.NODE]
        return
    if whole.stage not in ANSWERED:
        yield wave
        return
    yield [one for one in wave if one[2].kind is not PieceKind.PAIR]
    yield [one for one in wave if one[2].kind is PieceKind.PAIR]
