"""The command ``burn-verify inputs``: what a model would be fed, and which rule said so.

Asks the reference engine whether it takes the inputs; converts and compiles nothing.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tabulate import tabulate

from burn_verify.cases import zoo
from burn_verify.cases.packed import beside
from burn_verify.cli.common import PLACES, Commands, add_command, add_options, one_case, typed, write_file
from burn_verify.core.case import Hints, InputHint, ModelFile
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.stage import DrawnData
from burn_verify.core.text import harmless, one_line
from burn_verify.graph.infer.finding import Dim
from burn_verify.graph.infer.sizing import Choice
from burn_verify.run.inputs import Told, told_inputs
from burn_verify.system.console import LongWork

_DESCRIPTION: Final = """\
Show what a model would be fed: the shape and the values of each input, the sizes of each unknown dimension, and the
rule that says so. The reference engine is asked whether it takes them; what had to be tried otherwise is told.

What is wrong here is put right by --input and --dim of verify, or by a file model.toml beside the model."""
_EXAMPLES: Final = """\
examples:
  burn-verify inputs model.onnx
  burn-verify inputs model.onnx --write      write model.toml beside it, to be edited
  burn-verify inputs minilm --json
exit codes: 0 the reference takes them, 2 it refuses them all, 4 usage"""


_HEADERS: Final = ("input", "dtype", "shape", "values", "because")


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = add_command(commands, "inputs", "what a model would be fed, and why", _DESCRIPTION, _EXAMPLES)
    command.add_argument("model", metavar="MODEL", help="a path, or a name of the zoo")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--write", action="store_true", help="write what was found to MODEL's name with .toml")
    add_options(command, PLACES)
    command.set_defaults(run=_inputs)


def _inputs(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    told = _told(arguments, settings)
    print(json.dumps(as_json(told), indent=2) if arguments.json else harmless(as_text(told)))
    if arguments.write:
        _write(told)
    return 0 if told.shapes or not told.prepared.fed else 2


def _told(arguments: argparse.Namespace, settings: Settings) -> Told:
    cache = arguments.seams.cache(settings.cache_dir)
    case = one_case(arguments.model, settings, cache)
    with LongWork(sys.stderr):
        return told_inputs(case, settings, cache, arguments.seams.engine)


def as_text(told: Told) -> str:
    """Return everything as tables and lines."""
    parts = [tabulate(_input_rows(told), headers=_HEADERS, disable_numparse=True)]
    if told.choices:
        rows = [[one_line(one.symbol), _sizes(one), one_line(one.why)] for one in told.choices]
        parts.append(tabulate(rows, headers=["dimension", "sizes", "because"], disable_numparse=True))
    parts.append("\n".join(_answers(told)))
    return "\n\n".join(parts)


def as_json(told: Told) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "model": told.prepared.case.id,
        "inputs": [dict(zip(_HEADERS, row, strict=True)) for row in _input_rows(told)],
        "dimensions": [
            {"name": one.symbol, "sizes": list(one.sizes), "equals": one.equals, "because": one.why}
            for one in told.choices
        ],
        "data_sets": {
            name: {"sizes": dict(told.sizes.get(name, {})), "shapes": [list(shape) for shape in shapes]}
            for name, shapes in told.shapes.items()
        },
        "refused": dict(told.refused),
        "tried": list(told.tried),
    }


def _input_rows(told: Told) -> list[list[str]]:
    hints = _hints(told)
    said = {one.name for one in told.prepared.case.hints.inputs}
    rows = []
    for spec in told.facts.inputs:
        hint = next((one for one in hints.inputs if one.name == spec.name), InputHint(name=spec.name))
        about = [one for one in told.facts.findings if not isinstance(one, Dim) and one.input == spec.name]
        found = [f"{one.rule}: {one.why}" for one in about]
        why = "given" if spec.name in said else "; ".join(dict.fromkeys(found))
        shape = ",".join(str(dim) for dim in spec.shape)
        rows.append(
            [
                one_line(spec.name),
                spec.dtype,
                one_line(f"[{shape}]"),
                _shown_values(told, spec.name, _values(hint, spec.dtype)),
                why,
            ]
        )
    return rows


def _hints(told: Told) -> Hints:
    first = next((one for one in told.prepared.fed if isinstance(one, DrawnData)), None)
    return told.prepared.case.hints if first is None else told.prepared.hints_of(first)


def _values(hint: InputHint, dtype: str) -> str:
    """Return the values of an input in a few characters."""
    if hint.file is not None:
        return hint.file.name
    if hint.fill is not None:
        return hint.fill.value
    if hint.value is not None:
        return f"{hint.value:g}"
    if hint.values:
        return ", ".join(f"{value:g}" for value in hint.values)
    if hint.low is not None or hint.high is not None:
        return f"[{'' if hint.low is None else f'{hint.low:g}'}, {'' if hint.high is None else f'{hint.high:g}'})"
    usual = {"bool": "0 or 1", "string": "words"}
    if dtype in usual:
        return usual[dtype]
    if "int" in dtype:
        return "all" if dtype.endswith("int8") or dtype.endswith("int4") else "[0, 10)"
    return "normal" if (hint.scale, hint.shift) == (1, 0) else f"normal·{hint.scale:g}{hint.shift:+g}"


def _sizes(one: Choice) -> str:
    return one.equals or ", ".join(map(str, one.sizes))


def _answers(told: Told) -> Iterator[str]:
    prepared = told.prepared
    if not prepared.fed and prepared.stored:
        names = ", ".join(one.name for one in prepared.stored)
        yield f"nothing is drawn: {names} beside the model; --draws N of verify adds draws"
        return
    yield f"the reference takes {len(told.shapes)} of {len(told.shapes) + len(told.refused)} data sets"
    for name, shapes in told.shapes.items():
        sizes = ", ".join(f"{dim}={size}" for dim, size in told.sizes.get(name, {}).items())
        yield f"  {name}: {one_line(sizes) or 'one size'}: {_shapes(shapes)}"
    for name, message in told.refused.items():
        yield f"  {name}: refused: {message.partition(chr(10))[0]}"
    if told.tried:
        works = " (the last one works)" if told.shapes else ""
        yield f"tried otherwise, {len(told.tried)} draws: {'; '.join(told.tried[-3:])}{works}"


def _shapes(shapes: Iterable[Sequence[int]]) -> str:
    return " ".join(f"[{','.join(map(str, shape))}]" for shape in shapes)


def _write(told: Told) -> None:
    source = told.prepared.case.source
    # Not beside what is read: of a compressed or linked model that is a copy in the cache.
    path = beside(source.path if isinstance(source, ModelFile) else told.prepared.model, ".toml")
    if told.prepared.case.corpus == zoo.CORPUS:
        message = "the catalogue describes models of the zoo: --write is for your own"
        raise UsageError(message)
    if path.exists():
        message = f"{path.name} is there already: --write does not overwrite it"
        raise UsageError(message)
    write_file(Path(path), as_toml(told))
    sys.stderr.write(f"burn-verify: {path.name} written\n")


def as_toml(told: Told) -> str:
    """Return what was found as a description to be edited; what the rules did not find is left out."""
    lines = ["# What burn-verify feeds this model; edit it, and see docs/own-models.md for all keys.", "", "[dims]"]
    tried = told.sizes.get("seeded", {})
    for one in told.choices:
        if one.why == "" or not one.symbol.isidentifier() or one.symbol in _places(told):
            continue
        sizes = sorted({*one.sizes} | ({tried[one.symbol]} if one.symbol in tried else set()))
        value = json.dumps(one.equals) if one.equals else str(list(sizes))
        lines.append(f"{one.symbol} = {value}  # {one.why}")
    for hint in _hints(told).inputs:
        said = {name: getattr(hint, name) for name in ("value", "low", "high")}
        fields = [f"{name} = {number:g}" for name, number in said.items() if number is not None]
        if fields and _is_more(told, hint.name):
            # A description wins over the rules, and says one value or one range.
            lines += ["", f"# {json.dumps(hint.name)}: {_shown_values(told, hint.name, '')}, as the rules say"]
        elif fields:
            lines += ["", "[[inputs]]", f"name = {json.dumps(hint.name)}", *fields]
    return "\n".join(lines) + "\n"


def _is_more(told: Told, name: str) -> bool:
    """Return whether the rules say more of an input than a description can: values in turn, or a first one."""
    known = told.facts.values.get(name)
    return known is not None and (bool(known.choices) or known.first is not None)


def _shown_values(told: Told, name: str, otherwise: str) -> str:
    known = told.facts.values.get(name)
    if known is None or not _is_more(told, name) or name in {one.name for one in told.prepared.case.hints.inputs}:
        return otherwise
    return (
        f"{', '.join(f'{value:g}' for value in known.choices)} in turn" if known.choices else "0 or 1, the first one 1"
    )


def _places(told: Told) -> set[str]:
    declared = {dim for spec in told.prepared.inputs for dim in spec.shape if isinstance(dim, str)}
    return {one.symbol for one in told.choices if one.symbol not in declared}
