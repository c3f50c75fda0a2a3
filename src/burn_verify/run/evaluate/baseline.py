"""Metrics and predictions of a training framework, or of an earlier evaluation, to compare with."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.labelled.entry import DataSet
from burn_verify.core.errors import UsageError
from burn_verify.task.chosen import KINDS
from burn_verify.task.evaluated import Evaluated
from burn_verify.task.protocol import Task

_COUNTS: Final = ("images", "samples")
_METRICS, _PREDICTIONS = "metrics", "predictions"
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "top1": ("accuracy", "acc", "acc1", "acc@1", "top_1", "top1_acc", "top1_accuracy", "accuracy_top1"),
    "top5": ("acc5", "acc@5", "top_5", "top5_acc", "top5_accuracy", "accuracy_top5"),
    "AP": ("map", "map50-95", "map_50_95", "bbox_map"),
    "AP50": ("map50", "map_50", "ap_50", "bbox_map_50"),
    "AP75": ("map75", "map_75", "ap_75", "bbox_map_75"),
    "AR100": ("mar_100", "ar_100"),
    "spearman": ("spearmanr", "spearman_cosine", "cosine_spearman"),
    "pearson": ("pearsonr", "pearson_cosine", "cosine_pearson"),
}
"""What training frameworks call the metrics that are shares or correlations, in any case."""
_PREFIXES: Final = ("metrics/", "eval_", "val_", "test_", "val/", "test/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A baseline as it is compared.

    Attributes:
        check: what is known of its data.
    """

    evaluated: Evaluated
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the files say."""

    name: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    predictions: Sequence[Any] | None = None
    digest: str = ""
    count: int | None = None


def baseline_of(path: Path, task: Task, data: DataSet, digest: str) -> Baseline:
    """Return a baseline: a file of metrics or of predictions, or a folder of an earlier evaluation.

    Beside ``x_metrics.json``, ``x_predictions.json`` is read too, and the other way round.

    Raises:
        UsageError: it cannot be read, or is of other data.
    """
    read = _read(path)
    if task.name in KINDS and not task.lower:
        read = replace(read, metrics=_named(path, read.metrics))
    if read.digest and read.digest != digest:
        message = f"--baseline {path}: it is of other data, {read.digest[:12]}, these are {digest[:12]}: not compared"
        raise UsageError(message)
    count = len(data.entries) + len(data.broken)
    if read.count is not None and read.count not in (count, len(data.entries)):
        message = f"--baseline {path}: it is of {read.count} samples, these are {count}: not compared"
        raise UsageError(message)
    found = Evaluated(
        model="", engine=f"baseline {read.name}", dataset=data.name, digest=read.digest, metrics=read.metrics
    )
    if read.predictions is not None:
        found = _predicted(path, found, read.predictions, task, data)
    elif not read.metrics:
        message = f'--baseline {path}: it holds no metric: an object such as {{"{task.metric}": 0.9}} is needed'
        raise UsageError(message)
    return Baseline(evaluated=found, check=_check(read, digest))


def _predicted(path: Path, found: Evaluated, predictions: Sequence[Any], task: Task, data: DataSet) -> Evaluated:
    """Return a baseline with its predictions, whose metrics are computed here."""
    try:
        answered = tuple(task.read(predictions, data.entries))
    except (ValueError, TypeError) as error:
        message = f"--baseline {path}: {error}"
        raise UsageError(message) from error
    metrics = task.metrics(answered)
    said = {name.lower(): value for name, value in found.metrics.items()}
    for name, value in metrics.items():
        other = said.get(name.lower(), value)
        if abs(other - value) > 0.005 * max(1.0, abs(value)):
            message = f"--baseline {path}: its {name} is {other:.6f}, its predictions have {value:.6f} on these data"
            raise UsageError(message)
    return replace(found, answered=answered, metrics=metrics)


def _check(read: _Read, digest: str) -> str:
    if read.digest:
        return f"the same data, {digest[:12]}"
    known = [f"{read.count} samples in both"] if read.count is not None else []
    known += ["its predictions are of these samples"] if read.predictions is not None else []
    return f"the baseline names no digest of its data; {', '.join(known) or 'nothing else is known of them'}"


def _read(path: Path) -> _Read:
    if path.is_dir():
        files = [path / f"{_METRICS}.json", path / f"{_PREDICTIONS}.json"]
        if not any(one.is_file() for one in files):
            message = f"--baseline {path}: a folder with metrics.json or predictions.json is needed"
            raise UsageError(message)
        return _joined(path.resolve().name, [_file(one) for one in files if one.is_file()])
    files = [path, *_sibling(path)]
    return _joined(path.name, [_file(one) for one in files])


def _sibling(path: Path) -> list[Path]:
    for one, other in ((_METRICS, _PREDICTIONS), (_PREDICTIONS, _METRICS)):
        if path.stem.endswith(f"_{one}"):
            sibling = path.with_name(f"{path.stem.removesuffix(one)}{other}{path.suffix}")
            return [sibling] if sibling.is_file() else []
    return []


def _joined(name: str, found: Sequence[_Read]) -> _Read:
    made = _Read(name=name)
    for one in found:
        made = replace(
            made,
            metrics={**made.metrics, **one.metrics},
            predictions=one.predictions if one.predictions is not None else made.predictions,
            digest=one.digest or made.digest,
            count=one.count if one.count is not None else made.count,
        )
    return made


def _file(path: Path) -> _Read:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else f"no JSON: {' '.join(str(error).split())}"
        message = f"--baseline {path}: {why}"
        raise UsageError(message) from error
    if isinstance(document, list):
        return _Read(name=path.name, predictions=document)
    if not isinstance(document, dict):
        message = f"--baseline {path}: an object of metrics, or an array of predictions is needed"
        raise UsageError(message)
    about = document.get("dataset")
    metrics = {key: float(one) for key, one in document.items() if _is_metric(key, one)}
    if wrong := next((key for key, one in metrics.items() if not math.isfinite(one)), None):
        message = f"--baseline {path}: {wrong} is no finite number: {metrics[wrong]}"
        raise UsageError(message)
    counts = [document[key] for key in _COUNTS if type(document.get(key)) is int]
    return _Read(
        name=path.name,
        metrics=metrics,
        digest=str(about.get("digest", "")) if isinstance(about, dict) else "",
        count=counts[0] if counts else None,
    )


def _named(path: Path, metrics: Mapping[str, float]) -> dict[str, float]:
    """Return metrics by the names that they have here.

    Raises:
        UsageError: one is above 1, as shares in percent are.
    """
    found = {_name_of(key, metrics): one for key, one in metrics.items()}
    if large := next((key for key, one in found.items() if key in _NAMES and abs(one) > 1), None):
        message = f"--baseline {path}: {large} is {found[large]:g}: a share is needed, such as 0.95 for 95 %"
        raise UsageError(message)
    return found


def _name_of(key: str, given: Mapping[str, float]) -> str:
    """Return what a metric is called here, unless the file has one of that name too."""
    plain = key.lower().removesuffix("(b)")
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    found = next((name for name, others in _NAMES.items() if plain in (name.lower(), *others)), key)
    return key if any(one != key and one.lower() == found.lower() for one in given) else found


def _is_metric(key: str, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and key not in (*_COUNTS, "detections")
