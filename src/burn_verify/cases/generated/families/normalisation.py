"""Normalisations, and the losses that follow them."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, Operand, OperatorSpec, Point, index

FAMILY: Final = "normalisation"
_EPSILON: Final = (OMIT, 1e-5, 0.125)


def _image(point: Point, rank: int, batch: str = "N") -> Operand:
    return point.data((point.size(2, batch), 4, *(3, 2, 2)[:rank]))


def _batch(point: Point) -> Call:
    training = point["training_mode"] == 1
    # Since version 15 the statistics have types of their own, which may be wider than that of the input.
    x = _image(point, point["rank"], "M" if training else "N")
    scale, bias = point.data((4,), low=0.5, high=2), point.data((4,))
    mean, variance = point.data((4,)), point.data((4,), low=0.25, high=4, special=False)
    outputs = ("Y", "running_mean", "running_var") if training and point.has("training_mode") else ("Y",)
    attributes = point.attributes("epsilon", "momentum", "training_mode")
    return Call(inputs=point.named(x, scale, bias, mean, variance), attributes=attributes, outputs=outputs)


def _instance(point: Point) -> Call:
    operands = _image(point, point["rank"]), point.data((4,)), point.data((4,))
    return Call(inputs=point.named(*operands), attributes=point.attributes("epsilon"))


def _layer(point: Point) -> Call:
    shape, axis = point["shape"], point["axis"]
    place = -1 if axis == OMIT else axis
    if not -len(shape) <= place < len(shape):
        raise NotApplicable
    inner = shape[place:]
    outputs = {1: ("Y",), 2: ("Y", "Mean"), 3: ("Y", "Mean", "InvStdDev")}[point["outputs"]]
    bias = point.data(inner) if point["bias"] else None
    x = point.data((point.size(shape[0], "N"), *shape[1:]) if place % len(shape) else shape)
    attributes = point.attributes("axis", "epsilon", "stash_type")
    return Call(inputs=point.named(x, point.data(inner), bias), attributes=attributes, outputs=outputs)


def _rms(point: Point) -> Call:
    shape, axis = point["shape"], point["axis"]
    place = -1 if axis == OMIT else axis
    if not -len(shape) <= place < len(shape):
        raise NotApplicable
    inner = shape[place:] if point["scale_shape"] == "whole" else shape[-1:]
    attributes = point.attributes("axis", "epsilon", "stash_type")
    return Call(inputs=point.named(point.data(shape), point.data(inner)), attributes=attributes)


def _group(point: Point) -> Call:
    attributes = point.attributes("epsilon", "stash_type", num_groups=point["num_groups"])
    operands = _image(point, point["rank"]), point.data((4,)), point.data((4,))
    return Call(inputs=point.named(*operands), attributes=attributes)


def _alone(op_type: str, **axes: tuple[Any, ...]) -> OperatorSpec:
    def make(point: Point) -> Call:
        if point["rank"] + 2 <= max((0, *point["axes"])) if "axes" in axes and point["axes"] != OMIT else False:
            raise NotApplicable
        # Where axes are reduced, the batch is among them.
        x = _image(point, point["rank"], "M" if "axes" in axes else "N")
        return Call(inputs=point.named(x), attributes=point.attributes(*axes))

    return OperatorSpec(op_type=op_type, make=make, axes={"rank": (2, 1, 3), **axes})


def _lp(point: Point) -> Call:
    shape = point["shape"]
    if point["axis"] != OMIT and not -len(shape) <= point["axis"] < len(shape):
        raise NotApplicable
    return Call(inputs=point.named(point.wide(shape)), attributes=point.attributes("axis", "p"))


def _loss(op_type: str) -> OperatorSpec:
    def make(point: Point) -> Call:
        shape = (point.size(3, "M"), 5, *(2, 2)[: point["rank"]])
        target = index((shape[0], *shape[2:]), 5, dtype=point["target_dtype"], negative=False)
        weight = point.data((5,), low=0.25, high=2, special=False) if point["weight"] else None
        attributes = point.attributes("reduction", "ignore_index")
        outputs = ("Y", "log_prob") if op_type.startswith("Softmax") and point["outputs"] == 2 else ("Y",)
        return Call(inputs=point.named(point.data(shape), target, weight), attributes=attributes, outputs=outputs)

    axes: dict[str, tuple[Any, ...]] = {
        "reduction": (OMIT, "mean", "sum", "none"),
        "ignore_index": (OMIT, 2, -1),
        "weight": (False, True),
        "rank": (0, 1, 2),
        "target_dtype": ("int64", "int32"),
    }
    if op_type.startswith("Softmax"):
        axes["outputs"] = (1, 2)
    return OperatorSpec(op_type=op_type, make=make, axes=axes)


SPECS: Final = (
    OperatorSpec(
        op_type="BatchNormalization",
        make=_batch,
        axes={
            "rank": (2, 0, 1, 3),
            "epsilon": _EPSILON,
            "momentum": (OMIT, 0.5),
            "training_mode": (OMIT, 0, 1),
        },
    ),
    OperatorSpec(op_type="InstanceNormalization", make=_instance, axes={"rank": (2, 1, 3), "epsilon": _EPSILON}),
    OperatorSpec(
        op_type="LayerNormalization",
        make=_layer,
        axes={
            "shape": ((2, 3, 4), (2, 4), (2, 3, 2, 2)),
            "axis": (OMIT, -1, 1, -2, 0),
            "epsilon": _EPSILON,
            "stash_type": (OMIT, 1),
            "bias": (True, False),
            "outputs": (1, 2, 3),
        },
    ),
    OperatorSpec(
        op_type="RMSNormalization",
        make=_rms,
        axes={
            "shape": ((2, 3, 4), (2, 4), (2, 3, 2, 2)),
            "axis": (OMIT, -1, 1, -2, 0),
            "epsilon": _EPSILON,
            "stash_type": (OMIT, 1),
            "scale_shape": ("whole", "last"),
        },
    ),
    OperatorSpec(
        op_type="GroupNormalization",
        make=_group,
        axes={"rank": (2, 1, 3), "num_groups": (2, 1, 4), "epsilon": _EPSILON, "stash_type": (OMIT, 1)},
        since=21,
    ),
    _alone("LRN", size=(3, 1, 5), alpha=(OMIT, 0.5), beta=(OMIT, 0.5), bias=(OMIT, 2.0)),
    _alone("MeanVarianceNormalization", axes=(OMIT, (0, 2, 3), (1,), (-1,), (2, 3))),
    OperatorSpec(
        op_type="LpNormalization",
        make=_lp,
        axes={"shape": ((2, 3), (2, 3, 4), (5,)), "axis": (OMIT, 0, 1, -1), "p": (OMIT, 1, 2)},
    ),
    _loss("NegativeLogLikelihoodLoss"),
    _loss("SoftmaxCrossEntropyLoss"),
)
