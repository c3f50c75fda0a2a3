"""How a model is quantised, in one line, and by which operators one knows it."""

import pytest

from burn_verify.core.quantised import Quantisation, Width, is_quantised


def test_the_usual_choices():
    assert Quantisation().text == "static QDQ, per tensor, weights int8, activations int8 by minmax"


def test_every_other_choice_is_told():
    how = Quantisation(
        per_channel=True, weights=Width.UINT8, reduce_range=True, operators=("Conv", "Gemm"), exclude=("fc",)
    )
    assert how.text == (
        "static QDQ, per channel, weights uint8 in 7 bits, activations int8 by minmax, only Conv, Gemm, without fc"
    )
    assert Quantisation(dynamic=True).text == "dynamic, per tensor, weights int8"


@pytest.mark.parametrize(
    "op_type",
    [
        *("QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "MatMulInteger"),
        *("com.microsoft.QLinearAdd", "ms::QLinearAdd", "com.microsoft.QGemm", "com.microsoft.DynamicQuantizeMatMul"),
    ],
)
def test_one_operator_of_a_quantised_model_is_enough(op_type):
    assert is_quantised(["Conv", op_type])


@pytest.mark.parametrize("op_type", ["QuickGelu", "com.microsoft.QuickGelu", "ms::QuickGelu", "Quux.Conv", "MatMul"])
def test_a_model_of_floats_is_not_quantised(op_type):
    assert not is_quantised([op_type])
    assert not is_quantised([])
