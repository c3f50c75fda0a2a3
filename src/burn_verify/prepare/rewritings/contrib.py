"""Operators of ``com.microsoft`` that say in one node what the standard says in several."""

from collections.abc import Sequence
from typing import Any

from onnx import TensorProto

from burn_verify.prepare.body import Body
from burn_verify.prepare.replace import Decomposer, Site


def _one(site: Site, body: Body, value: float) -> str:
    return body.const([value], site.elem_type(0) or TensorProto.FLOAT)


def fast_gelu(site: Site, body: Body) -> Sequence[str] | None:
    """Replace FastGelu: the approximation of Gelu by a hyperbolic tangent."""
    value = body("Add", site.input(0), site.input(1)) if site.input(1) else site.input(0)
    cube = body("Mul", body("Mul", value, value), value)
    inner = body(
        "Add",
        body("Mul", cube, _one(site, body, 0.035677408136300125)),
        body("Mul", value, _one(site, body, 0.7978845608028654)),
    )
    outer = body("Add", body("Tanh", inner), _one(site, body, 1.0))
    return [body("Mul", body("Mul", value, _one(site, body, 0.5)), outer)]


def gelu(site: Site, body: Body) -> Sequence[str] | None:
    """Replace Gelu and BiasGelu by the error function."""
    value = body("Add", site.input(0), site.input(1)) if site.input(1) else site.input(0)
    error = body("Erf", body("Mul", value, _one(site, body, 0.7071067811865476)))
    return [body("Mul", body("Mul", value, _one(site, body, 0.5)), body("Add", error, _one(site, body, 1.0)))]


def quick_gelu(site: Site, body: Body) -> Sequence[str] | None:
    """Replace QuickGelu by a sigmoid."""
    scaled = body("Mul", site.input(0), _one(site, body, site.attribute("alpha", 1.702)))
    return [body("Mul", site.input(0), body("Sigmoid", scaled))]


def skip_layer_normalization(*, simplified: bool) -> Decomposer:
    """Return a decomposer of SkipLayerNormalization: a sum, then a normalisation over the last axis."""

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        bias = 3 if simplified else 4
        total = body("Add", site.input(0), site.input(1))
        if site.input(bias):
            total = body("Add", total, site.input(bias))
        epsilon = site.attribute("epsilon", 1e-12)
        beta = "" if simplified else site.input(3)
        found = _normalised(site, body, total, site.input(2), beta, epsilon, centred=not simplified)
        if site.wants(1) or site.wants(2):
            return None
        return [found, "", "", total][: max(1, len(site.node.output))] if site.wants(3) else [found]

    return decompose


def layer_normalization(site: Site, body: Body) -> Sequence[str] | None:
    """Replace SimplifiedLayerNormalization over the last axis."""
    if site.attribute("axis", -1) != -1 or site.wants(1):
        return None
    return [_normalised(site, body, site.input(0), site.input(1), "", site.attribute("epsilon", 1e-5), centred=False)]


def _normalised(site: Site, body: Body, value: str, scale: str, bias: str, epsilon: float, *, centred: bool) -> str:
    if centred:
        value = body("Sub", value, body.reduced("ReduceMean", value, [-1], site.opset))
    square = body.reduced("ReduceMean", body("Mul", value, value), [-1], site.opset)
    root = body("Sqrt", body("Add", square, _one(site, body, epsilon)))
    found = body("Mul", body("Div", value, root), scale)
    return body("Add", found, bias) if bias else found


def embed_layer_normalization(site: Site, body: Body) -> Sequence[str] | None:
    """Replace EmbedLayerNormalization without a mask: three embeddings, their sum normalised."""
    ids, segments, words, positions, kinds, gamma, beta = (site.input(place) for place in range(7))
    shape = site.shape(0)
    if (site.input(7) and site.wants(1)) or shape is None:
        return None
    total = body("Gather", words, ids, axis=0)
    given = site.input(8) or body.const(list(range(shape[1])))
    total = body("Add", total, body("Gather", positions, given, axis=0))
    if segments and kinds:
        total = body("Add", total, body("Gather", kinds, segments, axis=0))
    found = _embedded(site, body, total, gamma, beta)
    # Without a mask every index of the mask is 0.
    return [found, body.const([0] * shape[0], TensorProto.INT32)] if site.wants(1) else [found]


def _embedded(site: Site, body: Body, total: str, gamma: str, beta: str) -> str:
    value = body("Sub", total, body.reduced("ReduceMean", total, [-1], site.opset))
    square = body.reduced("ReduceMean", body("Mul", value, value), [-1], site.opset)
    dtype = site.elem_type(2) or TensorProto.FLOAT
    root = body("Sqrt", body("Add", square, body.const([site.attribute("epsilon", 1e-12)], dtype)))
    return body("Add", body("Mul", body("Div", value, root), gamma), beta)


def fused_matmul(site: Site, body: Body) -> Sequence[str] | None:
    """Replace FusedMatMul by transposed operands and a factor."""
    if site.attribute("transBatchA", 0) or site.attribute("transBatchB", 0):
        return None
    names = []
    for place, flag in ((0, "transA"), (1, "transB")):
        name, rank = site.input(place), site.rank(place)
        if site.attribute(flag, 0):
            if rank is None or rank < 2:
                return None
            name = body("Transpose", name, perm=[*range(rank - 2), rank - 1, rank - 2])
        names.append(name)
    product, alpha = body("MatMul", *names), site.attribute("alpha", 1.0)
    return [product if alpha == 1.0 else body("Mul", product, _one(site, body, alpha))]


_ACTIVATIONS = {"Relu": (), "Sigmoid": (), "Tanh": (), "LeakyRelu": ("alpha",), "HardSigmoid": ("alpha", "beta")}


def fused(op_type: str, names: Sequence[str]) -> Decomposer:
    """Return a decomposer of FusedConv and FusedGemm: the operator, then its activation.

    Arguments:
        names: attributes of the operator.
    """

    def decompose(site: Site, body: Body) -> Sequence[str] | None:
        activation = site.attribute("activation", "")
        if activation and activation not in _ACTIVATIONS:
            return None
        given: dict[str, Any] = {name: site.attribute(name) for name in names}
        inputs = list(site.node.input[:3])
        found = body(op_type, *inputs, **given)
        if site.input(3):
            found = body("Add", found, site.input(3))
        if not activation:
            return [found]
        factors = site.attribute("activation_params") or [
            site.attribute(f"activation_{name}") for name in _ACTIVATIONS[activation]
        ]
        return [body(activation, found, **dict(zip(_ACTIVATIONS[activation], factors, strict=False)))]

    return decompose


def dynamic_quantize_matmul(site: Site, body: Body) -> Sequence[str] | None:
    """Replace DynamicQuantizeMatMul: the left operand quantised and back, the right one dequantised."""
    rank = site.rank(2)
    if rank is None or rank > 1:
        return None
    quantised, scale, zero = body.several(3, "DynamicQuantizeLinear", site.input(0))
    left = body("DequantizeLinear", quantised, scale, zero)
    return [_scaled_product(site, body, left, 1, 2, 3, 4)]


def matmul_integer_to_float(site: Site, body: Body) -> Sequence[str] | None:
    """Replace MatMulIntegerToFloat: both operands dequantised, and their product."""
    if any((site.rank(place) or 0) > 1 or site.rank(place) is None for place in (2, 3)):
        return None
    left = _dequantised(site, body, 0, 2, 4)
    return [_scaled_product(site, body, left, 1, 3, 5, 6)]


def _scaled_product(site: Site, body: Body, left: str, right: int, scale: int, zero: int, bias: int) -> str:
    product = body("MatMul", left, _dequantised(site, body, right, scale, zero))
    return body("Add", product, site.input(bias)) if site.input(bias) else product


def _dequantised(site: Site, body: Body, place: int, scale: int, zero: int) -> str:
    """Return the real value of an operand, whose scale is one number, or one for each column."""
    value = body.cast(site.input(place), TensorProto.FLOAT)
    if site.input(zero):
        value = body("Sub", value, body.cast(site.input(zero), TensorProto.FLOAT))
    return body("Mul", value, site.input(scale))
