"""From the results of cases and the cells of their models to evidence.

Reads and writes no file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burn_verify.core.result import CaseResult
from burn_verify.core.target import Target
from burn_verify.forecast.attribution import blamed, operators_named
from burn_verify.forecast.cells import Cell
from burn_verify.forecast.endings import Ending, ending_of, proved
from burn_verify.forecast.evidence import SURE, Entry, Evidence, by_operator
from burn_verify.forecast.learn import Known, learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case that was run, and the cells of its model.

    Attributes:
        group: name of the group of cases of one graph; a group is evidence as a whole, or not at all.
    """

    result: CaseResult
    cells: tuple[Cell, ...]
    group: str

    @property
    def ending(self) -> Ending | None:
        """How it ended, None where it tells nothing of Burn."""
        return ending_of(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    cell: Cell
    ending: Ending
    example: Example


def evidence_of(
    examples: Sequence[Example],
    target: Target,
    made: Mapping[str, Any],
    declared: frozenset[str],
    sure: float = SURE,
) -> Evidence:
    """Return the evidence of examples on a target."""
    shown = tuple(_shown(examples))
    groups: dict[tuple[Cell, Ending], set[str]] = {}
    for one in shown:
        groups.setdefault((one.cell, one.ending), set()).add(one.example.group)
    known = [Known(cell=cell, ending=ending, groups=frozenset(some)) for (cell, ending), some in groups.items()]
    return Evidence(
        burn=target.burn,
        burn_onnx=target.burn_onnx,
        backend=target.backend,
        made=made,
        entries=by_operator(_entries(shown)),
        weights=learned(known),
        unsupported=_unsupported(examples),
        declared=declared,
        sure=sure,
    )


def _shown(examples: Iterable[Example]) -> Iterator[_Shown]:
    """Yield what each case shows: all of its cells where it agrees, the guilty ones where it fails."""
    every = [example for example in examples if example.ending is not None]
    innocent = {cell for example in every if example.ending is Ending.AGREES for cell in example.cells}
    for example in every:
        unique = dict.fromkeys(example.cells)
        ending = example.ending
        if ending is None:
            continue
        guilty = unique if ending is Ending.AGREES else blamed(example.result, unique, innocent)
        yield from (_Shown(cell=cell, ending=ending, example=example) for cell in unique if cell in guilty)


def _entries(shown: Iterable[_Shown]) -> Iterator[Entry]:
    """Yield one entry for each cell and ending: of a case that proves it, then of the smallest."""
    best: dict[tuple[Cell, Ending], _Shown] = {}
    for one in shown:
        before = best.setdefault((one.cell, one.ending), one)
        if _rank(one.example) < _rank(before.example):
            best[one.cell, one.ending] = one
    for one in best.values():
        result = one.example.result
        yield Entry(cell=one.cell, ending=one.ending, proved=proved(result), case_id=result.case_id)


def _rank(example: Example) -> tuple[bool, int, str]:
    return not proved(example.result), len(example.cells), example.result.case_id


def _unsupported(examples: Iterable[Example]) -> frozenset[str]:
    """Return the operators that burn-onnx named as unsupported, and that are in no case which it took."""
    named: set[str] = set()
    taken: set[str] = set()
    for example in examples:
        operators = {cell.operator for cell in example.cells}
        named |= operators_named(example.result, operators)
        if example.ending not in (None, Ending.REFUSED):
            taken |= operators
    return frozenset(named - taken)
