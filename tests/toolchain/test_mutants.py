"""Mutants of a tiny model, compiled and judged for real: each ends as it should."""

from dataclasses import replace

import pytest

from burn_verify.burn.runner import Runner
from burn_verify.core.options import Settings
from burn_verify.core.progress import silent
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.pipeline import Pipeline
from mutation.batch import Apart, compiled, sweep, written
from mutation.change import Change
from mutation.draw import Mutant, changes_of
from mutation.originals import Original
from mutation.results import Cause, End
from mutation.trial import LEAST_SETS, Bench
from toolchain.helpers import OwnCache, Tiny

CASE = "file/add"


def replaced(change: Change, old: str, new: str) -> Change:
    assert old in change.new
    return replace(change, new=change.new.replace(old, new))


def chosen(original: Original) -> dict[str, Mutant]:
    """Return one mutant of each fate, by what is done."""
    changes = changes_of(original.text, original.answered)
    by_operator = {change.operator: change for change in changes}
    found = {name: by_operator[name] for name in ("add -> sub", "first answer", "x 1.001")}
    found["no such method"] = replaced(found["add -> sub"], ".sub(", ".subtract(")
    found["x 1"] = replaced(found["x 1.001"], "1.001", "1.0")
    return {name: Mutant(case_id=CASE, change=change) for name, change in found.items()}


@pytest.fixture(scope="module")
def trials(cache: OwnCache, tiny: Tiny):
    pipeline, engine = Pipeline(Settings(), cache), OnnxRuntime(cache, 60)
    apart = Apart(cache, cache.own.root / "mutants")
    ready = tiny.step("add")
    try:
        original = Original(ready=ready, agrees=True, twin=None, answers=pipeline.verify(ready).outputs)
        mutants = chosen(original)
        models = {
            name: written(mutant, original.model, original.answered, apart.folder("modules"))
            for name, mutant in mutants.items()
        }
        (batch,) = compiled(apart, silent, models)
        bench = Bench(pipeline, engine, 0, 50)
        program = Runner(cache, batch.binary, timeout=60, memory_limit=0)
        done = {name: bench.tried(mutants[name], original, model, program) for name, model in batch.models.items()}
        yield batch, done
    finally:
        pipeline.close()
        engine.close()
        sweep(apart, silent)


def test_what_does_not_compile_is_set_aside(trials):
    batch, done = trials

    assert set(batch.errors) == {"no such method"}
    assert "E0599" in batch.errors["no such method"]
    assert len(done) == 4


def test_another_function_is_killed(trials):
    trial = trials[1]["add -> sub"]

    assert (trial.end, trial.how) == (End.KILLED, "compare: disagrees")
    assert trials[1]["x 1.001"].end is End.KILLED


def test_the_same_function_is_equivalent_on_many_values(trials):
    trial = trials[1]["x 1"]

    assert trial.end is End.EQUIVALENT
    assert trial.sets >= LEAST_SETS


def test_an_answer_that_depends_on_nothing_never_passes_for_equivalent(trials):
    trial = trials[1]["first answer"]

    assert trial.end is End.KILLED or (trial.end, trial.cause) == (End.SURVIVED, Cause.DATA)


def test_nothing_is_left_in_the_workspace(cache: OwnCache, trials):
    root = cache.own.root / "mutants"
    sweep(Apart(cache, root), silent)

    assert not root.exists()
