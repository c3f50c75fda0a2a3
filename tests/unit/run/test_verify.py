"""One prepared case to its result, with fakes for ONNX Runtime and Burn."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import ConvertError, RunError, StageError
from burn_verify.core.options import Settings
from burn_verify.core.result import JudgeMode
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.reference import stored_half
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.verify import Verifier
from fakes import Faults, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"
CASE = Case(id="file/add", corpus="file", source=ModelFile(path=ADD))


@pytest.fixture
def verified(cache):
    """Return a function that prepares the case with faults and verifies it."""
    made = []

    def verified(faults=Faults(), **settings):  # noqa: B008  (immutable)
        given = Settings(**settings)
        parts = seams(faults)
        pipeline = Pipeline(given, cache, engine=parts.engine, builder=parts.builder)
        made.append(pipeline)
        step = pipeline.prepare_all({Target(): [CASE]})[Target()].cases[CASE.id]
        verifier = Verifier(given, cache, parts.engine)
        made.append(verifier)
        return verifier, step

    yield verified
    for one in made:
        one.close()


def test_a_right_answer_passes_and_is_kept(verified):
    verifier, step = verified()

    found = verifier.verify(step)

    assert (found.result.stage, found.result.outcome) == (Stage.COMPARE, Outcome.PASSED)
    assert "seeded" in found.outputs


def test_a_wrong_answer_disagrees(verified):
    verifier, step = verified(Faults({("run", "add"): lambda outputs: [outputs[0] + 1]}))

    result = verifier.verify(step).result

    assert (result.stage, result.outcome, result.verdict) == (Stage.COMPARE, Outcome.FAILED, "disagrees")


def test_a_program_that_dies_is_a_failure_at_run(verified):
    verifier, step = verified(Faults({("run", "add"): RunError("died", "died")}))

    assert verifier.verify(step).result.stage is Stage.RUN


def test_answers_are_beside_what_was_expected(verified):
    verifier, step = verified()

    found = verifier.answers(step)

    assert {name for name, _ in found} == {"seeded", "positive", "negative"}
    for actual, desired in found.values():
        np.testing.assert_array_equal(actual, desired)


def test_a_case_that_ended_raises_its_error(verified):
    verifier, step = verified(Faults({("convert", "add"): ConvertError("no", "no")}))

    with pytest.raises(StageError, match="no"):
        verifier.infer(step, [])


def test_the_judge_is_that_of_settings_and_target(verified):
    verifier, _ = verified(judge=JudgeMode.STRICT)

    assert verifier.judge_of(Target(backend="wgpu")).mode is JudgeMode.STRICT


def test_how_far_half_weights_move_answers_is_measured_once_for_all_ways(verified, monkeypatch):
    verifier, full = verified()
    ways = [Target(weights="half", via=via) for via in ("process", "http-binary")]
    halves = [dataclasses.replace(full, built=dataclasses.replace(full.built, target=target)) for target in ways]
    asked = []
    monkeypatch.setattr(stored_half, "deviations", lambda *given, **_: asked.append(given) or {})

    found = [verifier.verify(step).result.outcome for step in halves]

    assert found == [Outcome.PASSED, Outcome.PASSED]
    assert len(asked) == 1
