"""Models in memory, taken through the pipeline: many at once, with inputs that are given or drawn.

    verified = models([Model(name="mine", model=proto)], Settings())["mine"]
    verified.result.stage, verified.result.outcome, verified.outputs["seeded"]

Used by all code that creates models: ONNX's backend interface, the command ``profile``, the shrinking and rewriting of
models.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from burn_verify.cases.files import CORPUS
from burn_verify.core.case import Case, Hints, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.core.target import Target
from burn_verify.run.build import Made
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.results import Verified
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Built, Ended, Ready, Referred
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of
from burn_verify.system.wire import Array, encode_named, placed

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model in memory.

    Attributes:
        name: unique within one batch; also the seed of drawn inputs.
        model: a `ModelProto` without external data, or its serialised bytes.
        hints: constraints on drawn inputs that the model does not contain.
        inputs: arrays to feed instead of drawn ones, in the order of the graph; the engine computes the reference.
        options: options of the conversion that replace those of the target, by name.
    """

    name: str
    model: "ModelProto | bytes"
    hints: Hints = field(default_factory=Hints)
    inputs: Sequence[Array] | None = None
    options: Mapping[str, bool] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """The serialised model."""
        return self.model if isinstance(self.model, bytes) else self.model.SerializeToString()


class Models:
    """A pipeline for models in memory, open until it is closed.

    Arguments:
        settings: the limits, the judge, and whether to time; their selection of cases and targets is ignored.
        target: the target that runs the models.
        cache: None for the cache of the settings.
        listen: receives the progress events, from more than one thread.
        seams: the components of the pipeline.
    """

    def __init__(
        self,
        settings: Settings,
        target: Target = Target(),  # noqa: B008  (immutable)
        *,
        cache: Cache | None = None,
        listen: Listener = silent,
        seams: Seams = Seams(),  # noqa: B008  (immutable)
    ) -> None:
        self._target = target
        self._listen = listen
        cache = seams.cache(settings.cache_dir) if cache is None else cache
        self._pipeline = Pipeline(settings, cache, listen, engine=seams.engine, builder=seams.builder)
        self._folder = tempfile.TemporaryDirectory(prefix="burn-verify-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def build(self, models: Iterable[Model]) -> Made:
        """Convert and compile models in one batch, without a reference; return them by name.

        Raises:
            ToolchainError: nothing could be built, for a reason outside the models.
        """
        wanted: dict[Target, list[Case]] = {}
        for model in models:
            options: dict[str, Any] = dict(model.options)
            target = replace(self._target, **options)
            wanted.setdefault(target, []).append(_written(Path(self._folder.name), model))
        return self._pipeline.build_all(wanted) if wanted else {}

    def referred(self, cases: Sequence[Case]) -> dict[str, Referred | Ended]:
        """Load cases of any kind and compute their references; return them by id."""
        return self._pipeline.referred(cases)

    def answer(self, step: Built | Ended, referred: Referred) -> Verified:
        """Run a built model in the place of another one, and compare with the reference of that one.

        Arguments:
            step: a model with the same inputs and outputs as that of the case.
        """
        if isinstance(step, Ended):
            return self._pipeline.verify(replace(step, prepared=referred.prepared, built=None))
        built = replace(step, loaded=referred.loaded)
        return self._pipeline.verify(Ready(built=built, reference=referred.reference), keep=True)

    def judged(self, referred: Referred, answers: Mapping[str, Sequence[Array]]) -> str:
        """Return why answers by data set are not those of a case; empty where they are."""
        return self._pipeline.judged(referred, answers, self._target)

    def forget(self) -> None:
        """Delete the files of all models; what was built of them stays usable."""
        for path in Path(self._folder.name).iterdir():
            path.unlink()

    def infer(self, step: Built | Ended, inputs: Sequence[Array]) -> list[Array]:
        """Run a built model on inputs in the order of its graph.

        Raises:
            StageError: the error that ended the model's case, or its failure on these inputs.
        """
        return self._pipeline.infer(step, [np.asarray(value) for value in inputs])

    def verify(self, models: Iterable[Model]) -> dict[str, Verified]:
        """Build models in one batch, run them and compare; return the results by name.

        Raises:
            ToolchainError: nothing could be built, for a reason outside the models.
        """
        cases = self._cases(models)
        plan = self._pipeline.prepare(list(cases.values()), self._target)
        return self._verified({name: plan.cases[case.id] for name, case in cases.items()})

    def ready(self, made: Made) -> dict[str, Ready | Ended]:
        """Compute the references of models that were built; return them by name, ready to be run."""
        return dict(zip(made, self._pipeline.refer(list(made.values())), strict=True))

    def judge(self, made: Made) -> dict[str, Verified]:
        """Run models that were built and compare; return the results by name."""
        return self._verified(self.ready(made))

    def close(self) -> None:
        """Terminate every process and discard the models."""
        self._pipeline.close()
        self._folder.cleanup()

    def _verified(self, steps: Mapping[str, Ready | Ended]) -> dict[str, Verified]:
        found = {}
        for place, (name, step) in enumerate(steps.items()):
            self._listen(Progress(phase="verify", done=place, total=len(steps), text=name))
            found[name] = self._pipeline.verify(step, keep=True)
        return found

    def _cases(self, models: Iterable[Model]) -> dict[str, Case]:
        """Write models to files for the pipeline; return their cases by name."""
        return {model.name: _written(Path(self._folder.name), model) for model in models}


def models(
    models: Iterable[Model],
    settings: Settings,
    target: Target = Target(),  # noqa: B008  (immutable)
    *,
    cache: Cache | None = None,
    listen: Listener = silent,
    seams: Seams = Seams(),  # noqa: B008  (immutable)
) -> dict[str, Verified]:
    """Verify models in memory in one batch; return the results by name. The arguments are those of `Models`.

    Raises:
        ToolchainError: nothing could be built, for a reason outside the models.
    """
    with Models(settings, target, cache=cache, listen=listen, seams=seams) as pipeline:
        return pipeline.verify(models)


def _written(folder: Path, model: Model) -> Case:
    # Two models of the same name in successive batches need two files.
    data = model.data
    given = None if model.inputs is None else encode_named(placed(0, "in", list(map(np.asarray, model.inputs))))
    path = folder / f"{digest_of(model.name, data, given or b'')[:32]}.onnx"
    path.write_bytes(data)
    inputs = None
    if given is not None:
        inputs = path.with_suffix(".safetensors")
        inputs.write_bytes(given)
    source = ModelFile(path=path, inputs=inputs)
    return Case(id=model.name, corpus=CORPUS, source=source, hints=model.hints)
