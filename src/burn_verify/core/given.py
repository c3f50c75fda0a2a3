"""What options say about the inputs of models, as hints; and hints put over others.

Parsers raise ValueError with a message for the user.
"""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from burn_verify.core.case import Distribution, Fill, Hints, InputHint
from burn_verify.core.dims import MOST, check, names_in

INPUT_FORMS: Final = '"ids:int64[0,30522)", "mask:ones", "x:float32[-1,1]", "x:normal", "n:7" or x=file.npy'
_SPEC: Final = re.compile(
    r"(?P<dtype>[a-z]\w*)?\s*(?P<range>\[\s*(?P<low>[^,\[\]()]+),(?P<high>[^,\[\]()]+)(?P<end>[\])]))?"
)
_WHOLE: Final = re.compile(r"\d+", re.ASCII)
_VALUES: Final = ("value", "fill", "low", "high", "closed", "distribution", "scale", "shift", "file")
# Fields of a hint that say which values are fed: whoever says one of them says all.


def input_hint(text: str) -> InputHint:
    """Return the hint of ``NAME:DTYPE[LOW,HIGH)``, ``NAME:FILL`` or ``NAME=FILE``.

    The limit after ``)`` is excluded, the one after ``]`` is included. A name may hold colons: the last one counts.
    """
    name, equals, file = text.partition("=")
    if equals and name.strip():
        return InputHint(name=name.strip(), file=_array_file(file.strip()))
    name, _, spec = text.rpartition(":")
    if not name.strip() or not spec.strip() or equals:
        msg = f"an input such as {INPUT_FORMS} is needed, not {text!r}"
        raise ValueError(msg)
    return _specified(name.strip(), spec.strip(), text)


def dimension(text: str) -> tuple[str, tuple[int, ...] | str]:
    """Return name and sizes of ``batch=1,3``, or name and expression of ``total=past+seq``."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not name or not equals or not value:
        msg = f"a dimension such as batch=1,3 or total=past+seq is needed, not {text!r}"
        raise ValueError(msg)
    parts = [part.strip() for part in value.split(",")]
    if all(_WHOLE.fullmatch(part) for part in parts):
        sizes = tuple(dict.fromkeys(map(int, parts)))
        if max(sizes) > MOST:
            msg = f"{name}: {max(sizes)} is no size of a dimension"
            raise ValueError(msg)
        return name, sizes
    names_in(value)
    return name, value


def input_texts(text: str) -> tuple[str, ...]:
    """Return the inputs of a text, one a line, with absolute paths; see `input_hint`."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [input_hint(line) for line in lines]
    _check_once("input", [hint.name for hint in found])
    return tuple(
        line if hint.file is None else f"{hint.name}={hint.file}" for line, hint in zip(lines, found, strict=True)
    )


def dimension_texts(text: str) -> tuple[str, ...]:
    """Return the dimensions of a text, one a line; see `dimension`."""
    parts = [part.strip() for part in text.splitlines() if part.strip()]
    found = [dimension(part) for part in parts]
    _check_once("dimension", [name for name, _ in found])
    check([(name, value) for name, value in found if isinstance(value, str)])
    return tuple(parts)


def data_paths(text: str) -> tuple[Path, ...]:
    """Return the absolute paths of a text, one a line; each is a file or a folder."""
    return tuple(dict.fromkeys(_present(line.strip()) for line in text.splitlines() if line.strip()))


def _check_once(what: str, names: Sequence[str]) -> None:
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        msg = f"the {what} {twice[0]!r} is named twice"
        raise ValueError(msg)


def _present(text: str) -> Path:
    try:
        path = Path(text).expanduser().absolute()
        there = path.exists()
    except (OSError, RuntimeError, ValueError):
        there = False
    if not there:
        msg = f"{text}: no such file or folder"
        raise ValueError(msg)
    return path


def hints_of(inputs: Sequence[str], dimensions: Sequence[str], data: Sequence[Path] = (), sample: str = "") -> Hints:
    """Return the hints of options, from texts that were checked."""
    dims = [dimension(text) for text in dimensions]
    relations = tuple((name, value) for name, value in dims if isinstance(value, str))
    sizes = tuple((name, value) for name, value in dims if not isinstance(value, str))
    first = tuple((name, several[0]) for name, several in sizes)
    return Hints(
        dims=first,
        inputs=tuple(map(input_hint, inputs)),
        sizes=sizes,
        relations=relations,
        data=tuple(data),
        sample=sample,
    )


def put_over(over: Hints, under: Hints) -> Hints:
    """Return hints in which those of `over` win: dimension by dimension, input by input; all of its data, if any."""
    own = {name for name, _ in (*over.dims, *over.relations)}

    def kept(pairs: Sequence[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
        return tuple(pair for pair in pairs if pair[0] not in own)

    named = {hint.name: hint for hint in under.inputs}
    for hint in over.inputs:
        named[hint.name] = _over(hint, named[hint.name]) if hint.name in named else hint
    outputs = {one.output for one in over.tolerances}
    return replace(
        under,
        dims=(*kept(under.dims), *over.dims),  # type: ignore[arg-type]
        sizes=(*kept(under.sizes), *over.sizes),  # type: ignore[arg-type]
        relations=(*kept(under.relations), *over.relations),  # type: ignore[arg-type]
        inputs=tuple(named.values()),
        tolerances=(*(one for one in under.tolerances if one.output not in outputs), *over.tolerances),
        data=over.data or under.data,
        sample=over.sample or under.sample,
        draws=under.draws if over.draws is None else over.draws,
    )


def _over(over: InputHint, under: InputHint) -> InputHint:
    plain = InputHint(name=over.name)
    said = {one.name: getattr(over, one.name) for one in fields(InputHint)}
    changed = {name for name, value in said.items() if value != getattr(plain, name)}
    if changed & set(_VALUES):
        changed |= set(_VALUES)
    return replace(under, **{name: said[name] for name in changed})


def _array_file(text: str) -> Path:
    if not text.endswith(".npy"):
        msg = f"a .npy file is needed behind the =, not {text!r}"
        raise ValueError(msg)
    return _present(text)


def _specified(name: str, spec: str, text: str) -> InputHint:
    if spec in (*Fill, *Distribution):
        return InputHint(
            name=name, **({"fill": Fill(spec)} if spec in list(Fill) else {"distribution": Distribution(spec)})
        )
    if (number := _number(spec)) is not None:
        return InputHint(name=name, value=number)
    found = _SPEC.fullmatch(spec)
    if found is None or not found[0]:
        msg = f"{name}: a dtype, a range or a fill is needed, such as {INPUT_FORMS}, not {text!r}"
        raise ValueError(msg)
    dtype = _dtype(name, found["dtype"])
    if found["range"] is None:
        return InputHint(name=name, dtype=dtype)
    low, high = _number(found["low"]), _number(found["high"])
    closed = found["end"] == "]"
    if low is None or high is None or not (low <= high if closed else low < high):
        msg = f"{name}: two numbers, the lower one first, are needed in {found['range']}"
        raise ValueError(msg)
    return InputHint(name=name, dtype=dtype, low=low, high=high, closed=closed)


def _dtype(name: str, text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"(u?int|float|bfloat|complex)\d+\w*|bool|string", text):
        msg = f"{name}: no dtype, and no fill such as zeros, ones, arange, normal or uniform: {text!r}"
        raise ValueError(msg)
    return text


def _number(text: str) -> int | float | None:
    try:
        found = int(text)
    except ValueError:
        try:
            real = float(text)
        except ValueError:
            return None
        return real if abs(real) < float("inf") else None
    return found
