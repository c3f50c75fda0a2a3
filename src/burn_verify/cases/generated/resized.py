"""The same graph at other sizes of its symbolic dimensions."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from burn_verify.cases.generated.build import Choice, value_of
from burn_verify.cases.generated.operator_spec import Dim, NotApplicable, Operand, with_sizes


def resized(choice: Choice, sizes: Mapping[str, int]) -> Choice | None:
    """Return a choice with other sizes; None where the compiled graph does not allow them."""
    point = with_sizes(choice.point, sizes)
    try:
        call = choice.point.spec.make(point)
    except NotApplicable:
        return None
    changed = replace(choice, point=point, call=call)
    return changed if _same_model(choice, changed) else None


def others(choice: Choice) -> Iterator[Choice]:
    """Yield a choice at other sizes: all larger by one and by two, then each alone; nothing where none is symbolic."""
    known = sizes_of(choice)
    alone = [{**known, name: size + 1} for name, size in known.items()] if len(known) > 1 else []
    for sizes in (*({name: size + more for name, size in known.items()} for more in (1, 2)), *alone):
        if sizes and (changed := resized(choice, sizes)) is not None:
            yield changed


def sizes_of(choice: Choice) -> dict[str, int]:
    """Return the sizes that may vary, by name; an operand that is part of the model has none."""
    if not choice.point.symbolic:
        return {}
    named: dict[str, int] = {}
    stuck: set[str] = set()
    for name, kind in choice.kinds.items():
        operand = choice.call.inputs[name]
        assert operand is not None
        for size in operand.shape:
            if isinstance(size, Dim):
                named[size.name] = int(size)
                stuck.update([size.name] if kind != "run" else [])
    return {name: size for name, size in named.items() if name not in stuck}


def _same_model(choice: Choice, other: Choice) -> bool:
    """Return whether the operands that are part of the model are equal in both."""
    if (
        repr(choice.call.attributes) != repr(other.call.attributes)
        or choice.call.inputs.keys() != other.call.inputs.keys()
    ):
        return False
    known: Mapping[str, Operand | None] = choice.call.inputs
    for name, kind in choice.kinds.items():
        one, two = known[name], other.call.inputs[name]
        if one is None or two is None or len(one.shape) != len(two.shape):
            return False
        if kind != "run" and (
            one.shape != two.shape or not np.array_equal(value_of(choice, name), value_of(other, name))
        ):
            return False
        fixed = one.fixed is not None and two.fixed is not None
        if fixed and not np.array_equal(one.fixed, two.fixed):  # type: ignore[arg-type]
            return False
    return True
