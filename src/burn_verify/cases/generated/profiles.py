"""The graphs of an operator in all its versions, and the smallest ops profile of each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from burn_verify.cases.generated.build import Choice, Space
from burn_verify.cases.generated.covering import covering, each_choice
from burn_verify.cases.generated.operator_spec import DTYPE, OperatorSpec
from burn_verify.cases.generated.twins import at_run_time
from burn_verify.graph.dtypes import burn_kind

PROFILES: Final = ("quick", "nightly", "full")
"""The ops profiles; each contains the one before.

``quick``: every value of every axis once in the newest version, a few graphs of the others; ``nightly``: the pairwise
array of the newest version, every value once in the others; ``full``: the pairwise array of every version.
"""

_FEW: Final = 3


def choices(spec: OperatorSpec, versions: Sequence[int]) -> Iterator[tuple[Choice, str]]:
    """Yield every graph of an operator, and the smallest profile that contains it.

    A type for which Burn has no tensor gets one graph, in the first version that allows it.
    """
    seen: set[str] = set()
    for version in versions:
        space = Space(spec, version)
        dtypes = space.axes[DTYPE]
        held = tuple(dtype for dtype in dtypes if burn_kind(dtype) is not None)
        rows = _rows(space, held)
        few = each_choice([dict(choice.row) for choice in rows])
        newest = version == max(versions)
        quick = few if newest else few[:_FEW]
        for choice in rows:
            row = dict(choice.row)
            yield choice, "quick" if row in quick else "nightly" if newest or row in few else "full"
        if newest:
            yield from _twins(space, rows, quick)
        for dtype in dtypes:
            if dtype not in held and dtype not in seen:
                seen.add(dtype)
                alone = space.choice({**space.default, DTYPE: dtype})
                if alone is not None:
                    yield alone, "nightly" if held else "quick"


def _twins(space: Space, rows: Sequence[Choice], quick: Sequence[Mapping[str, object]]) -> Iterator[tuple[Choice, str]]:
    """Yield further graphs with which some of the rows are compared, see `twins`."""
    known = {choice.id for choice in rows}
    for choice in rows:
        if dict(choice.row) in quick and (twin := at_run_time(space, choice)) and twin.id not in known:
            known.add(twin.id)
            yield twin, "nightly"


def _rows(space: Space, held: tuple[str, ...]) -> list[Choice]:
    if not held:
        return []
    axes = {**space.axes, DTYPE: held}
    found: dict[tuple[tuple[str, object], ...], Choice] = {}

    def settle(row: dict[str, object]) -> dict[str, object] | None:
        choice = space.choice(row)
        if choice is None:
            return None
        settled = dict(choice.row)
        found[tuple(settled.items())] = choice
        return settled

    rows = covering(axes, settle, space.spec.homes)
    return list({choice.id: choice for row in rows if (choice := found[tuple(row.items())])}.values())
