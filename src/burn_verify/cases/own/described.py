"""The description of a model: the text of a ``model.toml`` becomes `Hints`.

Keys and the kinds of their values are those of ``data/model.schema.json``, which the library ``jsonschema`` checks.
Here is what a schema cannot say. Every mistake is one line: the file, the key, its place, and what is allowed.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.own.schema import Wrong, check_schema, joined
from burn_verify.core.case import Distribution, Fill, Hints, ImageHint, InputHint, OutputTolerance, TaskHint, TextHint
from burn_verify.core.dims import check, names_in
from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind
from burn_verify.core.text import one_line, shortened
from burn_verify.graph.dtypes import ELEM_TYPES

SUFFIX: Final = ".toml"
_FILLS: Final = ("value", "fill", "file")
_ROOM: Final = 60


def beside(stem: Path) -> Path:
    """Return the path of the description of a model, which need not exist.

    Arguments:
        stem: of the model's file: ``a/model`` for ``a/model.onnx.gz``.
    """
    return stem.with_name(f"{stem.name}{SUFFIX}")


def read(path: Path) -> Hints:
    """Return what a file says about a model; paths in it are relative to its folder.

    Raises:
        LoadError: it cannot be read, is not TOML, or a key or value is wrong: one line that names file and place.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), path.parent)
    except Wrong as error:
        raise mistake(path, error.place, error.text) from error
    except tomllib.TOMLDecodeError as error:
        raise mistake(path, "", f"not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise mistake(path, "", "not TOML: it is no text in UTF-8") from error
    except OSError as error:
        raise mistake(path, "", f"cannot be read: {error.strerror or error}") from error


def mistake(path: Path, place: str, text: str) -> LoadError:
    """Return the error of a case whose description has a mistake."""
    message = one_line(": ".join(filter(None, (path.name, place, text))))
    return LoadError(message, "wrong description", kind=FailureKind.USAGE)


def parse(text: str, folder: Path) -> Hints:
    """Return what the text of a description says.

    Arguments:
        folder: relative paths start here.

    Raises:
        Wrong: a key or a value is not allowed.
        tomllib.TOMLDecodeError: the text is not TOML.
    """
    document = tomllib.loads(text)
    check_schema(document)
    for place, number in _numbers(document, ""):
        if not math.isfinite(number):
            raise Wrong(place=place, text=f"a finite number is needed, not {number}")
    inputs = tuple(_input(f"inputs[{place}]", one, folder) for place, one in enumerate(document.get("inputs", ())))
    _check_unique("inputs", "name", [one.name for one in inputs])
    tolerances = tuple(OutputTolerance(**{"rtol": 0.0, "atol": 0.0, **one}) for one in document.get("tolerances", ()))
    _check_unique("tolerances", "output", [one.output for one in tolerances])
    sizes, relations = _dims(document.get("dims", {}))
    return Hints(
        dims=tuple((name, several[0]) for name, several in sizes),
        inputs=inputs,
        sizes=sizes,
        relations=relations,
        tolerances=tolerances,
        data=tuple(_data(document.get("data", ()), folder)),
        images=_images(document.get("images", {})),
        texts=_texts(document.get("texts", {}), folder),
        task=_task(document.get("task", {})),
    )


def _numbers(value: Any, place: str) -> Iterator[tuple[str, float]]:
    """Yield every float of a document with its place."""
    match value:
        case dict():
            for key, one in value.items():
                yield from _numbers(one, joined(place, key))
        case list():
            for index, one in enumerate(value):
                yield from _numbers(one, f"{place}[{index}]")
        case float():
            yield place, value


def _check_unique(key: str, field: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Wrong(place=f"{key}[{place}].{field}", text=f"{name!r} is there twice")


def _input(place: str, given: Mapping[str, Any], folder: Path) -> InputHint:
    values = dict(given)
    if both := [key for key in _FILLS if key in values][1:]:
        first = next(key for key in _FILLS if key in values)
        raise Wrong(
            place=f"{place}.{both[0]}", text=f"there is {first!r} already: one of {', '.join(_FILLS)} is allowed"
        )
    if (dtype := values.get("dtype")) is not None and dtype not in ELEM_TYPES.values():
        near = get_close_matches(str(dtype), ELEM_TYPES.values(), n=1, cutoff=0.5)
        guess = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(ELEM_TYPES.values())}"
        raise Wrong(place=f"{place}.dtype", text=f"no dtype of ONNX: {dtype!r}: {guess}")
    if isinstance(fill := values.pop("fill", None), str):
        values["fill"] = Fill(fill)
    elif fill is not None:
        values["value"] = fill
    if not values.get("low", -math.inf) < values.get("high", math.inf):
        raise Wrong(place=f"{place}.high", text=f"a number above low, {values['low']}, is needed, not {values['high']}")
    if "shape" in values:
        values["shape"] = tuple(_shaped(f"{place}.shape", values["shape"]))
    if "distribution" in values:
        values["distribution"] = Distribution(values["distribution"])
    if "file" in values:
        values["file"] = existing(f"{place}.file", values["file"], folder)
    return InputHint(**values)


def _shaped(place: str, sizes: Sequence[int | str]) -> Iterator[int | str]:
    for index, size in enumerate(sizes):
        if isinstance(size, str):
            _expression(f"{place}[{index}]", size)
        yield size


def _expression(place: str, text: str) -> None:
    try:
        names_in(text)
    except ValueError as error:
        raise Wrong(place=place, text=str(error)) from error


def _dims(
    given: Mapping[str, int | str | list[int]],
) -> tuple[tuple[tuple[str, tuple[int, ...]], ...], tuple[tuple[str, str], ...]]:
    """Return sizes by name, and expressions by name."""
    sizes: dict[str, tuple[int, ...]] = {}
    relations: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, str):
            _expression(f"dims.{name}", value)
            relations[name] = value
        else:
            sizes[name] = tuple(dict.fromkeys(value)) if isinstance(value, list) else (value,)
    try:
        check(tuple(relations.items()))
    except ValueError as error:
        raise Wrong(place="dims", text=str(error)) from error
    return tuple(sizes.items()), tuple(relations.items())


def existing(place: str, name: str, folder: Path) -> Path:
    """Return the absolute path of a file or folder that is named in a description.

    Raises:
        Wrong: there is none.
    """
    try:
        path = (folder / Path(name).expanduser()).absolute()
        there = path.exists()
    except (OSError, RuntimeError, ValueError):
        there = False
    if not there:
        raise Wrong(place=place, text=f"no such file or folder: {shortened(name, _ROOM)!r}")
    return path


def _data(given: str | Sequence[str], folder: Path) -> Iterator[Path]:
    names = [given] if isinstance(given, str) else given
    for index, name in enumerate(names):
        yield existing("data" if isinstance(given, str) else f"data[{index}]", name, folder)


def _images(given: Mapping[str, Any]) -> ImageHint:
    values = dict(given)
    for key in ("resize", "crop", "mean", "deviation"):
        if key in values:
            values[key] = tuple(values[key]) if isinstance(values[key], list) else (values[key],)
    if "crop" in values and len(values["crop"]) == 1:
        values["crop"] *= 2
    hint = ImageHint(**values)
    if hint.fit and (hint.resize is not None or hint.crop is not None):
        raise Wrong(place="images.fit", text="'resize' or 'crop' say it already: 'fit' goes without them")
    if hint.resize is not None and hint.crop is not None:
        _check_crop(hint.resize, hint.crop)
    return hint


def _check_crop(resize: tuple[int, ...], crop: tuple[int, ...]) -> None:
    sides = resize * 2 if len(resize) == 1 else resize
    if any(kept > side for kept, side in zip(crop, sides, strict=True)):
        raise Wrong(
            place="images.crop", text=f"at most {list(sides)}, the size after resize, is needed, not {list(crop)}"
        )


def _texts(given: Mapping[str, Any], folder: Path) -> TextHint:
    tokenizer = given.get("tokenizer")
    path = None if tokenizer is None else existing("texts.tokenizer", tokenizer, folder)
    return TextHint(tokenizer=path, length=given.get("length"))


def _task(given: Mapping[str, Any]) -> TaskHint:
    return TaskHint(**{**given, "strides": tuple(given.get("strides", ()))})
