"""Application of several rewritings to a model, in a fixed order, until none of them finds anything to change."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import onnx

from burn_verify.prepare.rewriting import Rewriting, Tools

_ROUNDS: Final = 6
_LARGEST: Final = 1 << 30
"""Bytes of a model beyond which nothing more is done; protobuf itself ends at 2 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One application of a rewriting.

    Attributes:
        before, after: the serialised model.
    """

    rewriting: Rewriting
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A model after several rewritings.

    Attributes:
        model: serialised.
        steps: the applications that changed something, in their order.
        options: options of the conversion that differ from the default.
        broken: rewritings that failed, by name, with their error; they changed nothing.
    """

    model: bytes
    steps: tuple[Step, ...] = ()
    options: Mapping[str, bool] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rewritings that changed something or set an option, each once."""
        return tuple(dict.fromkeys(step.rewriting.name for step in self.steps)) + tuple(
            f"{name} {'on' if on else 'off'}" for name, on in self.options.items()
        )

    def light(self) -> "Rewritten":
        """Return the same without the models between the steps."""
        return replace(self, steps=tuple(replace(step, before=b"", after=b"") for step in self.steps))


class Memory:
    """What rewritings made of models: the sets that are tried for one model have most of their steps in common.

    Most rewritings change nothing in most models, and to try one on a model of 90 MB takes half a second.

    Arguments:
        largest: bytes of models that are kept; the oldest are forgotten.
    """

    def __init__(self, largest: int = 256 << 20) -> None:
        self._largest = largest
        self._size = 0
        self._known: OrderedDict[tuple[str, int], tuple[bytes | None, str]] = OrderedDict()

    def applied(self, model: bytes, rewriting: Rewriting, tools: Tools) -> tuple[bytes | None, str]:
        """Return the changed model, None where nothing changes; and the error of a rewriting that fails."""
        key = rewriting.name, hash(model)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        made = self._known[key] = _applied(model, rewriting, tools)
        self._size += len(made[0] or b"")
        while self._size > self._largest and self._known:
            _, (forgotten, _) = self._known.popitem(last=False)
            self._size -= len(forgotten or b"")
        return made


def rewritten(
    model: bytes, rewritings: Sequence[Rewriting], tools: Tools, largest: int = _LARGEST, memory: Memory | None = None
) -> Rewritten:
    """Apply rewritings in their order, again and again until nothing changes.

    A rewriting that fails on a model changes nothing; no exception of one is raised.

    Arguments:
        largest: bytes of the largest model that a rewriting may make.
        memory: of other calls, with rewritings of the same target.
    """
    steps: list[Step] = []
    broken: dict[str, str] = {}
    memory = Memory() if memory is None else memory
    for _ in range(_ROUNDS):
        before = len(steps)
        for rewriting in rewritings:
            if rewriting.name in broken:
                continue
            made, error = memory.applied(model, rewriting, tools)
            if error:
                broken[rewriting.name] = error
            if made is not None and len(made) <= largest:
                steps.append(Step(rewriting=rewriting, before=model, after=made))
                model = made
        if len(steps) == before:
            break
    options = {name: on for rewriting in rewritings for name, on in rewriting.options.items()}
    return Rewritten(model=model, steps=tuple(steps), options=options, broken=broken)


def _applied(model: bytes, rewriting: Rewriting, tools: Tools) -> tuple[bytes | None, str]:
    try:
        found = rewriting.function(onnx.ModelProto.FromString(model), tools)
        made = None if found is None else found.SerializeToString()
    except Exception as error:  # a rewriting meets models of any kind; its failure is a fact about the two
        return None, f"{type(error).__name__}: {error}"
    return (None if made == model else made), ""
