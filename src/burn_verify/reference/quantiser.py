"""A program of its own that quantises a model by ``onnxruntime.quantization``, and measures the loss by tensor.

    python -m burn_verify.reference.quantiser FOLDER

FOLDER holds ``request.json``, the model and the samples. ``ready.onnx`` (the float model that is quantised),
``quantised.onnx`` and ``answer.json`` are written to it, and a line to stdout for every sample. Its client is
`burn_verify.run.quantise.quantising`.
"""

import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx

from burn_verify.system.wire import Array, decode

REQUEST: Final = "request.json"
ANSWER: Final = "answer.json"
MADE: Final = "quantised.onnx"
READY: Final = "ready.onnx"
MARK: Final = "progress: "
"""The start of a line about progress."""

_AT_ONCE: Final = 8
"""Samples whose intermediate values are in memory at once, at most."""


class _Reader:
    """The samples, one after the other; a ``CalibrationDataReader`` without its base class, which is imported late."""

    def __init__(self, files: Sequence[Path], names: Sequence[str], said: str = "") -> None:
        self._files = files
        self._names = names
        self._said = said
        self._place = 0
        self._end = len(files)

    def get_next(self) -> dict[str, Array] | None:
        """Return the next sample by the names of inputs, None behind the last one."""
        if self._place >= self._end:
            return None
        if self._said:
            _say(self._said, self._place, len(self._files))
        self._place += 1
        return dict(zip(self._names, decode(self._files[self._place - 1].read_bytes()), strict=True))

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[dict[str, Array]]:
        return iter(self.get_next, None)

    def __next__(self) -> dict[str, Array]:
        found = self.get_next()
        if found is None:
            raise StopIteration
        return found

    def set_range(self, start_index: int, end_index: int) -> None:
        """Go to a place, and end before another."""
        self._place, self._end = start_index, end_index


def _say(phase: str, done: int, total: int) -> None:
    # The library prints too.
    sys.stdout.write(f"{MARK}{json.dumps([phase, done, total])}\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    """Quantise the model of a folder; a refusal is an answer too."""
    logging.disable(logging.WARNING)
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    (folder / ANSWER).write_text(json.dumps(_answer(folder, request)), encoding="utf-8")


def _answer(folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    files = [folder / name for name in request["samples"]]
    try:
        ready = _pre_processed(folder, request)
        _quantised(ready, folder / MADE, request, _Reader(files, request["inputs"], "calibrate"))
    except Exception as error:  # any exception of the library is returned to the client
        return {"refused": f"{type(error).__name__}: {error}"}
    if not request["losses"]:
        return {"losses": [], "unmeasured": ""}
    return _measured(ready, folder, request, files[: request["losses"]])


def _pre_processed(folder: Path, request: Mapping[str, Any]) -> Path:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready = folder / READY
    # Symbolic shapes need sympy, which is no dependency of ONNX Runtime.
    symbolic = importlib.util.find_spec("sympy") is not None

    def run(*, skip_symbolic: bool) -> None:
        quant_pre_process(
            str(folder / request["model"]),
            str(ready),
            skip_optimization=not request["optimise"],
            skip_symbolic_shape=skip_symbolic,
        )

    try:
        run(skip_symbolic=not symbolic)
    except Exception:  # symbolic inference gives up on some models, with exceptions of every class
        run(skip_symbolic=True)
    return ready


def _quantised(ready: Path, made: Path, request: Mapping[str, Any], reader: _Reader) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_dynamic, quantize_static

    types = {"int8": QuantType.QInt8, "uint8": QuantType.QUInt8}
    common = {
        "per_channel": request["per_channel"],
        "reduce_range": request["reduce_range"],
        "weight_type": types[request["weights"]],
        "op_types_to_quantize": request["operators"] or None,
        "nodes_to_exclude": list(request["exclude"]),
    }
    if request["dynamic"]:
        quantize_dynamic(str(ready), str(made), **common | _gemm_as_matmul(ready, request))
        return
    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    quantize_static(
        str(ready),
        str(made),
        reader,
        quant_format=QuantFormat.QDQ,
        activation_type=types[request["activations"]],
        calibrate_method=methods[request["calibration"]],
        # The other methods keep all values of a stride; its size has to divide the number of samples.
        extra_options={} if request["calibration"] == "minmax" else {"CalibStridedMinMax": _stride(len(reader))},
        **common,
    )


def _gemm_as_matmul(ready: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what asks for Gemm alone: the library makes a MatMul of each before, and quantises MatMul only."""
    asked = request["operators"]
    if "Gemm" not in asked or "MatMul" in asked:
        return {}
    others = [node.name for node in onnx.load(ready, load_external_data=False).graph.node if node.op_type == "MatMul"]
    return {"op_types_to_quantize": [*asked, "MatMul"], "nodes_to_exclude": [*request["exclude"], *others]}


def _stride(count: int) -> int:
    return max(size for size in range(1, _AT_ONCE + 1) if count % size == 0)


def _measured(ready: Path, folder: Path, request: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    try:
        return {"losses": _losses(ready, folder, request["inputs"], files), "unmeasured": ""}
    except Exception as error:  # the loss is told beside the model, which stays valid
        return {"losses": [], "unmeasured": f"{type(error).__name__}: {error}"}


def _losses(ready: Path, folder: Path, names: Sequence[str], files: Sequence[Path]) -> list[dict[str, Any]]:
    from onnxruntime.quantization import qdq_loss_debug as debug

    made = folder / MADE
    matched = debug.create_weight_matching(str(ready), str(made))
    ratio = _ratio(debug.compute_signal_to_quantization_noice_ratio)
    found = [
        {"tensor": name, "weight": True, "own": ratio([pair["float"]], [pair["dequantized"]])}
        for name, pair in matched.items()
    ]
    if not files:
        return found
    before, after = (
        _activations(debug, path, folder / f"augmented-{place}.onnx", _Reader(files, names, said))
        for place, (path, said) in enumerate([(ready, "run as float"), (made, "run quantised")])
    )
    pairs = debug.create_activation_matching(after, before)
    for name, pair in pairs.items():
        entry = {"tensor": name, "weight": False, "own": ratio(pair["pre_qdq"], pair["post_qdq"])}
        found.append(entry | ({"whole": ratio(pair["float"], pair["post_qdq"])} if "float" in pair else {}))
    # Behind the pairs, and of models without any, the two models have values of the same names.
    found += [
        {"tensor": name, "weight": False, "whole": ratio(before[name], after[name])}
        for name in before
        if name in after and name not in pairs
    ]
    return found


def _activations(debug: Any, model: Path, augmented: Path, reader: _Reader) -> dict[str, list[Array]]:
    debug.modify_model_output_intermediate_tensors(str(model), str(augmented))
    found: dict[str, list[Array]] = debug.collect_activations(str(augmented), reader)
    return found


def _ratio(measure: Callable[..., float]) -> Callable[[Sequence[Array], Sequence[Array]], float | None]:
    def ratio(mine: Sequence[Array], other: Sequence[Array]) -> float | None:
        """Return decibels; None where a value is not finite."""
        one, two = (np.concatenate([np.ravel(array) for array in side]).astype(np.float64) for side in (mine, other))
        if one.shape != two.shape or not (np.isfinite(one).all() and np.isfinite(two).all()):
            return None
        return float(measure(one, two))

    return ratio


if __name__ == "__main__":
    main(Path(sys.argv[1]))
