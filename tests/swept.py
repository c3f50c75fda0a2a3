"""Small models in numbers, and sweeps over them with stand-ins behind both seams."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from burn_verify.cases import manifest
from burn_verify.core.options import Settings
from burn_verify.core.target import Target
from burn_verify.run.seams import Seams
from burn_verify.run.sweep.shard import Sweep, as_recorded, begin
from burn_verify.system.cache import Cache
from fakes import FakeBuilder, FakeEngine, Faults

OPS = ("Add", "Mul", "Sub", "Max")


def model(path: Path, number: int) -> Path:
    """Save a model with one node and a constant: its operator, size and values follow from the number."""
    size = 2 + number % 5
    value = np.random.default_rng(number).standard_normal(size).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node(OPS[number % len(OPS)], ["x", "c"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (size,))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (size,))],
        [numpy_helper.from_array(value, "c")],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    os.utime(path, (1, 1))
    return path


def models(folder: Path, count: int) -> list[Path]:
    return [model(folder / f"m{number:03}.onnx", number) for number in range(count)]


def sweep_of(folder: Path, out: Path, cache: Cache, *, part: int = 100, **settings: object) -> Sweep:
    """Return a sweep of the models of a folder, begun."""
    cases = manifest.read(folder, cache)
    asked = Settings(cache_dir=cache.root, **settings)
    sweep = Sweep(
        settings=asked,
        folder=out,
        cases=cases,
        targets=as_recorded([Target()]),
        costs=manifest.sizes(cases),
        part=part,
    )
    begin(sweep)
    return sweep


def killed(outputs: list[object]) -> list[object]:
    """End this process at once, as the kernel does where memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)
    return outputs


def engine(cache: Cache, timeout: float, faults: Faults, **rest: object) -> FakeEngine:
    return FakeEngine(cache, timeout, faults, **rest)


def builder(cache, settings, listen, targets, faults):
    return FakeBuilder(cache, targets, faults)


def picklable(faults: Faults = Faults()) -> Seams:  # noqa: B008  (immutable)
    """Return seams that another process can be given."""
    return Seams(engine=partial(engine, faults=faults), builder=partial(builder, faults=faults))
