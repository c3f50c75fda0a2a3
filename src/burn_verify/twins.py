"""A generated graph beside its twins: compiled Burn asked for the same in another way has to answer the same.

No reference is asked, so this tells something also where there is none. Runs nothing itself.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from burn_verify import judge, reference
from burn_verify.cases.generated.twins import halves, joined
from burn_verify.errors import StageError
from burn_verify.types import PreparedCase
from burn_verify.wire import Array

Infer: TypeAlias = Callable[[Sequence[Array]], list[Array]]


def compare(prepared: PreparedCase, infer: Infer, twin: PreparedCase | None, infer_twin: Infer) -> dict[str, str]:
    """Compare the answers of a graph with those of its twin, and with its own when the batch is parted in two.

    Arguments:
        twin: None where there is none that compiled; `infer_twin` is not called then.

    Returns:
        ``twins_differ`` with the first difference, or ``twins`` with the names of those that agree, or nothing. Twins
        that fail are left out: that is told of themselves.
    """
    if prepared.random or not prepared.stored:
        return {}
    names = [output.name for output in prepared.outputs]
    agree = []
    for name, ask in _twins(prepared, infer, twin, infer_twin):
        try:
            mine, other = ask()
        except StageError:
            continue
        said = judge.judge(names, mine, other, f"twin {name}", prepared.case.id)
        if not said.passes:
            return {"twins_differ": f"compiled Burn answers otherwise, {name}: {said.message}"}
        agree.append(name)
    return {"twins": "; ".join(agree)} if agree else {}


def _twins(
    prepared: PreparedCase, infer: Infer, twin: PreparedCase | None, infer_twin: Infer
) -> Iterator[tuple[str, Callable[[], tuple[list[Array], list[Array]]]]]:
    inputs = reference.stored_inputs(prepared)
    if twin is not None:
        yield f"as {twin.case.id}", lambda: (infer(inputs), infer_twin(reference.stored_inputs(twin)))
    parted = halves(prepared.inputs, inputs)
    if parted is not None:
        yield "with the batch in two parts", lambda: (infer(inputs), joined(*(infer(part) for part in parted)))
