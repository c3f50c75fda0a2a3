"""Answers of an engine to other values than the stored ones, where it confirms the stored answer.

An engine that contradicts the stored answer is no evidence for other values. Caches and judges nothing of Burn.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

from burn_verify import judge
from burn_verify.core.case import TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.judge.tolerated import Question, rules_of
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.evaluator import Evaluator
from burn_verify.reference.varied import ORDINARY, varied_inputs
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    import onnx

Asked: TypeAlias = tuple[list[Array], list[Array]]
"""Inputs and answers, in the order of the graph."""


def varied_answers(engine: Engine, prepared: PreparedCase, stored: DataSet) -> dict[str, Asked]:
    """Return the answers to other values than the stored ones, by their name; none for values that the engine refuses.

    Arguments:
        stored: the stored values, with what the engine answers to them.

    Raises:
        OracleError: the engine was closed.
    """
    if stored.opinion is None or not stored.inputs or not _confirms(prepared, stored.desired, stored.opinion):
        return {}
    found = _answers(engine, prepared, _sets(_model(prepared), prepared, stored))
    return {name: asked for name, asked in found.items() if as_declared(prepared, stored.desired, asked[1])}


def evaluated_answers(prepared: PreparedCase, stored: DataSet) -> dict[str, Asked]:
    """Return the answers of onnx's reference evaluator, for models that the engine has no kernel for.

    Only ordinary values are asked for: for very large ones, NaN and infinities the evaluator is no evidence.
    """
    if not stored.inputs:
        return {}
    model = _model(prepared)
    try:
        evaluator = Evaluator(model, trusting=True)
        if not _confirms(prepared, stored.desired, evaluator.answer(_named(prepared, stored.inputs))):
            return {}
    except ValueError:
        return {}
    found = {}
    for name, inputs in _sets(model, prepared, stored).items():
        if name in ORDINARY:
            with suppress(ValueError):
                found[name] = (inputs, evaluator.answer(_named(prepared, inputs)))
    return {name: asked for name, asked in found.items() if as_declared(prepared, stored.desired, asked[1])}


def as_declared(prepared: PreparedCase, stored: Sequence[Array], answers: Sequence[Array]) -> bool:
    """Return whether answers have the sizes that the model declares: an input that leads to others breaks its promise.

    Arguments:
        stored: an answer as it should be; where it has other sizes itself, the model declares too little to say.
    """
    return all(
        _fits(spec, answer) or not _fits(spec, known)
        for spec, known, answer in zip(prepared.outputs, stored, answers, strict=True)
    )


def _fits(spec: TensorSpec, array: Array) -> bool:
    sizes = [size if isinstance(size, int) and size >= 0 else None for size in spec.shape]
    return len(sizes) == array.ndim and all(size in (None, came) for size, came in zip(sizes, array.shape, strict=True))


def _named(prepared: PreparedCase, inputs: Sequence[Array]) -> dict[str, Array]:
    return {declared.name: array for declared, array in zip(prepared.inputs, inputs, strict=True)}


def _sets(model: "onnx.ModelProto", prepared: PreparedCase, stored: DataSet) -> dict[str, list[Array]]:
    names = () if prepared.varied is None else prepared.varied.names
    sets = varied_inputs(model, stored.inputs, prepared.digest)
    return {name: inputs for name, inputs in sets.items() if name in names}


def _model(prepared: PreparedCase) -> "onnx.ModelProto":
    import onnx

    return onnx.load(prepared.model)


def _confirms(prepared: PreparedCase, desired: Sequence[Array], opinion: Sequence[Array]) -> bool:
    names = [output.name for output in prepared.outputs]
    question = Question(
        case_id=prepared.case.id, random=prepared.random, steady=prepared.steady, tolerance=prepared.tolerance
    )
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
