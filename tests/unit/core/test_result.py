"""The vocabulary: values that nobody can change, built by name, and comparable."""

import copy
import dataclasses
import inspect
import pickle
from pathlib import Path

import pytest

from burn_verify.core import case, latency, result, stage, target
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.result import CaseResult, OutputMetrics, Verdict
from burn_verify.core.stage import Outcome, Stage

VALUES = [
    value
    for module in (case, stage, target, result, latency)
    for value in vars(module).values()
    if inspect.isclass(value) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
]


def a_value(kind):
    """Return an instance: what a field holds does not matter here."""
    needed = (
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )
    return kind(**dict.fromkeys(needed, "x"))


def test_the_vocabulary_is_found():
    assert {Case, CaseResult, ModelFile, OutputMetrics, Verdict} <= set(VALUES)


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_frozen_slotted_and_built_by_name(kind):
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert not hasattr(a_value(kind), "__dict__")
    with pytest.raises(TypeError, match="positional"):
        kind("x")


@pytest.mark.parametrize("kind", VALUES)
def test_no_field_can_be_set(kind):
    value = a_value(kind)

    for field in dataclasses.fields(kind):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, "y")
    # A frozen class with slots says this in one of three ways, by the version of Python.
    with pytest.raises((AttributeError, TypeError)):
        value.another = "y"


@pytest.mark.parametrize("kind", VALUES)
def test_equal_parts_make_equal_values(kind):
    value = a_value(kind)

    assert value == a_value(kind)
    assert value == pickle.loads(pickle.dumps(value)) == copy.deepcopy(value)


@pytest.mark.parametrize("kind", VALUES)
def test_no_default_is_shared(kind):
    for field in dataclasses.fields(kind):
        if field.default is not dataclasses.MISSING:
            hash(field.default)


def test_a_case_can_be_a_key():
    one, same = (Case(id="file/a", corpus="file", source=ModelFile(path=Path("a.onnx"))) for _ in range(2))

    assert len({one, same}) == 1


def test_stages_are_in_the_order_of_the_report():
    assert list(Stage) == ["load", "convert", "compile", "reference", "run", "compare"]
    assert list(Outcome) == ["passed", "failed", "skipped"]


@pytest.mark.parametrize(("elements", "mismatching", "fraction"), [(4, 1, 0.25), (1, 1, 1.0), (3, 0, 0.0), (0, 0, 0.0)])
def test_the_fraction_of_mismatching_elements(elements, mismatching, fraction):
    metrics = OutputMetrics(
        data_set="seeded", name="Y", dtype="float32", shape=(elements,), elements=elements, mismatching=mismatching
    )

    assert metrics.fraction == fraction


def test_a_verdict_agrees_by_its_name():
    assert Verdict(name="agrees", message="", metrics=()).agrees
    assert not Verdict(name="disagrees", message="Y: …", metrics=()).agrees
