"""Changes of a model's inputs and outputs, made only where the user asks for them by name."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, numpy_helper

from burn_verify.graph import facts
from burn_verify.graph.operators import DOMAINS, canonical
from burn_verify.prepare.known import Known, copied, inferred, known, typed
from burn_verify.prepare.prune import copy_of, pruned, reads, set_nodes

_SHAPE: Final = re.compile(r"\d+(x\d+)*")
_KNOWN: Final = (*DOMAINS, "com.microsoft", "ai.onnx.preview", "ai.onnx.preview.training", "ai.onnx.training")


def pinned(model: onnx.ModelProto, sizes: Mapping[str, str]) -> onnx.ModelProto:
    """Return a model with numbers in the place of symbolic or unknown dimensions.

    Arguments:
        sizes: a number by the name of a dimension, or a shape such as ``1x3x224x224`` by the name of an input.

    Raises:
        ValueError: a name or a shape fits nothing in the model.
    """
    changed = copied(model)
    inputs = {value.name: value for value in facts.runtime_inputs(changed.graph)}
    # An input may have the name of a dimension; a lone number is a shape of rank 1 for nobody but such an input.
    shapes = {name: size for name, size in sizes.items() if name in inputs}
    for name, size in shapes.items():
        _pin_shape(inputs[name], [int(dim) for dim in _checked(name, size).split("x")])
    dims = {name: int(_checked(name, size)) for name, size in sizes.items() if name not in shapes and "x" not in size}
    values = [*inputs.values(), *changed.graph.output, *changed.graph.value_info]
    found = {name for value in values for name in _pin_dims(value, dims)}
    if missing := [name for name in sizes if name not in shapes and name not in found]:
        message = f"no input and no dimension of one is called {missing[0]!r}: {_dims_told(model)}"
        raise ValueError(message)
    del changed.graph.value_info[:]
    _forget_outputs(changed)
    return inferred(changed)


def frozen(model: onnx.ModelProto, values: Mapping[str, str]) -> onnx.ModelProto:
    """Return a model in which inputs are constants; they are no inputs any more.

    Arguments:
        values: a number by the name of an input, or several with commas between them.

    Raises:
        ValueError: an input is not there, or the numbers do not fit its type and shape.
    """
    changed = copied(model)
    inputs = {value.name: value for value in facts.runtime_inputs(changed.graph)}
    for name, text in values.items():
        if name not in inputs:
            message = f"no input is called {name!r}: there are {', '.join(inputs) or 'none'}"
            raise ValueError(message)
        changed.graph.initializer.append(_value_of(inputs[name], text))
    kept = [value for value in changed.graph.input if value.name not in values]
    _replace(changed.graph.input, kept)
    return changed


def without_zipmap(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return a model whose scores are a tensor, not a map by class; None where no output is made by ZipMap."""
    changed = copied(model)
    zips = {node.output[0]: node for node in changed.graph.node if node.op_type == "ZipMap"}
    outputs = [value for value in changed.graph.output if value.name in zips]
    if not outputs:
        return None
    for value in outputs:
        node = zips[value.name]
        value.CopyFrom(_tensor_info(node.input[0], TensorProto.FLOAT, [None, _classes(node)]))
    set_nodes(changed.graph, [node for node in changed.graph.node if node.op_type != "ZipMap"])
    return pruned(changed)


def cut_out(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return a model without the operators of foreign domains at its ends; None where there are none.

    Of the parts that remain, the one with the most weights. What it read from or gave to foreign operators becomes an
    input or an output.

    Raises:
        ValueError: nothing remains, or the type of such a value is not known.
    """
    foreign = [node for node in model.graph.node if canonical(node.domain) not in _KNOWN]
    if not foreign:
        return None
    own = _heaviest(model, [node for node in model.graph.node if canonical(node.domain) in _KNOWN])
    if not own:
        message = "nothing remains without the operators of foreign domains"
        raise ValueError(message)
    about = known(model)
    made = {name for node in own for name in node.output if name}
    read = dict.fromkeys(name for node in own for name in sorted(reads(node)))
    given = {value.name: value for value in (*model.graph.input, *model.graph.output)}
    fixed = {tensor.name for tensor in model.graph.initializer}
    elsewhere = {name for node in model.graph.node if not _is_one_of(node, own) for name in reads(node)}
    inputs = [name for name in read if name not in made and name not in fixed]
    outputs = [name for name in dict.fromkeys(_outputs(own)) if name in elsewhere or name in given]
    changed = copied(model)
    set_nodes(changed.graph, [copy_of(node) for node in own])
    _replace(changed.graph.input, [_boundary(name, given, about, own) for name in inputs])
    _replace(changed.graph.output, [onnx.ValueInfoProto(name=name) for name in outputs])
    types = known(changed)
    _replace(changed.graph.output, [_boundary(name, given, types, own) for name in outputs])
    return pruned(changed)


def _checked(name: str, size: str) -> str:
    if not _SHAPE.fullmatch(size) or any(int(dim) > 1 << 31 for dim in size.split("x")):
        message = f"{name}={size}: a size such as 1 or a shape such as 1x3x224x224 is needed"
        raise ValueError(message)
    return size


def _pin_shape(value: onnx.ValueInfoProto, shape: Sequence[int]) -> None:
    tensor = value.type.tensor_type
    dims = typed(value.type).shape
    fits = dims is None or (len(dims) == len(shape) and all(a in (None, b) for a, b in zip(dims, shape, strict=True)))
    if not value.type.HasField("tensor_type") or not fits:
        message = f"input {value.name!r} is {_told(value)}, which {'x'.join(map(str, shape))} does not fit"
        raise ValueError(message)
    tensor.shape.CopyFrom(onnx.TensorShapeProto(dim=[{"dim_value": dim} for dim in shape]))


def _pin_dims(value: onnx.ValueInfoProto, sizes: Mapping[str, int]) -> Iterator[str]:
    for dim in value.type.tensor_type.shape.dim:
        if dim.dim_param in sizes:
            name = dim.dim_param
            dim.dim_value = sizes[name]
            yield name


def _forget_outputs(model: onnx.ModelProto) -> None:
    """Make symbolic dimensions of outputs unknown, so that they are inferred from the pinned inputs."""
    for value in model.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            if dim.WhichOneof("value") == "dim_param":
                dim.Clear()


def _dims_told(model: onnx.ModelProto) -> str:
    told = [f"{value.name} is {_told(value)}" for value in facts.runtime_inputs(model.graph)]
    return "; ".join(told) or "the model has no inputs"


def _told(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type"):
        return "no tensor"
    if not tensor.HasField("shape"):
        return "a tensor without a shape"
    dims = (str(dim.dim_value) if dim.HasField("dim_value") else dim.dim_param or "?" for dim in tensor.shape.dim)
    return f"[{', '.join(dims)}]"


def _value_of(value: onnx.ValueInfoProto, text: str) -> TensorProto:
    about = typed(value.type)
    try:
        dtype = helper.tensor_dtype_to_np_dtype(about.elem_type)
        numbers = np.array([float(one) for one in text.split(",")])
        array = numbers.astype(dtype)
    except (ValueError, KeyError, OverflowError) as error:
        message = f"{value.name}={text}: numbers with commas between them are needed, for {_told(value)}: {error}"
        raise ValueError(message) from None
    if not np.array_equal(array.astype(np.float64), numbers) and array.dtype.kind in "iub":
        message = f"{value.name}={text}: the input holds {array.dtype}"
        raise ValueError(message)
    shape = about.shape
    if shape is None:
        return numpy_helper.from_array(array if array.size > 1 else array.reshape(()), value.name)
    if array.size == 1:
        return numpy_helper.from_array(np.full([dim or 1 for dim in shape], array[0], dtype), value.name)
    free = [dim for dim in shape if dim is None]
    size = int(np.prod([dim for dim in shape if dim is not None], dtype=np.int64))
    if array.size % max(size, 1) or len(free) > 1 or (not free and array.size != size):
        message = f"{value.name}={text}: {array.size} numbers do not fit {_told(value)}"
        raise ValueError(message)
    return numpy_helper.from_array(array.reshape([-1 if dim is None else dim for dim in shape]), value.name)


def _classes(node: onnx.NodeProto) -> int | None:
    sizes = [len(one.ints) or len(one.strings) for one in node.attribute if one.name.startswith("classlabels")]
    return max(sizes, default=0) or None


def _heaviest(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Return the connected nodes that hold the most bytes of weights."""
    sizes = {tensor.name: tensor.ByteSize() for tensor in model.graph.initializer}
    parts: list[tuple[set[str], list[onnx.NodeProto]]] = []
    for node in nodes:
        names = {name for name in (*reads(node), *node.output) if name and name not in sizes}
        joined = [part for part in parts if part[0] & names]
        parts = [part for part in parts if not part[0] & names]
        parts.append((names.union(*(part[0] for part in joined)), [*_chain(part[1] for part in joined), node]))
    order = {id(node): place for place, node in enumerate(nodes)}
    best = max(
        parts, key=lambda part: sum(sizes.get(name, 0) for node in part[1] for name in reads(node)), default=None
    )
    return sorted(best[1], key=lambda node: order[id(node)]) if best else []


def _chain(parts: Iterable[list[onnx.NodeProto]]) -> list[onnx.NodeProto]:
    return [node for part in parts for node in part]


def _is_one_of(node: onnx.NodeProto, nodes: Sequence[onnx.NodeProto]) -> bool:
    return any(node is one for one in nodes)


def _outputs(nodes: Sequence[onnx.NodeProto]) -> Iterator[str]:
    return (name for node in nodes for name in node.output if name)


def _boundary(
    name: str, given: Mapping[str, onnx.ValueInfoProto], about: Known, own: Sequence[onnx.NodeProto]
) -> onnx.ValueInfoProto:
    """Return the declaration of a value that becomes an input or an output."""
    found = about.type_of(name)
    if name in given and typed(given[name].type).elem_type:
        return given[name]
    elem_type, shape = found.elem_type, found.shape
    for node in own:
        if name in node.input:
            elem_type = elem_type or _as_its_neighbours(node, name, about)
            shape = shape if shape is not None else _of_weights(node, name, about)
    if not elem_type:
        message = f"the type of {name!r}, where the model is cut, is not known"
        raise ValueError(message)
    return _tensor_info(name, elem_type, shape)


def _as_its_neighbours(node: onnx.NodeProto, name: str, about: Known) -> int:
    """Return the element type of other inputs that have to be of the same type; 0 where none is known."""
    try:
        schema = defs.get_schema(node.op_type, canonical(node.domain))
    except defs.SchemaError:
        return 0
    places = [schema.inputs[min(place, len(schema.inputs) - 1)].type_str for place in range(len(node.input))]
    mine = places[list(node.input).index(name)]
    types = [about.type_of(other).elem_type for other, kind in zip(node.input, places, strict=True) if kind == mine]
    return next((one for one in types if one), 0)


def _of_weights(node: onnx.NodeProto, name: str, about: Known) -> tuple[int | None, ...] | None:
    """Return the shape that a Conv needs: batch and sizes unknown, its channels known."""
    if node.op_type != "Conv" or node.input[0] != name:
        return None
    weights = about.type_of(node.input[1]).static
    group = next((one.i for one in node.attribute if one.name == "group"), 1)
    return None if weights is None else (None, weights[1] * group, *[None] * (len(weights) - 2))


def _tensor_info(name: str, elem_type: int, shape: Sequence[int | None] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, elem_type, None if shape is None else list(shape))


def _replace(field, values) -> None:  # type: ignore[no-untyped-def]  # a repeated field has no public type
    copies = []
    for value in values:
        copy = onnx.ValueInfoProto()
        copy.CopyFrom(value)
        copies.append(copy)
    del field[:]
    field.extend(copies)
