"""Changes of the interface that the user asked for, made before anything is tried."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from burn_verify.core.case import Hints
from burn_verify.core.errors import UsageError
from burn_verify.core.prepared import Grade, Proof

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asks for.

    Attributes:
        pin: a number by the name of a dimension, or a shape such as ``1x3x224x224`` by the name of an input.
        freeze: a number by the name of an input, or several with commas between them.
        drop_zipmap: scores as a tensor, not as a map by class.
        cut: leave out pre- and post-processing by operators of foreign domains.
        unsigned_weights: weights of quantised layers in unsigned 8 bits.
    """

    pin: Mapping[str, str] = field(default_factory=dict)
    freeze: Mapping[str, str] = field(default_factory=dict)
    drop_zipmap: bool = False
    cut: bool = False
    unsigned_weights: bool = False


def pairs(flag: str, texts: Sequence[str]) -> dict[str, str]:
    """Return the values of an option ``NAME=VALUE`` that may be given several times.

    Raises:
        UsageError: a text is no such pair, or a name occurs twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        # A name may contain an equals sign, a value cannot.
        name, equals, value = text.rpartition("=")
        if not (name and equals and value):
            message = f"{flag} {text}: NAME=VALUE is needed, such as {flag} batch=1"
            raise UsageError(message)
        if name in found:
            message = f"{flag}: {name} is given twice"
            raise UsageError(message)
        found[name] = value
    return found


def changed(model: "ModelProto", asked: Asked) -> tuple["ModelProto", tuple[Proof, ...]]:
    """Return a model with the interface that the user asked for, and a note on each step.

    Raises:
        UsageError: the model has nothing of what was named.
    """
    made: list[Proof] = []
    for name, reason, function in _steps(asked):
        before = len(model.graph.node)
        try:
            after = function(model)
        except ValueError as error:
            message = f"{name}: {error}"
            raise UsageError(message) from None
        if after is None:
            message = f"{name}: the model has nothing of this kind"
            raise UsageError(message)
        model = after
        nodes = len(model.graph.node)
        made.append(Proof(name=name, reason=reason, grade=Grade.ASKED, nodes_before=before, nodes_after=nodes))
    return model, tuple(made)


def fitting(hints: Hints, model: "ModelProto") -> Hints:
    """Return hints as far as a changed model has their inputs, with the sizes that were asked for.

    What the catalogue says of a model is a size to draw at; it does not win over one that the user pins.
    """
    from burn_verify.graph.facts import runtime_inputs
    from burn_verify.prepare.known import typed

    shapes = {value.name: typed(value.type).shape for value in runtime_inputs(model.graph)}
    kept = (hint for hint in hints.inputs if hint.name in shapes)
    return replace(hints, inputs=tuple(replace(hint, shape=_sized(hint.shape, shapes[hint.name])) for hint in kept))


def _sized(said: tuple[int | str, ...] | None, declared: tuple[int | None, ...] | None) -> tuple[int | str, ...] | None:
    """Return a shape that is fed, its numbers those of the declared one where there are any."""
    if said is None or declared is None or len(said) != len(declared):
        return said
    return tuple(mine if fixed is None else fixed for mine, fixed in zip(said, declared, strict=True))


def _steps(asked: Asked) -> Iterator[tuple[str, str, "Callable[[ModelProto], ModelProto | None]"]]:
    from burn_verify.prepare.rewritings import interface, unsigned

    if asked.cut:
        yield "--cut", "operators of foreign domains are for others to run", interface.cut_out
    if asked.drop_zipmap:
        yield "--drop-zipmap", "Burn has no maps: the scores are a tensor", interface.without_zipmap
    if asked.pin:
        yield "--pin", "sizes are known before", lambda model: interface.pinned(model, asked.pin)
    if asked.freeze:
        yield "--freeze", "inputs are constants", lambda model: interface.frozen(model, asked.freeze)
    if asked.unsigned_weights:
        why = "without VNNI, ONNX Runtime saturates sums of products with signed weights"
        yield "--unsigned-weights", why, unsigned.unsigned_weights
