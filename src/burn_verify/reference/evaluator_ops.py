"""Vectorised operators for onnx's evaluator. Its own loop over elements, which takes minutes, or are wrong.

They compute in the dtype of their inputs, like all of onnx's evaluator. Rare attributes are left to onnx's operators.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx.reference.ops import op_average_pool, op_conv, op_conv_transpose, op_lrn, op_max_pool

Array = npt.NDArray[Any]
_KNOWN_PADS: Final = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "", None)


class Conv(op_conv.Conv):
    """Convolution of any rank: one matrix product per place of the kernel."""

    op_domain = ""

    def _run(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        auto_pad: str | None = None,
        dilations: Sequence[int] | None = None,
        group: int | None = None,
        kernel_shape: Sequence[int] | None = None,
        pads: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
    ) -> tuple[Array]:
        window = _Window(x.shape[2:], w.shape[2:], strides, dilations, pads, auto_pad)
        groups = group or 1
        grouped = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
        total = np.zeros((x.shape[0], groups, grouped.shape[1], int(np.prod(window.sizes))), x.dtype)
        flat = grouped.reshape(*grouped.shape[:3], -1)
        for place, part in enumerate(window.parts(x, 0.0)):
            columns = part.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
            total += np.take(flat, place, axis=-1) @ columns
        answer = total.reshape(x.shape[0], w.shape[0], *window.sizes)
        return (answer if b is None else answer + b.reshape(-1, *(1,) * (x.ndim - 2)),)


class MaxPool(op_max_pool.MaxPool):
    """The greatest element under the kernel."""

    op_domain = ""

    def _run(self, x: Array, **attributes: Any) -> tuple[Array, ...]:  # type: ignore[override]
        if len(self.onnx_node.output) > 1 or attributes.get("ceil_mode"):
            answers: tuple[Array, ...] = super()._run(x, **attributes)  # type: ignore[no-untyped-call]
            return answers
        window = _pooling(x, attributes)
        return (_fold(np.maximum, window, x, -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min),)


class AveragePool(op_average_pool.AveragePool_19):
    """The mean of the elements under the kernel, with the padding where ``count_include_pad`` is set."""

    op_domain = ""

    def _run(self, x: Array, **attributes: Any) -> tuple[Array, ...]:  # type: ignore[override]
        if attributes.get("ceil_mode"):
            answers: tuple[Array, ...] = super()._run(x, **attributes)  # type: ignore[no-untyped-call]
            return answers
        window = _pooling(x, attributes)
        padding = 1.0 if attributes.get("count_include_pad") else 0.0
        counts = _fold(np.add, window, np.ones((1, 1, *x.shape[2:])), padding)
        return ((_fold(np.add, window, x, 0.0) / counts).astype(x.dtype),)


class ConvTranspose(op_conv_transpose.ConvTranspose):
    """Transposed convolution of any rank and with groups, for which onnx's operator is wrong."""

    op_domain = ""

    def _run(self, x: Array, w: Array, b: Array | None = None, **attributes: Any) -> tuple[Array, ...]:  # type: ignore[override]
        if attributes.get("auto_pad") not in ("NOTSET", "", None) or attributes.get("output_shape"):
            answers: tuple[Array, ...] = super()._run(x, w, b, **attributes)  # type: ignore[no-untyped-call]
            return answers
        rank, groups, kernel = x.ndim - 2, attributes.get("group") or 1, w.shape[2:]
        strides, dilations, extra, pads = (
            attributes.get(name) or [default] * length
            for name, default, length in (
                ("strides", 1, rank),
                ("dilations", 1, rank),
                ("output_padding", 0, rank),
                ("pads", 0, 2 * rank),
            )
        )
        spread = [(size - 1) * stride + 1 for size, stride in zip(x.shape[2:], strides, strict=True)]
        sizes = [
            size + (side - 1) * step + more
            for size, side, step, more in zip(spread, kernel, dilations, extra, strict=True)
        ]
        grouped = x.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
        weights = w.reshape(groups, w.shape[0] // groups, w.shape[1], -1)
        total = np.zeros((x.shape[0], groups * w.shape[1], *sizes), x.dtype)
        for place, offset in enumerate(np.ndindex(*kernel)):
            part = np.swapaxes(np.take(weights, place, axis=-1), -1, -2) @ grouped
            slices = [
                slice(start * step, start * step + size, stride)
                for start, step, size, stride in zip(offset, dilations, spread, strides, strict=True)
            ]
            total[(slice(None), slice(None), *slices)] += part.reshape(*total.shape[:2], *x.shape[2:])
        kept = [slice(early, size - late) for early, late, size in zip(pads[:rank], pads[rank:], sizes, strict=True)]
        answer = total[(slice(None), slice(None), *kept)]
        return (answer if b is None else answer + b.reshape(-1, *(1,) * rank),)


class LRN(op_lrn.LRN):
    """Local response normalisation; onnx's operator processes only as many channels as there are images."""

    op_domain = ""

    def _run(self, x: Array, **attributes: Any) -> tuple[Array, ...]:  # type: ignore[override]
        size = attributes["size"]
        before, channels = (size - 1) // 2, x.shape[1]
        sums = np.zeros_like(x)
        for channel in range(channels):
            near = x[:, max(0, channel - before) : channel + size - before]
            sums[:, channel] = (near * near).sum(axis=1)
        base = attributes["bias"] + attributes["alpha"] / size * sums
        return (x / base ** attributes["beta"],)


OPERATORS: Final = (Conv, ConvTranspose, MaxPool, AveragePool, LRN)


class _Window:
    """A kernel that moves over the axes of an image, with the attributes of the ONNX standard."""

    def __init__(
        self,
        image: Sequence[int],
        kernel: Sequence[int],
        strides: Sequence[int] | None,
        dilations: Sequence[int] | None,
        pads: Sequence[int] | None,
        auto_pad: str | None,
    ) -> None:
        if auto_pad not in _KNOWN_PADS:
            msg = f"auto_pad {auto_pad!r} is not known"
            raise ValueError(msg)
        rank = len(kernel)
        self.kernel = tuple(kernel)
        self.strides, self.dilations = tuple(strides or (1,) * rank), tuple(dilations or (1,) * rank)
        spans = [(size - 1) * step + 1 for size, step in zip(self.kernel, self.dilations, strict=True)]
        given = tuple(pads or (0,) * 2 * rank) if auto_pad in ("NOTSET", "", None) else (0,) * 2 * rank
        self.pads = list(zip(given[:rank], given[rank:], strict=True))
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            missing = [
                max((-(-size // stride) - 1) * stride + span - size, 0)
                for size, stride, span in zip(image, self.strides, spans, strict=True)
            ]
            halves = [(total // 2, total - total // 2) for total in missing]
            self.pads = halves if auto_pad == "SAME_UPPER" else [(late, early) for early, late in halves]
        self.sizes = [
            (size + sum(pad) - span) // stride + 1
            for size, pad, span, stride in zip(image, self.pads, spans, self.strides, strict=True)
        ]

    def parts(self, x: Array, padding: float) -> Iterator[Array]:
        """Yield for each place of the kernel, in row-major order, the elements under it for all kernel positions."""
        padded = np.pad(x, [(0, 0), (0, 0), *self.pads], constant_values=padding)
        for offset in np.ndindex(*self.kernel):
            starts = [place * step for place, step in zip(offset, self.dilations, strict=True)]
            slices = [
                slice(start, start + (size - 1) * stride + 1, stride)
                for start, size, stride in zip(starts, self.sizes, self.strides, strict=True)
            ]
            yield padded[(slice(None), slice(None), *slices)]


def _pooling(x: Array, attributes: dict[str, Any]) -> _Window:
    names = ("strides", "dilations", "pads", "auto_pad")
    return _Window(x.shape[2:], attributes["kernel_shape"], *(attributes.get(name) for name in names))


def _fold(join: Callable[[Array, Array], Array], window: _Window, x: Array, padding: float) -> Array:
    parts = window.parts(x, padding)
    total = next(parts).copy()
    for part in parts:
        total = join(total, part)
    return total
