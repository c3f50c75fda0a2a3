"""The files of an evaluation."""

import json

import pytest

from burn_verify.cases.select import Selection
from burn_verify.core.errors import StoreError
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.run.evaluate.evaluation import Wish, evaluate
from burn_verify.run.evaluate.written import write
from burn_verify.system.cache import Cache
from fakes import Faults, seams
from labelled import classifier, detector, pictures, rows

BOX = (0.25, 0.25, 0.75, 0.75)


def run(tmp_path, *models, faults=Faults(), **wish):  # noqa: B008  (immutable)
    cache = Cache(tmp_path / "cache")
    cases = Selection(cache, mirror=None, offline=True).choose([str(one) for one in models]).cases
    return evaluate(cases, [Target()], Wish(**wish), settings_from({}), cache, seams(faults), silent)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_classifier(tmp_path):
    found = run(tmp_path, classifier(tmp_path / "net.onnx"), data=rows(tmp_path / "a.npz"), task="classification")
    made = write(found, tmp_path / "out", 3)
    assert names(tmp_path / "out") == [
        "comparison.json",
        *(f"eval_a_{engine}/{name}.json" for engine in ("burn-flex", "fake") for name in ("metrics", "predictions")),
    ]
    assert [path.name for path in made] == ["eval_a_fake", "eval_a_burn-flex", "comparison.json"]
    metrics = json.loads((tmp_path / "out" / "eval_a_fake" / "metrics.json").read_text())
    assert (metrics["top1"], metrics["samples"], metrics["dataset"]["name"]) == (0.75, 4, "a")
    comparison = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert comparison["passes"]
    (one,) = comparison["comparisons"]
    assert (one["tier"], one["metrics"]["top1"]["difference"], one["flips"]["count"]) == ("excellent", 0.0, 0)
    assert one["dataset_check"].startswith("the same data")


def test_a_detector_has_pictures_the_worst_first(tmp_path):
    pytest.importorskip("hotcoco", reason="hotcoco is not installed")
    data = pictures(tmp_path / "photos", [[(BOX, 1)], [(BOX, 1)], []])
    calls = iter(range(10))

    def fault(outputs):
        # The second image alone loses its box.
        return [one[:, :0] for one in outputs] if next(calls) == 1 else outputs

    faults = Faults({("run", "net"): fault})
    found = run(tmp_path, detector(tmp_path / "net.onnx"), data=data, task="detection", faults=faults)
    write(found, tmp_path / "out", 2)
    place = tmp_path / "out" / "eval_photos_burn-flex"
    assert names(place) == [
        "ground_truth_coco.json",
        "metrics.json",
        "predictions.json",
        "visualizations/000_data_1.png",
        "visualizations/001_data_0.png",
    ]
    truth = json.loads((place / "ground_truth_coco.json").read_text())
    assert [one["id"] for one in truth["images"]] == [0, 1, 2]
    assert json.loads((place / "predictions.json").read_text())[0] == {
        "image_id": 0,
        "category_id": 1,
        "score": 0.5,
        "bbox": [8.0, 8.0, 16.0, 16.0],
    }
    (place / "visualizations" / "mine.png").touch()
    write(found, tmp_path / "out", 1)
    pngs = [name for name in names(place) if name.endswith("png")]
    assert pngs == ["visualizations/000_data_1.png", "visualizations/mine.png"], "files of the user's stay"


def test_several_models_have_folders(tmp_path):
    models = classifier(tmp_path / "net.onnx"), classifier(tmp_path / "other.onnx")
    found = run(tmp_path, *models, data=rows(tmp_path / "a.npz"), task="classification")
    write(found, tmp_path / "out", 0)
    assert {name.partition("/")[0] for name in names(tmp_path / "out")} == {"net", "other", "comparison.json"}


def test_a_folder_that_cannot_be_written(tmp_path):
    found = run(tmp_path, classifier(tmp_path / "net.onnx"), data=rows(tmp_path / "a.npz"), task="classification")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        write(found, tmp_path / "file", 0)
