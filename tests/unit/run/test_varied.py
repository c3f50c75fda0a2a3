"""Burn answers every data set that the reference answers: a constant, or a sign that stored data hide, fails."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from burn_verify.burn.program import Inference
from burn_verify.core.case import Case, TensorSpec, Unavailable
from burn_verify.core.errors import RunError
from burn_verify.core.stage import ConvertedModel, PreparedCase, Reference, StoredArrays, VariedData
from burn_verify.core.target import Target
from burn_verify.judge.evidence import Measured
from burn_verify.judge.policy import Judge
from burn_verify.run.compare import answered, compared
from burn_verify.run.steps import Answered, Built, Ended, Loaded, Ready
from burn_verify.run.varied import Further, asked, certain
from burn_verify.system.wire import encode_named, placed

STORED, NORMAL, TIES = "stored_0", "varied-normal", "varied-ties"
GIVEN = {
    STORED: np.array([1.0, 2.0, 3.0], np.float32),
    NORMAL: np.array([-1.5, 0.25, -3.0], np.float32),
    TIES: np.array([0.5, 0.5, -0.5], np.float32),
}


@pytest.fixture
def ready_of(tmp_path):
    """Return a function that makes a case whose answer is a function of its input, stored or varied."""

    def ready_of(desired, given=GIVEN):
        arrays = {}
        for place, array in enumerate(given.values()):
            arrays |= {**placed(place, "in", [array]), **placed(place, "out", [desired(array)])}
        path = tmp_path / "reference.safetensors"
        path.write_bytes(encode_named(arrays))
        case = Case(id="node/a", corpus="node", source=Unavailable(reason=""))
        spec = (TensorSpec(name="y", dtype="float32", shape=(3,)),)
        prepared = PreparedCase(
            case=case,
            model=Path("a"),
            digest="",
            op_types=(),
            opset=17,
            inputs=spec,
            outputs=spec,
            stored=(StoredArrays(name=STORED, path=path, place=0),),
            fed=(),
            varied=VariedData(like=STORED, names=(NORMAL, TIES)),
        )
        model = ConvertedModel(label="", module="", rust=path, weights=path, seconds=0.0)
        built = Built(loaded=Loaded(case=case, prepared=prepared), target=Target(), model=model, program=None)
        return Ready(built=built, reference=Reference(path=path, data_sets=tuple(given), seconds=0.0))

    return ready_of


def verified(ready, burn, doubt=certain, calls=None, measure=lambda name, data: Measured()):
    """Return the step after a comparison, where Burn answers as a function of its input."""

    def infer(inputs):
        return Inference(outputs=[burn(inputs[0])], load_seconds=0.0, forward_seconds=0.0)

    def infer_all(sets):
        if calls is not None:
            calls.append(len(sets))
        return [infer(inputs) for inputs in sets]

    ran = answered(ready, infer)
    ran = ran if isinstance(ran, Ended) else asked(ran, infer_all, doubt)
    return ran if isinstance(ran, Ended) else compared(ran, Judge(), certain, Further(doubt=doubt, measure=measure))


def test_a_case_that_agrees_on_all_says_so(ready_of):
    calls = []
    step = verified(ready_of(np.abs), np.abs, calls=calls)
    assert step.verdict.name == "agrees"
    assert step.evidence["varied"] == {"agree": [NORMAL, TIES]}
    assert [one.data_set for one in step.verdict.metrics] == [STORED]
    assert calls == [2]


@pytest.mark.parametrize(
    "burn", [lambda x: x, lambda _: GIVEN[STORED], np.negative], ids=["dropped", "constant", "neg"]
)
def test_what_stored_data_hide_fails(ready_of, burn):
    step = verified(ready_of(np.abs), burn)
    assert step.verdict.name == "disagrees"
    if burn(GIVEN[STORED])[0] == 1.0:
        assert step.verdict.message.endswith(f"[node/a, {NORMAL}]")
        assert step.evidence["fed"] == ["y: float32[3], -3 to 0.25: -1.5, 0.25, -3"]


def test_a_disagreement_that_is_in_doubt_accuses_nobody(ready_of):
    doubt = lambda data: "differs" if data.inputs[0][0] == -1.5 else ""  # noqa: E731
    step = verified(ready_of(np.abs), lambda x: np.where(x == -1.5, 0, np.abs(x)).astype(np.float32), doubt)
    assert step.verdict.name == "agrees"
    assert step.evidence["varied"] == {"agree": [TIES], "doubt": {NORMAL: "differs"}}


def panics(x):
    if x[0] == -1.5:
        message = "panic"
        raise RunError(message)
    return np.abs(x)


def test_a_panic_on_one_set_ends_the_case_with_what_was_fed(ready_of):
    end = verified(ready_of(np.abs), panics)
    assert isinstance(end, Ended)
    assert end.error.message == "panic"
    assert end.evidence["varied"] == {"failed": NORMAL}
    assert end.evidence["fed"] == ["y: float32[3], -3 to 0.25: -1.5, 0.25, -3"]


def test_a_panic_that_is_in_doubt_leaves_the_others(ready_of):
    step = verified(ready_of(np.abs), panics, lambda data: "differs" if data.inputs[0][0] == -1.5 else "")
    assert step.evidence["varied"] == {"agree": [TIES], "doubt": {NORMAL: "differs"}}


def test_a_stored_answer_that_is_constant_is_verified_by_others(ready_of):
    given = {**GIVEN, STORED: np.zeros(3, np.float32)}
    assert verified(ready_of(np.sin, given), np.sin).verdict.name == "agrees"
    alone = {STORED: given[STORED]}
    assert verified(ready_of(np.sin, alone), np.sin).verdict.name == "insensitive"


def test_nothing_is_asked_where_nothing_is_varied(ready_of):
    ready = ready_of(np.abs, {STORED: GIVEN[STORED]})
    ran = answered(ready, lambda inputs: Inference(outputs=inputs, load_seconds=0.0, forward_seconds=0.0))
    assert isinstance(ran, Answered)
    assert asked(ran, lambda sets: 1 / 0, certain) is ran
    assert replace(ran, outputs={}).outputs == {}
