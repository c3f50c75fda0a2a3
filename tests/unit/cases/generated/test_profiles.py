"""Declarations of generated graphs: complete, valid, and chosen so that what is promised is covered."""

import itertools

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burn_verify.cases.generated.build import Space, feeds_of, fits, label, model_of, value_of
from burn_verify.cases.generated.covering import covering, each_choice
from burn_verify.cases.generated.operator_spec import DTYPE, OMIT, with_sizes
from burn_verify.cases.generated.profiles import PROFILES, choices
from burn_verify.cases.generated.registry import (
    FAMILIES,
    NO_GENERATOR,
    family_of,
    operator_specs,
    operators,
    qualified,
    versions_of,
)
from burn_verify.graph.operators import since_version

OPERATORS = {qualified(operator.op_type, operator.domain): operator for operator in operators()}
SOME = ("Relu", "Add", "ReduceSum", "Conv", "Gather", "Slice", "Resize", "Clip", "If", "SequenceAt", "Reshape")


def spaces(names):
    for name in names:
        spec = operator_specs()[name]
        for version in versions_of(OPERATORS[name]):
            if version >= spec.since:
                yield Space(spec, version)


def test_every_operator_has_a_record_or_a_reason():
    assert {*operator_specs(), *NO_GENERATOR} == OPERATORS.keys()
    assert not operator_specs().keys() & NO_GENERATOR.keys()
    assert all(family_of(name) in FAMILIES for name in operator_specs())
    assert sum("." not in name for name in OPERATORS) >= 201
    assert sum("." not in name for name in operator_specs()) >= 185


def test_versions_are_those_that_an_opset_since_7_may_mean():
    for operator in OPERATORS.values():
        if not operator.domain:
            meant = {since_version(operator.op_type, "", opset) for opset in range(7, 29)} - {None}
            assert set(versions_of(operator)) == meant & set(operator.versions), operator.op_type


def test_nearly_every_version_has_a_graph():
    made = {
        name: [space.version for space in spaces([name]) if space.choice(space.default)] for name in operator_specs()
    }
    every = sum(len(versions_of(OPERATORS[name])) for name in operator_specs())
    assert sum(map(len, made.values())) >= 0.95 * every
    assert all(made.values())


@pytest.mark.parametrize("name", sorted(operator_specs()))
def test_ids_are_unique_and_profiles_grow(name):
    spec = operator_specs()[name]
    versions = [version for version in versions_of(OPERATORS[name]) if version >= spec.since][-1:]
    found = list(choices(spec, versions))
    ids = [choice.id for choice, _ in found]
    assert len(set(ids)) == len(ids)
    assert not any(set(text) & set("[]: \n") for text in ids)
    assert {smallest for _, smallest in found} <= set(PROFILES)
    assert found[0][1] == "quick"


@pytest.mark.parametrize("name", SOME)
def test_models_pass_the_checker_and_are_fed_what_they_declare(name):
    spec = operator_specs()[name]
    for choice, smallest in choices(spec, versions_of(OPERATORS[name])[-1:]):
        if smallest != "quick":
            continue
        model = model_of(choice)
        values = {operand: value_of(choice, operand) for operand in choice.kinds}
        feeds = feeds_of(choice, values)
        assert [value.name for value in model.graph.input] == list(feeds), choice.id
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        for value in model.graph.input:
            dims = value.type.tensor_type.shape.dim
            assert len(dims) == feeds[value.name].ndim, choice.id
            sizes = [dim.dim_value for dim in dims if not dim.dim_param]
            assert sizes == [
                size for size, dim in zip(feeds[value.name].shape, dims, strict=True) if not dim.dim_param
            ], choice.id


def test_the_same_declarations_give_the_same_bytes():
    def once():
        space = Space(operator_specs()["Conv"], 22)
        choice = space.choice(space.default)
        return choice.id, model_of(choice).SerializeToString(), value_of(choice, "X").tobytes()

    assert once() == once()


def test_twins_that_differ_in_how_an_operand_arrives_hold_the_same_value():
    space = Space(operator_specs()["Add"], 14)
    plain, constant = (space.choice({**space.default, "B": kind}) for kind in ("run", "init"))
    assert plain.kinds["B"] == "run"
    assert constant.kinds["B"] == "init"
    np.testing.assert_array_equal(value_of(plain, "B"), value_of(constant, "B"))


def test_an_operand_comes_from_shape_only_where_a_shape_can_say_it():
    space = Space(operator_specs()["Reshape"], 14)
    for row in ({"target": (-1,)}, {"target": (4, 6)}):
        choice = space.choice({**space.default, **row, "shape_as": "shape"})
        assert choice.kinds["shape"] == ("shape" if row["target"] == (4, 6) else "init")
        operand = choice.call.inputs["shape"]
        assert fits(operand, "shape") is (row["target"] == (4, 6))


def test_named_sizes_vary_together():
    space = Space(operator_specs()["Add"], 14)
    choice = space.choice({**space.default, "shape": ((2, 3), (3,)), "dims": "symbolic"})
    other = space.spec.make(with_sizes(choice.point, {"d1": 5}))
    assert [operand.shape for operand in other.inputs.values()] == [(2, 5), (5,)]


def test_labels_are_told_apart():
    values = [True, 1, 1.5, (), (1, 2), ((1, 2), ()), OMIT, "SAME_UPPER", (0, -1), 2**63 - 1]
    assert len({label("axes", value) for value in values}) == len(values)


axes = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(1, 4).map(lambda size: tuple(range(size))), min_size=1, max_size=5
)


@given(axes)
def test_a_covering_array_covers_every_pair(found):
    rows = covering(found, dict, {})
    for left, right in itertools.combinations(found, 2):
        seen = {(row[left], row[right]) for row in rows}
        assert seen == set(itertools.product(found[left], found[right]))
    assert rows[0] == {axis: values[0] for axis, values in found.items()}


@given(axes, st.integers(0, 5))
def test_a_covering_array_keeps_to_what_is_valid(found, limit):
    def settle(row):
        return row if sum(row.values()) <= limit else None

    rows = covering(found, settle, {})
    assert all(sum(row.values()) <= limit for row in rows)
    for (left, some), (right, others) in itertools.combinations(found.items(), 2):
        possible = {pair for pair in itertools.product(some, others) if sum(pair) <= limit}
        assert {(row[left], row[right]) for row in rows} == possible


@given(axes)
def test_each_choice_has_every_value(found):
    rows = covering(found, dict, {})
    chosen = each_choice(rows)
    assert {item for row in chosen for item in row.items()} == {item for row in rows for item in row.items()}
    assert all(row in rows for row in chosen)
    assert len(chosen) <= len(rows)


def test_pairs_are_covered_by_a_real_record():
    space = Space(operator_specs()["Relu"], 14)
    found = [choice for choice, _ in choices(space.spec, (14,))]
    assert {(choice.point.dtype, choice.row["X"]) for choice in found} >= {
        (dtype, kind) for dtype in space.axes[DTYPE] for kind in ("run", "init", "const")
    }
