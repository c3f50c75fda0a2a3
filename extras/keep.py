"""Keep a model that an exporter wrote, with what its own framework answers, as ONNX's data sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

KEPT = Path(__file__).parent / "kept"


def keep(name: str, model: onnx.ModelProto, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Write ``kept/NAME.onnx`` and ``kept/NAME/test_data_set_0``.

    Arguments:
        inputs, outputs: arrays in the order of the graph; the outputs are the framework's, not ONNX Runtime's.
    """
    onnx.checker.check_model(model)
    _without_traces(model)
    folder = KEPT / name / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.onnx").write_bytes(model.SerializeToString())
    for kind, values, arrays in (("input", model.graph.input, inputs), ("output", model.graph.output, outputs)):
        for place, (value, array) in enumerate(zip(values, arrays, strict=True)):
            tensor = numpy_helper.from_array(np.ascontiguousarray(array), value.name)
            (folder / f"{kind}_{place}.pb").write_bytes(tensor.SerializeToString())
    size = (KEPT / f"{name}.onnx").stat().st_size
    operators = sorted({node.op_type for node in model.graph.node})
    (opset,) = {one.version for one in model.opset_import if not one.domain}
    print(f"{name}: {size} bytes, opset {opset}, {', '.join(operators)}")


def _without_traces(model: onnx.ModelProto) -> None:
    """Drop what names folders of the machine that exported: stack traces beside nodes and values."""
    graph = model.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, graph, model):
        kept = [entry for entry in part.metadata_props if not entry.key.endswith("stack_trace")]
        del part.metadata_props[:]
        part.metadata_props.extend(kept)
