"""A generated graph beside its twins, which have to answer the same: its function, and the halves of its batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from burn_verify import judge
from burn_verify.cases.generated.twins import halves, joined
from burn_verify.core.errors import CompareError, StageError
from burn_verify.core.stage import FailureKind, PreparedCase
from burn_verify.reference import oracle
from burn_verify.system.wire import Array

Infer: TypeAlias = Callable[[Sequence[Array]], list[Array]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """How a graph's outputs compare with those of its twins.

    Attributes:
        differ: the first difference; empty where there is none.
        agree: the twins with the same outputs.
    """

    differ: str = ""
    agree: tuple[str, ...] = ()

    @property
    def evidence(self) -> dict[str, str]:
        """The fields for the record."""
        if self.differ:
            return {"twins_differ": self.differ}
        return {"twins": "; ".join(self.agree)} if self.agree else {}


def with_twins(
    prepared: PreparedCase,
    infer: Infer,
    twin: PreparedCase | None,
    infer_twin: Infer,
    takes: Callable[[Sequence[Array]], bool] = lambda inputs: True,
) -> Twins:
    """Compare the outputs of a graph with those of its twin, and with its own outputs for the two halves of the batch.

    A failure of only one of the two is a difference; where both fail, there are no outputs to compare.

    Arguments:
        twin: None where no twin compiled; `infer_twin` is not called then.
        takes: whether an engine accepts inputs. Called for halves that Burn fails on, since a constant of the graph may
            have the size of the whole batch.
    """
    if prepared.random or not prepared.stored:
        return Twins()
    names = [output.name for output in prepared.outputs]
    inputs = oracle.stored_inputs(prepared)
    mine, agree = _answers(lambda: infer(inputs)), []
    for name, ask in _twins(prepared, inputs, infer, twin, infer_twin, takes):
        other = _answers(ask)
        if other is None:
            continue
        if isinstance(mine, StageError) or isinstance(other, StageError):
            if (why := _only_failure(name, mine, other)) is not None:
                return Twins(differ=why)
            continue
        verdict = judge.judge(names, mine, other, f"twin {name}", prepared.case.id)
        if not verdict.passes:
            return Twins(differ=f"compiled Burn answers otherwise, {name}: {verdict.message}")
        agree.append(name)
    return Twins(agree=tuple(agree))


def _answers(ask: Callable[[], T]) -> T | StageError:
    try:
        return ask()
    except StageError as error:
        return error


def _only_failure(name: str, mine: list[Array] | StageError, other: list[Array] | StageError) -> str | None:
    """Return a message that one of two fails and the other succeeds; None where both fail."""
    if not isinstance(mine, StageError):
        assert isinstance(other, StageError)
        return f"compiled Burn answers, but fails {name}: {other.message}"
    return None if isinstance(other, StageError) else f"compiled Burn fails, but answers {name}: {mine.message}"


def _twins(
    prepared: PreparedCase,
    inputs: Sequence[Array],
    infer: Infer,
    twin: PreparedCase | None,
    infer_twin: Infer,
    takes: Callable[[Sequence[Array]], bool],
) -> Iterator[tuple[str, Callable[[], list[Array] | None]]]:
    if twin is not None:
        yield f"as {twin.case.id}", lambda: infer_twin(oracle.stored_inputs(twin))
    parted = halves(prepared.inputs, inputs)
    if parted is not None:
        yield "with the batch in two parts", lambda: _of_halves(parted, infer, takes)


def _of_halves(
    parts: Sequence[Sequence[Array]], infer: Infer, takes: Callable[[Sequence[Array]], bool]
) -> list[Array] | None:
    """Return the concatenated outputs for two halves; None where neither Burn nor an engine accepts them.

    Raises:
        StageError: only Burn fails on them.
    """
    try:
        return _whole(*(infer(part) for part in parts))
    except StageError:
        if all(takes(part) for part in parts):
            raise
        return None


def _whole(one: Sequence[Array], other: Sequence[Array]) -> list[Array]:
    """Return the concatenated outputs for two halves.

    Raises:
        CompareError: the outputs do not have the shapes of two halves.
    """
    try:
        return joined(one, other)
    except ValueError as error:
        message = f"answers to two halves that do not fit together: {error}"
        raise CompareError(message, kind=FailureKind.MISMATCH) from error
