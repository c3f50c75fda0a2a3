"""The files of an evaluation: a folder for each engine, and the comparison."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.labelled.entry import Entry
from burn_verify.core.errors import StoreError
from burn_verify.report.views.drawn import Panel, drawn, labels_panel
from burn_verify.report.views.evaluation import comparison_json, drift_json, evaluated_json
from burn_verify.run.evaluate.evaluation import Evaluation
from burn_verify.system.files import write_if_changed
from burn_verify.task.detection import Detecting, Detection
from burn_verify.task.evaluated import Evaluated
from burn_verify.task.protocol import Answered

COMPARISON: Final = "comparison.json"
_SURE: Final = 0.3
"""Boxes with a lower score are not drawn."""


def write(found: Evaluation, folder: Path, pictures: int) -> list[Path]:
    """Write all files, and return the folders and files that were made.

    Arguments:
        pictures: the greatest number of pictures in a folder.

    Raises:
        StoreError: one cannot be written.
    """
    several = len({one.model for one in found.evaluated}) > 1
    made = []
    try:
        for one in found.evaluated:
            below = folder / one.model if several else folder
            place = below / _folder_name(one)
            made.append(place)
            _write_one(found, one, place, pictures)
        path = folder / COMPARISON
        _json(path, _comparison(found))
    except OSError as error:
        message = f"{error.filename or folder} cannot be written: {error.strerror or error}"
        raise StoreError(message) from error
    return [*made, path]


def _folder_name(one: Evaluated) -> str:
    plain = "".join(char if char.isalnum() or char in "-._" else "-" for char in one.dataset)
    return f"eval_{plain}_{one.engine}"


def _write_one(found: Evaluation, one: Evaluated, place: Path, pictures: int) -> None:
    task = found.subject.task
    _json(place / "metrics.json", {"task": task.name, **evaluated_json(one)})
    _json(place / "predictions.json", task.written(one.answered))
    if isinstance(task, Detecting):
        _json(place / "ground_truth_coco.json", task.truth([it.entry for it in one.answered]))
        _draw(found, one, task, place / "visualizations", pictures)


def _comparison(found: Evaluation) -> dict[str, Any]:
    subject = found.subject
    broken = found.unreadable
    return {
        "task": subject.task.name,
        "dataset": {
            "name": subject.data.name,
            "digest": subject.digest,
            "samples": len(subject.data.entries),
            "unreadable": list(broken),
            "doubts": list(found.doubts),
        },
        "evaluations": [evaluated_json(one) for one in (*found.evaluated, *found.baselines)],
        "comparisons": [comparison_json(one) for one in found.comparisons],
        "drifts": [drift_json(one) for one in found.drifts],
        "passes": found.passes,
    }


def _draw(found: Evaluation, one: Evaluated, task: Detecting, place: Path, pictures: int) -> None:
    """Draw the labels, the engine beside which this one stands, and this one; the worst disagreements first."""
    # Pictures of an earlier evaluation would stand among these.
    for path in place.glob("[0-9][0-9][0-9]_*.png"):
        path.unlink()
    for rank, (entry, panels) in enumerate(panels_of(found, one, task)[:pictures]):
        stem = entry.name.replace("/", "_").rpartition(".")[0] or str(entry.number)
        drawn(entry, panels, place / f"{rank:03d}_{stem}.png")


def panels_of(found: Evaluation, one: Evaluated, task: Detecting) -> list[tuple[Entry, list[Panel]]]:
    """Return what is drawn of each image; the worst disagreements first."""
    other = _beside(found, one)
    known = {} if other is None else {it.entry.number: it for it in other.answered}
    names = {kind.id: kind.name for kind in task.categories}
    ordered = sorted(one.answered, key=lambda it: -_distance(task, it, known))
    made = []
    for it in ordered:
        panels = [labels_panel(it.entry, names)]
        if other is not None and it.entry.number in known:
            panels.append(_panel(other.engine, known[it.entry.number].prediction, names))
        panels.append(_panel(one.engine, it.prediction, names))
        made.append((it.entry, panels))
    return made


def _beside(found: Evaluation, one: Evaluated) -> Evaluated | None:
    """Return the evaluation that this one is compared with: ONNX Runtime's, of ONNX Runtime itself a baseline."""
    others = [it for it in found.evaluated if it.model == one.model and it is not one and it.answered]
    if found.evaluated and one.engine == found.evaluated[0].engine:
        others = [it for it in found.baselines if it.answered] + others
    return others[0] if others else None


def _distance(task: Detecting, it: Answered, known: Mapping[int, Answered]) -> float:
    other = known.get(it.entry.number)
    return 0.0 if other is None else task.apart(other.prediction, it.prediction)


def _panel(title: str, boxes: Sequence[Detection], names: Mapping[int, str]) -> Panel:
    sure = [one for one in boxes if one.score >= _SURE]
    said = [(one.category, f"{names.get(one.category, one.category)} {one.score:.2f}", one.box) for one in sure]
    return Panel(title=title, boxes=said)


def _json(path: Path, value: Any) -> None:
    write_if_changed(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
