"""The operators that the installed onnx knows."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import defs

from burn_verify.graph import operators
from burn_verify.graph.dtypes import elem_type_of

ALL = operators.all_operators()
HISTORY = {
    key: [schema.since_version for schema in schemas]
    for key, schemas in groupby(
        sorted(defs.get_all_schemas_with_history(), key=lambda schema: (schema.domain, schema.name)),
        key=lambda schema: (schema.domain, schema.name),
    )
}
some_operator = st.sampled_from(ALL)


@pytest.mark.skipif(defs.onnx_opset_version() != 28, reason="another opset has other operators")
def test_opset_28_knows_203_operators():
    assert sum(not operator.domain for operator in ALL) == 203


def test_only_the_domains_of_the_reports_are_there():
    assert {operator.domain for operator in ALL} == set(operators.DOMAINS)


def test_each_stands_once_by_domain_and_name():
    keys = [(operator.domain, operator.op_type) for operator in ALL]
    assert keys == sorted(set(keys))


@given(some_operator)
def test_versions_ascend(operator):
    assert operator.versions
    assert list(operator.versions) == sorted(set(operator.versions))


@given(some_operator)
def test_each_version_is_one_that_onnx_has(operator):
    for version in operator.versions:
        schema = defs.get_schema(operator.op_type, version, operator.domain)
        assert schema.since_version == version
        assert operators.since_version(operator.op_type, operator.domain, version) == version


@given(some_operator, st.integers(min_value=1, max_value=defs.onnx_opset_version()))
def test_an_opset_means_the_newest_version_up_to_it(operator, opset):
    # Also one that was withdrawn later, such as the first of GroupNormalization: a model may still ask for it.
    known = [version for version in HISTORY[operator.domain, operator.op_type] if version <= opset]
    found = operators.since_version(operator.op_type, operator.domain, opset)
    assert found == (max(known) if known else None)


@given(some_operator)
def test_dtypes_are_names_that_onnx_has(operator):
    for dtype in operator.dtypes:
        if dtype not in {"seq", "optional", "map"}:
            elem_type_of(dtype)


def test_what_the_newest_opset_has_no_more_is_deprecated():
    # TreeEnsemble took over in ai.onnx.ml.
    assert {"Scatter", "Upsample"} <= {operator.op_type for operator in ALL if operator.deprecated}
    assert not any(operator.deprecated for operator in ALL if operator.op_type in {"Conv", "Resize", "ScatterElements"})


def test_an_unknown_operator_has_no_version_and_no_subject():
    assert operators.since_version("Nonsense", "", 20) is None
    assert operators.subject_of("Nonsense", "", 20, ["float32"], ["float32"]) is None


@pytest.mark.parametrize(
    ("op_type", "opset", "inputs", "outputs", "version", "dtype"),
    [
        ("Conv", 13, ["float32", "float32"], ["float32"], 11, "float32"),
        ("Where", 20, ["bool", "int64", "int64"], ["int64"], 16, "int64"),
        ("If", 20, ["bool"], ["float16"], 19, "float16"),
        ("Concat", 13, ["int32", "int32", "int32"], ["int32"], 13, "int32"),
    ],
)
def test_a_subject(op_type, opset, inputs, outputs, version, dtype):
    subject = operators.subject_of(op_type, "", opset, inputs, outputs)
    assert (subject.op_type, subject.domain) == (op_type, "")
    assert (subject.since_version, subject.dtype) == (version, dtype)


def test_the_subject_of_a_cast_has_the_dtype_of_one_end():
    # Both parameters allow equally many types; the first one counts.
    assert operators.subject_of("Cast", "", 13, ["float32"], ["int64"]).dtype == "float32"


def test_an_omitted_input_does_not_hide_the_dtype():
    assert operators.subject_of("Clip", "", 13, ["int8", None, "int8"], ["int8"]).dtype == "int8"
    assert operators.subject_of("Constant", "", 13, [], ["int64"]).dtype == "int64"


@pytest.mark.parametrize("opset", [-(2**63), -1, 0, 2**31, 2**63 - 1])
def test_an_opset_that_cannot_be_has_no_schema(opset):
    assert operators.schema_of("Cos", opset, "") is None
    assert operators.since_version("Cos", "", opset) is None
