"""Application of several rewritings to a model, in a fixed order, until none of them finds anything to change."""

from collections.abc import Mapping, MutableSet, Sequence
from dataclasses import dataclass, field
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


def rewritten(
    model: bytes,
    rewritings: Sequence[Rewriting],
    tools: Tools,
    largest: int = _LARGEST,
    idle: MutableSet[tuple[str, int]] | None = None,
) -> Rewritten:
    """Apply rewritings in their order, again and again until nothing changes.

    A rewriting that fails on a model changes nothing; no exception of one is raised.

    Arguments:
        idle: what is known of other calls: name of a rewriting and hash of a model that it does not change. Most of
            them change nothing in most models, and to try one on a model of 90 MB takes half a second.
    """
    steps: list[Step] = []
    broken: dict[str, str] = {}
    idle = set() if idle is None else idle
    for _ in range(_ROUNDS):
        before = len(steps)
        for rewriting in rewritings:
            key = rewriting.name, hash(model)
            if key in idle:
                continue
            made = _applied(model, rewriting, tools, broken)
            if made is not None and made != model and len(made) <= largest:
                steps.append(Step(rewriting=rewriting, before=model, after=made))
                model = made
            elif rewriting.name not in broken:
                idle.add(key)
        if len(steps) == before:
            break
    options = {name: on for rewriting in rewritings for name, on in rewriting.options.items()}
    return Rewritten(model=model, steps=tuple(steps), options=options, broken=broken)


def _applied(model: bytes, rewriting: Rewriting, tools: Tools, broken: dict[str, str]) -> bytes | None:
    if rewriting.name in broken:
        return None
    try:
        made = rewriting.function(onnx.ModelProto.FromString(model), tools)
        return None if made is None else made.SerializeToString()
    except Exception as error:  # a rewriting meets models of any kind; its failure is a fact about the two
        broken[rewriting.name] = f"{type(error).__name__}: {error}"
        return None
