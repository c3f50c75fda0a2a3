"""Run a graph node by node, once without noise and in several samples, to which noise is added after every node.

The nodes of inner graphs get noise too. `node_noise` computes the noise of a node, `noise` evaluates the samples.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from burn_verify.graph import facts as graphs
from burn_verify.graph.dtypes import dtype_name
from burn_verify.graph.operators import since_version
from burn_verify.judge.metrics import is_float
from burn_verify.reference import node_noise, stepwise
from burn_verify.reference.control_flow import CONTROL
from burn_verify.reference.lone_node import SMALL, attributes_of
from burn_verify.reference.node_noise import Ran
from burn_verify.reference.noisy_value import ABSENT, FEWER, SAMPLES, Scope, Value

Array: TypeAlias = npt.NDArray[Any]
"""Any dtype and shape."""

Run: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Runs a loaded model on inputs in the order of its graph."""

Load: TypeAlias = Callable[[bytes, bool], Run]
"""Loads a serialised model, which may then run several times; the flag is set if several threads are useful.

May raise any exception where it cannot load the model.
"""

_OF_SHAPES: Final = frozenset({"Shape", "Size"})
# Operators whose outputs depend only on the shapes of their inputs, which rounding does not change.
_STEPS: Final = frozenset({"Round", "Sign", "Floor", "Ceil", "Hardmax"}) | frozenset(
    {"TreeEnsemble", "TreeEnsembleRegressor", "TreeEnsembleClassifier"}
)
_JUMPS: Final = frozenset({"ThresholdedRelu", "Shrink"})
# `_STEPS` return floats that are as discrete as integers, `_JUMPS` return floats that jump to zero.
_POOL: Final = 1 << 20
_LARGE: Final = 1 << 17
# Number of elements of a node's inputs from which on several threads are faster than one.


class OutOfTimeError(Exception):
    """The walk exceeds its time limit."""


class Walk:
    """One run of a model with noise.

    Arguments:
        model: computes in float32 or float64, without functions.
        load: loads a model of one node.
        amplification: factor of the noise.
        ends: end of the time limit, by the monotonic clock.
        dtypes: names of the original dtypes of values whose dtype was changed.
        constants: whether constants are treated like inputs of the model.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        load: Load,
        amplification: float,
        ends: float,
        *,
        dtypes: Mapping[str, str],
        constants: bool,
    ) -> None:
        self._model = model
        self._load = load
        self._amplification = amplification
        self._dtypes = dtypes
        self._ends = ends
        self._halfway = (time.monotonic() + ends) / 2
        self._constants = constants
        self._kernels: dict[tuple[bytes, tuple[str, ...]], Run] = {}
        self._without_kernel: set[tuple[str, str]] = set()
        self._versions = {"" if one.domain == "ai.onnx" else one.domain: one.version for one in model.opset_import}
        # The seed is fixed, so that a verdict does not change between runs.
        self._generator = np.random.default_rng(0)

    def outputs(self, inputs: Sequence[Array]) -> list[Value]:
        """Return the outputs of the model.

        Raises:
            OutOfTimeError: the time limit is exceeded.
            Exception: any exception of onnx's evaluator for a node that neither ONNX Runtime nor the evaluator can run.
        """
        graph = self._model.graph
        names = [value.name for value in graphs.runtime_inputs(graph)]
        scope = {
            name: Value(clean=array, live=True, dtype=self._dtype(name, array))
            for name, array in zip(names, inputs, strict=True)
        }
        uses = Counter(name for node in graph.node for name in _taken(node))
        uses.update(value.name for value in graph.output)
        return self._graph(graph, scope, uses)

    def _graph(self, graph: onnx.GraphProto, scope: Scope, uses: Counter[str] | None = None) -> list[Value]:
        """Return the outputs of a graph; if `uses` counts the uses of values, unused values are freed."""
        for tensor in graph.initializer:
            array = numpy_helper.to_array(tensor)
            scope[tensor.name] = Value(clean=array, live=self._constants, dtype=self._dtype(tensor.name, array))
        for node in graph.node:
            if time.monotonic() > self._ends:
                raise OutOfTimeError
            given = self._node(node, scope)
            scope.update(zip(_given(node), given, strict=True))
            if uses is not None:
                taken = _taken(node)
                uses.subtract(taken)
                for name in (*taken, *node.output):
                    if not uses[name]:
                        scope.pop(name, None)
        return [scope[value.name] for value in graph.output]

    def _node(self, node: onnx.NodeProto, scope: Scope) -> list[Value]:
        if not node.domain and node.op_type in CONTROL and (node.op_type != "Scan" or self._versions[""] > 8):
            outputs = CONTROL[node.op_type](node, scope, self._graph)
            return [value for name, value in zip(node.output, outputs, strict=False) if name]
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            return [self._value(node.output[0], numpy_helper.to_array(node.attribute[0].t), live=self._constants)]
        names = list(dict.fromkeys(name for name in _taken(node) if name in scope))
        taken = [scope[name] for name in names]
        clean = [value.clean for value in taken]
        kernel = self._kernel(node, names, clean)
        outputs = list(kernel(clean))
        if node.op_type in _OF_SHAPES or not (self._constants or any(value.live for value in taken)):
            return [self._value(name, output) for name, output in zip(_given(node), outputs, strict=True)]
        return self._in_samples(node, scope, taken, kernel, outputs)

    def _in_samples(
        self, node: onnx.NodeProto, scope: Scope, taken: Sequence[Value], kernel: Run, outputs: Sequence[Any]
    ) -> list[Value]:
        """Return the outputs of a node that depends on the inputs of the model."""
        ran = self._ran(node, scope, outputs)
        moved = node_noise.perturbation(ran)
        noisy = moved is not None or any(value.samples for value in taken)
        places = range(min([self._samples(), *(len(value.samples) for value in taken if value.samples)]))
        runs = [list(kernel(self._inputs(taken, place, moved))) for place in places] if noisy else []
        deviations = node_noise.deviations(ran, partial(self._again, node, scope))
        flips = node_noise.may_step(ran) or any(value.flips for value in taken)
        return [
            self._with_noise(
                node, self._value(name, output, live=True, flips=flips), [run[place] for run in runs], deviations[place]
            )
            for place, (name, output) in enumerate(zip(_given(node), outputs, strict=True))
        ]

    def _samples(self) -> int:
        """Return the number of samples: fewer after half of the time limit, since each is one more run of the model."""
        return SAMPLES if time.monotonic() < self._halfway else FEWER

    def _again(
        self, node: onnx.NodeProto, scope: Scope, inputs: Sequence[Any], factors: Mapping[str, float]
    ) -> Sequence[Any]:
        """Run a node on other inputs, by position, with other values of some float attributes."""
        by_name = {name: value for name, value in zip(node.input, inputs, strict=True) if name}
        values = list(by_name.values())
        return list(self._kernel(_with_factors(node, factors), list(by_name), values)(values))

    def _with_noise(self, node: onnx.NodeProto, value: Value, samples: Sequence[Any], deviation: Array | None) -> Value:
        """Return an output with its samples, and noise added to them."""
        if not isinstance(value.clean, np.ndarray):
            return replace(value, samples=tuple(samples))
        if _flips(node, value.clean, samples):
            return replace(value, flips=True)
        if deviation is not None:
            clean = samples or [value.clean] * self._samples()
            amplified = self._amplified(deviation, value.clean.dtype)
            return replace(value, samples=tuple(self._noisy(sample, amplified) for sample in clean))
        return replace(value, samples=tuple(samples))

    @np.errstate(all="ignore")
    def _noisy(self, sample: Array, deviation: Array) -> Array:
        """Return a sample with noise of a finite deviation, which has the dtype of the sample."""
        if time.monotonic() > self._ends:
            raise OutOfTimeError
        noise = self._normal(sample.shape).astype(sample.dtype, copy=False)
        noise *= deviation
        noise += sample
        return noise

    @np.errstate(all="ignore")
    def _amplified(self, deviation: Array, dtype: np.dtype[Any]) -> Array:
        """Return the factor of the noise by element; 0 where it is not finite."""
        amplified = np.asarray(self._amplification * deviation, dtype)
        amplified[~np.isfinite(amplified)] = 0
        return amplified

    def _inputs(self, taken: Sequence[Value], place: int, moved: float | None) -> list[Any]:
        """Return the inputs of a sample, the floats with relative noise of the deviation `moved`."""
        inputs = [value.sample(place) for value in taken]
        if moved is None:
            return inputs
        return [
            self._noisy(array, self._amplified(moved * np.abs(array), array.dtype))
            if isinstance(array, np.ndarray) and is_float(array.dtype)
            else array
            for array in inputs
        ]

    def _normal(self, shape: tuple[int, ...]) -> Array:
        """Return normally distributed numbers, float32, from a pool, since drawing all of them again is slow."""
        size, pool = int(np.prod(shape)), _pool()
        start = int(self._generator.integers(pool.size))
        if start + size <= pool.size:
            return pool[start : start + size].reshape(shape).copy()
        return np.resize(np.roll(pool, -start), size).reshape(shape)

    def _value(self, name: str, output: Any, *, live: bool = False, flips: bool = False) -> Value:
        if isinstance(output, np.generic):
            output = np.asarray(output)
        return Value(clean=output, live=live, flips=flips, dtype=self._dtype(name, output))

    def _dtype(self, name: str, value: Any) -> str:
        if not isinstance(value, np.ndarray):
            return ""
        own = dtype_name(value.dtype)
        return self._dtypes.get(name, own) if is_float(value.dtype) else own

    def _ran(self, node: onnx.NodeProto, scope: Scope, outputs: Sequence[Any]) -> Ran:
        domain = "" if node.domain == "ai.onnx" else node.domain
        inputs = [scope[name] if name else ABSENT for name in node.input]
        facts = node_noise.facts_of(
            node,
            since_version(node.op_type, domain, self._versions.get(domain, 1)) or 1,
            dict(attributes_of(node)),
            [value.clean for value in inputs],
            [value.dtype or None for value in inputs],
            outputs,
            SMALL,
        )
        dtypes = [self._dtype(name, np.asarray(output)) for name, output in zip(_given(node), outputs, strict=True)]
        return Ran(facts=facts, inputs=[value.clean for value in inputs], outputs=outputs, output_dtypes=dtypes)

    def _kernel(self, node: onnx.NodeProto, names: Sequence[str], values: Sequence[Any]) -> Run:
        """Return the function that runs a node on the values of these names: by ONNX Runtime or onnx's evaluator."""
        kinds = tuple(dtype_name(value.dtype) if isinstance(value, np.ndarray) else "" for value in values)
        key = (node.SerializeToString(), kinds)
        if key not in self._kernels:
            self._kernels[key] = self._loaded(node, names, values)
        return self._kernels[key]

    def _loaded(self, node: onnx.NodeProto, names: Sequence[str], values: Sequence[Any]) -> Run:
        model = stepwise.alone(self._model, node, names, values)
        kind = (node.domain, node.op_type)
        if kind not in self._without_kernel and all(isinstance(value, np.ndarray) for value in values):
            try:
                run = self._load(model.SerializeToString(), sum(value.size for value in values) >= _LARGE)
                run(values)
            except Exception:  # after any exception of ONNX Runtime, onnx's evaluator is tried
                self._without_kernel.add(kind)
            else:
                return run
        evaluator = stepwise.evaluator(model)
        return lambda inputs: list(evaluator.run(None, dict(zip(names, inputs, strict=True))))


@cache
def _pool() -> Array:
    """Return normally distributed numbers, float32, with a fixed seed."""
    return np.random.default_rng(1).standard_normal(_POOL, dtype=np.float32)


def _flips(node: onnx.NodeProto, clean: Array, samples: Sequence[Any]) -> bool:
    """Return whether a discrete property differs between samples: shape, integer, float of a step function."""
    if any(np.shape(sample) != clean.shape for sample in samples):
        return True
    if not is_float(clean.dtype) or node.op_type in _STEPS:
        return any(not np.array_equal(sample, clean) for sample in samples)
    return node.op_type in _JUMPS and any(not np.array_equal(sample == 0, clean == 0) for sample in samples)


def _given(node: onnx.NodeProto) -> list[str]:
    """Return the names of the outputs that are not omitted."""
    return [name for name in node.output if name]


def _taken(node: onnx.NodeProto) -> list[str]:
    """Return the names that a node takes, including those that its inner graphs take from the outer graph."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            names += _free(inner)
    return names


def _free(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield the names that a graph takes from the outer graph, and possibly some names of its own."""
    own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        yield from (name for name in _taken(node) if name not in own)
        own.update(node.output)
    yield from (value.name for value in graph.output if value.name not in own)


def _with_factors(node: onnx.NodeProto, factors: Mapping[str, float]) -> onnx.NodeProto:
    """Return a node with other values of some float attributes."""
    if not factors:
        return node
    varied = onnx.NodeProto()
    varied.CopyFrom(node)
    kept = [attribute for attribute in varied.attribute if attribute.name not in factors]
    del varied.attribute[:]
    varied.attribute.extend([*kept, *(helper.make_attribute(name, value) for name, value in factors.items())])
    return varied
