"""Estimate the effect of rounding on the outputs of a graph: run it with noise of that size after every node.

The difference between the samples and the output without noise is the deviation that rounding explains. The noise is
amplified, so that the roundings of the walk itself are negligible, and the deviation is divided by the same factor.
Judges nothing and does not depend on a runtime: the caller provides the function that loads a model of one node.
"""

import time
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import inliner

from burn_verify.graph import facts as graphs
from burn_verify.graph.dtypes import dtype_name
from burn_verify.judge.bounds import rule_of
from burn_verify.judge.metrics import is_float, widened
from burn_verify.reference import halves
from burn_verify.reference.engine import Deviations
from burn_verify.reference.noise_walk import Load, OutOfTimeError, Walk
from burn_verify.reference.noisy_value import SAMPLES, Value

Array: TypeAlias = npt.NDArray[Any]
"""Any dtype and shape."""

AMPLIFICATIONS: Final = (256.0, 8.0)
"""Factors of the noise. The next one is used where a discrete value changes or a finite number is lost."""

_HALF: Final = frozenset({"float16", "bfloat16"})


def noise_of(model: onnx.ModelProto, inputs: Sequence[Array], load: Load, seconds: float) -> Deviations:
    """Return how far rounding may move the float outputs of a model.

    Arguments:
        inputs: in the order of the graph's runtime inputs.
        load: loads a model of one node.
        seconds: time limit; deviations that are not computed by then are missing.

    Raises:
        Exception: any exception of onnx's evaluator for a node that neither ONNX Runtime nor the evaluator can run.
    """
    written = _inlined(model)
    dtypes = halves.dtypes_of(written)
    half = any(dtype in _HALF for dtype in dtypes.values())
    narrow = halves.in_single_precision(written) if half else written
    fed = [_single(array) for array in inputs] if half else inputs
    ends = time.monotonic() + seconds
    found: dict[int, Array] = {}
    lost: list[Value] = []
    # Values that do not depend on the inputs count as exact, unless an output does not depend on the inputs at all.
    for constants in (False, True):
        for amplification in (1.0,) if half else AMPLIFICATIONS:
            walk = Walk(narrow, load, amplification, ends, dtypes=dtypes if half else {}, constants=constants)
            try:
                outputs = walk.outputs(fed)
            except OutOfTimeError:
                return Deviations(
                    sigma=found, why=f"the walk with noise takes more than {seconds:g} s", out_of_time=True
                )
            sigma = {place: _sigma(value, amplification, exact=constants) for place, value in enumerate(outputs)}
            found = {**{place: array for place, array in sigma.items() if array is not None}, **found}
            lost = [value for place, value in enumerate(outputs) if place not in found and _counts(value)]
            if not any(value.live for value in lost):
                break
        if all(value.live for value in lost):
            break
    return Deviations(sigma=found, why=_why(lost[0]) if lost else "")


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model in which local functions, and functions of the standard without a row in the table, are inlined.

    LayerNormalization is inlined if its mean or deviation is an output, since its row does not cover these.
    """
    kinds = {(node.domain, node.op_type) for node in graphs.nodes(model)}
    functions = [kind for kind in kinds if _without_row(*kind)]
    if any(node.op_type == "LayerNormalization" and any(node.output[1:]) for node in graphs.nodes(model)):
        functions.append(("", "LayerNormalization"))
    functions += [(function.domain, function.name) for function in model.functions]
    if not functions:
        return model
    try:
        return inliner.inline_selected_functions(model, functions, inline_schema_functions=True)
    except RuntimeError:
        # The body of a function of the standard depends on types that are not known, so it runs as one node.
        return inliner.inline_local_functions(model)


def _without_row(domain: str, op_type: str) -> bool:
    rule = rule_of(op_type, domain)
    if rule is None or rule.count is not None or not onnx.defs.has(op_type, rule.domain):
        return False
    schema: Any = onnx.defs.get_schema(op_type, rule.domain)
    return bool(schema.has_function or schema.has_context_dependent_function)


def _single(array: Array) -> Array:
    return array.astype(np.float32) if dtype_name(array.dtype) in _HALF else array


@np.errstate(all="ignore")
def _sigma(value: Value, amplification: float, *, exact: bool) -> Array | None:
    """Return the root mean square of the deviations of the samples; None where a value flipped or is lost.

    Arguments:
        exact: whether values that got no noise count as exact.
    """
    if not _counts(value) or value.flips or not (value.live or exact):
        return None
    clean = widened(value.clean)
    finite = np.isfinite(clean)
    total = np.zeros(clean.shape)
    for sample in value.samples:
        if sample.shape != clean.shape or not np.array_equal(np.isfinite(sample), finite):
            return None
        off = np.where(finite, widened(sample) - clean, 0.0) / amplification
        total += off * off
    return np.asarray(np.sqrt(pooled(total / max(1, len(value.samples)), finite, len(value.samples))))


def pooled(squares: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_], samples: int) -> npt.NDArray[np.float64]:
    """Return the variance by element, of fewer samples together with that of all elements in place of the missing ones.

    The bound counts on as many samples as usual (`judge.noise`): of fewer, some of a million elements have by chance
    hardly any deviation. The mean over all elements stays.
    """
    if not 0 < samples < SAMPLES or not finite.any():
        return squares
    missing = (SAMPLES - samples) * np.mean(squares[finite])
    return np.asarray((samples * squares + missing) / SAMPLES)


def _counts(value: Value) -> bool:
    """Return whether a value is a tensor of floats."""
    return isinstance(value.clean, np.ndarray) and is_float(value.clean.dtype)


def _why(value: Value) -> str:
    return "a discrete value changes with the roundings" if value.flips else "a number is lost in the noise"
