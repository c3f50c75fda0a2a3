"""Quantisation of a model by ``onnxruntime.quantization``, in a process of its own.

Writes no file that the user sees, and prints nothing.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.index import run_collector
from burn_verify.core.errors import LoadError, OracleError, ToolchainError, UsageError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.quantised import Loss, Quantisation, Quantised, is_quantised
from burn_verify.core.stage import PreparedCase
from burn_verify.core.text import one_line
from burn_verify.prepare.known import opset_of
from burn_verify.prepare.rewritings.uplift import uplifted
from burn_verify.reference.quantiser import ANSWER, MADE, MARK, READY, REQUEST
from burn_verify.run.quantise.calibration import written_samples

MODEL: Final = "model.onnx"
_BY_AXIS: Final = 13
"""The first opset in which DequantizeLinear has an axis."""
_QDQ: Final = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})


def quantised(prepared: PreparedCase, how: Quantisation, *, samples: int, losses: int, listen: Listener) -> Quantised:
    """Quantise a model.

    Arguments:
        samples: the greatest number of samples that calibrate it.
        losses: the number of samples on which the loss by tensor is measured, 0 for not at all.

    Raises:
        UsageError: static quantisation, and no data.
        LoadError: the data cannot be read, or do not fit the model.
        OracleError: ONNX Runtime does not quantise the model, or it is quantised already.
    """
    if (types := sorted(filter(lambda name: is_quantised([name]), prepared.op_types))) and not how.operators:
        message = (
            f"{prepared.model.name} is quantised already, by {', '.join(types)}: quantise the float model, or name with"
            " --op what is still to be quantised"
        )
        raise OracleError(message, "is quantised already")
    if not how.dynamic and not prepared.case.hints.data:
        message = "static quantisation needs samples that calibrate it: --data FILE, or say --dynamic, which needs none"
        raise UsageError(message)
    with tempfile.TemporaryDirectory(prefix="burn-verify-") as name:
        folder = Path(name)
        files = written_samples(prepared, samples, folder, listen)
        _write(prepared.model, folder, by_axis=how.per_channel)
        request = asdict(how) | {"model": MODEL, "samples": files, "losses": losses}
        request["inputs"] = [spec.name for spec in prepared.inputs]
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        answer = _asked(folder, listen)
        return _made(prepared, how, folder, answer, len(files))


def _write(model: Path, folder: Path, *, by_axis: bool) -> None:
    """Write a model as one file, its external data inside, of an opset in which scales may lie along an axis."""
    import onnx
    from google.protobuf.message import EncodeError

    read = onnx.load(model)
    if by_axis and 0 < (opset := opset_of(read)) < _BY_AXIS:
        raised = uplifted(read)
        if raised is None:
            message = (
                f"{model.name} has opset {opset}, which has no scales by channel: leave --per-channel out, or raise it "
                f"to {_BY_AXIS} by onnx.version_converter"
            )
            raise OracleError(message, "no scales by channel")
        read = raised
    try:
        (folder / MODEL).write_bytes(read.SerializeToString())
    except (ValueError, EncodeError) as error:
        message = f"{model.name} is too large to be quantised: {error}"
        raise LoadError(message, "too large to be quantised") from error


def _asked(folder: Path, listen: Listener) -> Mapping[str, Any]:
    def heard(line: str) -> None:
        if line.startswith(MARK):
            phase, done, total = json.loads(line.removeprefix(MARK))
            listen(Progress(phase=phase, done=done, total=total))

    failed = "ONNX Runtime does not quantise the model"
    try:
        run_collector("reference.quantiser", [str(folder)], folder, on_step=heard, failed=failed)
        answer: dict[str, Any] = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
    except ToolchainError as error:
        raise OracleError(str(error), "does not quantise it") from error
    if refused := answer.get("refused"):
        message = f"{failed}: {one_line(refused)}"
        raise OracleError(message, "does not quantise it")
    return answer


def _made(
    prepared: PreparedCase, how: Quantisation, folder: Path, answer: Mapping[str, Any], samples: int
) -> Quantised:
    import onnx

    model = (folder / MADE).read_bytes()
    found = [Loss(**entry) for entry in answer["losses"]]
    nodes = counted_nodes((folder / READY).read_bytes(), model)
    if not is_quantised(node.op_type for node in onnx.ModelProto.FromString(model).graph.node):
        message = f"{prepared.model.name}: there is nothing that ONNX Runtime quantises {_where(how)}"
        raise OracleError(message, "nothing to quantise")
    return Quantised(
        model=model,
        how=how,
        samples=0 if how.dynamic else samples,
        before=(folder / MODEL).stat().st_size,
        after=len(model),
        nodes=nodes,
        losses=tuple(sorted(found, key=worst)),
        unmeasured=answer["unmeasured"],
    )


def _where(how: Quantisation) -> str:
    return "among the nodes that are named" if how.operators or how.exclude else "in it"


def worst(loss: Loss) -> float:
    """Return the ratio by which tensors are sorted: against the float model, of weights that of their own rounding."""
    return next((one for one in (loss.whole, loss.own) if one is not None), float("inf"))


def counted_nodes(before: bytes, after: bytes) -> dict[str, tuple[int, int]]:
    """Return how many nodes of a float model were quantised, and of how many, by type.

    A node was quantised where it reads what is dequantised, or where others stand in its place; a Gemm that became a
    MatMul of floats was not.
    """
    import onnx

    old, new = (onnx.ModelProto.FromString(model).graph.node for model in (before, after))
    total = Counter(node.op_type for node in old)
    rest = Counter(node.op_type for node in new)
    given = {name for node in new if node.op_type == "DequantizeLinear" for name in node.output}
    reading = Counter(node.op_type for node in new if node.op_type not in _QDQ and given & set(node.input))
    rest["Gemm"] += max(0, rest["MatMul"] - total["MatMul"])
    found = {name: (reading[name] + max(0, count - rest[name]), count) for name, count in sorted(total.items())}
    return {name: pair for name, pair in found.items() if pair[0] or name in _LAYERS}


_LAYERS: Final[Sequence[str]] = ("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU")
"""Types of which it is told that none was quantised."""
