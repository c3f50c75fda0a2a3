"""Operators of ``ai.onnx.ml``: preprocessing and linear models on numbers."""

from collections.abc import Callable
from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, index

FAMILY: Final = "ml"
_DOMAIN: Final = "ai.onnx.ml"
_NUMBERS: Final = ("float32", "float64", "int64", "int32")


def _spec(
    op_type: str, make: Callable[[Point], Call], *, dtypes: tuple[str, ...] = _NUMBERS, **axes: Any
) -> OperatorSpec:
    return OperatorSpec(op_type=op_type, make=make, domain=_DOMAIN, dtypes=dtypes, axes=axes)


def _plain(*names: str, **fixed: Any) -> Callable[[Point], Call]:
    def make(point: Point) -> Call:
        return Call(inputs=point.named(point.data((3, 4))), attributes=point.attributes(*names, **fixed))

    return make


def _extract(point: Point) -> Call:
    return Call(inputs=point.named(point.data((3, 4)), index((2,), 4, negative=False)))


def _features(point: Point) -> Call:
    inputs = {"X_0": point.data((3, 2)), "X_1": point.data((3, 1))}
    return Call(inputs=inputs, attributes={"inputdimensions": [2, 1]})


def _encode(point: Point) -> Call:
    return Call(
        inputs=point.named(point.data((4,), low=1, high=4)),
        attributes={"cats_int64s": [1, 2, 3], **point.attributes("zeros")},
    )


def _impute(point: Point) -> Call:
    floats = point.dtype.startswith("float")
    name, old = ("float", 1.0) if floats else ("int64", 1)
    values = [9.0, 8.0, 7.0, 6.0] if floats else [9, 8, 7, 6]
    attributes = {f"imputed_value_{name}s": values, f"replaced_value_{name}": old}
    return Call(inputs=point.named(point.data((3, 4), low=0, high=2)), attributes=attributes)


def _scale(point: Point) -> Call:
    one = point["per"] == "all"
    attributes = {"offset": [0.5] if one else [0.5, 1.0, 0.0, -1.0], "scale": [2.0] if one else [2.0, 0.5, 1.0, -1.0]}
    return Call(inputs=point.named(point.data((3, 4))), attributes=attributes)


def _regress(point: Point) -> Call:
    targets = point["targets"]
    attributes: dict[str, Any] = {
        "coefficients": [0.5 * place - 1.0 for place in range(4 * targets)],
        "targets": targets,
        **point.attributes("post_transform"),
    }
    if point["intercepts"]:
        attributes["intercepts"] = [0.5] * targets
    return Call(inputs=point.named(point.data((3, 4))), attributes=attributes)


def _classify(point: Point) -> Call:
    attributes: dict[str, Any] = {
        "classlabels_ints": [0, 1, 2],
        "coefficients": [0.25 * place - 1.0 for place in range(12)],
        "intercepts": [0.5, 0.0, -0.5],
        **point.attributes("post_transform", "multi_class"),
    }
    return Call(inputs=point.named(point.data((3, 4))), attributes=attributes, outputs=("Y", "Z"))


def _label(point: Point) -> Call:
    attributes = {"keys_int64s": [1, 2, 3], "values_int64s": [30, 20, 10], "default_int64": -1}
    if point.version == 1:
        raise NotApplicable
    return Call(inputs=point.named(point.data((4,), low=0, high=4)), attributes=attributes)


_TRANSFORMS: Final = (OMIT, "NONE", "SOFTMAX", "LOGISTIC")

SPECS: Final = (
    _spec("ArrayFeatureExtractor", _extract),
    _spec("Binarizer", _plain("threshold"), threshold=(OMIT, 1.0)),
    _spec("FeatureVectorizer", _features),
    _spec("OneHotEncoder", _encode, zeros=(OMIT, 1)),
    _spec("Imputer", _impute),
    _spec("Scaler", _scale, per=("feature", "all")),
    _spec("Normalizer", _plain("norm"), norm=(OMIT, "MAX", "L1", "L2")),
    _spec("LinearRegressor", _regress, targets=(1, 2), intercepts=(True, False), post_transform=(OMIT, "NONE")),
    _spec("LinearClassifier", _classify, post_transform=_TRANSFORMS, multi_class=(OMIT, 1)),
    _spec("LabelEncoder", _label, dtypes=("int64",)),
)
