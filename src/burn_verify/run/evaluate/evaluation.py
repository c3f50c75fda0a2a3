"""Models on a data set, by ONNX Runtime and by compiled Burn, and what differs between them."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from burn_verify.cases import load
from burn_verify.cases.external import size_of
from burn_verify.cases.labelled.entry import DataSet, Labels, identity
from burn_verify.cases.labelled.fed import Feeder
from burn_verify.cases.labelled.opened import opened
from burn_verify.cases.own.schema import Wrong
from burn_verify.cases.samples.first import model_of, told
from burn_verify.cases.samples.sample import Model
from burn_verify.core.case import Case, Hints
from burn_verify.core.errors import ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.quantised import is_quantised
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Target
from burn_verify.core.text import counted, one_line
from burn_verify.reference.engine import Engine, infer
from burn_verify.run.evaluate.baseline import baseline_of
from burn_verify.run.evaluate.stream import Asked, evaluated
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Built, Ended
from burn_verify.system.cache import Cache
from burn_verify.task.chosen import KINDS, images_of, labels_of, task_of
from burn_verify.task.classification import Classification, doubt
from burn_verify.task.drift import Drift, drifted
from burn_verify.task.evaluated import Comparison, Evaluated, compared
from burn_verify.task.protocol import Task

_TOKENIZER: Final = "tokenizer.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asks for.

    Attributes:
        data: path of the data set.
        task: as of `burn_verify.core.option_values.task`; empty for what the description of the first model says.
        tokenizer: for texts, where no description names one.
        baselines: files or folders, see `burn_verify.run.evaluate.baseline`.
        max_drop: the greatest drop by metric.
        seed: of the intervals.
    """

    data: Path
    task: str = ""
    tokenizer: Path | None = None
    baselines: tuple[Path, ...] = ()
    max_drop: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model with all that is needed to evaluate it.

    Attributes:
        digest: identity of the data, as this model is fed them.
    """

    name: str
    prepared: PreparedCase
    data: DataSet
    digest: str
    task: Task
    feeder: Feeder


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came of all.

    Attributes:
        subject: the first model.
        evaluated: each model by each engine, ONNX Runtime first.
        baselines: what was given.
        comparisons: Burn with ONNX Runtime, further models with the first, and everything with the baselines.
        drifts: of further models from the first, by ONNX Runtime and by Burn.
    """

    subject: Subject
    evaluated: tuple[Evaluated, ...]
    baselines: tuple[Evaluated, ...]
    comparisons: tuple[Comparison, ...]
    drifts: tuple[Drift, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether everything was evaluated, and no comparison exceeds a limit."""
        answered = all(not one.error for one in self.evaluated)
        return answered and all([one.passes for one in self.comparisons] + [one.passes for one in self.drifts])

    @property
    def unreadable(self) -> tuple[str, ...]:
        """A line for each sample that could not be fed or scored, each once."""
        return tuple(dict.fromkeys(line for one in self.evaluated for line in one.unreadable))

    @property
    def doubts(self) -> tuple[str, ...]:
        """A line for each thing that was assumed about the data, and may be wrong."""
        return doubts(self.subject, self.evaluated[0])


def evaluate(
    cases: Sequence[Case],
    targets: Sequence[Target],
    wish: Wish,
    settings: Settings,
    cache: Cache,
    seams: Seams,
    listen: Listener,
) -> Evaluation:
    """Evaluate models.

    Arguments:
        targets: of Burn; none for ONNX Runtime alone.

    Raises:
        UsageError: the data, the task or a baseline do not fit the first model, or a metric of a limit is unknown.
        StageError: a model cannot be read.
    """
    subjects = _subjects(cases, wish, cache)
    first = subjects[0]
    baselines = [baseline_of(path, first.task, first.data, first.digest) for path in wish.baselines]
    engine = seams.engine(cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        by_reference = [by_engine(one, engine, listen) for one in subjects]
    finally:
        engine.close()
    check_usable(by_reference[0], first.task)
    check_limits(wish.max_drop, by_reference[0])
    by_burn = [_column(subjects, target, settings, cache, seams, listen, alone=len(targets) == 1) for target in targets]
    compare = partial(compared, task=first.task, limits=wish.max_drop, seed=wish.seed)
    comparisons = [
        compare(before, after) for column in by_burn for before, after in zip(by_reference, column, strict=True)
    ]
    for column in (by_reference, *by_burn):
        comparisons += [compare(column[0], after) for after in column[1:]]
    for base in baselines:
        comparisons += [compare(base.evaluated, one, check=base.check) for one in (*by_reference, *_flat(by_burn))]
    return Evaluation(
        subject=first,
        evaluated=(*by_reference, *_flat(by_burn)),
        baselines=tuple(one.evaluated for one in baselines),
        comparisons=tuple(comparisons),
        drifts=tuple(_drifts(by_reference, by_burn, first.task)),
    )


def _drifts(by_reference: Sequence[Evaluated], by_burn: Sequence[Sequence[Evaluated]], task: Task) -> Iterator[Drift]:
    """Yield how far each further model is from the first one by Burn, beside how far it is by the reference."""
    for column in by_burn:
        for mine, other in zip(by_reference[1:], column[1:], strict=True):
            yield drifted((by_reference[0], mine), (column[0], other), task)


def subject_of(prepared: PreparedCase, wish: Wish, name: str) -> Subject:
    """Read the data set for a model.

    Raises:
        UsageError: they do not fit, or nobody names a task.
    """
    kind = wish.task or prepared.case.hints.task.kind
    if not kind:
        message = f"what is the task of {name}? --task says it: {', '.join(KINDS)} or module:function"
        raise UsageError(message)
    try:
        return _fitting(prepared, kind, wish, name)
    except Wrong as error:
        raise UsageError(one_line(": ".join(filter(None, (error.place, error.text))))) from error


def _fitting(prepared: PreparedCase, kind: str, wish: Wish, name: str) -> Subject:
    hints = _hinted(prepared, kind, wish)
    model = model_of(hints, prepared)
    data = _opened(wish.data, labels_of(kind), model)
    task = task_of(kind, hints.task, prepared.outputs, data)
    feeder = Feeder(data.entries[0], model, prepared, prepared.digest, lambda: told(prepared.model))
    return Subject(name=name, prepared=prepared, data=data, digest=identity(data), task=task, feeder=feeder)


def _hinted(prepared: PreparedCase, kind: str, wish: Wish) -> Hints:
    """Return the hints of a model, with the images of its family and a tokenizer where nobody named them."""
    hints = prepared.case.hints
    images = images_of(kind, hints.task, prepared.outputs, hints.images)
    texts = hints.texts
    if texts.tokenizer is None:
        source = getattr(prepared.case.source, "path", prepared.model)
        folders = (Path(source).parent, wish.data if wish.data.is_dir() else wish.data.parent)
        beside = [one / _TOKENIZER for one in folders if (one / _TOKENIZER).is_file()]
        texts = replace(texts, tokenizer=wish.tokenizer or (beside[0] if beside else None))
    return replace(hints, images=images, texts=texts)


def _opened(path: Path, several: Sequence[Labels], model: Model) -> DataSet:
    """Return the data set with the first kind of labels that it has."""
    for labels in several[:-1]:
        try:
            return opened(path, labels, model)
        except Wrong:
            continue
    return opened(path, several[-1], model)


def _subjects(cases: Sequence[Case], wish: Wish, cache: Cache) -> list[Subject]:
    names = _names(cases)
    prepared = [load.prepare(case, cache) for case in cases]
    same = replace(wish, task=wish.task or prepared[0].case.hints.task.kind)
    return [subject_of(one, same, name) for one, name in zip(prepared, names, strict=True)]


def _names(cases: Sequence[Case]) -> list[str]:
    """Return the ends of the ids of cases; whole ids where two ends are the same."""
    ends = [case.id.rpartition("/")[2] for case in cases]
    return ends if len(set(ends)) == len(ends) else [case.id.replace("/", "-") for case in cases]


def by_engine(subject: Subject, engine: Engine, listen: Listener) -> Evaluated:
    """Evaluate a model by the engine of the reference, with its optimisations, as a user runs it.

    A quantised model is run as it is written: fused kernels of 8 bits saturate on processors without VNNI.
    """
    asked = Asked(
        model=subject.name,
        engine=engine.name,
        infer=partial(infer, engine, subject.prepared.model, optimise=not is_quantised(subject.prepared.op_types)),
        pid=lambda: engine.pid,
        outputs=subject.prepared.outputs,
        size=lambda: size_of(subject.prepared.model),
    )
    return evaluated(asked, subject.data, subject.digest, subject.feeder, subject.task, listen)


def _column(
    subjects: Sequence[Subject],
    target: Target,
    settings: Settings,
    cache: Cache,
    seams: Seams,
    listen: Listener,
    *,
    alone: bool,
) -> list[Evaluated]:
    """Evaluate all models on a target; one that cannot be built costs no other target.

    Raises:
        ToolchainError: the only target cannot be built or started.
    """
    try:
        return list(_by_target(subjects, target, settings, cache, seams, listen))
    except ToolchainError as error:
        if alone:
            raise
        return [_nothing(one, target, one_line(str(error))) for one in subjects]


def _nothing(subject: Subject, target: Target, error: str) -> Evaluated:
    """Return the evaluation of a model that Burn did not run."""
    return Evaluated(
        model=subject.name,
        engine=engine_name(target),
        dataset=subject.data.name,
        digest=subject.digest,
        error=error,
    )


def _by_target(
    subjects: Sequence[Subject], target: Target, settings: Settings, cache: Cache, seams: Seams, listen: Listener
) -> Iterator[Evaluated]:
    """Build all models for a target, and evaluate them one after the other."""
    pipeline = Pipeline(settings, cache, listen, engine=seams.engine, builder=seams.builder)
    try:
        made = pipeline.build([one.prepared.case for one in subjects], target)
        for subject in subjects:
            step = made[subject.prepared.case.id]
            yield by_burn(subject, step, target, pipeline, listen)
    finally:
        pipeline.close()


def engine_name(target: Target) -> str:
    """Return the name of Burn on a target in names of folders: ``burn-flex``."""
    return f"burn-{target.backend}" if target == Target(backend=target.backend) else target.slug


def by_burn(subject: Subject, step: Built | Ended, target: Target, pipeline: Pipeline, listen: Listener) -> Evaluated:
    """Evaluate a model by its compiled program."""
    if isinstance(step, Ended):
        return _nothing(subject, target, one_line(f"{step.stage}: {step.error.message}"))
    asked = Asked(
        model=subject.name,
        engine=engine_name(target),
        infer=partial(pipeline.infer, step),
        pid=lambda: step.program.pid,
        outputs=subject.prepared.outputs,
        size=lambda: step.model.loaded.stat().st_size,
    )
    return evaluated(asked, subject.data, subject.digest, subject.feeder, subject.task, listen)


def doubts(subject: Subject, first: Evaluated) -> tuple[str, ...]:
    """Return a line for each thing that was assumed about the data, and may be wrong."""
    found = doubt(subject.data, first.answered) if isinstance(subject.task, Classification) else ""
    return tuple(filter(None, (found, _twice(subject.data))))


def _twice(data: DataSet) -> str:
    """Return that samples are there several times, in a line; nothing where none is."""
    several = [name for name, count in Counter(one.name for one in data.entries).items() if count > 1]
    if not several:
        return ""
    are = "is" if len(several) == 1 else "are"
    return f"{data.name}: {counted(len(several), 'sample')} {are} there more than once, and counted so: {several[0]}"


def check_usable(first: Evaluated, task: Task) -> None:
    """Refuse data of which no sample can be fed or scored, or whose labels make no metric: no engine is to blame.

    Raises:
        UsageError: there is no such sample, or the task's own metric is no number.
    """
    if not first.answered and not first.unanswered:
        message = f"{first.dataset}: no sample can be used: {first.unreadable[0]}"
        raise UsageError(message)
    if why := _no_metric(first, task):
        count = counted(len(first.answered), "sample")
        message = f"{first.dataset}: {task.metric} cannot be computed of {count}: {why}"
        raise UsageError(message)


def _no_metric(found: Evaluated, task: Task) -> str:
    """Return what of the labels leaves the task's own metric without a value; empty where it has one."""
    if math.isfinite(found.metrics.get(task.metric, 0.0)):
        return ""
    if task.labels is Labels.SCORE and len({one.entry.label for one in found.answered}) < 2:
        return "all have the same score"
    return "none has a labelled box" if task.labels is Labels.BOXES else ""


def check_limits(limits: Mapping[str, float], first: Evaluated) -> None:
    """Refuse limits of metrics that the task does not have.

    Raises:
        UsageError: there is such a limit.
    """
    known = {name.lower() for name in first.metrics}
    for name in limits:
        if first.metrics and name.lower() not in known:
            message = f"--max-drop {name}: the metrics are {', '.join(first.metrics)}"
            raise UsageError(message)


def _flat(columns: Sequence[Sequence[Evaluated]]) -> list[Evaluated]:
    return [one for column in columns for one in column]
