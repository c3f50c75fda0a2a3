"""Graphs woven of parts: each has the form that it is called by, and values for every input."""

import functools
from collections import Counter
from random import Random

import onnx
import pytest

from burn_verify.core.target import Target
from burn_verify.forecast.evidence import packaged
from burn_verify.reference.inputs import SEEDED
from burn_verify.several.corpus import KINDS, OPSET, PATTERN, SYMBOLIC
from burn_verify.several.parts import parts
from burn_verify.several.weave import NoSuchGraph, Stock, stocked, woven
from burn_verify.several.woven import OTHER, SIZES, Woven

NAMES = (
    "Relu",
    "Tanh",
    "Add",
    "Mul",
    "Where",
    "Not",
    "And",
    "Softmax",
    "Identity",
    "Sign",
    "Or",
    "Equal",
    "Abs",
    "Sum",
)


@functools.cache
def stock() -> Stock:
    evidence = packaged(Target())
    assert evidence is not None
    return stocked(parts(evidence, NAMES))


@functools.cache
def several(kind: str) -> tuple[Woven, ...]:
    """Return graphs of a kind that fit together, of many draws."""
    found = []
    pairs = stock().pairs_for(kind)
    for place in range(120):
        rng = Random(place)
        try:
            found.append(woven(kind, stock(), rng.choice(pairs), rng))
        except NoSuchGraph:
            continue
    return tuple(found)


WOVEN = sorted(set(KINDS) - {PATTERN})


@pytest.mark.parametrize("kind", WOVEN)
def test_a_graph_is_valid_and_fed_at_every_input(kind: str) -> None:
    assert len(several(kind)) > 5
    for one in several(kind):
        assert one.kind == kind
        assert one.model.opset_import[0].version == OPSET
        onnx.shape_inference.infer_shapes(one.model, check_type=True, strict_mode=True, data_prop=True)
        for fed in one.sets.values():
            assert list(fed) == [info.name for info in one.model.graph.input]
        names = [name for node in one.model.graph.node for name in node.output if name]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", WOVEN)
def test_the_second_of_the_pair_takes_what_the_first_computes(kind: str) -> None:
    for one in several(kind):
        first, second = [node for node in one.model.graph.node if node.op_type not in ("Constant", "Shape", "Gather")][
            :2
        ]
        assert (first.op_type, second.op_type) == one.pair
        assert set(second.input) & set(first.output)


def test_the_same_generator_draws_the_same_graph() -> None:
    one, other = (woven("chain", stock(), ("Relu", "Add"), Random(7)) for _ in range(2))
    assert one.model == other.model
    assert all((one.sets[OTHER][name] == other.sets[OTHER][name]).all() for name in one.sets[OTHER])


def test_the_other_data_set_has_other_values() -> None:
    differ = [
        any(one.sets[SEEDED][name].tobytes() != one.sets[OTHER][name].tobytes() for name in one.sets[SEEDED])
        for one in several("chain")
    ]
    # A few truths are drawn alike; such a graph is drawn again, see the collector.
    assert sum(differ) > 0.9 * len(differ)


def test_a_branch_has_two_bodies_of_different_operators_and_both_are_taken() -> None:
    for one in several("branch"):
        (chosen,) = [node for node in one.model.graph.node if node.op_type == "If"]
        bodies = [attribute.g for attribute in chosen.attribute]
        assert len({info.name for body in bodies for info in body.output}) == 2
        assert [bool(one.sets[name]["condition"]) for name in (SEEDED, OTHER)] == [True, False]


def test_a_loop_carries_what_its_body_gives() -> None:
    for one in several("loop"):
        (loop,) = [node for node in one.model.graph.node if node.op_type == "Loop"]
        (body,) = [attribute.g for attribute in loop.attribute]
        assert "carried" in {name for node in body.node for name in node.input}
        assert body.input[2].type == body.output[1].type


def test_a_diamond_joins_two_sides() -> None:
    for one in several("diamond"):
        takers = Counter(name for node in one.model.graph.node for name in node.input)
        assert max(takers.values()) > 1


def test_a_shared_constant_is_read_twice() -> None:
    for one in several("shared"):
        takers = Counter(name for node in one.model.graph.node for name in node.input)
        assert any(takers[tensor.name] > 1 for tensor in one.model.graph.initializer)


def test_a_dead_end_is_no_output() -> None:
    for one in several("dead-end"):
        outputs = {info.name for info in one.model.graph.output}
        taken = {name for node in one.model.graph.node for name in node.input}
        assert any(not set(node.output) & (outputs | taken) for node in one.model.graph.node)


def test_symbolic_sizes_have_a_data_set_of_their_own() -> None:
    grown = [one for one in several(SYMBOLIC) if SIZES in one.sets]
    assert grown
    for one in grown:
        before, after = one.sets[SEEDED], one.sets[SIZES]
        assert any(after[name].shape != before[name].shape for name in before)


def test_a_pair_that_does_not_fit_has_no_graph() -> None:
    with pytest.raises(NoSuchGraph):
        woven("chain", stock(), ("Equal", "Softmax"), Random(0))
