"""Measure how far outputs move where weights are stored as float16.

burn-store's ``HalfPrecisionAdapter`` stores those of most modules so, burn-import's ``half_precision`` every one.

The model is run again by the engine: once with the weights as float16 stores them, and with each weight moved at random
by at most half the distance of two float16 numbers at its place. Judges nothing.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burn_verify.core.errors import OracleError
from burn_verify.judge.metrics import is_float, widened
from burn_verify.reference.engine import Engine
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

SAMPLES: Final = 8
"""Random ones, as many as for rounding: the judge's bound is that of a deviation of eight samples.

The rounding itself is one more: where an answer is sensitive to its weights (boxes are exponentials of what a network
says), most draws hardly move it and few move it far, and eight miss those that do."""

SPREAD: Final = 2.0
"""A deviation as a multiple of what the samples show.

The rounding is itself one draw like the samples, not a small part of them as the rounding of operators is, and one
weight moves many elements together: all elements of one draw may lie above the samples' root mean square."""

_LARGEST: Final = 65504.0
_MOST_BYTES: Final = 1 << 31

_WEIGHTS: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "DeformConv"), (1, 2, 3)),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "InstanceNormalization"), (1, 2)),
    **dict.fromkeys(("RMSNormalization", "PRelu"), (1,)),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), (1, 2, 3)),
    "Gemm": (0, 1, 2),
    "MatMul": (0, 1),
}
"""Inputs that become parameters of modules which the adapter converts, by operator."""

_SAME_VALUES: Final = frozenset({"Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"})


def deviations(
    engine: Engine, model: Path, sets: Mapping[str, Sequence[Array]], *, every: bool = False
) -> dict[str, dict[int, Array]]:
    """Return the deviation of each float output, float64 of its shape, by data set and place.

    Arguments:
        sets: inputs by data set.
        every: whether all weights are stored so, see `weights_of`.

    Returns:
        Nothing of a model without such weights, one that cannot be written again, and one that the engine refuses.
    """
    import onnx

    loaded = onnx.load(model)
    if every:
        _lift_constants(loaded.graph)
    names = weights_of(loaded.graph, every=every)
    if not names or loaded.ByteSize() > _MOST_BYTES:
        return {}
    try:
        known = engine.infer_all(model, list(sets.values()))
        with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
            path = Path(folder, "moved.onnx")
            samples = []
            for seed in (None, *range(SAMPLES)):
                path.write_bytes(moved(loaded, names, seed).SerializeToString())
                samples.append(engine.infer_all(path, list(sets.values())))
                path = path.with_name(f"moved{seed}.onnx")
    except OracleError:
        return {}
    return {name: _deviation(known[place], [one[place] for one in samples]) for place, name in enumerate(sets)}


def weights_of(graph: "GraphProto", *, every: bool = False) -> frozenset[str]:
    """Return the names of the float32 initializers that are stored as float16.

    Arguments:
        every: whether all are, whatever reads them.
    """
    stored = {one.name for one in graph.initializer if one.data_type == 1}
    if every:
        return frozenset(stored)
    source = {name: name for name in stored}
    made = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type in _SAME_VALUES and node.input and node.input[0] in source:
            source[node.output[0]] = source[node.input[0]]
    found = set()
    for node in graph.node:
        places = _WEIGHTS.get(node.op_type, ())
        if node.op_type == "Add" and any(getattr(made.get(name), "op_type", "") == "MatMul" for name in node.input):
            # A sum behind a product is the bias of one linear module.
            places = (0, 1)
        found |= {source[node.input[place]] for place in places if _has(node.input, place, source)}
    return frozenset(found)


def _lift_constants(graph: "GraphProto") -> None:
    """Make an initializer of each constant tensor."""
    kept = []
    for node in graph.node:
        tensors = [one.t for one in node.attribute if one.name == "value"] if node.op_type == "Constant" else []
        for tensor in tensors:
            graph.initializer.add().CopyFrom(tensor)
            graph.initializer[-1].name = node.output[0]
        if not tensors:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def moved(model: "ModelProto", names: frozenset[str], seed: int | None) -> "ModelProto":
    """Return a model whose weights are at random where rounding them to float16 may have put them.

    Arguments:
        seed: None for where rounding does put them.
    """
    import onnx
    from onnx import numpy_helper

    drawn = None if seed is None else np.random.default_rng(seed)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for one in made.graph.initializer:
        if one.name in names:
            values = numpy_helper.to_array(one)
            one.CopyFrom(numpy_helper.from_array(_jittered(values, drawn), one.name))
    return made


def _jittered(values: Array, drawn: np.random.Generator | None) -> Array:
    wide = values.astype(np.float64)
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float16).astype(np.float64)
    if drawn is None:
        return np.asarray(np.where(np.isfinite(rounded), rounded, wide).astype(values.dtype))
    moves = rounded != wide
    exponent = np.maximum(np.frexp(np.abs(wide))[1] - 1, -14)
    distance = np.ldexp(1.0, exponent - 10)
    # A number that float16 has stays; one that it cannot hold becomes infinite, which is no rounding.
    step = np.where(moves & (np.abs(wide) <= _LARGEST), distance, 0.0)
    return np.asarray((wide + step * drawn.uniform(-0.5, 0.5, wide.shape)).astype(values.dtype))


@np.errstate(all="ignore")
def _deviation(known: Sequence[Array], samples: Sequence[Sequence[Array]]) -> dict[int, Array]:
    found: dict[int, Any] = {}
    for place, output in enumerate(known):
        moves = [one[place] for one in samples]
        if is_float(output.dtype) and all(one.shape == output.shape for one in moves):
            squares = np.mean([np.square(widened(one) - widened(output)) for one in moves], axis=0)
            found[place] = SPREAD * np.sqrt(_steadied(np.nan_to_num(squares, nan=0.0, posinf=0.0)))
    return found


def _steadied(squares: Array) -> Array:
    """Return variances of few samples each, half of each taken from all elements together.

    Few samples miss the variance of one element in some hundred by far. The mean of all stays as it is.
    """
    return np.asarray((squares + np.mean(squares)) / 2) if squares.size else squares


def _has(inputs: Sequence[str], place: int, source: Mapping[str, str]) -> bool:
    return place < len(inputs) and inputs[place] in source


def beside(sigma: Mapping[int, Array], moves: Mapping[int, Array]) -> Iterator[tuple[int, Array]]:
    """Yield the deviation of rounding and of stored weights together, by place of the output."""
    for place, move in moves.items():
        own = sigma.get(place)
        yield place, move if own is None or own.shape != move.shape else np.hypot(own, move)
