"""onnx's reference evaluator, for graphs that ONNX Runtime has no kernel for.

It is used for operators on which both agree elsewhere. Knows no process and no file.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from burn_verify.graph.dtypes import dtype_name, dtype_of
from burn_verify.reference.second import UNTRUSTED


class Evaluator:
    """Answers for one model, whose outputs have types.

    Arguments:
        trusting: whether operators that it is known to differ in may occur, where something else confirms it.

    Raises:
        ValueError: an operator of the model is not implemented, or is known to differ.
    """

    def __init__(self, model: Any, *, trusting: bool = False) -> None:
        from onnx.reference import ReferenceEvaluator

        untrusted = sorted({node.op_type for node in model.graph.node} & UNTRUSTED)
        if untrusted and not trusting:
            msg = f"onnx.reference is not trusted with {', '.join(untrusted)}"
            raise ValueError(msg)
        self._declared = list(model.graph.output)
        try:
            self._evaluator = ReferenceEvaluator(model)
        except Exception as error:  # it documents no exception types; each means that it has no answer
            raise _refusal(error) from error

    def answer(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Return the answers, in the order of the graph.

        Raises:
            ValueError: there is none, or it has another dtype, rank or size than the model declares.
        """
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = [np.asarray(value) for value in _tensors(self._evaluator.run(None, dict(feeds)))]
        except Exception as error:  # the same
            raise _refusal(error) from error
        for declared, value in zip(self._declared, found, strict=True):
            conform(declared, value)
        return found


def _refusal(error: Exception) -> ValueError:
    return ValueError(f"onnx.reference: {type(error).__name__}: {error}")


def _tensors(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if not isinstance(value, np.ndarray | np.generic):
            msg = f"an answer is a {type(value).__name__}, which is no tensor"
            raise TypeError(msg)
        yield value


def conform(declared: Any, value: npt.NDArray[Any]) -> None:
    """Check an answer against the type that shape inference gave the output.

    Raises:
        ValueError: it has another dtype, rank or size.
    """
    tensor = declared.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    fits = not tensor.elem_type or dtype_name(value.dtype) == dtype_of(tensor.elem_type)
    if tensor.HasField("shape"):
        fits = fits and len(dims) == value.ndim
        fits = fits and all(dim in (None, size) for dim, size in zip(dims, value.shape, strict=False))
    if not fits:
        came = f"{dtype_name(value.dtype)}{list(value.shape)}"
        msg = f"{declared.name} is {came}, which is not what is declared"
        raise ValueError(msg)
