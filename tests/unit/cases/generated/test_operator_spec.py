"""Points of an operator spec: named sizes vary together."""

from burn_verify.cases.generated.build import Space
from burn_verify.cases.generated.operator_spec import with_sizes
from burn_verify.cases.generated.registry import (
    operator_specs,
)


def test_named_sizes_vary_together():
    space = Space(operator_specs()["Add"], 14)
    choice = space.choice({**space.default, "shape": ((2, 3), (3,)), "dims": "symbolic"})
    other = space.spec.make(with_sizes(choice.point, {"d1": 5}))
    assert [operand.shape for operand in other.inputs.values()] == [(2, 5), (5,)]
