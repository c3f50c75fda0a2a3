"""The table of a-priori bounds: one row per operator of ai.onnx and ai.onnx.ml, also where no bound is known.

Data only: `facts` defines the meaning of a row, `counts` and `counts_elementwise` compute a count, `bounds` computes
the bound from it. "WebNN" in a source is the table of tolerances of the published WebNN conformance tests
(web-platform-tests, webnn/resources/utils.js), whose numbers of ULP are taken as numbers of unit roundoffs; "Higham" is
N. Higham, Accuracy and Stability of Numerical Algorithms, chapters 3 and 4: the error of a sum of N terms in any order
is (N - 1)·u·Σ|x| at most, that of an inner product N·u·Σ|a||b|. Terms of order u² are neglected.
"""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from burn_verify.judge import counts as c
from burn_verify.judge import counts_elementwise as e
from burn_verify.judge.facts import Count, Magnitude, Rule, RuleKind

_ML: Final = "ai.onnx.ml"
_WEBNN: Final = "WebNN"
_HIGHAM: Final = "Higham"


def _row(
    op_types: str, formula: str, count: Count | float, magnitude: Magnitude, source: str, **further: Any
) -> Iterator[Rule]:
    """Yield the same row for several operators."""
    counted = count if callable(count) else c.constant(count)
    for op_type in op_types.split():
        yield Rule(op_type=op_type, formula=formula, count=counted, magnitude=magnitude, source=source, **further)


def _exact(op_types: str, why: str, domain: str = "", kind: RuleKind = RuleKind.EXACT) -> Iterator[Rule]:
    """Yield rows of operators without rounding errors."""
    for op_type in op_types.split():
        yield Rule(
            op_type=op_type,
            domain=domain,
            formula="0",
            count=c.constant(0),
            magnitude=Magnitude.REFERENCE,
            source=why,
            kind=kind,
        )


def _unknown(op_types: str, why: str, domain: str = "") -> Iterator[Rule]:
    """Yield rows of operators without a bound."""
    for op_type in op_types.split():
        yield Rule(
            op_type=op_type,
            domain=domain,
            formula=f"no bound known: {why}",
            count=None,
            magnitude=Magnitude.REFERENCE,
            source=why,
            kind=RuleKind.UNKNOWN,
        )


def _exact_rows() -> Iterator[Rule]:
    yield from _exact(
        "BitCast CenterCropPad Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace Expand EyeLike "
        "Flatten Gather GatherElements GatherND Identity MaxUnpool OneHot Optional OptionalGetElement Pad Reshape "
        "ReverseSequence Scatter SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert Slice "
        "SpaceToDepth Split SplitToSequence Squeeze TensorScatter Tile Transpose Trilu Unsqueeze Where",
        "moves elements; WebNN: 0",
        kind=RuleKind.MOVES,
    )
    yield from _exact(
        "Abs Ceil Clip Floor GlobalMaxPool Hardmax Max MaxPool MaxRoiPool Min Neg ReduceMax ReduceMin Relu Round Sign "
        "ThresholdedRelu TopK Unique",
        "chooses or rounds to integers; WebNN: 0 for clamp, relu, max, abs",
    )
    yield from _exact(
        "And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor ConvInteger Equal Greater "
        "GreaterOrEqual IsInf IsNaN Less LessOrEqual MatMulInteger NonMaxSuppression NonZero Not OptionalHasElement Or "
        "RegexFullMatch SequenceLength Shape Size StringConcat StringNormalizer StringSplit Xor",
        "integers, booleans or text; ties are for discrete rules",
    )
    yield from _exact("Mod", "the remainder of two floats is a float (IEEE 754, fmod)")
    yield from _exact(
        "ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder "
        "OneHotEncoder ZipMap",
        "moves, chooses or looks up",
        _ML,
    )


def _unknown_rows() -> Iterator[Rule]:
    yield from _unknown("If Loop Scan SequenceMap", "control flow, as exact as its body")
    yield from _unknown("Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike", "random")
    yield from _unknown("ImageDecoder", "image decoding")
    yield from _unknown("Attention CausalConvWithState LinearAttention", "composite: a softmax or state inside")
    yield from _unknown("DeformConv", "composite: samples at computed places, times weights")
    yield from _unknown("Det", "conditioning: the magnitude is the permanent of |A|")
    yield from _unknown("MelWeightMatrix", "rounds computed frequencies to bins")
    yield from _unknown("SVMClassifier SVMRegressor", "composite: kernels and votes", _ML)
    yield from _unknown(
        "TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor", "a sum of leaves that the input chooses", _ML
    )


def _elementwise_rows() -> Iterator[Rule]:
    reference, absolute, one = Magnitude.REFERENCE, Magnitude.ABSOLUTE, Magnitude.ONE
    yield from _row("Add Sub Mul Sqrt", "1", 1, reference, f"{_WEBNN}; one IEEE rounding")
    yield from _row("Div Reciprocal", "2", 2, reference, f"{_WEBNN}; a reciprocal and a product on some devices")
    yield from _row("Exp Pow", "32", 32, reference, _WEBNN)
    yield from _row("Cosh", "34", 34, reference, f"{_WEBNN} exp 32, a sum of two of one sign, a halving")
    # A kernel that subtracts exponentials has an error of 33 u · cosh(x) ≤ 33 u · (1 + |sinh(x)|).
    yield from _row("Sinh", "34", 34, reference, f"{_WEBNN} exp 32, which cancels near 0", constant=c.constant(34))
    yield from _row(
        "Sin Cos Tan Log Erf Acos Asin Atan Acosh Asinh Atanh",
        "64",
        64,
        one,
        f"{_WEBNN} for sin, cos, tan, log, erf, whose last place grows with the value; the inverse ones as they",
        relative=5.0,
    )
    yield from _row(
        "Tanh", "16", 16, one, f"{_WEBNN}, absolute as (exp(2x) - 1)/(exp(2x) + 1) cancels near 0", relative=17.0
    )
    yield from _row("Sigmoid", "34", 34, reference, f"{_WEBNN}: exp 32, add, divide", constant=e.sigmoid_constant)
    yield from _row("HardSigmoid", "2·(1+2|beta|)", e.hard_sigmoid, one, f"{_WEBNN} 2; |alpha·x| ≤ 1+|beta| between")
    yield from _row("HardSwish", "10", 10, absolute, f"{_WEBNN} 4, of x/6 + 1/2 ≤ 1; HardSwish(|x|) ≥ |x|/2")
    yield from _row(
        "Elu Celu",
        "18·max(1, |alpha|)",
        e.exponential_unit(1.0),
        one,
        f"{_WEBNN} elu, absolute as exp(x) - 1 cancels near 0; float32 attribute",
        relative=3.0,
    )
    yield from _row(
        "Selu",
        "2, float32 gamma",
        e.scaled_unit,
        reference,
        "as Elu, times gamma",
        constant=e.exponential_unit(1.67326319217681884765625, 1.05070102214813232421875),
    )
    yield from _row("Softplus", "18", 18, one, f"{_WEBNN}, absolute as log(1 + exp(x)) cancels", relative=19.0)
    yield from _row("Softsign", "3", 3, reference, f"{_WEBNN}: add, divide")
    yield from _row("LeakyRelu", "1", e.leaky(0.01), reference, f"{_WEBNN}; float32 attribute")
    yield from _row("PRelu", "1", 1, reference, _WEBNN)
    yield from _row("Shrink", "1", 1, reference, "one subtraction; float32 attribute", constant=e.shrink_constant)
    yield from _row("Gelu", "2·18", 36, absolute, f"{_WEBNN} 18 of |x|; Gelu(|x|) ≥ |x|/2")
    yield from _row("Mish", "2·(18+16)", 68, absolute, f"{_WEBNN} softplus 18, tanh 16, of |x|; Mish(|x|) ≥ |x|/2")
    yield from _row("Swish SwiGLU", "2·(34+3)", e.swish, absolute, f"{_WEBNN} sigmoid 34 of |x|; Swish(|x|) ≥ |x|/2")
    yield from _row("Sum", "n", c.variadic(0), absolute, _HIGHAM)
    yield from _row("Mean", "n+2", c.variadic(2), absolute, f"{_HIGHAM}; a division")
    yield from _row("Cast CastLike", "1, or 0 where the type is wider", e.cast, reference, "one IEEE rounding")
    yield from _row("Dropout", "0", e.dropout, reference, "the identity, unless it trains", kind=RuleKind.EXACT)
    yield from _row("Range", "n+4", e.generated, Magnitude.INPUTS, f"{_HIGHAM}: n additions of the step")
    yield from _row(
        "BlackmanWindow HammingWindow HannWindow",
        "cos+4π+6",
        64 + 4 * math.pi + 6,
        one,
        f"{_WEBNN} cos, its argument, three terms",
    )


def _reduction_rows() -> Iterator[Rule]:
    reference, absolute, inputs, one = (
        Magnitude.REFERENCE,
        Magnitude.ABSOLUTE,
        Magnitude.INPUTS,
        Magnitude.ONE,
    )
    yield from _row("ReduceSum", "N", c.reduction(1, 0), absolute, f"{_WEBNN}; {_HIGHAM}")
    yield from _row("ReduceMean", "N+2", c.reduction(1, 2), absolute, f"{_WEBNN}; {_HIGHAM} and a division")
    yield from _row("ReduceL1 ReduceProd", "N", c.reduction(1, 0), reference, f"{_WEBNN}; {_HIGHAM}")
    yield from _row("ReduceL2", "2N+1", c.reduction(2, 1), reference, f"{_WEBNN}; squares do not cancel")
    yield from _row("ReduceSumSquare", "2N", c.reduction(2, 0), reference, f"{_WEBNN}; squares do not cancel")
    yield from _row(
        "ReduceLogSum", "N+18", c.reduction(1, 18), one, f"{_WEBNN}, absolute; for inputs of one sign", relative=5.0
    )
    yield from _row(
        "ReduceLogSumExp",
        "4",
        4,
        inputs,
        f"{_WEBNN} 2N+18 and exp 32, absolute; subtracting the maximum rounds max|x|",
        constant=c.reduction(2, 50),
        relative=5.0,
    )
    yield from _row("CumSum", "N", c.scanned, absolute, _HIGHAM)
    yield from _row("CumProd", "N", c.scanned, reference, _HIGHAM)
    yield from _row("Softmax", "3N+3+|exponent|", e.softmax, reference, f"{_WEBNN} 3N+3; x - max rounds the exponent")
    yield from _row(
        "LogSoftmax",
        "4",
        4,
        inputs,
        f"{_WEBNN} log-sum-exp 2N+18 and exp 32, absolute; two subtractions",
        constant=e.log_softmax_constant,
        relative=5.0,
    )
    yield from _row(
        "SoftmaxCrossEntropyLoss",
        "4+2·2n",
        e.cross_entropy(scale=4, plus=4),
        inputs,
        "log-softmax, and a weighted mean of n values",
        constant=e.cross_entropy(scale=16, plus=70),
        relative=5.0,
        sources=(0,),
    )
    yield from _row(
        "NegativeLogLikelihoodLoss",
        "4n",
        e.cross_entropy(scale=2, plus=4),
        inputs,
        f"{_HIGHAM}: a weighted mean of n values",
        sources=(0,),
    )
    yield from _row("LpPool GlobalLpPool", "HW+66", c.pool(1, 66), reference, f"{_HIGHAM}; two powers of 32 ({_WEBNN})")
    yield from _row("AveragePool GlobalAveragePool", "HW+2", c.pool(1, 2), absolute, f"{_WEBNN}; {_HIGHAM}")


def _contraction_rows() -> Iterator[Rule]:
    absolute, inputs = Magnitude.ABSOLUTE, Magnitude.INPUTS
    yield from _row("MatMul", "2K", c.matmul, absolute, f"{_WEBNN}; {_HIGHAM}")
    yield from _row("Gemm", "2K+3", c.gemm, absolute, f"{_WEBNN}; {_HIGHAM}; float32 attributes")
    yield from _row("Conv", "2·Kh·Kw·Cin/groups", c.conv, absolute, f"{_WEBNN}; {_HIGHAM}; 2 for a bias")
    yield from _row("ConvTranspose", "2·Kh·Kw·Cin/groups", c.conv_transpose, absolute, f"{_WEBNN}; {_HIGHAM}")
    yield from _row("Einsum", "2K+m", c.einsum, absolute, f"{_HIGHAM}: m operands, K terms")
    yield from _row("Col2Im", "block", c.col2im, absolute, f"{_HIGHAM}: a pixel is in one column of each block at most")
    yield from _row("ScatterElements ScatterND", "updates, or 0", c.scattered, absolute, f"{_HIGHAM}, for add and mul")
    yield from _row(
        "DFT STFT", "2N(N+8)", c.fourier, inputs, f"{_HIGHAM}: N products of rounded roots of unity; a window within ±1"
    )
    yield from _row(
        "RNN",
        "T·(2(I+H)+36)",
        c.recurrent(1),
        inputs,
        f"matmul 2K and sigmoid 34 ({_WEBNN}), a step on a step; for a recurrence that does not amplify",
        constant=c.recurrent(1),
        feeds_back=True,
    )
    for op_type, gates, words in (("GRU", 3, "three"), ("LSTM", 4, "four")):
        yield from _row(
            op_type,
            f"{gates}·T·(2(I+H)+36)",
            c.recurrent(gates),
            inputs,
            f"as RNN, with {words} gates",
            constant=c.recurrent(gates),
            feeds_back=True,
        )


def _normalisation_rows() -> Iterator[Rule]:
    reference, deviation, inputs = Magnitude.REFERENCE, Magnitude.DEVIATION, Magnitude.INPUTS
    yield from _row(
        "BatchNormalization", "8", c.batch_normalisation, deviation, f"{_WEBNN} 6; 2 for the folded form", outputs=1
    )
    yield from _row(
        "LayerNormalization GroupNormalization InstanceNormalization",
        "N+8",
        c.normalised(1e-5),
        deviation,
        f"{_HIGHAM}: a mean of N, a mean of N squares of deviations, a root, a quotient, scale and bias",
        outputs=1,
    )
    # The function body in the ONNX standard computes E[x²] - E[x]², which cancels; S holds for kernels that use
    # deviations from the mean.
    yield from _row("MeanVarianceNormalization", "N+8", c.normalised(1e-9), deviation, "as LayerNormalization")
    yield from _row("RMSNormalization", "N+8", c.normalised(1e-5), reference, f"{_HIGHAM}: nothing cancels")
    yield from _row("LpNormalization", "2N+3", c.lp_normalised, reference, f"{_WEBNN} L2 2N+1 and a division")
    yield from _row("LRN", "beta·(2n+4)+34", c.local_response, reference, f"{_HIGHAM}; pow 32 ({_WEBNN}), a division")
    yield from _row("RotaryEmbedding", "6", 6, inputs, "two products and a sum, cosines within ±1")
    yield from _row(
        "Resize Upsample",
        "8·Σsizes+12, 4 times that for cubic, 0 for nearest",
        e.interpolated(8, mode="nearest"),
        inputs,
        "coordinates off by four roundings of the size, neighbours by 2·max|x|",
        sources=(0,),
    )
    yield from _row("GridSample", "as Resize", e.interpolated(8, mode="linear"), inputs, "as Resize", sources=(0,))
    yield from _row("RoiAlign", "8(H+W)+12+samples", e.roi_align, inputs, "as Resize, and a mean", sources=(0,))
    yield from _row("AffineGrid", "(d+1)(d+9)", e.affine_grid, inputs, f"{_HIGHAM}; |coordinates| ≤ 1", sources=(0,))


def _quantised_rows() -> Iterator[Rule]:
    reference = Magnitude.REFERENCE
    yield from _row("DequantizeLinear", "2", 2, reference, "a conversion and a product")
    yield from _row(
        "QuantizeLinear QLinearConv QLinearMatMul", "4", 4, reference, "one step: a quotient near a half", steps=1
    )
    yield from _row(
        "DynamicQuantizeLinear", "4", 4, reference, "one step; the scale is (max - min)/255, min ≤ 0 ≤ max", steps=1
    )
    yield from _row("TfIdfVectorizer", "1", 1, reference, "counts are exact, times a weight")


def _ml_rows() -> Iterator[Rule]:
    inputs = Magnitude.INPUTS
    yield from _row(
        "LinearClassifier LinearRegressor",
        "(2K+3)·Σ|coefficients|",
        e.linear_model,
        inputs,
        f"{_HIGHAM}; the post-transforms have slope 1 at most",
        domain=_ML,
        constant=e.linear_model_constant,
        sources=(0,),
    )
    yield from _row("Normalizer", "2N+3", c.lp_normalised, Magnitude.REFERENCE, f"{_WEBNN} L2 2N+1", domain=_ML)
    yield from _row(
        "Scaler",
        "3·|scale|",
        e.scaler("scale"),
        inputs,
        "(x - offset)·scale",
        domain=_ML,
        constant=e.scaler("offset"),
        sources=(0,),
    )


def _table() -> dict[tuple[str, str], Rule]:
    rows = [
        *_exact_rows(),
        *_unknown_rows(),
        *_elementwise_rows(),
        *_reduction_rows(),
        *_contraction_rows(),
        *_normalisation_rows(),
        *_quantised_rows(),
        *_ml_rows(),
    ]
    return {(rule.domain, rule.op_type): rule for rule in rows}


RULES: Final[Mapping[tuple[str, str], Rule]] = MappingProxyType(_table())
"""The row of each (domain, operator); a unit test compares the keys with the operators that onnx defines."""
