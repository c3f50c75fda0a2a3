"""ONNX's own test cases, collected once for a version of onnx and kept as files.

`Corpus` is this side; run as a module, this file is the collector, in a process of its own: collecting takes hundreds
of megabytes and makes NumPy warn. Runs no model.
"""

import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from burn_verify.cache import Cache, digest_of, read_json, sha256_of
from burn_verify.cases.conformance import case_from_json
from burn_verify.collecting import index_entry, run_collector
from burn_verify.load import data_sets as stored_data_sets
from burn_verify.progress import Listener, Progress, silent
from burn_verify.types import Case

# What is kept depends on the code that makes it.
_MADE_BY: Final = ("collecting.py", "corpus.py", "graphs.py", "load.py", "operators.py", "schema.py")
_HOW_IT_IS_COLLECTED: Final = digest_of(*(sha256_of(Path(__file__).parent / name) for name in _MADE_BY))
_PHASE: Final = "collect"


class Corpus:
    """The collected cases of the installed onnx.

    Arguments:
        listen: told of every step of a collection.
    """

    def __init__(self, cache: Cache, listen: Listener = silent) -> None:
        self._cache = cache
        self._listen = listen

    def cases(self, suite: str) -> tuple[Case, ...]:
        """Return the cases of a suite, by name; collect them where that was never done.

        Arguments:
            suite: one of `burn_verify.cases.conformance.COLLECTED`.

        Raises:
            ToolchainError: they could not be collected.
        """
        key = digest_of(version("onnx"), version("numpy"), version("ml_dtypes"), _HOW_IT_IS_COLLECTED)[:12]
        folder = self._cache.room("conformance") / f"onnx-{version('onnx')}-{key}" / suite
        index = read_json(folder / "index.json")
        if index is None:
            with self._cache.lock(f"conformance-{suite}", self._waiting):
                index = read_json(folder / "index.json") or self._collect(suite, folder)
        return tuple(case_from_json(entry, suite, folder) for entry in index)

    def _collect(self, suite: str, folder: Path) -> Any:
        scratch = folder.with_name(f".{suite}.{os.getpid()}")
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=f"{suite} cases of onnx {version('onnx')}"))
        try:
            scratch.mkdir(parents=True)
            failed = "the cases of onnx could not be collected"
            run_collector("corpus", [suite, str(scratch)], scratch, on_step=self._on_step, failed=failed)
            shutil.rmtree(folder, ignore_errors=True)
            scratch.replace(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return read_json(folder / "index.json")

    def _on_step(self, line: str) -> None:
        done, total, text = line.split(" ", 2)
        self._listen(Progress(phase=_PHASE, done=int(done), total=int(total), text=text))

    def _waiting(self, text: str) -> None:
        self._listen(Progress(phase=_PHASE, done=0, total=0, text=text))


# ── the collector ────────────────────────────────────────────────────────────────────────────────────────────────────


def _collect(suite: str, folder: Path) -> None:
    """Write every case of a suite into a folder, and their index last."""
    from onnx.backend.test.loader import load_model_tests

    found = sorted(load_model_tests(kind=suite), key=lambda case: case.name)
    index = []
    for place, test_case in enumerate(found):
        if place % 100 == 0:
            print(place, len(found), test_case.name, flush=True)
        index.append(_keep(test_case, folder))
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")


def _keep(test_case: Any, folder: Path) -> dict[str, Any]:
    """Write the model and the data of a case, and return its entry in the index."""
    import onnx

    from burn_verify import graphs

    model = test_case.model or onnx.load(Path(test_case.model_dir, "model.onnx"))
    path = folder / f"{test_case.name}.onnx"
    path.write_bytes(model.SerializeToString())
    data_sets = dict(_data_sets(test_case, model))
    inputs = [value.name for value in graphs.runtime_inputs(model.graph)]
    fed = [pair for values, _ in data_sets.values() for pair in zip(inputs, values, strict=False)]
    found = graphs.facts(model, {name: value for name, value in fed if isinstance(value, np.ndarray)})
    subject = graphs.subject(model)
    return {
        **index_entry(path, found, data_sets),
        "name": test_case.name,
        "subject": None if subject is None else asdict(subject),
        "rtol": test_case.rtol,
        "atol": test_case.atol,
    }


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
    """Return an array, or the word for what is none."""
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
