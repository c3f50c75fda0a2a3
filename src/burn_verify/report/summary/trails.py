"""How each case ended in the runs that were kept.

Pure. A run that says nothing of a case, or of its target, leaves a gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from burn_verify.core.target import Target
from burn_verify.report.summary.columns import Column
from burn_verify.report.summary.states import MISSING, State, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Trails:
    """The past of the cases of one target.

    Attributes:
        runs: names, the oldest first.
        states: by case, how it ended in each of the runs; None where it was not in it.
    """

    runs: tuple[str, ...] = ()
    states: Mapping[str, tuple[State | None, ...]] = field(default_factory=dict)


def trails_of(target: Target, kept: Sequence[tuple[str, Sequence[Column]]]) -> Trails:
    """Follow the cases of a target through runs, the oldest first; runs without the target are left out."""
    own = [(name, column) for name, columns in kept for column in columns if column.target == target]
    found: dict[str, list[State | None]] = {}
    for place, (_, column) in enumerate(own):
        ended = {result.case_id: state_of(result) for result in column.record.results}
        for case_id, state in (dict.fromkeys(column.missing, MISSING) | ended).items():
            found.setdefault(case_id, [None] * len(own))[place] = state
    return Trails(runs=tuple(name for name, _ in own), states={name: tuple(trail) for name, trail in found.items()})
