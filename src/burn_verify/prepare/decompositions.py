"""The operators that are put differently, by others that are verified, and why.

A decomposition says the same with operators of the default domain; it declines a node of which it does not know enough.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from burn_verify.prepare.replace import OLDEST, Decomposer
from burn_verify.prepare.rewriting import Promise
from burn_verify.prepare.rewritings import (
    contrib,
    corners,
    elementwise,
    former,
    learned,
    pools,
    quantised,
    resize,
    sampling,
    selection,
    spectral,
    training,
)

_LACKS: Final = "burn-onnx does not have it"
_CORNERS: Final = "burn-onnx lacks some of its attributes and shapes, or computes them wrongly"
_PAIRS: Final = "burn-onnx takes it with two inputs only"
_TRAINING: Final = "ai.onnx.preview.training"
_ML: Final = "ai.onnx.ml"
_MS: Final = "com.microsoft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """How a node of an operator is put differently.

    Attributes:
        evidence: patterns of ids of cases that agree with it.
        oldest: the opset from which on its nodes are valid.
    """

    decomposer: Decomposer
    reason: str
    promise: Promise = Promise.CLOSE
    evidence: tuple[str, ...] = ()
    oldest: int = OLDEST


def _one(
    decomposer: Decomposer, reason: str, *evidence: str, promise: Promise = Promise.CLOSE, oldest: int = OLDEST
) -> Decomposition:
    return Decomposition(decomposer=decomposer, reason=reason, evidence=evidence, promise=promise, oldest=oldest)


def _same(decomposer: Decomposer, reason: str, *evidence: str, oldest: int = OLDEST) -> Decomposition:
    return _one(decomposer, reason, *evidence, promise=Promise.SAME, oldest=oldest)


DECOMPOSITIONS: Final[Mapping[str, Decomposition]] = {
    "Affine": _one(former.affine, _LACKS, oldest=1),
    "AveragePool": _one(
        pools.average_pool, _CORNERS, "node/test_averagepool_3d_*", "node/test_averagepool_2d_dilations"
    ),
    "BatchNormalization": _one(training.batch_normalization, _CORNERS, "node/test_batchnorm_*"),
    "BitCast": _same(corners.bit_cast, _LACKS, "node/test_bitcast_*"),
    "BitShift": _same(elementwise.bit_shift, "shifts by the width or more come out wrong", "node/test_bitshift_*"),
    "Clip": _one(elementwise.clip, "Rust's clamp panics where the bounds cross", "node/test_clip_min_greater_than_max"),
    "Col2Im": _one(selection.col2im, _CORNERS, "node/test_col2im_5d"),
    "Compress": _same(elementwise.compress, _LACKS, "node/test_compress_*"),
    "ConstantOfShape": _same(corners.without_elements, _CORNERS, "node/test_constantofshape_int_shape_zero"),
    "ConvInteger": _one(quantised.conv_integer, _LACKS, "node/test_convinteger_*"),
    "ConvTranspose": _same(corners.conv_transpose, "burn-onnx does not look at its output_shape", oldest=1),
    "Crop": _one(former.crop, _LACKS, oldest=1),
    "CumProd": _one(elementwise.cum_prod, _LACKS, "node/test_cumprod_*"),
    "DFT": _one(spectral.dft, _CORNERS, "node/test_dft*"),
    "DequantizeLinear": _one(quantised.dequantize, _CORNERS, "node/test_dequantizelinear_blocked"),
    "Gemm": _one(elementwise.gemm_of_computed, "a layer whose weights are computed has none when it is loaded"),
    "GridSample": _one(sampling.grid_sample, _CORNERS, "node/test_gridsample_volumetric_*"),
    "ImageScaler": _one(former.image_scaler, _LACKS, oldest=1),
    "LpPool": _one(pools.lp_pool, _CORNERS, "node/test_lppool_3d_default", "node/test_lppool_2d_dilations"),
    "MatMul": _one(elementwise.matmul_of_vectors, "two vectors give a rank 0", "node/test_matmul_1d_1d"),
    "MatMulInteger": _one(quantised.matmul_integer, _CORNERS),
    "Max": _same(elementwise.chained("Max"), _PAIRS, "node/test_max_example"),
    "MaxPool": _same(pools.max_pool, _CORNERS, "node/test_maxpool_3d_*"),
    "MaxUnpool": _same(selection.max_unpool, _LACKS, "node/test_maxunpool_*"),
    "Min": _same(elementwise.chained("Min"), _PAIRS, "node/test_min_example"),
    "OneHot": _same(selection.one_hot, "what is out of range panics", "node/test_onehot_out_of_range_indices"),
    "OptionalGetElement": _same(corners.get_element, _LACKS, "node/test_optional_get_element_*"),
    "OptionalHasElement": _same(corners.has_element, _LACKS, "node/test_optional_has_element_*"),
    "Pad": _same(corners.pad, _CORNERS, "node/test_wrap_pad"),
    "QLinearConv": _one(quantised.qlinear_conv, _LACKS, "node/test_qlinearconv"),
    "QLinearMatMul": _one(quantised.qlinear_matmul, _CORNERS, "node/test_qlinearmatmul_*"),
    "QuantizeLinear": _one(quantised.quantize, _CORNERS, "node/test_quantizelinear_blocked_*"),
    "Range": _one(elementwise.range_of, "burn-onnx has it for some dtypes only", "node/test_range_*"),
    "ReduceMax": _same(corners.reduction_of_nothing(-math.inf), _CORNERS, "node/test_reduce_max_empty_set"),
    "ReduceMin": _same(corners.reduction_of_nothing(math.inf), _CORNERS, "node/test_reduce_min_empty_set"),
    "Reshape": _same(corners.without_elements, _CORNERS, "node/test_reshape_allowzero_reordered"),
    "Resize": _one(resize.resize, _CORNERS, "node/test_resize_*"),
    "ReverseSequence": _same(elementwise.reverse_sequence, _LACKS, "node/test_reversesequence_*"),
    "RoiAlign": _one(sampling.roi_align, _LACKS, "node/test_roialign_*"),
    "Squeeze": _same(corners.squeeze, "burn-onnx does not know which axes are meant", "node/test_affine_grid_*"),
    "Sum": _one(corners.summed, "burn-onnx mixes numbers and tensors", "node/test_gelu_*_expanded"),
    "TensorScatter": _same(selection.tensor_scatter, _LACKS, "node/test_tensorscatter*"),
    "TfIdfVectorizer": _one(selection.tf_idf, _LACKS, "node/test_tfidfvectorizer_*"),
    "Trilu": _same(corners.without_elements, _CORNERS, "node/test_tril_zero"),
    "Unique": _same(selection.unique, _LACKS, "node/test_unique_*"),
    f"{_ML}.ArrayFeatureExtractor": _same(learned.feature_extractor, _LACKS, "node/test_ai_onnx_ml_array_*"),
    f"{_ML}.Binarizer": _same(learned.binarizer, _LACKS, "node/test_ai_onnx_ml_binarizer"),
    f"{_ML}.LinearClassifier": _one(learned.linear_classifier, _LACKS),
    f"{_ML}.LinearRegressor": _one(learned.linear_regressor, _LACKS),
    f"{_ML}.Normalizer": _one(learned.normalizer, _LACKS),
    f"{_ML}.Scaler": _one(learned.scaler, _LACKS),
    f"{_ML}.TreeEnsemble": _one(learned.tree_ensemble, _LACKS, "node/test_ai_onnx_ml_tree_ensemble_single_tree"),
    f"{_ML}.TreeEnsembleClassifier": _one(learned.tree_classifier, _LACKS),
    f"{_ML}.TreeEnsembleRegressor": _one(learned.tree_regressor, _LACKS),
    f"{_TRAINING}.Adagrad": _one(training.optimiser(1, training.adagrad), _LACKS, "node/test_adagrad*"),
    f"{_TRAINING}.Adam": _one(training.optimiser(2, training.adam), _LACKS, "node/test_adam*"),
    f"{_TRAINING}.Momentum": _one(training.optimiser(1, training.momentum), _LACKS, "node/test_momentum*"),
    f"{_MS}.BiasGelu": _one(contrib.gelu, _LACKS),
    f"{_MS}.DynamicQuantizeMatMul": _one(contrib.dynamic_quantize_matmul, _LACKS),
    f"{_MS}.EmbedLayerNormalization": _one(contrib.embed_layer_normalization, _LACKS),
    f"{_MS}.FastGelu": _one(contrib.fast_gelu, _LACKS),
    f"{_MS}.FusedConv": _one(
        contrib.fused("Conv", ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")), _LACKS
    ),
    f"{_MS}.FusedGemm": _one(contrib.fused("Gemm", ("alpha", "beta", "transA", "transB")), _LACKS),
    f"{_MS}.FusedMatMul": _one(contrib.fused_matmul, _LACKS),
    f"{_MS}.Gelu": _one(contrib.gelu, _LACKS),
    f"{_MS}.MatMulIntegerToFloat": _one(contrib.matmul_integer_to_float, _LACKS),
    f"{_MS}.QLinearAdd": _one(quantised.elementwise("Add"), _LACKS),
    f"{_MS}.QLinearConcat": _one(quantised.concat, _LACKS),
    f"{_MS}.QLinearGlobalAveragePool": _one(quantised.global_average_pool, _LACKS),
    f"{_MS}.QLinearLeakyRelu": _one(quantised.unary("LeakyRelu", "alpha"), _LACKS),
    f"{_MS}.QLinearMul": _one(quantised.elementwise("Mul"), _LACKS),
    f"{_MS}.QLinearSigmoid": _one(quantised.unary("Sigmoid"), _LACKS),
    f"{_MS}.QuickGelu": _one(contrib.quick_gelu, _LACKS),
    f"{_MS}.SimplifiedLayerNormalization": _one(contrib.layer_normalization, _LACKS),
    f"{_MS}.SkipLayerNormalization": _one(contrib.skip_layer_normalization(simplified=False), _LACKS),
    f"{_MS}.SkipSimplifiedLayerNormalization": _one(contrib.skip_layer_normalization(simplified=True), _LACKS),
}
