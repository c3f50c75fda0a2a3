"""Hints compared with the model that they are about: names, dtypes and shapes that the model does not have.

Reads the arrays that hints name, and nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from burn_verify.cases.own.schema import Wrong
from burn_verify.core.case import Hints, InputHint, ModelFacts, TensorSpec
from burn_verify.core.dims import names_in
from burn_verify.core.errors import OracleError
from burn_verify.reference.fills import fitting, read_array

_SHOWN = 8


def check(hints: Hints, facts: ModelFacts) -> None:
    """Check everything that a description says about a model.

    Raises:
        Wrong: the model has no such input, output or dimension, or the input is otherwise.
    """
    for place, hint in enumerate(hints.inputs):
        if hint.name not in {spec.name for spec in facts.inputs}:
            raise Wrong(place=f"inputs[{place}].name", text=absent("input", hint.name, _names(facts.inputs)))
    for place, one in enumerate(hints.tolerances):
        if one.output not in _names(facts.outputs):
            raise Wrong(place=f"tolerances[{place}].output", text=absent("output", one.output, _names(facts.outputs)))
    known = dimensions(facts)
    used = {name for text in _expressions(hints) for name in names_in(text)}
    for name in (*dict(hints.dims), *dict(hints.relations)):
        if name not in known and name not in used:
            raise Wrong(place=f"dims.{name}", text=absent("dimension", name, known))
    if (image := hints.images.input) and image not in _names(facts.inputs):
        raise Wrong(place="images.input", text=absent("input", image, _names(facts.inputs)))
    specs = {spec.name: spec for spec in facts.inputs}
    for place, hint in enumerate(hints.inputs):
        if hint.shape is not None and (why := misfit(hint.shape, specs[hint.name])):
            raise Wrong(place=f"inputs[{place}].shape", text=why)
    check_inputs(hints.inputs, facts)


def check_inputs(hints: Sequence[InputHint], facts: ModelFacts) -> None:
    """Check dtypes and files of hints for the inputs that a model has; others are passed over.

    Raises:
        Wrong: they are not those of the input.
    """
    specs = {spec.name: spec for spec in facts.inputs}
    for place, hint in enumerate(hints):
        if (spec := specs.get(hint.name)) is not None:
            _check_input(f"inputs[{place}]", hint, spec)


def unknown(hints: Hints, facts: Sequence[ModelFacts]) -> Iterator[str]:
    """Yield, for each input and dimension of the options that no model has, a line that says so."""
    inputs = list(dict.fromkeys(name for one in facts for name in _names(one.inputs)))
    for hint in hints.inputs:
        if hint.name not in inputs:
            yield f"--input (--burn-input): {absent('input', hint.name, inputs)}"
    known = list(dict.fromkeys(name for one in facts for name in dimensions(one)))
    used = {name for text in _expressions(hints) for name in names_in(text)}
    for name in (*dict(hints.dims), *dict(hints.relations)):
        if name not in known and name not in used:
            yield f"--dim (--burn-dim): {absent('dimension', name, known)}"


def dimensions(facts: ModelFacts) -> list[str]:
    """Return the names of the symbolic dimensions of a model's inputs, each once."""
    names = (dim for spec in facts.inputs for dim in spec.shape if isinstance(dim, str) and dim)
    return list(dict.fromkeys(names))


def absent(what: str, name: str, known: Sequence[str]) -> str:
    """Return a line that says that a model has no such thing, and what it has."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    has = (
        f"did you mean {near[0]!r}?"
        if near
        else f"it has {', '.join(known[:_SHOWN])}{more}"
        if known
        else "it has none"
    )
    return f"the model has no {what} {name!r}: {has}"


def _names(specs: Iterable[TensorSpec]) -> list[str]:
    return [spec.name for spec in specs]


def _expressions(hints: Hints) -> Iterator[str]:
    yield from (text for _, text in hints.relations)
    for hint in hints.inputs:
        yield from (size for size in hint.shape or () if isinstance(size, str))


def _check_input(place: str, hint: InputHint, spec: TensorSpec) -> None:
    if hint.dtype not in (None, spec.dtype):
        raise Wrong(place=f"{place}.dtype", text=f"the input {spec.name!r} is of {spec.dtype}, not {hint.dtype}")
    if hint.file is not None:
        try:
            array = read_array(spec.name, hint)
            fitting(array[:0] if array.ndim else array, spec)
        except OracleError as error:
            raise Wrong(place=f"{place}.file", text=error.message) from error
        if why := misfit(array.shape, spec):
            raise Wrong(place=f"{place}.file", text=why)


def misfit(shape: Sequence[int | str], spec: TensorSpec) -> str:
    """Return why an array of a shape is none for an input or output; empty where it is one."""
    declared = ["?" if dim is None or (isinstance(dim, int) and dim < 0) else dim for dim in spec.shape]
    fits = len(shape) == len(declared) and all(
        not isinstance(size, int) or not isinstance(dim, int) or size == dim
        for size, dim in zip(shape, declared, strict=True)
    )
    said, asked = (f"[{', '.join(map(str, one))}]" for one in (declared, shape))
    return "" if fits else f"{spec.name!r} is of shape {said}, not {asked}"
