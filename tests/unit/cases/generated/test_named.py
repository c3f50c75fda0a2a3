"""Ids of graphs: which of them some profile may make."""

import pytest

from burn_verify.cases.generated.named import is_made
from burn_verify.cases.generated.profiles import choices
from burn_verify.cases.generated.registry import operator_specs, operators, versions_of


@pytest.mark.parametrize("name", ["Relu", "Slice", "Conv", "ReduceSum", "If", "ai.onnx.ml.Binarizer"])
def test_every_graph_of_every_profile_is_made(name):
    known = next(one for one in operators() if one.name == name)
    ids = [choice.id for choice, _ in choices(operator_specs()[name], versions_of(known)[-1:])]

    assert ids
    assert [one for one in ids if not is_made(one)] == []


@pytest.mark.parametrize(
    ("case_id", "made"),
    [
        ("op/Relu-14/float32/default", True),
        ("op/Relu-14/float32/twin=expanded", True),
        ("op/Relu-15/float32/default", False),
        ("op/Relu-14/float31/default", False),
        ("op/Relu-14/float32/shape=9x9x9", False),
        # Said in another way, it is another id.
        ("op/Relu-14/float32/X=run", False),
        ("op/Relo-14/float32/default", False),
        ("op/Relu", False),
        ("op/*", False),
        ("several/0/00001-chain-Relu", False),
    ],
)
def test_what_no_declaration_makes(case_id, made):
    assert is_made(case_id) is made
