"""Mutations of what a module is given and returns, whatever it computes in between. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mutation import kinds
from mutation.operators import Site
from mutation.rust import Module

Array = npt.NDArray[np.generic]

_DTYPES: Final = {
    **{"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"},
    **{"int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8"},
    **{"uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8"},
    "bool": "Bool(burn::tensor::BoolStore::Native)",
}
_SCALES: Final = (
    (kinds.SCALE_3, "float32", "1.001"),
    (kinds.SCALE_4, "float32", "1.0001"),
    (kinds.SCALE_5, "float32", "1.00001"),
    (kinds.SCALE_HALF, "float16", "1.01"),
    (kinds.SCALE_HALF, "bfloat16", "1.01"),
)
_FLOAT_TENSOR: Final = re.compile(r"Tensor<\d+>")
_INT_TENSOR: Final = re.compile(r"Tensor<\d+, Int>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a module was given and returned for its first data set.

    Attributes:
        inputs: in the order of the graph.
        outputs: in the order of the graph.
    """

    inputs: Sequence[Array]
    outputs: Sequence[Array]


def of_boundary(module: Module, answered: Answered) -> Iterator[Site]:
    """Yield every mutation of inputs and outputs."""
    yield from scaled(module, answered)
    yield from infinite(module, answered)
    yield from constant(module, answered)
    yield from baked(module, answered)
    yield from probed(module, answered)


def scaled(module: Module, answered: Answered) -> Iterator[Site]:
    """Multiply an output by nearly one, or round it to float16 and back."""
    for place, (kind, array) in enumerate(zip(module.forward.returns, answered.outputs, strict=False)):
        if not _FLOAT_TENSOR.fullmatch(kind):
            continue
        for name, dtype, factor in _SCALES:
            if array.dtype.name == dtype:
                yield _output(module, place, name, f"x {factor}", f".mul_scalar({factor}f64)")
        if array.dtype.name == "float32":
            there_and_back = ".cast(burn::tensor::DType::F16).cast(burn::tensor::DType::F32)"
            yield _output(module, place, kinds.HALF, "rounded to float16", there_and_back)


def infinite(module: Module, answered: Answered) -> Iterator[Site]:
    """Answer something else where an infinity is right, or an infinity where none is."""
    for place, (kind, array) in enumerate(zip(module.forward.returns, answered.outputs, strict=False)):
        if not _FLOAT_TENSOR.fullmatch(kind) or not array.size:
            continue
        start, end = module.returned_parts[place]
        text = module.text[start:end]
        with np.errstate(all="ignore"):
            values = array.astype(np.float64)
        if np.isinf(values).any():
            for value, how in (("0f32", "0"), ("1f32", "1")):
                new = f"{text}.clone().mask_fill({text}.is_inf(), {value})"
                yield Site(kind=kinds.INFINITY, operator=f"inf -> {how}", start=start, end=end, new=new)
            new = f"{text}.clone().mask_where({text}.clone().is_inf(), {text}.neg())"
            yield Site(kind=kinds.INFINITY, operator="inf -> -inf", start=start, end=end, new=new)
        else:
            greatest = f"{text}.clone().equal({text}.clone().max().expand({text}.dims()))"
            new = f"{text}.clone().mask_fill({greatest}, f32::INFINITY)"
            yield Site(kind=kinds.INVENTED, operator="greatest -> inf", start=start, end=end, new=new)


def constant(module: Module, answered: Answered) -> Iterator[Site]:
    """Return what the module answered to its first data set, whatever it is given.

    Tensors are read from files beside the module, see `constants`.
    """
    returns = module.forward.returns
    tensors = [place for place, kind in enumerate(returns) if kind.startswith("Tensor<")]
    if len(returns) != len(answered.outputs) or any(array.dtype.name not in _DTYPES for array in answered.outputs):
        return
    start, end = module.returned
    parts = [
        _literal(place, kind, array) for place, (kind, array) in enumerate(zip(returns, answered.outputs, strict=True))
    ]
    answer = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    returned = module.text[start:end]
    device = ""
    if tensors:
        tensor = "returned" if len(parts) == 1 else f"returned.{tensors[0]}"
        device = f"let device = {tensor}.device();\n"
    new = f"let returned = {returned};\n{device}{answer}"
    yield Site(kind=kinds.CONSTANT, operator="first answer", start=start, end=end, new=new)


def constants(answered: Answered) -> dict[str, bytes]:
    """Return the files, by name, that a module of the class ``constant answer`` reads."""
    return {f"answer_{place}.bin": array.tobytes() for place, array in enumerate(answered.outputs)}


def baked(module: Module, answered: Answered) -> Iterator[Site]:
    """Take the size, or the value, of a tested input for granted."""
    body = module.forward
    for (name, kind), array in zip(body.parameters, answered.inputs, strict=False):
        sizes = ", ".join(f"{size}usize" for size in array.shape)
        pattern = re.compile(rf"(?<![\w.])(?:\({name}\)|{name})(?:\.clone\(\))?\s*\.(dims|shape)\(\)")
        for found in pattern.finditer(module.code, body.start, body.end):
            new = f"[{sizes}]" if found[1] == "dims" else f"burn::tensor::Shape::new([{sizes}])"
            yield Site(
                kind=kinds.SIZE, operator=f"{found[1]}() -> tested", start=found.start(), end=found.end(), new=new
            )
        if kind.startswith("[i64") or kind in ("i64", "i32"):
            values = [str(value) for value in array.reshape(-1).tolist()]
            value = f"[{', '.join(values)}]" if kind.startswith("[") else values[0]
            yield _at_start(module, kinds.SIZE, "input -> tested value", f"let {name}: {kind} = {value};")


def probed(module: Module, answered: Answered) -> Iterator[Site]:
    """Change an input where only other data would show it: negative, large."""
    for (name, kind), array in zip(module.forward.parameters, answered.inputs, strict=False):
        if _FLOAT_TENSOR.fullmatch(kind):
            yield _at_start(module, kinds.PROBE, "input -> its magnitude", f"let {name} = {name}.abs();")
            text = f"let {name} = {name}.clamp(-100f32, 100f32);"
            yield _at_start(module, kinds.PROBE, "input within 100", text)
        elif _INT_TENSOR.fullmatch(kind) and array.dtype.kind == "i":
            text = f"let {name} = {name}.clamp_min(0);"
            yield _at_start(module, kinds.PROBE, "negative input -> 0", text)


def _output(module: Module, place: int, kind: str, operator: str, tail: str) -> Site:
    start, end = module.returned_parts[place]
    return Site(kind=kind, operator=operator, start=start, end=end, new=module.text[start:end] + tail)


def _at_start(module: Module, kind: str, operator: str, text: str) -> Site:
    start = module.forward.start
    return Site(kind=kind, operator=operator, start=start - 1, end=start, new="{\n        " + text)


def _literal(place: int, kind: str, array: Array) -> str:
    """Return an expression for an output."""
    if kind.startswith("Tensor<"):
        dtype = f"burn::tensor::DType::{_DTYPES[array.dtype.name]}"
        sizes = ", ".join(f"{size}usize" for size in array.shape)
        data = f'include_bytes!("answer_{place}.bin").to_vec(), [{sizes}], {dtype}'
        data = f"burn::tensor::TensorData::from_bytes_vec({data})"
        return f"{kind[:6]}::from_data({data}, (&device, {dtype}))"
    if kind.startswith("["):
        return f"[{', '.join(map(str, array.reshape(-1).tolist()))}]"
    return _scalar(kind, array)


def _scalar(kind: str, array: Array) -> str:
    value = array.reshape(-1)[0]
    if kind == "bool":
        return "true" if value else "false"
    name = kind.rpartition("::")[2]
    if name in ("f16", "bf16"):
        return f"{kind}::from_bits({int(value.view(np.uint16))}u16)"
    if name in ("f32", "f64"):
        unsigned = np.uint32 if name == "f32" else np.uint64
        return f"{name}::from_bits({int(value.view(unsigned))}u{name[1:]})"
    return f"{int(value)}{name}"
