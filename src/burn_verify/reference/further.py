"""Answers of an engine to other values than the stored ones, where it confirms the stored answer.

An engine that contradicts the stored answer is no evidence for other values. Caches and judges nothing of Burn.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from burn_verify import judge
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.judge.tolerated import Question, rules_of
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.varied import varied_inputs
from burn_verify.system.wire import Array

Asked: TypeAlias = tuple[list[Array], list[Array]]
"""Inputs and answers, in the order of the graph."""


def varied_answers(
    engine: Engine, prepared: PreparedCase, inputs: Sequence[Array], desired: Sequence[Array], opinion: Sequence[Array]
) -> dict[str, Asked]:
    """Return the answers to other values than the stored ones, by their name; none for values that the engine refuses.

    Arguments:
        inputs, desired: the stored values.
        opinion: what the engine answers to the stored inputs.

    Raises:
        OracleError: the engine was closed.
    """
    import onnx

    if prepared.varied is None or not inputs or not _confirms(prepared, desired, opinion):
        return {}
    sets = varied_inputs(onnx.load(prepared.model), inputs, prepared.digest)
    return {kind: asked for kind, asked in _answers(engine, prepared, sets).items() if kind in prepared.varied.names}


def _confirms(prepared: PreparedCase, desired: Sequence[Array], opinion: Sequence[Array]) -> bool:
    names = [output.name for output in prepared.outputs]
    question = Question(case_id=prepared.case.id, random=prepared.random, tolerance=prepared.tolerance)
    return judge.judge(names, opinion, desired, "", "", **rules_of(question)).passes


def _answers(engine: Engine, prepared: PreparedCase, sets: Mapping[str, list[Array]]) -> dict[str, Asked]:
    """Ask for all sets at once; where the engine refuses, for each alone."""
    if not sets:
        return {}
    with _unless_closed():
        answers = engine.infer_all(prepared.model, list(sets.values()))
        return {kind: (inputs, list(answer)) for (kind, inputs), answer in zip(sets.items(), answers, strict=True)}
    found = {}
    for kind, inputs in sets.items():
        with _unless_closed():
            found[kind] = (inputs, infer(engine, prepared.model, inputs))
    return found


@contextmanager
def _unless_closed() -> Iterator[None]:
    """Leave out what the engine refuses; a closed engine has no opinion on anything that follows."""
    try:
        yield
    except OracleError as error:
        if error.kind is FailureKind.CLOSED:
            raise
