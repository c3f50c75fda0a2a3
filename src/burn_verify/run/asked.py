"""A model that the engine of the reference answers: on inputs that a run would feed it, or on given ones.

Compiles nothing, and judges nothing.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from burn_verify.cases import files, load
from burn_verify.core.errors import StageError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.stage import GivenData, PreparedCase
from burn_verify.core.text import one_line
from burn_verify.reference import measure, oracle
from burn_verify.reference.engine import Engine
from burn_verify.run.differences import Known
from burn_verify.run.matching import Named
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array, encode_named, placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of one data set on one side.

    Attributes:
        outputs: by name, in the order of the graph; empty where there are none.
        why: why there are no outputs.
        random: whether an output depends on random numbers.
        steady: the outputs of a random model that do not.
        known: what the engine measured of these inputs; None for answers that were only kept.
    """

    case: str
    data_set: str
    inputs: Named
    outputs: Named
    why: str = ""
    random: bool = False
    steady: tuple[str, ...] = ()
    known: Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedModel:
    """A model and the engine that answers it.

    Attributes:
        path: as the user wrote it.
    """

    path: Path
    prepared: PreparedCase
    engine: Engine
    cache: Cache
    settings: Settings = field(default_factory=Settings)

    @property
    def title(self) -> str:
        """What the side is, in one line."""
        return f"{self.path}: answered by {self.engine.name} {self.engine.version}"

    def own(self) -> list[Answer]:
        """Return the answers to the data sets that a run of the model would feed.

        Raises:
            UsageError: the engine refuses the model on all of them.
        """
        return self._answers(self.prepared, measured=True)

    def given(self, sets: Sequence[Sequence[Array]], *, measured: bool) -> list[Answer]:
        """Return the answers to given inputs, each in the order of the graph.

        Arguments:
            measured: whether to measure what rounding may do to them.

        Raises:
            UsageError: the engine refuses the model on all of them.
        """
        names = [f"{place:03d}" for place in range(len(sets))]
        with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
            path = Path(folder) / "inputs.safetensors"
            arrays = {name: array for place, one in enumerate(sets) for name, array in placed(place, "in", one).items()}
            path.write_bytes(encode_named(arrays))
            given = tuple(GivenData(path=path, name=name, place=place) for place, name in enumerate(names))
            return self._answers(replace(self.prepared, fed=given, stored=()), measured=measured)

    def _answers(self, asked: PreparedCase, *, measured: bool) -> list[Answer]:
        try:
            reference = oracle.Oracle(self.cache, self.engine, self.settings.memory_limit).answer(asked)
            if measured:
                reference = measure.Measurer(self.cache, self.engine, self.settings.judge_timeout).measured(
                    asked, reference
                )
            answers = oracle.read(reference)
            measures = measure.read_measures(reference).data_sets if measured else {}
        except StageError as error:
            message = f"{self.path}: it has no answers to compare: {one_line(error.message)}"
            raise UsageError(message) from error
        return [
            self._answer(asked, name, answers, Known() if name not in measures else Known(measured=measures[name]))
            for name in asked.data_sets
        ]

    def _answer(self, asked: PreparedCase, name: str, answers: oracle.Answers, known: Known) -> Answer:
        data = answers.data_sets.get(name)
        if data is None:
            return Answer(
                case=asked.case.id, data_set=name, inputs={}, outputs={}, why=one_line(answers.unanswered[name])
            )
        # Stored outputs are of somebody else: what is compared is what this program answers.
        outputs = data.opinion if asked.is_stored(name) else data.desired
        inputs = dict(zip((spec.name for spec in asked.inputs), data.inputs, strict=True))
        named = dict(zip((spec.name for spec in asked.outputs), outputs or (), strict=False))
        return Answer(
            case=asked.case.id,
            data_set=name,
            inputs=inputs,
            outputs=named,
            why="" if named else "; ".join(answers.refusals.values()),
            random=asked.random,
            steady=asked.steady,
            known=replace(known, inputs=data.inputs, runtime=outputs),
        )


def opened(path: Path, engine: Engine, cache: Cache, settings: Settings) -> AskedModel:
    """Return a model that can be asked.

    Raises:
        UsageError: it cannot be read.
    """
    (case,) = files.cases([path.absolute()])
    try:
        prepared = load.prepare(case, cache)
    except StageError as error:
        raise UsageError(error.message) from error
    return AskedModel(path=path, prepared=prepared, engine=engine, cache=cache, settings=settings)
