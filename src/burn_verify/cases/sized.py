"""Operators at realistic sizes, for timing: one graph each, weights drawn from a fixed seed.

They are verified like other cases. The sizes are those of layers of ResNet-50, MobileNetV2 and MiniLM, unless
the name says otherwise. Opens and writes no file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from burn_verify.core.errors import UsageError
from burn_verify.core.option_values import ALL

CORPUS: Final = "sized"
"""The corpus, and the first part of the ids of its cases."""

_OPSET: Final = 18
_IR: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A graph of one operator.

    Attributes:
        name: of the variant, after the operator's name.
        fed: shapes of the graph inputs, float32.
        weights: shapes of the initializers, float32, after the graph inputs.
        constants: integer initializers after those.
    """

    op_type: str
    name: str
    fed: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[int, ...], ...] = ()
    constants: tuple[tuple[int, ...], ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def case_id(self) -> str:
        """Stable, e.g. ``sized/Conv-3x3-64x56x56``."""
        return f"{CORPUS}/{self.op_type}-{self.name}"


_MAP: Final = (1, 64, 112, 112)

GRAPHS: Final[Sequence[Sized]] = (
    Sized(
        op_type="Conv",
        name="3x3-64x56x56",
        fed=((1, 64, 56, 56),),
        weights=((64, 64, 3, 3), (64,)),
        attributes={"pads": [1, 1, 1, 1]},
    ),
    Sized(op_type="Conv", name="1x1-256x56x56", fed=((1, 256, 56, 56),), weights=((64, 256, 1, 1), (64,))),
    Sized(
        op_type="Conv",
        name="depthwise-144x56x56",
        fed=((1, 144, 56, 56),),
        weights=((144, 1, 3, 3), (144,)),
        attributes={"pads": [1, 1, 1, 1], "group": 144},
    ),
    Sized(
        op_type="Conv",
        name="7x7-stem-3x224x224",
        fed=((1, 3, 224, 224),),
        weights=((64, 3, 7, 7), (64,)),
        attributes={"pads": [3, 3, 3, 3], "strides": [2, 2]},
    ),
    Sized(
        op_type="ConvTranspose",
        name="2x2-64x56x56",
        fed=((1, 64, 56, 56),),
        weights=((64, 32, 2, 2),),
        attributes={"strides": [2, 2]},
    ),
    Sized(op_type="MatMul", name="512x512x512", fed=((512, 512),), weights=((512, 512),)),
    Sized(op_type="MatMul", name="attention-12x128x32", fed=((1, 12, 128, 32), (1, 12, 32, 128))),
    Sized(op_type="Gemm", name="1x2048x1000", fed=((1, 2048),), weights=((2048, 1000), (1000,))),
    Sized(op_type="Add", name="64x112x112", fed=(_MAP, _MAP)),
    Sized(op_type="Add", name="broadcast-64x112x112", fed=(_MAP,), weights=((1, 64, 1, 1),)),
    Sized(op_type="Mul", name="64x112x112", fed=(_MAP, _MAP)),
    Sized(op_type="Relu", name="64x112x112", fed=(_MAP,)),
    Sized(op_type="Sigmoid", name="64x112x112", fed=(_MAP,)),
    Sized(op_type="Erf", name="128x1536", fed=((1, 128, 1536),)),
    Sized(op_type="Softmax", name="12x128x128", fed=((1, 12, 128, 128),), attributes={"axis": -1}),
    Sized(op_type="LayerNormalization", name="128x384", fed=((1, 128, 384),), weights=((384,), (384,))),
    Sized(
        op_type="MaxPool", name="3x3-64x112x112", fed=(_MAP,), attributes={"kernel_shape": [3, 3], "strides": [2, 2]}
    ),
    Sized(
        op_type="AveragePool",
        name="2x2-64x112x112",
        fed=(_MAP,),
        attributes={"kernel_shape": [2, 2], "strides": [2, 2]},
    ),
    Sized(op_type="GlobalAveragePool", name="2048x7x7", fed=((1, 2048, 7, 7),)),
    Sized(op_type="ReduceMean", name="128x384", fed=((1, 128, 384),), constants=((-1,),)),
    Sized(op_type="Transpose", name="128x12x32", fed=((1, 128, 12, 32),), attributes={"perm": [0, 2, 1, 3]}),
    Sized(op_type="Concat", name="2-of-64x56x56", fed=((1, 64, 56, 56),) * 2, attributes={"axis": 1}),
)


def chosen(names: Iterable[str]) -> tuple[Sized, ...]:
    """Return the graphs of operators or ids, or all of them for ``all``.

    Raises:
        UsageError: an operator has none.
    """
    known = {graph.op_type.lower(): graph.op_type for graph in GRAPHS}
    by_id = {graph.case_id: graph for graph in GRAPHS}
    wanted: set[str] = set()
    for name in names:
        if name.lower() == ALL:
            wanted |= by_id.keys()
        elif name in by_id:
            wanted.add(name)
        elif name.lower() in known:
            wanted |= {graph.case_id for graph in GRAPHS if graph.op_type == known[name.lower()]}
        else:
            near = get_close_matches(name.lower(), known, n=1)
            hint = f"did you mean {known[near[0]]}?" if near else f"there are {', '.join(sorted(known.values()))}"
            message = f"--latency --ops: no graph of {name!r} at a useful size: {hint}"
            raise UsageError(message)
    return tuple(graph for graph in GRAPHS if graph.case_id in wanted)


def model_of(graph: Sized) -> bytes:
    """Return the ONNX model of a graph, serialised; the same bytes every time."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    make: Callable[..., Any] = helper.make_tensor_value_info
    fed = [make(f"x{place}", TensorProto.FLOAT, shape) for place, shape in enumerate(graph.fed)]
    arrays = [(rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)).astype("f4") for shape in graph.weights]
    arrays += [np.array(values, dtype="i8") for values in graph.constants]
    inside = [numpy_helper.from_array(array, f"w{place}") for place, array in enumerate(arrays)]
    names = [*(value.name for value in fed), *(tensor.name for tensor in inside)]
    node = helper.make_node(graph.op_type, names, ["y"], **graph.attributes)
    output = helper.make_empty_tensor_value_info("y")
    made = helper.make_graph([node], f"{graph.op_type}-{graph.name}", fed, [output], inside)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    return bytes(inferred.SerializeToString(deterministic=True))
