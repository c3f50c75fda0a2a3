"""Ten small models whose sizes and values are open: what faults are planted in. Made in memory, seeded."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from onnx import numpy_helper, parser

_LENGTH: Final = "s = Shape(x) n = Gather(s, i1) "
_IF: Final = """y = If (c) <
    then_branch = t () => (float[batch,4] u) { u = Exp(x) },
    else_branch = e () => (float[batch,4] v) { v = Abs(x) }
>"""

_GRAPHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "reshape": "(float[batch,seq,4] x) => (float[batch,?] y) "
        f"{{ {_LENGTH} b = Gather(s, v0) m = Mul(n, i4) u = Unsqueeze(m, v0) t = Concat<axis = 0>(b, u) "
        "a = Neg(x) y = Reshape(a, t) }",
        "expand": "(float[batch,seq,4] x) => (float[batch,seq,4] y) { s = Shape(x) e = Expand(w4, s) y = Sub(x, e) }",
        "range": "(float[batch,seq,4] x) => (float[batch,seq,4] y) "
        f"{{ {_LENGTH} r = Range(i0, n, i1) p = Gather(positions, r) y = Add(x, p) }}",
        "slice": "(float[batch,seq,4] x) => (float[batch,seq,4] y) "
        f"{{ {_LENGTH} m = Unsqueeze(n, v0) p = Slice(positions, v0, m, v0) y = Add(x, p) }}",
        "rate": f"(int64 k, float[batch,4] x) => (float[batch,4] y) {{ c = Equal(k, i16) {_IF} }}",
        "sign": "(float[batch,4] x) => (float[batch,4] y) "
        f"{{ r = ReduceSum<keepdims = 0>(x) c = Greater(r, f0) {_IF} }}",
        "masked": "(float[batch,seq] x, int64[batch,seq] attention_mask) => (float[batch,seq] y) "
        "{ m = Cast<to: int = 1>(attention_mask) i = Sub(f1, m) b = Mul(i, huge) a = Add(x, b) y = Softmax(a) }",
        "embedding": "(int64[batch,seq] ids) => (float[batch,seq,4] y) "
        "{ g = Gather(table, ids) y = MatMul(g, square) }",
        "pair": "(float[batch,seq] a, float[batch,seq] b) => (float[batch,seq] y, float[batch,seq] z) "
        "{ y = Neg(a) z = Abs(b) }",
        "classifier": "(float[batch,3,height,width] x) => (float[batch,5] y) "
        "{ c = Conv(x, kernel) r = Relu(c) p = GlobalAveragePool(r) f = Flatten(p) y = Gemm(f, dense) }",
        "cache": "(float[batch,past,4] past, float[batch,seq,4] x) => (float[batch,?,4] y) "
        "{ k = Concat<axis = 1>(past, x) y = MatMul(k, square) }",
    }
)

NAMES: Final = tuple(_GRAPHS)


def model(name: str) -> onnx.ModelProto:
    """Return the model of a name."""
    made = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {name} {_GRAPHS[name]}')
    used = {operand for node in made.graph.node for operand in node.input}
    for weight, array in _weights().items():
        if weight in used:
            made.graph.initializer.append(numpy_helper.from_array(array, weight))
    return made


def _weights() -> dict[str, Any]:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    return {
        **{f"i{number}": np.array(number) for number in (0, 1, 4, 16)},
        "v0": np.array([0]),
        **{f"f{number}": np.array(number, np.float32) for number in (0, 1)},
        "huge": np.array(-1e4, np.float32),
        "table": normal(30, 4),
        "positions": normal(40, 4),
        "square": normal(4, 4),
        "w4": normal(4),
        "kernel": normal(4, 3, 3, 3),
        "dense": normal(4, 5),
    }
