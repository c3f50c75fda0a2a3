"""The command ``burn-verify explain-number``, as typed."""

from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from burn_verify.burn.program import Inference
from burn_verify.cli import main
from burn_verify.core.result import CaseResult, OutputMetrics
from burn_verify.core.stage import ConvertedModel, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record.codec import environment_line, result_to_line
from burn_verify.run.seams import Seams
from burn_verify.system.wire import at, decode_named
from fakes import FakeBuilder, FakeEngine, FakeProgram, Faults, seams
from handmade import model, value


def compared(case_id, output="Y"):
    """Return a result whose one output is wrong."""
    entry = OutputMetrics(
        data_set="seeded", name=output, dtype="float32", shape=(2,), elements=2, mismatching=1, bound="2 u·S (Div: 2)"
    )
    return CaseResult(
        case_id=case_id,
        corpus=case_id.partition("/")[0],
        stage=Stage.COMPARE,
        outcome=Outcome.FAILED,
        verdict="disagrees",
        metrics=(entry,),
    )


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a record of results."""

    def written(*results):
        lines = [result_to_line(result, Target()) for result in results]
        path = tmp_path / "run.jsonl"
        path.write_text("".join(f"{line}\n" for line in (environment_line({}), *lines)), encoding="utf-8")
        return path

    return written


@pytest.fixture
def record(written):
    """Write a record of one case of one's own and of one that never ran."""
    refused = CaseResult(
        case_id="node/refused", corpus="node", stage=Stage.CONVERT, outcome=Outcome.FAILED, message="no"
    )
    return written(compared("file/mine"), refused)


@pytest.fixture
def explain(capsys):
    """Run the command and return exit code, output and errors."""

    def explain(*arguments, seams=Seams()):  # noqa: B008  (immutable)
        with pytest.raises(SystemExit) as ended:
            main(["explain-number", *map(str, arguments)], seams)
        return ended.value.code, *capsys.readouterr()

    return explain


def test_what_the_record_says(record, explain):
    code, said, wrong = explain(record, "file/mine", "--no-run")
    assert (code, wrong) == (0, "")
    assert said.startswith("file/mine: disagrees\n")
    assert "2 u·S (Div: 2)" in said


def test_a_model_of_ones_own_has_no_histogram(record, explain):
    code, said, wrong = explain(record, "file/mine")
    assert code == 2
    assert "2 u·S (Div: 2)" in said
    assert wrong.count("\n") == 1
    assert "say --models PATH" in wrong


class Ones(FakeEngine):
    """Answers 1 to everything."""

    def infer_all(self, model, sets, *, optimise=False, threads=0):
        return [[np.ones(2, np.float32)] for _ in sets]


class Near(FakeProgram):
    """Answers by one ULP more than is expected: than is stored, else than 1."""

    def infer_all(self, model, sets, backend):
        stored = Path(model.weights)
        right = (
            at(decode_named(stored.read_bytes()), 0, "out") if stored.suffix == ".safetensors" else [np.ones(2, "f4")]
        )
        outputs = [np.nextafter(one, one.dtype.type(np.inf)) for one in right]
        return [Inference(outputs=outputs, load_seconds=0.0, forward_seconds=0.0) for _ in sets]


class NearBuilder(FakeBuilder):
    """Makes programs that answer nearly right; notes of which cases."""

    def convert(self, prepared, target):
        self.faults.calls["convert", prepared.case.id] += 1
        stored = prepared.stored[0].path if prepared.stored else prepared.model
        return ConvertedModel(label="", module=prepared.digest, rust=stored, weights=stored, seconds=0.0)

    def build(self, models, doubtful=()):
        return dict.fromkeys((model.module for model in models), Near(self.faults))


@pytest.fixture
def rerun():
    """Return what runs are made of here, and the ids of the cases that were run."""
    faults = Faults()
    made = Seams(
        engine=partial(Ones, faults=faults), builder=lambda cache, _s, _l, targets: NearBuilder(cache, targets, faults)
    )
    return made, lambda: [case_id for place, case_id in faults.calls if place == "convert"]


@pytest.mark.parametrize(
    ("case_id", "output"),
    [
        ("op/Gelu-20/float32/default", "Y"),
        ("op/Gelu-20/float64/shape=rank0,approximate=tanh,X=const", "Y"),
        ("op/Gelu-20/float32/twin=expanded", "Y"),
        ("light/squeezenet", "softmaxout_1"),
        ("zoo/mnist@seeded", "Plus214_Output_0"),
    ],
)
def test_a_case_of_every_corpus_is_run_again(tmp_path, written, explain, rerun, as_a_user, case_id, output):
    places = ("--burn-cache-dir", tmp_path / "cache", "--burn-offline=on")
    code, said, wrong = explain(written(compared(case_id, output)), case_id, *places, seams=rerun[0])
    assert (code, rerun[1]()) == (0, [case_id]), wrong
    assert "  ULP\n" in said


@pytest.mark.parametrize(
    ("case_id", "why"),
    [
        ("op/Gelu-20/float32/shape=7", "no generated graph is called 'op/Gelu-20/float32/shape=7'"),
        ("zoo/mnist-12@seeded", "--models=mnist-12 does not select it on this machine"),
        ("light/gone", "--conformance=light does not select it on this machine"),
    ],
)
def test_a_case_that_is_no_more_has_no_histogram(tmp_path, written, explain, rerun, as_a_user, case_id, why):
    code, said, wrong = explain(
        written(compared(case_id)), case_id, "--burn-cache-dir", tmp_path / "cache", "--burn-offline=on", seams=rerun[0]
    )
    assert (code, rerun[1]()) == (2, [])
    assert said.startswith(f"{case_id}: disagrees\n")
    assert why in wrong


@pytest.fixture
def sampled(tmp_path, capsys):
    """Verify a model of one's own on four samples, of which two are wrong; return what has to be said again."""
    made = model(
        [helper.make_node("Add", ["x", "x"], ["y"])], [value("x", shape=["n", 2])], [value("y", shape=["n", 2])]
    )
    onnx.save(made, tmp_path / "net.onnx")
    np.savez(tmp_path / "a.npz", x=np.arange(8, dtype="f4").reshape(4, 2))
    faults = Faults({("run", "net"): lambda outputs: [np.where(one > 9, one + 1, one) for one in outputs]})
    words = ["--data", str(tmp_path / "a.npz"), "--burn-cache-dir", str(tmp_path / "cache"), "--burn-offline=on"]
    record = ["--burn-record", str(tmp_path / "run.jsonl")]
    with pytest.raises(SystemExit):
        main(["verify", str(tmp_path / "net.onnx"), *words, *record], seams(faults))
    assert "2 do not: a.npz[2], a.npz[3]" in capsys.readouterr().out
    return tmp_path, words, faults


def test_the_worst_sample_of_ones_own_data_is_run_alone(sampled, explain):
    folder, words, faults = sampled
    before = faults.calls["run", "net"]
    code, said, wrong = explain(
        folder / "run.jsonl", "file/net", "--models", folder / "net.onnx", *words, seams=seams(faults)
    )
    assert code == 0, wrong
    assert "  ULP\n" in said
    assert faults.calls["run", "net"] == before + 1


def test_samples_are_not_at_hand_without_their_data(sampled, explain):
    folder, words, faults = sampled
    code, _, wrong = explain(
        folder / "run.jsonl", "file/net", "--models", folder / "net.onnx", *words[2:], seams=seams(faults)
    )
    assert code == 2
    assert "say the --data of the run" in wrong


def test_a_case_that_was_never_compared(record, explain):
    code, said, _ = explain(record, "node/refused")
    assert code == 0
    assert said == "node/refused: none: it stopped at convert\nno\n"


def test_a_name_that_is_not_there(record, explain):
    code, said, wrong = explain(record, "file/min")
    assert (code, said) == (4, "")
    assert "no case 'file/min': did you mean file/mine?" in wrong


def test_an_unused_exception_fails_a_full_run(tmp_path):
    from burn_verify.core.options import Settings
    from burn_verify.judge import overrides
    from burn_verify.run.selected import Selected
    from burn_verify.run.session import Session

    override = overrides.Override(name="idle", factor=2.0, reason="why", link="where", op_type="Add")

    def unused(*results, **settings):
        selected = Selected(
            settings=Settings(cache_dir=tmp_path, **settings),
            cases=(),
            targets=(),
            left_out=(),
            expected=(),
            select_seconds=0.0,
        )
        return Session(selected, tmp_path).unused_overrides(results, (override,))

    full = {"models": ("all",), "conformance": ("all",)}
    user = CaseResult(
        case_id="a", corpus="node", stage=Stage.COMPARE, outcome=Outcome.PASSED, details={"overrides": ["idle"]}
    )
    assert unused(**full) == (override,)
    assert unused(user, **full) == ()
    assert unused(models=("all",)) == ()
    assert unused(conformance=("all",)) == ()
