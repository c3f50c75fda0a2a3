"""Convolutions and transposed convolutions."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, Operand, OperatorSpec, Point, fixed

FAMILY: Final = "conv"


def spatial(point: Point, rank: int, *names: str) -> dict[str, Any]:
    """Return attributes with one number for each spatial axis; pads have two, and one number may stand for all."""
    found: dict[str, Any] = {}
    for name in names:
        value = point[name]
        if value != OMIT and point.has(name):
            if isinstance(value, tuple) and len(value) != (2 * rank if name == "pads" else rank):
                raise NotApplicable
            found[name] = value if isinstance(value, tuple | str) else (value,) * (2 * rank if name == "pads" else rank)
    return found


def _exclusive(attributes: dict[str, Any]) -> None:
    automatic = attributes.get("auto_pad", "NOTSET")
    if automatic != "NOTSET" and "pads" in attributes:
        raise NotApplicable
    # With dilation, ONNX Runtime, the checker and the operator's text differ on SAME.
    if automatic.startswith("SAME") and max(attributes.get("dilations", (1,))) > 1:
        raise NotApplicable


def _window(point: Point, rank: int) -> dict[str, Any]:
    attributes = spatial(point, rank, "strides", "dilations", "pads", "auto_pad")
    _exclusive(attributes)
    return attributes


def _conv(point: Point) -> Call:
    rank, group = point["rank"], point["group"]
    groups = 1 if group == OMIT else group
    kernel = point["kernel"]
    sizes = [point.size(size, name) for size, name in zip((7, 6, 5)[:rank], "HWD", strict=False)]
    x = point.data((point.size(2, "N"), 4, *sizes))
    w = point.data((4, 4 // groups, *(kernel,) * rank))
    b = point.data((4,)) if point["bias"] else None
    attributes = _window(point, rank)
    if group != OMIT:
        attributes["group"] = groups
    if point["kernel_shape"] != OMIT:
        attributes["kernel_shape"] = (kernel,) * rank
    return Call(inputs=point.named(x, w, b), attributes=attributes)


def _conv_transpose(point: Point) -> Call:
    rank, group = point["rank"], point["group"]
    groups = 1 if group == OMIT else group
    attributes = _window(point, rank) | spatial(point, rank, "output_padding")
    strides = attributes.get("strides", (1,))
    if "output_padding" in attributes and max(strides) < 2:
        raise NotApplicable
    if point["output_shape"] != OMIT:
        if "pads" in attributes or "output_padding" in attributes:
            raise NotApplicable
        attributes["output_shape"] = tuple(size * max(strides) + 1 for size in (5, 4, 3)[:rank])
    if group != OMIT:
        attributes["group"] = groups
    if point["kernel_shape"] != OMIT:
        attributes["kernel_shape"] = (3,) * rank
    x = point.data((point.size(2, "N"), 4, *(5, 4, 3)[:rank]))
    w = point.data((4, 4 // groups, *(3,) * rank))
    b = point.data((4 // groups * groups,)) if point["bias"] else None
    return Call(inputs=point.named(x, w, b), attributes=attributes)


def _conv_integer(point: Point) -> Call:
    attributes = _window(point, 2)
    if point["group"] != OMIT:
        attributes["group"] = point["group"]
    if point["kernel_shape"] != OMIT:
        attributes["kernel_shape"] = (3, 3)
    groups = attributes.get("group", 1)
    weights = point["w_dtype"]
    x = point.data((point.size(2, "N"), 4, 5, 5), low=0 if point.dtype == "uint8" else -20, high=20)
    w = point.data((4, 4 // groups, 3, 3), dtype=weights, low=0 if weights == "uint8" else -20, high=20)
    zeros = point["zero_points"]
    x_zero = fixed(3, point.dtype) if zeros in ("x", "both") else None
    w_zero = fixed(2, weights) if zeros == "both" else None
    return Call(inputs=point.named(x, w, x_zero, w_zero), attributes=attributes)


def _deform(point: Point) -> Call:
    attributes = spatial(point, 2, "strides", "dilations", "pads")
    group, offsets = point["group"], point["offset_group"]
    if group != OMIT:
        attributes["group"] = group
    if offsets != OMIT:
        attributes["offset_group"] = offsets
    groups, offset_groups = attributes.get("group", 1), attributes.get("offset_group", 1)
    stride, dilation = attributes.get("strides", (1,))[0], attributes.get("dilations", (1,))[0]
    pad = attributes.get("pads", (0,))[0]
    out = (5 + 2 * pad - dilation - 1) // stride + 1
    x = point.data((point.size(1, "N"), 4, 5, 5))
    w = point.data((4, 4 // groups, 2, 2))
    offset = point.data((1, offset_groups * 8, out, out), low=-0.5, high=0.5, special=False)
    b = point.data((4,)) if point["extra"] in ("bias", "both") else None
    mask = point.data((1, offset_groups * 4, out, out)) if point["extra"] in ("mask", "both") else None
    return Call(inputs=point.named(x, w, offset, b, mask), attributes=attributes)


def _col2im(point: Point) -> Call:
    attributes = spatial(point, 2, "strides", "dilations", "pads")
    stride, dilation = attributes.get("strides", (1, 1)), attributes.get("dilations", (1, 1))
    pad = attributes.get("pads", (0, 0, 0, 0))
    image, block = (5, 5), (1, 3) if point["block"] == "row" else (2, 2)
    counts = [
        (image[at] + pad[at] + pad[at + 2] - dilation[at] * (block[at] - 1) - 1) // stride[at] + 1 for at in (0, 1)
    ]
    x = point.data((point.size(2, "N"), 3 * block[0] * block[1], counts[0] * counts[1]))
    return Call(inputs=point.named(x, fixed(image), fixed(block)), attributes=attributes)


def _causal(point: Point) -> Call:
    x = point.data((point.size(2, "N"), 4, point.size(6, "L")))
    w = point.data((4, 1, 3))
    b: Operand | None = point.data((4,)) if point["extra"] in ("bias", "both") else None
    state = point.data((point.size(2, "N"), 4, 2)) if point["extra"] in ("state", "both") else None
    return Call(
        inputs=point.named(x, w, b, state), attributes=point.attributes("activation"), outputs=("Y", "present_state")
    )


_COMMON: Final[dict[str, tuple[Any, ...]]] = {
    "strides": (OMIT, 2, 1),
    "dilations": (OMIT, 2, 1),
    "pads": (OMIT, 1, (0, 1, 2, 1), (0, 1)),
}
_AUTO: Final = (OMIT, "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")

SPECS: Final = (
    OperatorSpec(
        op_type="Conv",
        make=_conv,
        axes={
            "auto_pad": _AUTO,
            "rank": (2, 1, 3),
            "kernel": (3, 1, 2),
            "kernel_shape": (OMIT, "given"),
            "group": (OMIT, 1, 2, 4),
            "bias": (True, False),
            **_COMMON,
        },
    ),
    OperatorSpec(
        op_type="ConvTranspose",
        make=_conv_transpose,
        axes={
            "auto_pad": _AUTO,
            "rank": (2, 1, 3),
            "kernel_shape": (OMIT, "given"),
            "group": (OMIT, 1, 2),
            "output_padding": (OMIT, 0, 1),
            "output_shape": (OMIT, "given"),
            "bias": (True, False),
            **_COMMON,
        },
    ),
    OperatorSpec(
        op_type="ConvInteger",
        make=_conv_integer,
        axes={
            "auto_pad": _AUTO,
            "kernel_shape": (OMIT, 3),
            "w_dtype": ("uint8", "int8"),
            "zero_points": ("none", "x", "both"),
            "group": (OMIT, 2),
            **_COMMON,
        },
    ),
    OperatorSpec(
        op_type="DeformConv",
        make=_deform,
        axes={
            "strides": (OMIT, 2),
            "dilations": (OMIT, 2),
            "pads": (OMIT, 1),
            "group": (OMIT, 2),
            "offset_group": (OMIT, 2),
            "extra": ("none", "bias", "mask", "both"),
        },
    ),
    OperatorSpec(
        op_type="Col2Im",
        make=_col2im,
        axes={
            "strides": (OMIT, 2),
            "dilations": (OMIT, 2),
            "pads": (OMIT, 1, (1, 0, 1, 0)),
            "block": ("row", "square"),
        },
    ),
    OperatorSpec(
        op_type="CausalConvWithState",
        make=_causal,
        axes={"activation": (OMIT, "none", "silu", "swish"), "extra": ("none", "bias", "state", "both")},
    ),
)
