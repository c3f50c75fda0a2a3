"""Pooling: windows, whole images, and regions of interest."""

from typing import Any, Final

from burn_verify.cases.generated.families.conv import spatial
from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed

FAMILY: Final = "pool"
_SIZES: Final = (7, 6, 5)


def _image(point: Point, rank: int, batch: str = "N") -> Any:
    named = zip(_SIZES[:rank], "HWD", strict=False)
    return point.data((point.size(2, batch), point.size(3, "C"), *(point.size(size, name) for size, name in named)))


def _pool(op_type: str, **own: tuple[Any, ...]) -> OperatorSpec:
    def make(point: Point) -> Call:
        rank = point["rank"]
        attributes = spatial(point, rank, "kernel_shape", "strides", "dilations", "pads", "auto_pad")
        automatic = attributes.get("auto_pad", "NOTSET")
        if automatic != "NOTSET" and "pads" in attributes:
            raise NotApplicable
        # ONNX does not define SAME with dilation, or where strides leave elements out.
        apart = max(attributes.get("dilations", (1,))) > 1 or (
            max(attributes.get("strides", (1,))) > attributes["kernel_shape"][0]
        )
        if automatic.startswith("SAME") and apart:
            raise NotApplicable
        if any(pad >= attributes["kernel_shape"][0] for pad in attributes.get("pads", ())):
            raise NotApplicable
        others = tuple(name for name in own if name != "outputs")
        attributes |= point.attributes("ceil_mode", *others)
        outputs = ("Y", "Indices") if "outputs" in own and point["outputs"] == 2 else ("Y",)
        # Indices count through the batch.
        x = _image(point, rank, "N" if len(outputs) == 1 else "M")
        if len(outputs) > len(point.schema.outputs):
            raise NotApplicable
        return Call(inputs=point.named(x), attributes=attributes, outputs=outputs)

    axes = {
        "auto_pad": (OMIT, "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
        "rank": (2, 1, 3),
        "kernel_shape": (3, 2, 1),
        "strides": (OMIT, 2, 1),
        "dilations": (OMIT, 2, 1),
        "pads": (OMIT, 1, (0, 1, 1, 0), (0, 1)),
        "ceil_mode": (OMIT, 0, 1),
        **own,
    }
    return OperatorSpec(op_type=op_type, make=make, axes=axes)


def _global(op_type: str, **own: tuple[Any, ...]) -> OperatorSpec:
    def make(point: Point) -> Call:
        return Call(inputs=point.named(_image(point, point["rank"])), attributes=point.attributes(*own))

    return OperatorSpec(op_type=op_type, make=make, axes={"rank": (2, 1, 3), **own})


def _roi_pool(point: Point) -> Call:
    rois = fixed([[0, 0, 0, 4, 4], [1, 1, 2, 6, 5]], point.dtype)
    attributes = point.attributes("spatial_scale", pooled_shape=point["pooled_shape"])
    return Call(inputs=point.named(point.data((2, 3, 8, 8)), rois), attributes=attributes)


def _roi_align(point: Point) -> Call:
    rois = fixed([[0.0, 0.5, 4.0, 4.5], [1.0, 2.0, 6.0, 5.0], [0.0, 0.0, 7.0, 7.0]], point.dtype)
    names = ("mode", "output_height", "output_width", "sampling_ratio", "spatial_scale")
    attributes = point.attributes(*names, "coordinate_transformation_mode")
    return Call(inputs=point.named(point.data((2, 2, 8, 8)), rois, fixed([0, 1, 0])), attributes=attributes)


def _unpool(point: Point) -> Call:
    attributes = {"kernel_shape": (2, 2), "strides": (2, 2)} if point["strides"] == 2 else {"kernel_shape": (2, 2)}
    stride = 2 if point["strides"] == 2 else 1
    side = (3 - 1) * stride + 2
    shape = (1, 1, side + 1, side) if point["output_shape"] == "given" else (1, 1, side, side)
    places = fixed([[[[0, 2, 3], [side, side + 1, side + 2], [2 * side, 2 * side + 1, 2 * side + 3]]]])
    if point["output_shape"] == "given":
        return Call(inputs=point.named(point.data((1, 1, 3, 3)), places, fixed(shape)), attributes=attributes)
    return Call(inputs=point.named(point.data((1, 1, 3, 3)), places), attributes=attributes)


_SCALES: Final = (OMIT, 1.0, 0.5)

SPECS: Final = (
    _pool("AveragePool", count_include_pad=(OMIT, 0, 1)),
    _pool("MaxPool", storage_order=(OMIT, 0, 1), outputs=(1, 2)),
    _pool("LpPool", p=(OMIT, 1, 2, 3)),
    _global("GlobalAveragePool"),
    _global("GlobalMaxPool"),
    _global("GlobalLpPool", p=(OMIT, 1, 3)),
    OperatorSpec(
        op_type="MaxRoiPool", make=_roi_pool, axes={"pooled_shape": ((2, 2), (1, 3)), "spatial_scale": _SCALES}
    ),
    OperatorSpec(
        op_type="RoiAlign",
        make=_roi_align,
        axes={
            "mode": (OMIT, "avg", "max"),
            "coordinate_transformation_mode": (OMIT, "half_pixel", "output_half_pixel"),
            "output_height": (OMIT, 2),
            "output_width": (OMIT, 3),
            "sampling_ratio": (OMIT, 0, 2),
            "spatial_scale": _SCALES,
        },
    ),
    OperatorSpec(op_type="MaxUnpool", make=_unpool, axes={"strides": (2, OMIT), "output_shape": (OMIT, "given")}),
)
