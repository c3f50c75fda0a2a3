"""Every operator has a spec or a reason, and its versions are those of ONNX."""

from burn_verify.cases.generated.build import Space
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
