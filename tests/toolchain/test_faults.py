"""Whatever can fail with a real toolchain, made to fail once: the right stage and model, the others unharmed.

Generated Rust is spoilt on its way from the converter to cargo, all of it in few batches: each call of cargo costs
seconds. `test_interrupt` has Ctrl-C, `test_hostile_models` the models that mean harm.
"""

import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import numpy_helper

from burn_verify.burn.batch import BatchCompiler, Compiled
from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.convert import Converter
from burn_verify.burn.program import Builders
from burn_verify.burn.runner import Runner
from burn_verify.burn.workspace import Workspace
from burn_verify.core.errors import RunError, ToolchainError
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import ConvertedModel, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.core.ways import BURNPACK
from burn_verify.reference import oracle
from burn_verify.reference.engine import Engines
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.pipeline import Pipeline
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array
from toolchain.helpers import FIXTURES, NAMES, OwnCache, Spoil, Tiny, case, fake_binary, replacing, spoiling, spoilt

MIB_LIMIT = 4096
ADD = "let add1_out1 = x.add(constant1_out1);"


def before_add(statement: str) -> Spoil:
    return replacing(ADD, f"{statement}\n        {ADD}")


def after_add(statement: str) -> Spoil:
    return replacing(ADD, f"{ADD}\n        {statement}")


def on_values(change: str) -> Spoil:
    """Return a change of the sum's elements, in a vector `v`."""
    return after_add(
        "let mut v: Vec<f32> = add1_out1.into_data().to_vec().unwrap();\n"
        f"        {change}\n"
        "        let add1_out1 = Tensor::<2>::from_data(burn::tensor::TensorData::new(v, [2, 3]), &self.device);"
    )


# ── three models agree ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_model_agrees(tiny: Tiny, name: str) -> None:
    result = tiny.results[name]
    assert (result.outcome, result.stage, result.message) == (Outcome.PASSED, Stage.COMPARE, "")
    assert all(metrics.mismatching == 0 for metrics in result.metrics)
    assert len({metrics.name for metrics in result.metrics}) == (2 if name == "two_outputs" else 1)
    assert {metrics.data_set for metrics in result.metrics} == {"seeded", "positive", "negative"}


# ── rustc refuses ────────────────────────────────────────────────────────────────────────────────────────────────────

TWICE = "let add1_out1 = n.clone().add(n.clone());"
REFUSED: Mapping[str, tuple[str, Spoil]] = {
    "type": ("two_outputs", replacing(TWICE, "let add1_out1: f32 = n.clone().add(n.clone());")),
    # The borrow checker is not asked before all types of the crate are right.
    "borrow": ("two_outputs", replacing(TWICE, "let add1_out1 = n.clone().add(n);")),
    "binding": ("add", replacing("x: Tensor<2>) -> Tensor<2> {", "y: String, x: Tensor<2>) -> Tensor<2> {")),
    "syntax": ("matmul", replacing("self.linear1.forward(x);", "self.linear1.forward(x;")),
    "macro": ("matmul", replacing("let linear1_out1 = ", 'compile_error!("on purpose"); let linear1_out1 = ')),
}
EXPECTED_ERRORS: Mapping[str, tuple[list[str], str | None, str | None]] = {
    "type": (["E0308"], "let add1_out1: f32 = n.clone().add(n.clone());", "add1"),
    "borrow": (["E0382"], "let cast1_out1 = n.float().cast(burn::tensor::DType::F32);", "cast1"),
    "binding": (["E0277"], None, None),
    "macro": ([], None, None),
    "syntax": ([], None, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Spoilt models, by what was done to them, and what became of them together."""

    models: Mapping[str, ConvertedModel]
    compiled: Compiled


@pytest.fixture(scope="session")
def refused(tiny: Tiny, cache: OwnCache) -> Batch:
    folder = cache.folder("spoilt", "refused")
    models = {word: spoilt(tiny.model(name), folder, spoil) for word, (name, spoil) in REFUSED.items()}
    models |= {f"fine-{name}": spoilt(tiny.model(name), folder, lambda text: f"// fine\n{text}") for name in NAMES}
    return Batch(
        models=models,
        compiled=BatchCompiler(cache, Workspace.of(cache, silent, Target())).compile(list(models.values())),
    )


@pytest.mark.parametrize("word", REFUSED)
def test_an_error_of_rustc_is_blamed_on_its_model(refused: Batch, word: str) -> None:
    model = refused.models[word]
    error = refused.compiled.errors[model.module]
    codes, line, node = EXPECTED_ERRORS[word]
    assert error.stage is Stage.COMPILE
    assert error.details["codes"] == codes
    assert error.details["file"] == f"{model.rust.parent.name}/{model.rust.name}"
    if line is not None:
        assert (error.details["rust"], error.details["node"]) == (line, node)
        assert model.rust.read_text().splitlines()[error.details["line"] - 1].strip() == line
        assert error.reason.startswith(codes[0] + ": ")
    assert error.message


def test_nobody_else_is_blamed(refused: Batch) -> None:
    assert set(refused.compiled.errors) == {refused.models[word].module for word in REFUSED}
    assert refused.compiled.binary is not None
    assert refused.compiled.binary.modules >= {refused.models[f"fine-{name}"].module for name in NAMES}


def test_the_others_run_right(refused: Batch, tiny: Tiny, cache: OwnCache) -> None:
    assert refused.compiled.binary is not None
    runner = Runner(cache, refused.compiled.binary, timeout=60, memory_limit=0)
    try:
        for name in NAMES:
            data = oracle.read(tiny.step(name).reference).data_sets["seeded"]
            inputs, expected = data.inputs, data.desired
            outputs = runner.infer(refused.models[f"fine-{name}"], inputs, "flex").outputs
            for actual, desired in zip(outputs, expected, strict=True):
                np.testing.assert_allclose(actual, desired, rtol=1e-6)
        with pytest.raises(RunError, match="this binary has no model"):
            runner.infer(refused.models["type"], inputs, "flex")
    finally:
        runner.close()


def test_only_refused_models_leave_no_binary(refused: Batch, cache: OwnCache) -> None:
    model = refused.models["syntax"]
    compiled = BatchCompiler(cache, Workspace.of(cache, silent, Target())).compile([model])
    assert compiled.binary is None
    assert set(compiled.errors) == {model.module}


def test_to_doubt_a_model_changes_no_outcome(tiny: Tiny, cache: OwnCache) -> None:
    folder = cache.folder("spoilt", "doubted")
    bad = spoilt(tiny.model("two_outputs"), folder, REFUSED["type"][1])
    fine = [spoilt(tiny.model(name), folder, lambda text: f"// fine\n{text}") for name in NAMES]
    # The good model of that label is doubted as well.
    compiled = BatchCompiler(cache, Workspace.of(cache, silent, Target())).compile([bad, *fine], doubtful=[bad.label])
    assert set(compiled.errors) == {bad.module}
    assert compiled.binary is not None
    assert compiled.binary.modules == {model.module for model in fine}


def test_an_error_is_remembered(refused: Batch, cache: OwnCache) -> None:
    again = BatchCompiler(cache, Workspace.of(cache, silent, Target())).compile(list(refused.models.values()))
    assert again.seconds == 0.0
    assert again.binary == refused.compiled.binary
    assert {module: error.details for module, error in again.errors.items()} == {
        module: error.details for module, error in refused.compiled.errors.items()
    }


# ── the model runs, or does not ──────────────────────────────────────────────────────────────────────────────────────

NAN = numpy_helper.from_array(np.array([[np.nan, 1, 2], [3, 4, 5]], np.float32), "constant")
DEEP = (
    "fn deep(n: u64) -> u64 { let room = std::hint::black_box([n; 64]); deep(n + 1) + room[0] }\n"
    "        std::hint::black_box(deep(0));"
)
BIG = "std::hint::black_box(vec![1u8; 6 << 30]);"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A tiny model, what is done to its Rust, and how that has to end.

    Attributes:
        how: for models that do not answer, `details["how"]`.
        message: a pattern for the whole message.
    """

    name: str
    spoil: Spoil
    message: str
    how: str | None = None
    reason: str | None = None


TROUBLES: Mapping[str, Trouble] = {
    # RUN
    "panic": Trouble(
        name="add", spoil=before_add('panic!("made to fail {}", 7);'), how="panic", message="made to fail 7"
    ),
    "panic-any": Trouble(
        name="add",
        spoil=before_add("std::panic::panic_any(7);"),
        how="panic",
        message="a panic without a message",
    ),
    "shape-panic": Trouble(
        name="matmul", spoil=replacing("forward(x)", "forward(x.transpose())"), how="panic", message="(?s).+"
    ),
    "abort": Trouble(
        name="add",
        spoil=before_add('eprintln!("last words"); std::process::abort();'),
        how="killed",
        message="the process was ended by SIGABRT",
    ),
    "exit": Trouble(
        name="add",
        spoil=before_add("std::process::exit(3);"),
        how="exited",
        message="the process ended with exit code 3",
    ),
    "hang": Trouble(name="add", spoil=before_add("loop {}"), how="timeout", message=r"no answer within 3 s"),
    "stack": Trouble(name="add", spoil=before_add(DEEP), how="killed", message="stack overflow"),
    "memory": Trouble(
        name="add", spoil=before_add(BIG), how="memory", message=rf"out of memory \(limit {MIB_LIMIT} MiB\)"
    ),
    "inputs": Trouble(
        name="add",
        spoil=replacing("x: Tensor<2>) -> Tensor<2> {", "x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {"),
        how="error",
        message="the generated code takes more inputs",
    ),
    "rank": Trouble(
        name="add",
        spoil=replacing("x: Tensor<2>) -> Tensor<2> {", "x: Tensor<1>) -> Tensor<2> {\n        let x = x.unsqueeze();"),
        how="error",
        message="the generated code takes rank 1, the input has rank 2",
    ),
    # COMPARE
    "element": Trouble(
        name="add",
        spoil=on_values("v[5] += 1.0;"),
        message=r"Y: float32\[2,3\] 1/6 elements differ, max_abs=1\.0e\+00 at \[1,2\], \d+ ULP, .* \[file/element\]",
    ),
    "dtype": Trouble(
        name="add",
        spoil=after_add("let add1_out1 = add1_out1.cast(burn::tensor::DType::F64);"),
        message=r"Y: dtype float32 expected, float64 came, disagrees, guilty: burn \[file/dtype\]",
    ),
    "shape": Trouble(
        name="add",
        spoil=after_add("let add1_out1 = add1_out1.reshape([3, 2]);"),
        message=r"Y: shape \[2,3\] expected, \[3,2\] came, disagrees, guilty: burn \[file/shape\]",
    ),
    "dropped": Trouble(
        name="two_outputs",
        spoil=lambda text: replacing("(Tensor<2, Int>, Tensor<2>)", "Tensor<2, Int>")(
            replacing("(add1_out1, sqrt1_out1)", "add1_out1")(text)
        ),
        message=r"2 outputs expected, 1 came, disagrees, guilty: burn \[file/dropped\]",
    ),
    "swapped": Trouble(
        name="two_outputs",
        spoil=lambda text: replacing("(Tensor<2, Int>, Tensor<2>)", "(Tensor<2>, Tensor<2, Int>)")(
            replacing("(add1_out1, sqrt1_out1)", "(sqrt1_out1, add1_out1)")(text)
        ),
        message=r"doubled: dtype int64 expected, float32 came, disagrees, guilty: burn \[file/swapped\]",
    ),
    "integer": Trouble(
        name="two_outputs",
        spoil=replacing(TWICE, "let add1_out1 = n.clone().add(n.clone()).add_scalar(1);"),
        message=r"doubled: int64\[2,3\] 6/6 elements differ, max_abs=1 at \[0,0\], .*, guilty: burn \[file/integer\]",
    ),
    "nan": Trouble(
        name="add",
        spoil=on_values("v[4] = f32::NAN;"),
        message=r"Y: \S+ at \[1,1\] expected, NaN came, disagrees, guilty: burn \[file/nan\]",
    ),
    "nan-moved": Trouble(
        name="nan",
        spoil=on_values("v.swap(0, 1);"),
        message=r"Y: NaN at \[0,0\] expected, \S+ came, disagrees, guilty: burn \[file/nan-moved\]",
    ),
    "infinity": Trouble(
        name="add",
        spoil=on_values("v[0] = f32::INFINITY;"),
        message=r"Y: \S+ at \[0,0\] expected, inf came, disagrees, guilty: burn \[file/infinity\]",
    ),
    # Nothing is wrong with these.
    "fine": Trouble(name="add", spoil=lambda text: f"// fine\n{text}", message=""),
    "fine-nan": Trouble(name="nan", spoil=lambda text: f"// fine\n{text}", message=""),
    "prints": Trouble(name="add", spoil=before_add('println!("out"); eprintln!("err");'), message=""),
}


@pytest.fixture(scope="session")
def troubled(cache: OwnCache) -> Mapping[str, CaseResult]:
    """Take all troubles through one pipeline, a runner with everything in it, in the order of the table."""
    folder = cache.folder("models")
    sources = {name: FIXTURES / f"{name}.onnx" for name in NAMES} | {"nan": folder / "nan.onnx"}
    model = onnx.load(FIXTURES / "add.onnx")
    model.graph.initializer[0].CopyFrom(NAN)
    sources["nan"].write_bytes(model.SerializeToString())
    changes = {f"file/{word}": trouble.spoil for word, trouble in TROUBLES.items()}
    builder = spoiling(cache.folder("spoilt", "troubles"), changes)
    pipeline = Pipeline(Settings(timeout=3.0, memory_limit=MIB_LIMIT), cache, builder=builder)
    try:
        plan = pipeline.prepare([case(word, sources[trouble.name]) for word, trouble in TROUBLES.items()])
        assert len({step.built.program for step in plan.cases.values() if step.built}) == 1
        return {word: pipeline.verify(plan.cases[f"file/{word}"]).result for word in TROUBLES}
    finally:
        pipeline.close()


@pytest.mark.parametrize("word", [word for word, trouble in TROUBLES.items() if trouble.how])
def test_a_model_that_does_not_answer_fails_at_run(troubled: Mapping[str, CaseResult], word: str) -> None:
    result, trouble = troubled[word], TROUBLES[word]
    assert (result.outcome, result.stage) == (Outcome.FAILED, Stage.RUN), result
    assert result.details["how"] == trouble.how
    assert re.fullmatch(trouble.message, result.message)
    assert result.reason.startswith(f"{trouble.how}: ")
    assert result.verdict is None


@pytest.mark.parametrize("word", [word for word, trouble in TROUBLES.items() if trouble.message and not trouble.how])
def test_a_wrong_answer_fails_at_compare(troubled: Mapping[str, CaseResult], word: str) -> None:
    result, trouble = troubled[word], TROUBLES[word]
    assert (result.outcome, result.stage) == (Outcome.FAILED, Stage.COMPARE), result
    assert result.verdict == "disagrees"
    assert re.fullmatch(trouble.message, result.message), result.message


@pytest.mark.parametrize("word", [word for word, trouble in TROUBLES.items() if not trouble.message])
def test_a_right_answer_passes_among_all_that(troubled: Mapping[str, CaseResult], word: str) -> None:
    assert (troubled[word].outcome, troubled[word].message) == (Outcome.PASSED, ""), troubled[word]


def test_a_panic_keeps_its_place_in_the_generated_code(troubled: Mapping[str, CaseResult]) -> None:
    assert re.search(r"model\.rs:\d+:\d+$", troubled["panic"].details["location"])


def test_an_abort_keeps_its_last_words(troubled: Mapping[str, CaseResult]) -> None:
    assert "last words" in troubled["abort"].details["log"]


# ── burn-onnx refuses, or does not survive ───────────────────────────────────────────────────────────────────────────


def copy_of(name: str, path: Path, note: str) -> Path:
    """Write a model of its own, for every cache, that computes the same."""
    model = onnx.load(FIXTURES / f"{name}.onnx")
    model.doc_string = note
    path.write_bytes(model.SerializeToString())
    return path


def run(
    cache: Cache,
    models: Mapping[str, Path],
    builder: Builders = CargoBuilder,
    engine: Engines = OnnxRuntime,
    **settings: Any,
) -> dict[str, CaseResult]:
    """Take models through the pipeline; return the results by name."""
    pipeline = Pipeline(Settings(**settings), cache, builder=builder, engine=engine)
    try:
        plan = pipeline.prepare([case(name, path) for name, path in models.items()])
        return {name: pipeline.verify(plan.cases[f"file/{name}"]).result for name in models}
    finally:
        pipeline.close()


def test_a_refusal_of_burn_onnx_is_told_in_its_words(tiny: Tiny, cache: OwnCache, tmp_path: Path) -> None:
    model = onnx.load(FIXTURES / "add.onnx")
    model.graph.node[0].op_type = "NobodyKnowsThis"
    refused = tmp_path / "refused.onnx"
    refused.write_bytes(model.SerializeToString())
    results = run(cache, {"refused": refused} | {name: FIXTURES / f"{name}.onnx" for name in NAMES})
    assert (results["refused"].outcome, results["refused"].stage) == (Outcome.FAILED, Stage.CONVERT)
    assert results["refused"].details["how"] == "panic"
    assert "NobodyKnowsThis" in results["refused"].message
    assert str(tmp_path) not in results["refused"].message
    assert all(results[name].outcome is Outcome.PASSED for name in NAMES)


def test_a_converter_that_dies_or_hangs_takes_nobody_with_it(tiny: Tiny, cache: OwnCache, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    binary = fake_binary(tmp_path / "converter", "converter", pids=pids, rust=tiny.model("add").rust.parent)

    class Fragile(CargoBuilder):
        def converter(
            self, simplify: bool, partition: bool, embeds: bool = False, record: str = BURNPACK, halves: bool = False
        ) -> Converter:
            return Converter(
                cache, binary, str(tmp_path), simplify=simplify, partition=partition, timeout=2.0, memory_limit=0
            )

    # The key of a conversion is the content: two runs must not find each other's.
    words = ("abort", "hang", "before", "after")
    order = ("before", "abort", "hang", "after")
    models = {word: copy_of("add", tmp_path / f"{word}.onnx", f"{tmp_path} {word}") for word in words}
    results = run(cache, {word: models[word] for word in order}, Fragile, timeout=2.0)
    for word, how in (("abort", "killed"), ("hang", "timeout")):
        assert (results[word].outcome, results[word].stage) == (Outcome.FAILED, Stage.CONVERT)
        assert results[word].details["how"] == how
        assert results[word].message.startswith("the converter did not survive this model: ")
    assert results["before"].outcome is results["after"].outcome is Outcome.PASSED
    assert len(pids.read_text().split()) == 3
    assert not any(psutil.pid_exists(int(pid)) for pid in pids.read_text().split())


# ── ONNX Runtime dies ────────────────────────────────────────────────────────────────────────────────────────────────


class Mortal(OnnxRuntime):
    """Is ended when it is asked for the victim."""

    def infer_all(
        self, model: Path, sets: Sequence[Sequence[Array]], *, optimise: bool = False, threads: int = 0
    ) -> list[list[Array]]:
        if model.name == "victim.onnx":
            assert self.pid is not None
            os.kill(self.pid, signal.SIGKILL)
        return super().infer_all(model, sets, optimise=optimise, threads=threads)


def test_onnx_runtime_dying_costs_one_case(tiny: Tiny, cache: OwnCache, tmp_path: Path) -> None:
    # The key of a reference is the content: the models must not find each other's.
    models = {
        word: copy_of("add", tmp_path / f"{word}.onnx", f"{tmp_path} {word}") for word in ("before", "victim", "after")
    }
    before, victim, after = run(cache, models, engine=Mortal).values()
    assert (victim.outcome, victim.stage) == (Outcome.FAILED, Stage.REFERENCE)
    assert victim.message == "ONNX Runtime: the process was ended by SIGKILL"
    assert victim.reason == "ONNX Runtime: killed"
    assert before.outcome is after.outcome is Outcome.PASSED


# ── the machine lacks something ──────────────────────────────────────────────────────────────────────────────────────


def children() -> Iterator[psutil.Process]:
    """Yield the processes below this one that have not ended."""
    for process in psutil.Process().children(recursive=True):
        if process.status() != psutil.STATUS_ZOMBIE:
            yield process


@pytest.mark.parametrize("count", [1, 40])
def test_without_cargo_there_is_one_line_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cache = Cache(tmp_path / "cache")
    before = set(children())
    paths = {f"add-{number}": FIXTURES / "add.onnx" for number in range(count)}
    with pytest.raises(ToolchainError) as failed:
        run(cache, paths)
    assert str(failed.value).startswith("cargo was not found: ")
    assert "https://rustup.rs" in str(failed.value)
    assert "\n" not in str(failed.value)
    assert failed.value.exit_code == 3
    assert not (cache.root / "burn-0.22.1" / "target").exists()
    # The reference had begun beside it. It is not waited for, and its process does not stay behind.
    assert set(children()) == before
    assert len(list(cache.folder("reference").rglob("*.safetensors"))) < max(count, 2)


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("echo rustc 1.60.0", "Burn needs rustc 1.95 or newer, this is rustc 1.60.0: "),
        ("exit 1", "rustc does not answer: "),
    ],
)
def test_a_rustc_that_will_not_do_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, message: str
) -> None:
    for name in ("cargo", "rustc"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{says}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=re.escape(message)):
        run(Cache(tmp_path / "cache"), {"add": FIXTURES / "add.onnx"})
