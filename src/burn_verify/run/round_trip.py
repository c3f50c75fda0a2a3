"""The round trip ONNX → Burn → ONNX: compiled models are written as ONNX again, and ONNX Runtime's answers judged."""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burn_verify.burn.program import Exported, Exporting
from burn_verify.core.errors import CommandFailed, OracleError, RunError
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.text import one_line, shortened, without_numbers
from burn_verify.reference.data_set import DataSet
from burn_verify.reference.engine import Engine, infer
from burn_verify.reference.oracle import read
from burn_verify.run.fault import Trip, same_answers
from burn_verify.run.results import Verified
from burn_verify.run.steps import Ready, Referred
from burn_verify.system.wire import Array

_OPERATION: Final = re.compile(r"unsupported operation at index \d+: (\w+)\((?:\w+, )?(\w+)")
_LONGEST: Final = 200

JudgedBy = Callable[[Referred, Mapping[str, Sequence[Array]]], str]
"""Returns why answers by data set are not those of a case; empty where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Travelled:
    """A case that was run: ready, and how it ended."""

    step: Ready
    verified: Verified


def trips(wanted: Mapping[str, Travelled], exporter: Exporting, engine: Engine, judged: JudgedBy) -> Mapping[str, Trip]:
    """Write cases as ONNX and run them; return what came of it, by name.

    Raises:
        ToolchainError: Burn with its exporter cannot be built.
    """
    fed = {name: _chosen(one) for name, one in wanted.items()}
    asked = {
        name: (wanted[name].step.built.model, chosen[1].inputs) for name, chosen in fed.items() if chosen is not None
    }
    made = exporter.exported(asked)
    found = {}
    for name, one in wanted.items():
        chosen = fed[name]
        if chosen is None:
            found[name] = Trip(obstacle="there are no inputs")
            continue
        data_set, data = chosen
        found[name] = _trip(one, data_set, data, made[name], engine, judged)
    return found


def _chosen(one: Travelled) -> tuple[str, DataSet] | None:
    """Return the data set whose sizes are written: the first that went wrong, else the first."""
    sets = read(one.step.reference).data_sets
    wrong = [metric.data_set for metric in one.verified.result.metrics if metric.mismatching or metric.problem]
    name = next((name for name in (*wrong, *sets) if name in sets), None)
    return None if name is None else (name, sets[name])


def _trip(
    one: Travelled, data_set: str, data: DataSet, made: Exported | RunError, engine: Engine, judged: JudgedBy
) -> Trip:
    if isinstance(made, RunError):
        return Trip(data_set=data_set, obstacle=obstacle(made), same_panic=_same_panic(one.verified.result, made))
    own = one.verified.outputs.get(data_set)
    try:
        answers = shaped(_answers(made, data.inputs, engine), own)
    except (OracleError, CommandFailed) as error:
        return Trip(data_set=data_set, written=True, obstacle=f"ONNX Runtime refuses it: {one_line(str(error))}")
    step = one.step
    difference = judged(Referred(loaded=step.built.loaded, reference=step.reference), {data_set: answers})
    alike = None if own is None else same_answers(own, answers, data.desired)
    return Trip(data_set=data_set, written=True, difference=difference, alike=alike)


def obstacle(error: RunError) -> str:
    """Return why a model was not written; of an operation that is not written only its name and kind."""
    text = one_line(error.message)
    found = _OPERATION.match(text)
    return f"unsupported operation: {found[2]} ({found[1]})" if found else shortened(text, _LONGEST)


def shaped(answers: Sequence[Array], own: Sequence[Array] | None) -> list[Array]:
    """Return answers with the rank of the compiled model's: a scalar that is no tensor is written as one of rank 1."""
    if own is None or len(own) != len(answers):
        return list(answers)
    return [
        one.reshape(mine.shape) if one.size == mine.size == 1 and not mine.shape else one
        for one, mine in zip(answers, own, strict=True)
    ]


def _answers(made: Exported, inputs: Sequence[Array], engine: Engine) -> list[Array]:
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
        path = Path(folder) / "exported.onnx"
        path.write_bytes(made.data)
        return infer(engine, path, [inputs[place] for place in made.takes])


def _same_panic(result: CaseResult, error: RunError) -> bool:
    return result.stage is Stage.RUN and without_numbers(result.reason) == without_numbers(error.reason)
