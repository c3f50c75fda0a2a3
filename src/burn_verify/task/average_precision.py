"""COCO's metrics of boxes, by the library ``hotcoco``: AP, AP50, AP75, AR100, and intervals of their differences."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from burn_verify.cases.labelled.entry import Box, Category, Entry, Picture
from burn_verify.core.errors import UsageError
from burn_verify.task.protocol import TIMES, Interval

METRICS: Final = ("AP", "AP50", "AP75", "AR100")
"""Names of COCO. Where a data set has no box, all are NaN; COCO has -1 for it."""


def require() -> Any:
    """Return the library.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import hotcoco
    except ImportError as error:
        message = "detection needs hotcoco: pip install 'burn-verify[evaluate]'"
        raise UsageError(message) from error
    return hotcoco


def ground_truth(entries: Sequence[Entry], categories: Sequence[Category]) -> dict[str, list[Any]]:
    """Return labels in COCO's format."""
    images: list[Any] = []
    annotations: list[Any] = []
    for entry in entries:
        size = next((item.size for item in entry.items if isinstance(item, Picture)), None)
        extent = {} if size is None else {"width": size[0], "height": size[1]}
        images.append({"id": entry.number, "file_name": entry.name, **extent})
        for box in entry.label if isinstance(entry.label, tuple) else ():
            if isinstance(box, Box):
                annotations.append({"id": len(annotations) + 1, "image_id": entry.number, **_annotation(box)})
    kinds = [{"id": one.id, "name": one.name} for one in categories]
    return {"images": images, "annotations": annotations, "categories": kinds}


def metrics(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the metrics of results in COCO's format, by name."""
    evaluated = _evaluated(truth, results)
    # Comparing it with itself gives metrics without the table that `summarize` prints.
    found = require().compare(evaluated, evaluated)["metrics_a"]
    return {name: float(found[name]) if found[name] >= 0 else math.nan for name in METRICS}


def intervals(
    truth: Mapping[str, Any], before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], seed: int
) -> dict[str, Interval]:
    """Return an interval of 95 % of each difference, after less before, from images drawn again."""
    old, new = _evaluated(truth, before), _evaluated(truth, after)
    found = require().compare(old, new, n_bootstrap=TIMES, seed=seed, confidence=0.95)["ci"]
    return {name: (float(found[name]["lower"]), float(found[name]["upper"])) for name in METRICS if name in found}


def _evaluated(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> Any:
    library = require()
    known = library.COCO(dict(truth))
    evaluated = library.COCOeval(known, known.load_res([dict(one) for one in results]), "bbox")
    evaluated.evaluate()
    evaluated.accumulate()
    return evaluated


def _annotation(box: Box) -> dict[str, Any]:
    return {"category_id": box.category, "bbox": list(box.box), "area": box.area, "iscrowd": int(box.crowd)}
