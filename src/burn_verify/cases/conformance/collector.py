"""The collector of ONNX's own test cases, run as a child process by `collection`."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from burn_verify.cases.datasets import data_sets as stored_data_sets
from burn_verify.cases.index import Index, IndexEntry, write_index, written_data
from burn_verify.core.case import ModelFacts, Tolerance, facts_of


def _collect(suite: str, folder: Path) -> None:
    """Write every case of a suite into a folder, and their index last."""
    from onnx.backend.test.loader import load_model_tests

    found = sorted(load_model_tests(kind=suite), key=lambda case: case.name)
    entries = []
    for place, test_case in enumerate(found):
        if place % 100 == 0:
            print(place, len(found), test_case.name, flush=True)
        entries.append(_write_case(test_case, suite, folder))
    write_index(Index(entries=tuple(entries)), folder)


def _write_case(test_case: Any, suite: str, folder: Path) -> IndexEntry:
    """Write the model and the data of a case, and return its entry in the index."""
    import onnx

    from burn_verify.graph import facts

    model = test_case.model or onnx.load(Path(test_case.model_dir, "model.onnx"))
    path = folder / f"{test_case.name}.onnx"
    path.write_bytes(model.SerializeToString())
    data_sets = dict(_data_sets(test_case, model))
    inputs = [value.name for value in facts.runtime_inputs(model.graph)]
    fed = [pair for values, _ in data_sets.values() for pair in zip(inputs, values, strict=False)]
    found = facts.facts(model, {name: value for name, value in fed if isinstance(value, np.ndarray)})
    return IndexEntry(
        id=f"{suite}/{test_case.name}",
        name=test_case.name,
        subject=facts.subject(model),
        tolerance=Tolerance(rtol=test_case.rtol, atol=test_case.atol),
        **facts_of(found, ModelFacts),
        **written_data(path, data_sets),
    )


def _data_sets(test_case: Any, model: Any) -> Iterator[tuple[str, tuple[list[Any], list[Any]]]]:
    if test_case.data_sets is not None:
        for place, (inputs, outputs) in enumerate(test_case.data_sets):
            yield f"stored_{place}", ([_value(value) for value in inputs], [_value(value) for value in outputs])
        return
    for stored in stored_data_sets(Path(test_case.model_dir)):
        yield stored.name, (_stored(stored.inputs, model.graph.input), _stored(stored.outputs, model.graph.output))


def _stored(files: Sequence[Path], declared: Sequence[Any]) -> list[Any]:
    import onnx

    values: list[Any] = []
    for path, value in zip(files, declared, strict=False):
        word = value.type.WhichOneof("value")
        is_tensor = word == "tensor_type"
        values.append(_value(onnx.load_tensor(path)) if is_tensor else word.removesuffix("_type"))
    return values


def _value(value: Any) -> Any:
    """Return an array, or a word in place of a value that is no array."""
    import onnx
    from onnx.numpy_helper import to_array

    if isinstance(value, onnx.TensorProto):
        return to_array(value)
    if value is None:
        return "optional"
    return "sequence" if isinstance(value, list) else np.asarray(value)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    _collect(sys.argv[1], Path(sys.argv[2]))
