"""Every stage made to fail once, without ONNX Runtime and cargo: where the case ends, and the others unharmed."""

import errno
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from burn_verify.burn.runner import Runner
from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.core.case import Case, Collected, ModelFile
from burn_verify.core.errors import (
    CompileError,
    ConvertError,
    OracleError,
    ProcessDied,
    RunError,
    ToolchainError,
)
from burn_verify.core.options import Settings
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import ConvertedModel, Outcome, PreparedCase, RunnerBinary, Stage
from burn_verify.core.target import Target
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.steps import Built, Ended, Ready
from burn_verify.system.cache import Cache
from burn_verify.system.signals import ending_as_ctrl_c
from fakes import FakeBuilder, FakeEngine, Faults, seams
from toolchain.helpers import fake_binary

NAMES = ("a", "b", "c")
SPOILT = "b"
FLEX, WGPU = Target(), Target(backend="wgpu")


class Explosive:
    """An answer that nobody can look at."""

    @property
    def dtype(self) -> Any:
        message = "no dtype"
        raise LookupError(message)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """Three small models, by name."""
    folder = tmp_path_factory.mktemp("models")
    value = helper.make_tensor_value_info
    for place, name in enumerate(NAMES):
        nodes = [helper.make_node("Add", ["x", "x"], ["h"]), helper.make_node("Neg", ["h"], ["y"])]
        shape = [2, 3 + place]
        graph = helper.make_graph(
            nodes, "g", [value("x", TensorProto.FLOAT, shape)], [value("y", TensorProto.FLOAT, shape)]
        )
        onnx.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / f"{name}.onnx"
        )
    return {name: case_of(folder / f"{name}.onnx") for name in NAMES}


def case_of(path: Path, corpus: str = "file") -> Case:
    return Case(id=f"{corpus}/{path.stem}", corpus=corpus, source=ModelFile(path=path))


def pipeline_of(cache: Cache, faults: Faults, given: Settings = Settings()) -> Pipeline:  # noqa: B008
    made = seams(faults)
    return Pipeline(given, cache, engine=made.engine, builder=made.builder)


def run(
    cache: Cache,
    cases: Mapping[str, Case],
    faults: Faults = Faults(),  # noqa: B008
    given: Settings = Settings(),  # noqa: B008
) -> dict[str, CaseResult]:
    """Take models through the pipeline; return the results by name."""
    pipeline = pipeline_of(cache, faults, given)
    plan = pipeline.prepare(list(cases.values()))
    found = {name: pipeline.verify(plan.cases[case.id]).result for name, case in cases.items()}
    pipeline.close()
    return found


def ends(results: Mapping[str, CaseResult]) -> dict[str, tuple[Stage, Outcome]]:
    return {name: (result.stage, result.outcome) for name, result in results.items()}


AGREES = (Stage.COMPARE, Outcome.PASSED)


def test_without_a_fault_every_case_agrees(cache: Cache, models: Mapping[str, Case]) -> None:
    results = run(cache, models)
    assert ends(results) == dict.fromkeys(NAMES, AGREES)
    assert {result.verdict for result in results.values()} == {"agrees"}
    assert results["a"].details["inputs"] == {key: ["float32[2,3]"] for key in ("seeded", "positive", "negative")}
    assert results["a"].details["fed"][0].startswith("x: float32[2,3], ")
    assert {"load", "convert", "reference", "run", "compare"} <= results["a"].durations.keys()


# ── one sabotage a stage ─────────────────────────────────────────────────────────────────────────────────────────────

SABOTAGES: Mapping[str, tuple[str, Any, Stage, str]] = {
    "burn-onnx refuses": ("convert", ConvertError("unsupported: Foo"), Stage.CONVERT, "unsupported: Foo"),
    "rustc refuses": ("rustc", CompileError("E0308", "E0308"), Stage.COMPILE, "E0308"),
    "the engine dies": ("infer", OracleError("died", "fake: killed"), Stage.REFERENCE, "fake: killed"),
    "the program panics": ("run", RunError("out of bounds", "panic: N"), Stage.RUN, "panic: N"),
    "the program hangs": ("run", RunError("no answer within 1 s", "timeout"), Stage.RUN, "timeout"),
    "wrong values": ("run", lambda outputs: [outputs[0] + 1], Stage.COMPARE, "wrong values"),
    "wrong shape": ("run", lambda outputs: [outputs[0].reshape(-1)], Stage.COMPARE, "wrong shape"),
    "too many outputs": ("run", lambda outputs: [*outputs, *outputs], Stage.COMPARE, "wrong number of outputs"),
}


@pytest.mark.parametrize("word", SABOTAGES)
def test_a_case_ends_at_the_stage_that_fails(cache: Cache, models: Mapping[str, Case], word: str) -> None:
    place, fault, stage, reason = SABOTAGES[word]
    results = run(cache, models, Faults({(place, SPOILT): fault}))
    assert ends(results) == {**dict.fromkeys(NAMES, AGREES), SPOILT: (stage, Outcome.FAILED)}
    assert results[SPOILT].reason == reason


def test_a_model_that_is_missing_ends_at_load(cache: Cache, models: Mapping[str, Case], tmp_path: Path) -> None:
    results = run(cache, {**models, "gone": case_of(tmp_path / "gone.onnx")})
    assert ends(results) == {**dict.fromkeys(NAMES, AGREES), "gone": (Stage.LOAD, Outcome.FAILED)}
    assert results["gone"].reason == "no such file"


def test_what_burn_refuses_is_told_before_what_the_engine_refuses(cache: Cache, models: Mapping[str, Case]) -> None:
    both = Faults(
        {("convert", "a"): ConvertError("no"), ("infer", "a"): OracleError("no"), ("infer", "b"): OracleError("no")}
    )
    results = run(cache, models, both)
    assert [results[name].stage for name in NAMES] == [Stage.CONVERT, Stage.REFERENCE, Stage.COMPARE]


def test_an_input_without_a_burn_value_ends_at_run(cache: Cache, models: Mapping[str, Case]) -> None:
    results = run(cache, models, Faults({("infer", SPOILT): RunError("no Burn value for string")}))
    assert results[SPOILT].stage is Stage.RUN


# ── nothing of one case reaches the others ───────────────────────────────────────────────────────────────────────────

PLACES = {
    "infer": Stage.REFERENCE,
    "measure": Stage.REFERENCE,
    "convert": Stage.CONVERT,
    "build": Stage.COMPILE,
    "release": Stage.COMPILE,
    "run": Stage.RUN,
    "block": Stage.RUN,
}
UNEXPECTED = st.sampled_from(
    [
        ValueError("bad value"),
        KeyError("missing"),
        MemoryError(),
        RecursionError("too deep"),
        OSError(errno.EMFILE, "Too many open files"),
        ProcessDied("gone"),
        AssertionError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(sorted(PLACES)), nth=st.integers(1, 3), error=UNEXPECTED)
def test_an_exception_of_any_kind_ends_its_case_alone(
    tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, Case], place: str, nth: int, error: Exception
) -> None:
    faults = Faults({(place, SPOILT): error}, nth=nth)
    timed = Settings(latency=place in ("release", "block"))
    results = run(Cache(tmp_path_factory.mktemp("cache")), models, faults, timed)
    reached = faults.calls[place, SPOILT] >= nth
    expected = (PLACES[place], Outcome.FAILED) if reached else AGREES
    assert ends(results) == {**dict.fromkeys(NAMES, AGREES), SPOILT: expected}
    if reached:
        assert results[SPOILT].reason.startswith(f"internal error: {type(error).__name__}")
        assert any(frame.startswith("fakes.py:") for frame in results[SPOILT].details["traceback"])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_disk_that_is_full_or_read_only_is_no_case_s_fault(
    cache: Cache, models: Mapping[str, Case], place: str, number: int
) -> None:
    full = Faults({(place, SPOILT): OSError(number, os.strerror(number), "somewhere")})
    with pytest.raises(ToolchainError, match=f"somewhere: {os.strerror(number)}: make room"):
        run(cache, models, full, Settings(latency=place in ("release", "block")))


def test_an_exception_while_loading_ends_its_case_alone(cache: Cache, models: Mapping[str, Case]) -> None:
    odd = Case(id="file/odd", corpus="file", source=None)  # type: ignore[arg-type]
    results = run(cache, {**models, "odd": odd})
    assert ends(results) == {**dict.fromkeys(NAMES, AGREES), "odd": (Stage.LOAD, Outcome.FAILED)}
    assert results["odd"].reason.startswith("internal error: ")


def test_an_exception_while_comparing_ends_its_case_alone(cache: Cache, models: Mapping[str, Case]) -> None:
    results = run(cache, models, Faults({("run", SPOILT): lambda outputs: [Explosive()]}))
    assert ends(results) == {**dict.fromkeys(NAMES, AGREES), SPOILT: (Stage.COMPARE, Outcome.FAILED)}
    assert results[SPOILT].reason == "internal error: LookupError: no dtype"


@pytest.mark.parametrize("place", ["convert", "run", "infer"])
def test_ctrl_c_is_no_case_s_fault(cache: Cache, models: Mapping[str, Case], place: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(cache, models, Faults({(place, SPOILT): KeyboardInterrupt()}))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_ctrl_c_leaves_no_thread(cache: Cache, models: Mapping[str, Case]) -> None:
    asked, closing = threading.Event(), threading.Event()

    class Busy(FakeEngine):
        """Answers only once it is closed, when a second Ctrl-C comes."""

        def infer_all(self, *arguments: Any, **options: Any) -> list[list[Any]]:
            asked.set()
            assert closing.wait(60)
            return super().infer_all(*arguments, **options)

        def close(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            closing.set()

    class Interrupted(FakeBuilder):
        def refusals(self) -> Mapping[Target, str]:
            assert asked.wait(60)
            os.kill(os.getpid(), signal.SIGINT)
            return super().refusals()

    nothing = Faults()
    taken = Pipeline(
        Settings(),
        cache,
        engine=lambda cache, timeout, memory_limit=0: Busy(cache, timeout, nothing),
        builder=lambda cache, settings, listen, targets: Interrupted(cache, targets, nothing),
    )
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), ending_as_ctrl_c():
        taken.prepare(list(models.values()))
    assert set(threading.enumerate()) == before


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def plans(cache: Cache, models: Mapping[str, Case], faults: Faults) -> tuple[Pipeline, dict[Target, Any]]:
    pipeline = pipeline_of(cache, faults)
    return pipeline, pipeline.prepare_all({target: list(models.values()) for target in (FLEX, WGPU)})


def test_a_backend_that_does_not_start_costs_no_other(cache: Cache, models: Mapping[str, Case]) -> None:
    pipeline, found = plans(cache, models, Faults({("start", "wgpu"): ToolchainError()}))
    assert (found[WGPU].failure, found[WGPU].cases) == ("no device", {})
    assert pipeline.verify(found[FLEX].cases["file/a"]).result.outcome is Outcome.PASSED


def test_a_target_that_cannot_be_built_costs_no_other(cache: Cache, models: Mapping[str, Case]) -> None:
    pipeline, found = plans(cache, models, Faults({("refusals", "wgpu"): ToolchainError("no linker")}))
    assert found[WGPU].failure == "no linker"
    assert pipeline.verify(found[FLEX].cases["file/a"]).result.outcome is Outcome.PASSED


def test_where_no_target_can_be_built_no_case_is_to_blame(cache: Cache, models: Mapping[str, Case]) -> None:
    faults = Faults({("refusals", name): ToolchainError("no linker") for name in ("flex", "wgpu")})
    with pytest.raises(ToolchainError, match=r"on flex: no linker; Burn \S+ on wgpu: no linker"):
        plans(cache, models, faults)
    with pytest.raises(ToolchainError, match=r"^no linker$"):
        pipeline_of(cache, faults).prepare(list(models.values()))


def test_targets_share_the_reference_and_the_program(cache: Cache, models: Mapping[str, Case]) -> None:
    faults = Faults()
    _, found = plans(cache, models, faults)
    steps = [found[target].cases["file/a"] for target in (FLEX, WGPU)]
    assert all(isinstance(step, Ready) for step in steps)
    assert len({id(step.built.program) for step in steps}) == 1
    assert len({step.reference for step in steps}) == 1
    assert faults.calls["convert", "a"] == 1


def test_engine_and_builder_are_closed_whatever_happens(cache: Cache, models: Mapping[str, Case]) -> None:
    for fault in (None, ToolchainError("no linker")):
        faults = Faults({("refusals", "flex"): fault} if fault else {})
        engine, builder = FakeEngine(cache, 1.0, faults), FakeBuilder(cache, [FLEX], faults)
        pipeline = Pipeline(Settings(), cache, engine=lambda *_, **__: engine, builder=lambda *_: builder)  # noqa: B023
        if fault:
            with pytest.raises(ToolchainError):
                pipeline.prepare(list(models.values()))
        else:
            pipeline.prepare(list(models.values()))
        assert engine.closed
        assert builder.closed


# ── other ways in and out ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_goes_to_a_worker_and_gives_the_same_results(cache: Cache, models: Mapping[str, Case]) -> None:
    faults = Faults(
        {("convert", "a"): ConvertError("no", "refused", {"how": "panic"}), ("run", "b"): RunError("no", "panic")}
    )
    plan = pipeline_of(cache, faults).prepare(list(models.values()))
    there = pickle.loads(pickle.dumps(plan))
    controller, worker = pipeline_of(cache, faults), pipeline_of(cache, faults)
    mine = {case_id: controller.verify(step).result for case_id, step in plan.cases.items()}
    theirs = {case_id: worker.verify(step).result for case_id, step in there.cases.items()}
    controller.close()
    worker.close()
    told = [
        {key: (one.stage, one.outcome, one.message, one.reason, one.details, one.metrics) for key, one in some.items()}
        for some in (mine, theirs)
    ]
    assert told[0] == told[1]
    assert [result.stage for result in theirs.values()] == [Stage.CONVERT, Stage.RUN, Stage.COMPARE]


def test_what_is_built_without_a_reference_can_be_run(cache: Cache, models: Mapping[str, Case]) -> None:
    faults = Faults({("convert", "a"): ConvertError("no")})
    pipeline = pipeline_of(cache, faults)
    made = pipeline.build(list(models.values()))
    assert isinstance(made["file/a"], Ended)
    assert isinstance(made["file/b"], Built)
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(pipeline.infer(made["file/b"], [x])[0], -2 * x)
    with pytest.raises(ConvertError):
        pipeline.infer(made["file/a"], [x])
    assert faults.calls["infer", "b"] == 0


def test_a_case_without_a_reference_says_what_it_answers(cache: Cache, models: Mapping[str, Case]) -> None:
    pipeline = pipeline_of(cache, Faults({("infer", SPOILT): OracleError("no kernel")}))
    plan = pipeline.prepare(list(models.values()))
    verified = pipeline.verify(plan.cases[f"file/{SPOILT}"], keep=True)
    assert verified.result.stage is Stage.REFERENCE
    assert verified.outputs["seeded"][0].shape == (2, 4)
    assert pipeline.verify(plan.cases[f"file/{SPOILT}"]).outputs == {}


def test_a_case_that_is_timed_has_its_latency(cache: Cache, models: Mapping[str, Case]) -> None:
    latency = run(cache, models, given=Settings(latency=True))["a"].latency
    assert latency is not None
    assert latency.burn is not None
    assert latency.burn.steady.median == 1e-6
    late = run(cache, models, given=Settings(latency=True, compile_budget=1.0))["a"]
    assert (late.stage, late.reason) == (Stage.COMPILE, "over the compile budget")


# ── generated graphs ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def twins(cache: Cache, tmp_path: Path) -> Callable[[str], Case]:
    """Return a function that makes a generated case of one Neg, with a stored set of values, and a twin."""
    from burn_verify.core.case import TensorSpec
    from burn_verify.system.wire import encode_named, placed

    def made(name: str) -> Case:
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            [helper.make_node("Neg", ["x"], ["y"])],
            "g",
            [value("x", TensorProto.FLOAT, [3])],
            [value("y", TensorProto.FLOAT, [3])],
        )
        path = tmp_path / f"{name}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        x = np.array([1, -2, 3], np.float32)
        data = tmp_path / f"{name}.safetensors"
        data.write_bytes(encode_named({**placed(0, "in", [x]), **placed(0, "out", [-x])}))
        spec = (
            (TensorSpec(name="x", dtype="float32", shape=(3,)),),
            (TensorSpec(name="y", dtype="float32", shape=(3,)),),
        )
        source = Collected(
            model=path, digest=name, op_types=("Neg",), opset=17, inputs=spec[0], outputs=spec[1], data=data,
            data_sets=("seeded",), answered=True, twin="op/twin",
        )  # fmt: skip
        return Case(id=f"op/{name}", corpus=CORPUS, source=source)

    return made


def twin_results(cache: Cache, twins: Callable[[str], Case], faults: Faults) -> CaseResult:
    pipeline = pipeline_of(cache, faults)
    plan = pipeline.prepare([twins("graph"), twins("twin")])
    return pipeline.verify(plan.cases["op/graph"], twin=plan.cases["op/twin"]).result


def test_twins_that_agree_say_so(cache: Cache, twins: Callable[[str], Case]) -> None:
    result = twin_results(cache, twins, Faults())
    assert (result.stage, result.outcome) == AGREES
    assert result.details["twins"] == "as op/twin"


def test_a_twin_that_answers_otherwise_fails_a_graph_that_agrees(cache: Cache, twins: Callable[[str], Case]) -> None:
    result = twin_results(cache, twins, Faults({("run", "twin"): lambda outputs: [outputs[0] + 1]}))
    assert (result.stage, result.outcome, result.reason) == (Stage.COMPARE, Outcome.FAILED, "twins differ")
    assert result.details["twins_differ"] == result.message


def test_a_twin_that_fails_where_the_graph_answers_differs(cache: Cache, twins: Callable[[str], Case]) -> None:
    result = twin_results(cache, twins, Faults({("run", "twin"): RunError("panic")}))
    assert (result.stage, result.outcome, result.reason) == (Stage.COMPARE, Outcome.FAILED, "twins differ")
    assert result.message == "compiled Burn answers, but fails as op/twin: panic"


def test_an_exception_of_a_twin_ends_the_graph_and_not_the_run(cache: Cache, twins: Callable[[str], Case]) -> None:
    result = twin_results(cache, twins, Faults({("run", "twin"): ValueError("odd")}))
    assert (result.stage, result.reason) == (Stage.COMPARE, "internal error: ValueError: odd")


# ── the real program, with a child that is none of Burn's ────────────────────────────────────────────────────────────


class ChildBuilder(FakeBuilder):
    """Compiles to the fake child, which answers with its inputs; a model's name is what the child does."""

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        path = prepared.model
        return ConvertedModel(label=prepared.case.id, module=path.stem, rust=path, weights=path, seconds=0.0)

    def build(self, models: Sequence[ConvertedModel], doubtful: Any = ()) -> Any:
        binary = RunnerBinary(path=self.cache.folder("fake") / "child", modules=frozenset())
        fake_binary(binary.path, "runner")
        runner = Runner(self.cache, binary, timeout=0.3, memory_limit=0)
        return dict.fromkeys((model.module for model in models), runner)


def test_a_program_that_hangs_or_dies_is_ended_and_the_next_case_goes_on(
    cache: Cache, identity: Callable[..., Path]
) -> None:
    words = {"before": "", "hang": "timeout: ", "abort": "killed: ", "exit": "exited: ", "after": ""}
    cases = [case_of(identity(name=f"{word}.onnx")) for word in words]
    builder = partial(ChildBuilder, faults=Faults())
    pipeline = Pipeline(
        Settings(), cache, engine=seams().engine, builder=lambda cache, _s, _l, targets: builder(cache, targets)
    )
    plan = pickle.loads(pickle.dumps(pipeline.prepare(cases)))
    results = {case.id.removeprefix("file/"): pipeline.verify(plan.cases[case.id]).result for case in cases}
    pipeline.close()
    for word, reason in words.items():
        expected = (Stage.RUN, Outcome.FAILED) if reason else AGREES
        assert (results[word].stage, results[word].outcome) == expected, word
        assert results[word].reason.startswith(reason)
