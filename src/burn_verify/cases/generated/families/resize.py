"""Slicing, padding, resizing, and sampling at places."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, Operand, OperatorSpec, Point, fixed

FAMILY: Final = "resize"
_SHAPE: Final = (4, 5, 3)
_FAR: Final = 2**63 - 1


def _slice(point: Point) -> Call:
    starts, ends, axes, steps = point["span"]
    if point.version < 10:
        if steps != OMIT or axes not in (OMIT, (0,), (0, 1), (1,)):
            raise NotApplicable
        given = {"starts": starts, "ends": ends, **({} if axes == OMIT else {"axes": axes})}
        return Call(inputs=point.named(point.data(_SHAPE)), attributes=given)
    if steps != OMIT and axes == OMIT and len(steps) != len(starts):
        raise NotApplicable
    operands = [None if value == OMIT else fixed(value, point["tind"]) for value in (starts, ends, axes, steps)]
    first = point.data((point.size(4, "L"), *_SHAPE[1:]))
    return Call(inputs=point.named(first, *operands))


_SPANS: Final = (
    ((1,), (3,), (0,), OMIT),
    ((0, 1), (2, 4), (0, 1), OMIT),
    ((1, 0, 1), (3, 2, 3), OMIT, OMIT),
    ((-3,), (-1,), (1,), OMIT),
    ((0,), (_FAR,), (1,), (2,)),
    ((-1,), (-_FAR,), (0,), (-1,)),
    ((0, 4), (4, 0), (0, 1), (2, -2)),
    ((1,), (1,), (0,), OMIT),
    ((9,), (12,), (1,), OMIT),
    ((0, 1), (2, 4), (-2, -1), (1, 1)),
    ((1, 2), (3, 4), (0, 1), (1, 1)),
)


def _pad(point: Point) -> Call:
    mode, pads, axes = point["mode"], point["pads"], point["axes"]
    if mode in ("reflect", "edge", "wrap") and (min(pads) < 0 and mode != "edge"):
        raise NotApplicable
    if mode == "wrap" and point.version < 19:
        raise NotApplicable
    if point.dtype in ("string", "complex64", "complex128") and point["constant_value"] != OMIT:
        raise NotApplicable
    value = None if point["constant_value"] == OMIT else fixed(point["constant_value"], point.dtype)
    attributes = point.attributes("mode")
    x = point.data((3, 4))
    if point.has("pads"):
        given = {} if point["constant_value"] == OMIT else {"value": float(point["constant_value"])}
        if axes != OMIT:
            raise NotApplicable
        return Call(inputs=point.named(x), attributes={"pads": pads, **given, **attributes})
    if axes != OMIT:
        if point.version < 18:
            raise NotApplicable
        return Call(inputs=point.named(x, fixed((pads[0], pads[2])), value, fixed(axes)), attributes=attributes)
    return Call(inputs=point.named(x, fixed(pads), value), attributes=attributes)


def _resize(point: Point) -> Call:
    transform = point["coordinate_transformation_mode"]
    roi: Operand | None = None
    if transform == "tf_crop_and_resize":
        roi = fixed([0, 0, 0.25, 0.25, 1, 1, 0.75, 1], point.dtype if point.dtype.startswith("f") else "float32")
    scales, sizes = None, None
    if point["by"].startswith("sizes"):
        if point.version < 11:
            raise NotApplicable
        sizes = fixed({"sizes": (1, 2, 6, 8), "sizes-": (1, 2, 2, 3)}[point["by"]])
    else:
        scales = fixed(
            {"scales": (1, 1, 2, 2), "scales-": (1, 1, 0.5, 0.75), "scales~": (1, 1, 1.5, 1)}[point["by"]], "float32"
        )
    names = ("mode", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "exclude_outside")
    attributes = point.attributes(*names, "extrapolation_value", "antialias", "keep_aspect_ratio_policy")
    _fitting(point, attributes)
    x = point.data((1, 2, 4, 4))
    if point.version < 11:
        return Call(inputs=point.named(x, scales), attributes=attributes)
    if point.version < 13:
        roi = roi or fixed([], "float32")
        scales = scales or fixed([], "float32")
    return Call(inputs=point.named(x, roi, scales, sizes), attributes=attributes)


def _fitting(point: Point, attributes: dict[str, Any]) -> None:
    mode = attributes.get("mode", "nearest")
    if mode == "cubic" and point.version < 11:
        raise NotApplicable
    # ONNX does not define values between true and false, or between two texts.
    if mode != "nearest" and point.dtype in ("bool", "string"):
        raise NotApplicable
    only_nearest = "nearest_mode" in attributes and mode != "nearest"
    only_cubic = ("cubic_coeff_a" in attributes or attributes.get("exclude_outside") == 1) and mode != "cubic"
    crop = attributes.get("coordinate_transformation_mode") == "tf_crop_and_resize"
    if only_nearest or only_cubic or ("extrapolation_value" in attributes and not crop):
        raise NotApplicable
    if attributes.get("antialias") == 1 and (mode == "nearest" or crop):
        raise NotApplicable
    if "keep_aspect_ratio_policy" in attributes and not point["by"].startswith("sizes"):
        raise NotApplicable
    if attributes.get("coordinate_transformation_mode") == "half_pixel_symmetric" and point.version < 19:
        raise NotApplicable
    if attributes.get("coordinate_transformation_mode") == "tf_half_pixel_for_nn" and point.version != 11:
        raise NotApplicable
    if "keep_aspect_ratio_policy" in attributes and crop:
        raise NotApplicable


def _grid_sample(point: Point) -> Call:
    names = {"linear": "bilinear", "cubic": "bicubic"} if point.version < 20 else {}
    mode = point["mode"]
    volume = point["rank"] == 3
    if volume and (point.version < 20 or mode == "cubic"):
        raise NotApplicable
    attributes = point.attributes("padding_mode", "align_corners")
    if mode != OMIT:
        attributes["mode"] = names.get(mode, mode)
    x = (1, 2, 3, 4, 4) if volume else (point.size(2, "N"), 2, 4, 5)
    places = (1, 2, 2, 3, 3) if volume else (point.size(2, "N"), 3, 2, 2)
    grid_dtype = point.dtype if point.dtype.startswith(("float", "bfloat")) else "float32"
    grid = point.data(places, dtype=grid_dtype, low=-1.25, high=1.25, special=False)
    return Call(inputs=point.named(point.data(x), grid), attributes=attributes)


def _affine_grid(point: Point) -> Call:
    size = (2, 3, 4, 5) if point["rank"] == 2 else (1, 2, 2, 3, 4)
    theta = point.data((2, 2, 3) if point["rank"] == 2 else (1, 3, 4), low=-1, high=1)
    return Call(inputs=point.named(theta, fixed(size)), attributes=point.attributes("align_corners"))


SPECS: Final = (
    OperatorSpec(op_type="Slice", make=_slice, axes={"span": _SPANS, "tind": ("int64", "int32")}),
    OperatorSpec(
        op_type="Pad",
        make=_pad,
        axes={
            "mode": (OMIT, "constant", "reflect", "edge", "wrap"),
            "pads": ((0, 1, 2, 1), (1, 1, 1, 1), (0, 0, 0, 0), (0, -1, 0, 1)),
            "constant_value": (OMIT, 1, 0),
            "axes": (OMIT, (0,), (1,), (-1,)),
        },
        homes={"pads_as=shape": {"pads": (1, 1, 1, 1)}},
    ),
    OperatorSpec(
        op_type="Resize",
        make=_resize,
        axes={
            "mode": (OMIT, "nearest", "linear", "cubic"),
            "by": ("scales", "scales-", "scales~", "sizes", "sizes-"),
            "coordinate_transformation_mode": (
                OMIT,
                "half_pixel",
                "asymmetric",
                "align_corners",
                "pytorch_half_pixel",
                "half_pixel_symmetric",
                "tf_half_pixel_for_nn",
                "tf_crop_and_resize",
            ),
            "nearest_mode": (OMIT, "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
            "cubic_coeff_a": (OMIT, -0.5),
            "exclude_outside": (OMIT, 1),
            "extrapolation_value": (OMIT, 2.0),
            "antialias": (OMIT, 1),
            "keep_aspect_ratio_policy": (OMIT, "stretch", "not_larger", "not_smaller"),
        },
        homes={
            "cubic_coeff_a=-0.5": {"mode": "cubic"},
            "exclude_outside=1": {"mode": "cubic"},
            "antialias=1": {"mode": "linear"},
            "extrapolation_value=2.0": {"coordinate_transformation_mode": "tf_crop_and_resize"},
            "sizes=shape": {"by": "sizes"},
            **{
                f"keep_aspect_ratio_policy={value}": {"by": "sizes"}
                for value in ("stretch", "not_larger", "not_smaller")
            },
        },
    ),
    OperatorSpec(
        op_type="GridSample",
        make=_grid_sample,
        axes={
            "mode": (OMIT, "linear", "nearest", "cubic"),
            "padding_mode": (OMIT, "zeros", "border", "reflection"),
            "align_corners": (OMIT, 0, 1),
            "rank": (2, 3),
        },
    ),
    OperatorSpec(op_type="AffineGrid", make=_affine_grid, axes={"rank": (2, 3), "align_corners": (OMIT, 0, 1)}),
)
