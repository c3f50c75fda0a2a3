"""The product run on itself, as a user runs it: `pytest --models …` in an empty folder, in a process of its own."""

import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from burn_verify.cases.seeded import architectures
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache

REPOSITORY = Path(__file__).parents[2]
SEEDED = ["mnist", "squeezenet", "resnet50", "densenet121", "mobilenetv2", "resnet18"]


def mirror() -> Path:
    folder = Path(os.environ.get("BURN_VERIFY_ZOO_MIRROR") or REPOSITORY.parent / "shared" / "zoo")
    if not (folder / "index.json").is_file():
        pytest.skip(f"no mirror of the zoo at {folder}: set BURN_VERIFY_ZOO_MIRROR")
    return folder


def without_times(results):
    return {case_id: {**line, "durations": None} for case_id, line in results.items()}


SIZES = ("sizes 2", "sizes 3", "sizes 4")


def test_every_model_of_the_mirror(run):
    folder = mirror()
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    done, results = run("--models", "all", "--zoo-mirror", folder, "--burn-offline", "on")
    assert done.ret == 0
    assert set(results) == {f"zoo/{entry['name']}" for entry in index}
    agree = {name for name, line in results.items() if line["verdict"] == "agrees"}
    refused = {name for name, line in results.items() if line["stage"] == "convert"}
    assert len(agree) == 20
    assert agree | refused == set(results)
    assert all(results[name]["reason"] for name in refused)

    def data_sets(name):
        return [metric["data_set"] for metric in results[f"zoo/{name}"]["metrics"]]

    assert data_sets("mnist-8") == ["seeded", "test_data_set_0", "test_data_set_1", "test_data_set_2"]
    # A batch that is free is asked at another size too.
    assert data_sets("super-resolution-10") == ["seeded", "sizes 2", "test_data_set_0"]
    # Two outputs of each of four data sets.
    assert data_sets("all-MiniLM-L6-v2") == [name for name in ("seeded", *SIZES) for _ in range(2)]
    assert data_sets("tinyllama-stories260K") == ["seeded", *SIZES]
    assert data_sets("mobilenetv2-fp32-dequant") == ["seeded", "sizes 2"]
    done.stdout.fnmatch_lines(["20 of 29 agree (69% of all), 20 of 20 attempted (100%)"])


def test_workers_write_the_same_results(run):
    names = "mnist-8,mnist-12,candy,tinyllama,vit_pgd_2_3_16"
    arguments = ["--models", names, "--zoo-mirror", mirror(), "--burn-offline", "on"]
    alone, serial = run(*arguments)
    shared, parallel = run(*arguments, "-n", "2")
    assert (alone.ret, shared.ret) == (0, 0)
    assert without_times(serial) == without_times(parallel)


@pytest.mark.parametrize("architecture", SEEDED)
def test_a_stand_in_answers_to_its_input(architecture, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(architectures.build(architecture), path)
    engine = OnnxRuntime(Cache(tmp_path / "cache"), timeout=120)
    shape = [dim.dim_value for dim in onnx.load(path).graph.input[0].type.tensor_type.shape.dim]
    rng = np.random.default_rng(7)
    try:
        sets = [[rng.standard_normal(shape, dtype=np.float32)] for _ in range(2)]
        (one,), (other,) = engine.infer_all(path, sets)
    finally:
        engine.close()
    assert np.isfinite(one).all()
    assert np.linalg.norm(one - other) > 1e-3 * np.linalg.norm(one)


def test_stand_ins_need_neither_mirror_nor_network(run):
    done, results = run("--models", ",".join(SEEDED), "--burn-offline", "on")
    assert done.ret == 0
    assert set(results) == {f"zoo/{name}@seeded" for name in SEEDED}
    assert {line["verdict"] for line in results.values()} == {"agrees"}
    assert all("random weights" in line["note"] for line in results.values())
    done.stdout.fnmatch_lines(["zoo/mnist@seeded *", "6 of 6 agree (100% of all)*"])
