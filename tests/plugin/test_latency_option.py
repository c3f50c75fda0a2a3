"""--latency and what goes with it: mistakes die early, times reach the record, the table and pytest-benchmark."""

import json
import sys
from pathlib import Path

import pytest

from burn_verify.burn.workspace import Workspace
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import result_to_line
from burn_verify.system.cache import Cache
from burn_verify.system.files import read_json
from timed import result

FIXTURES = Path(__file__).parents[2] / "fixtures"
COMMAND = (sys.executable, "-c", "from burn_verify.cli.main import main; main()", "latency")


def latency_is_built():
    cache = Cache(settings_from({}).cache_dir)
    toolchain = Workspace.of(cache, silent, Target())
    note = read_json(toolchain.folder / "ready-latency.json")
    return note is not None and note["fingerprint"] == toolchain.fingerprint


NEEDS_BURN = pytest.mark.skipif(
    not latency_is_built(),
    reason="Burn is not compiled as a release build in this cache: ten minutes of pytest --models mnist --latency",
)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--models=mnist", "--latency", "-n2"), "*--latency needs the machine for itself: leave out -n*"),
        (("--models=mnist", "--compile-budget=5"), "*--compile-budget is about release builds*say both*"),
        (("--latency", "--ops=MatMull"), "*did you mean MatMul?*"),
        (("--models=mnist", "--latency", "--threads=0"), "*--threads: a whole number from 1*"),
    ],
)
def test_a_mistake_is_one_line(run, arguments, said):
    done, results = run(*arguments)
    assert done.ret == 4
    done.stderr.fnmatch_lines([said])
    assert results == {}


@NEEDS_BURN
def test_times_stand_beside_the_verdict_and_in_pytest_benchmark(run, pytester):
    theirs = ("--benchmark-only", "--benchmark-json=out.json", "--benchmark-histogram=drawn")
    done, results = run("--models", FIXTURES / "add.onnx", "--latency", "--threads=1", *theirs)
    assert done.ret == 0
    assert (pytester.path / "drawn.svg").is_file()
    timed = results["file/add"]["latency"]
    assert timed["threads"] == 1
    assert timed["profile"] == "latency"
    assert len(timed["burn"]["starts_ns"]) == len(timed["onnxruntime"]["starts_ns"])
    assert timed["burn"]["others"] >= 0
    assert timed["cost"]["nodes"] == 1
    assert timed["cost"]["rustc_peak"] > 0
    done.stdout.fnmatch_lines(["case *verdict *Burn *ONNX Runtime*", "file/add *agrees*s *"])
    (benchmark,) = json.loads((pytester.path / "out.json").read_text())["benchmarks"]
    assert benchmark["stats"]["rounds"] == timed["burn"]["steady"]["calls"]
    assert benchmark["stats"]["median"] == pytest.approx(timed["burn"]["steady"]["median"])
    assert benchmark["extra_info"]["verdict"] == "agrees"
    assert benchmark["extra_info"]["ratio"] == timed["ratio"]["value"]


@NEEDS_BURN
def test_a_model_over_its_budget_fails_at_compile(run):
    done, results = run("--models", FIXTURES / "add.onnx", "--latency", "--threads=1", "--compile-budget=0.001")
    assert done.ret == 1
    assert results["file/add"]["stage"] == "compile"
    assert results["file/add"]["reason"] == "over the compile budget"
    done.stdout.fnmatch_lines(["*rustc took * s for the generated code, --compile-budget allows 0.001 s*"])


REPLAY = """\
import pytest
from burn_verify.plugin.benchmark import Replay
from timed import result

clock = Replay()

@pytest.mark.benchmark(timer=clock)
def test_replayed(benchmark):
    clock.into(benchmark, result())
"""


def test_pytest_benchmark_gets_the_very_calls(pytester, as_a_user, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makepyfile(REPLAY)
    done = pytester.runpytest_subprocess("--benchmark-json=out.json")
    done.assert_outcomes(passed=1)
    (benchmark,) = json.loads((pytester.path / "out.json").read_text())["benchmarks"]
    assert benchmark["stats"]["data"] == [1e-9, 2e-9, 3e-9, 4e-9]
    assert benchmark["extra_info"]["onnxruntime_median"] == result().latency.onnxruntime.steady.median


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "run.jsonl"
    lines = [result_to_line(made, Target()) for made in (result(), result("disagrees", "zoo/fast_and_wrong"))]
    store.append(path, lines)
    return path


def test_the_command_shows_a_record(pytester, record):
    done = pytester.run(*COMMAND, str(record))
    assert done.ret == 0
    done.stdout.fnmatch_lines(["zoo/mnist-12 *agrees *2.00 ms *", "zoo/fast_and_wrong *disagrees *~2.00 ms~*"])
    done = pytester.run(*COMMAND, str(record), "--markdown")
    done.stdout.fnmatch_lines(["| zoo/fast?_and?_wrong | disagrees | ~~2.00 ms~~ |*"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "*name a record, or say --last*"),
        (("missing.jsonl",), "*no such record*"),
        (("{untimed}",), "*nothing was timed in that run*--latency*"),
    ],
)
def test_the_command_knows_mistakes(pytester, tmp_path, arguments, said):
    untimed = tmp_path / "untimed.jsonl"
    store.append(untimed, [result_to_line(result(latency=None), Target())])
    done = pytester.run(*COMMAND, *(word.format(untimed=untimed) for word in arguments))
    assert done.ret == 4
    done.stderr.fnmatch_lines([said])
