"""What a generated program holds on its device, and what a device has not."""

import pytest

from burn_verify.burn.drivers import Device
from burn_verify.burn.lacks import held, in_words, lacking

INTEGERS = "    pub fn forward(&self, n: Tensor<2, Int>) -> (Tensor<2, Int>, Tensor<2>) {\n"
FLOATS = "    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {\n"
SEVERAL = """\
    pub fn forward(
        &self,
        input: Tensor<3>,
        shape: [i64; 2],
        k: i64,
        mask: Tensor<1, Bool>,
        ids: Tensor<1, Int>,
    ) -> Tensor<4> {
"""
OF_A_BACKEND = "    pub fn forward(&self, n: Tensor<B, 2, Int>, k: i64) -> Tensor<B, 2, Int> {\n"
CAST = f"{FLOATS}        x.argmax(1).cast(burn::tensor::DType::I64)\n"
CONSTANT = f"{FLOATS}        let c = Tensor::<1>::zeros([3], (device, burn::tensor::DType::F64));\n"


@pytest.mark.parametrize(
    ("rust", "dtypes", "expected"),
    [
        (INTEGERS, ["int64"], {"int64"}),
        (FLOATS, ["float32"], {"float32"}),
        (SEVERAL, ["float16", "int64", "int64", "bool", "uint64"], {"float16", "bool", "uint64"}),
        (OF_A_BACKEND, ["int32", "int64"], {"int32"}),
        (CAST, ["float32"], {"float32", "int64"}),
        (CONSTANT, ["float32"], {"float32", "float64"}),
        ("DType::NAME and DTypeless::I64", [], set()),
        ("no Rust at all", ["int64"], set()),
    ],
)
def test_what_a_program_holds(rust, dtypes, expected):
    assert held(rust, dtypes) == expected


@pytest.mark.parametrize(
    ("lacks", "rust", "dtypes", "expected"),
    [
        (("int64", "uint64"), INTEGERS, ["int64"], ("int64",)),
        (("int64", "uint64"), INTEGERS, ["int32"], ()),
        (("int64", "float64", "float16"), CAST, ["float16"], ("int64", "float16")),
        ((), INTEGERS, ["int64"], ()),
    ],
)
def test_what_a_program_needs_and_a_device_lacks(lacks, rust, dtypes, expected):
    assert lacking(Device(name="a card", lacks=lacks), rust, dtypes) == expected


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        ((), ""),
        (("int64", "uint64"), "no 64-bit integers"),
        (("uint64",), "no 64-bit integers"),
        (("int64", "float64", "float16"), "no 64-bit integers, no 64-bit floats, no 16-bit floats"),
        (("a dtype to come",), "no a dtype to come"),
    ],
)
def test_words(lacks, words):
    assert in_words(lacks) == words
