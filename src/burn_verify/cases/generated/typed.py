"""Types for the outputs of a generated graph, and what onnx says of the whole.

Every exception of onnx means an invalid graph; runs nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from burn_verify.graph.dtypes import dtype_name
from burn_verify.system.wire import Array


class InvalidGraph(ValueError):
    """onnx's checker or shape inference refuses a graph: of one operator, a defect of its declaration."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turn whatever onnx raises into `InvalidGraph`.

    Raises:
        InvalidGraph: onnx refuses a graph.
    """
    try:
        yield
    except Exception as error:  # onnx documents no exception types here; each means an invalid graph
        raise InvalidGraph(one_line(error)) from error


def typed(model: Any) -> Any:
    """Return a model with the output types of strict shape inference, as far as it infers them."""
    for place, output in enumerate(inferred(model).graph.output):
        model.graph.output[place].CopyFrom(output)
    return model


def inferred(model: Any) -> Any:
    """Return a copy of a model with all types that strict shape inference infers, those between its nodes included."""
    from onnx import shape_inference

    return shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def finish(model: Any, outputs: Sequence[Array]) -> None:
    """Give outputs without an inferred type the dtype and rank of the answer, and check the whole model.

    Raises:
        ValueError: an output has no type, and there is no answer.
    """
    import onnx
    from onnx import helper

    from burn_verify.graph.dtypes import elem_type_of

    for place, output in enumerate(model.graph.output):
        tensor = output.type.tensor_type
        if not tensor.elem_type or not tensor.HasField("shape"):
            if len(outputs) <= place:
                msg = f"output {output.name} has no type, and no reference answers"
                raise ValueError(msg)
            answer = outputs[place]
            dims = [None] * answer.ndim
            elem_type = elem_type_of(dtype_name(answer.dtype))
            output.CopyFrom(helper.make_tensor_value_info(output.name, elem_type, dims))
    onnx.checker.check_model(model, full_check=True)


def same(one: Array, other: Array) -> bool:
    """Return whether two arrays have the same bits; those of text, the same words."""
    return one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()


def one_line(error: object) -> str:
    """Return a message on one line, cut to 400 characters."""
    return " ".join(str(error).split())[:400]
