"""Models of more inputs or outputs than any signature that rustc has to infer, as decoders with a cache are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.core.options import Settings
from burn_verify.run.pipeline import Pipeline
from toolchain.helpers import OwnCache, case

SIZES = ((1, 40), (40, 1), (33, 33), (50, 101))


def wide(path: Path, inputs: int, outputs: int) -> Path:
    """Save a model in which output k is input k, modulo, times k, and a scalar that all share; mixed up, all differ."""
    values = [helper.make_tensor_value_info(f"x{place}", TensorProto.FLOAT, [2, 3]) for place in range(inputs)]
    results = [helper.make_tensor_value_info(f"y{place}", TensorProto.FLOAT, [2, 3]) for place in range(outputs)]
    factors = [
        helper.make_tensor(f"k{place}", TensorProto.FLOAT, [], [place + 1.0]) for place in range(max(inputs, outputs))
    ]
    if outputs == 1:
        scaled = [helper.make_node("Mul", [f"x{place}", f"k{place}"], [f"z{place}"]) for place in range(inputs)]
        nodes = [*scaled, helper.make_node("Sum", [f"z{place}" for place in range(inputs)], ["y0"])]
    else:
        nodes = [
            helper.make_node("Mul", [f"x{place % inputs}", f"k{place}"], [f"y{place}"]) for place in range(outputs)
        ]
    model = helper.make_model(
        helper.make_graph(nodes, "wide", values, results, factors),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def pipeline(cache: OwnCache) -> Iterator[Pipeline]:
    pipeline = Pipeline(Settings(), cache)
    yield pipeline
    pipeline.close()


def test_any_number_of_inputs_and_outputs_is_verified(pipeline: Pipeline, tmp_path: Path) -> None:
    cases = [case(f"wide-{i}-{o}", wide(tmp_path / f"wide-{i}-{o}.onnx", i, o)) for i, o in SIZES]
    plan = pipeline.prepare(cases)
    for one, (inputs, outputs) in zip(cases, SIZES, strict=True):
        result = pipeline.verify(plan.cases[one.id]).result
        assert (result.verdict, result.message) == ("agrees", "")
        assert len({entry.name for entry in result.metrics}) == outputs
        assert not any(entry.max_abs for entry in result.metrics) or outputs == 1
        # One input too few is told, and not read from where nothing is.
        with pytest.raises(Exception, match="takes more inputs"):
            pipeline.infer(plan.cases[one.id], [np.zeros((2, 3), np.float32)] * (inputs - 1))
