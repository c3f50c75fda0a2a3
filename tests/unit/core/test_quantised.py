"""How a model is quantised, in one line."""

from burn_verify.core.quantised import Quantisation, Width


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
