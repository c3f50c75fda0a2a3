"""Steps of optimisers, and batch normalisation while training, by the formulas of the standard."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Decomposer, Site

_Rule: TypeAlias = Callable[[Site, Body, str, str, Sequence[str]], Sequence[str]]
"""Returns the new values of a tensor and of its state, of rate, gradient with its norm, tensor first in the state."""


def optimiser(states: int, rule: _Rule) -> Decomposer:
    """Return a decomposer of an optimiser.

    Arguments:
        states: further tensors that are kept for each tensor, beside its gradient.
    """

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        rate, step, *tensors = site.node.input
        count, odd = divmod(len(tensors), 2 + states)
        if odd or not count:
            return None
        flat = (body("Expand", name, body.const([1])) for name in (rate, step))
        rate, step = next(flat), body.cast(next(flat), TensorProto.FLOAT)
        groups = [tensors[start * count : (start + 1) * count] for start in range(2 + states)]
        made = [rule(site, body, rate, step, group) for group in zip(*groups, strict=True)]
        return [name for results in zip(*made, strict=True) for name in results]

    return decompose


def _number(site: Site, body: Body, name: str, default: float) -> str:
    return body.const([site.attribute(name, default)], TensorProto.FLOAT)


def _gradient(site: Site, body: Body, tensor: str, gradient: str) -> str:
    """Return the gradient with that of the norm's coefficient."""
    norm = body("Mul", _number(site, body, "norm_coefficient", 0.0), tensor)
    return body("Add", norm, gradient)


def adagrad(site: Site, body: Body, rate: str, step: str, group: Sequence[str]) -> Sequence[str]:
    """Return tensor and squared gradient after a step of Adagrad."""
    tensor, gradient, squared = group
    decay = body("Mul", step, _number(site, body, "decay_factor", 0.0))
    slower = body("Div", rate, body("Add", body.const([1.0]), decay))
    gradient = _gradient(site, body, tensor, gradient)
    total = body("Add", squared, body("Mul", gradient, gradient))
    root = body("Add", body("Sqrt", total), _number(site, body, "epsilon", 1e-6))
    moved = body("Div", body("Mul", slower, gradient), root)
    return [body("Sub", tensor, moved), total]


def adam(site: Site, body: Body, rate: str, step: str, group: Sequence[str]) -> Sequence[str]:
    """Return tensor, mean and mean square after a step of Adam."""
    tensor, gradient, mean, square = group
    alpha, beta = site.attribute("alpha", 0.9), site.attribute("beta", 0.999)
    gradient = _gradient(site, body, tensor, gradient)
    mean = _mixed(body, mean, gradient, alpha)
    square = _mixed(body, square, body("Mul", gradient, gradient), beta)
    root = body("Add", body("Sqrt", square), _number(site, body, "epsilon", 1e-6))
    one = body.const([1.0])
    corrected = [
        body("Sub", one, body("Pow", body.const([factor], TensorProto.FLOAT), step)) for factor in (alpha, beta)
    ]
    first = body("Equal", step, body.const([0.0]))
    faster = body("Where", first, rate, body("Div", body("Mul", rate, body("Sqrt", corrected[1])), corrected[0]))
    moved = body("Sub", tensor, body("Div", body("Mul", faster, mean), root))
    post = body("Sub", one, _number(site, body, "norm_coefficient_post", 0.0))
    return [body("Mul", post, moved), mean, square]


def _mixed(body: Body, old: str, new: str, factor: float) -> str:
    kept = body("Mul", body.const([factor], TensorProto.FLOAT), old)
    return body("Add", kept, body("Mul", body.const([1.0 - factor], TensorProto.FLOAT), new))


def momentum(site: Site, body: Body, rate: str, step: str, group: Sequence[str]) -> Sequence[str]:
    """Return tensor and momentum after a step with momentum, Nesterov's as well."""
    tensor, gradient, velocity = group
    alpha, beta = (_number(site, body, name, 0.0) for name in ("alpha", "beta"))
    gradient = _gradient(site, body, tensor, gradient)
    later = body("Where", body("Greater", step, body.const([0.0])), beta, body.const([1.0]))
    velocity = body("Add", body("Mul", alpha, velocity), body("Mul", later, gradient))
    moved = velocity
    if site.attribute("mode") == "nesterov":
        moved = body("Add", gradient, body("Mul", alpha, velocity))
    return [body("Sub", tensor, body("Mul", rate, moved)), velocity]


def batch_normalization(site: Site, body: Body) -> Sequence[str] | None:
    """Replace BatchNormalization by its formula, with the statistics of the batch while training."""
    rank, dtype = site.rank(0), site.elem_type(0)
    if rank is None or site.opset < 14 or dtype != TensorProto.FLOAT:
        return None
    value, scale, bias, mean, variance = site.node.input
    wide = body.const([1, -1, *[1] * (rank - 2)])
    results: list[str] = []
    if site.attribute("training_mode", 0):
        axes = [axis for axis in range(rank) if axis != 1]
        own = body.reduced("ReduceMean", value, axes, site.opset, keepdims=0)
        apart = body("Sub", value, body("Reshape", own, wide))
        spread = body.reduced("ReduceMean", body("Mul", apart, apart), axes, site.opset, keepdims=0)
        results = list(_running(site, body, [(mean, own), (variance, spread)]))
        mean, variance = own, spread
    root = body("Sqrt", body("Add", variance, _number(site, body, "epsilon", 1e-5)))
    moved = body("Div", body("Sub", value, body("Reshape", mean, wide)), body("Reshape", root, wide))
    scaled = body("Mul", moved, body("Reshape", scale, wide))
    return [body("Add", scaled, body("Reshape", bias, wide)), *results]


def _running(site: Site, body: Body, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    factor = site.attribute("momentum", 0.9)
    return (_mixed(body, old, new, factor) for old, new in pairs)
