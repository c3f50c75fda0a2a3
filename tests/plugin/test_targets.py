"""Several targets at once: one run, a column each; what one of them cannot do costs the others nothing."""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.record.codec import result_to_line

FIXTURES = Path(__file__).parents[2] / "fixtures"
ALL = ",".join(str(FIXTURES / f"{name}.onnx") for name in ("add", "matmul", "two_outputs"))
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "xdist"])
PAIR = ("--models", ALL, "--burn-backend", "flex,wgpu")


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    """Run pytest with a Burn that is faked; return its result and the records of its targets by their name."""
    monkeypatch.setenv("PYTHONPATH", str(FIXTURES), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_BURN_LOG", str(pytester.path / "log"))
    pytester.makeini("[pytest]\n")

    def run(*arguments, faults=None):
        monkeypatch.setenv("FAKE_BURN", json.dumps(faults or {}))
        for name in ("record.jsonl", "log"):
            (pytester.path / name).unlink(missing_ok=True)
        places = ("--burn-record", "record.jsonl", "--burn-cache-dir", "cache")
        done = pytester.runpytest_subprocess("-p", "fake_burn", *places, *map(str, arguments))
        record = pytester.path / "record.jsonl"
        found = store.read_run(record) if record.exists() else ()
        return done, {one.target.name: one for one in found}

    return run


def outcomes(record):
    return {result.case_id: (result.stage.value, result.outcome.value) for result in record.results}


@WORKERS
def test_every_case_runs_on_every_target(run, workers):
    done, records = run(*PAIR, "-v", *workers)
    assert done.ret == 0
    done.assert_outcomes(passed=6)
    assert set(records) == {"0.22.1 flex", "0.22.1 wgpu"}
    assert all(len(record.results) == len(record.selection) == 3 for record in records.values())
    done.stdout.fnmatch_lines(["*file/add@wgpu*"])
    done.stdout.fnmatch_lines(
        [
            "model * flex * wgpu",
            "file/add * agrees * agrees",
            "target * agree, of all *",
            "flex * 3 of 3 (100%)*",
            "wgpu * 3 of 3 (100%)*",
            "flex → wgpu: nothing changed, 3 as before",
        ]
    )


def test_models_are_converted_and_compiled_once_whatever_the_backends(run, pytester):
    run(*PAIR)
    log = (pytester.path / "log").read_text().splitlines()
    assert sorted(log) == [
        "compile 0.22.1 3",
        *(f"convert file/{name} 0.22.1" for name in ("add", "matmul", "two_outputs")),
    ]


def test_one_target_looks_as_it_always_did(run):
    done, records = run("--models", FIXTURES / "add.onnx", "--burn-backend", "wgpu", "-v")
    done.stdout.fnmatch_lines(["*burn-verify::test_model[[]file/add[]] PASSED*"])
    done.stdout.fnmatch_lines(["model * stage * outcome *", "1 of 1 agree (100% of all)*"])
    (record,) = records.values()
    assert record.target == Target(backend="wgpu")
    assert "targets" not in record.environment


@WORKERS
def test_a_backend_that_does_not_start_is_one_outcome(run, workers):
    done, records = run(*PAIR, *workers, faults={"wgpu": "dead"})
    assert done.ret == 3
    done.assert_outcomes(passed=3, skipped=3)
    assert records["0.22.1 wgpu"].results == ()
    assert records["0.22.1 wgpu"].failure == "wgpu does not start: no device of this kind"
    assert len(records["0.22.1 flex"].results) == 3
    done.stdout.fnmatch_lines(
        [
            "file/add * agrees * not run",
            "wgpu * 0 of 3 *",
            "wgpu was not run: wgpu does not start: no device of this kind",
            "error: Burn 0.22.1 on wgpu was not run: wgpu does not start: no device of this kind",
        ]
    )


def test_a_toolchain_that_cannot_be_built_is_one_outcome(run):
    done, records = run("--models", ALL, "--burn-version", "0.21.0,0.22.1", faults={"0.21.0": "broken"})
    assert done.ret == 3
    assert records["0.21.0 flex"].failure == "0.21.0 could not be built"
    assert len(records["0.22.1 flex"].results) == 3


def test_a_backend_that_cannot_be_compiled_leaves_the_others_alone(run):
    done, records = run(*PAIR, faults={"wgpu": "broken"})
    assert done.ret == 3
    assert records["0.22.1 wgpu"].failure == "wgpu could not be built"
    assert len(records["0.22.1 flex"].results) == 3


def test_a_backend_that_a_version_has_not_is_one_outcome(run):
    done, records = run(*PAIR, "--burn-version", "0.21.0,0.22.1")
    assert done.ret == 3
    assert records["0.21.0 wgpu"].failure == "Burn 0.21.0 has no backend 'wgpu' here; it has flex"
    assert sum(len(record.results) for record in records.values()) == 9


def test_the_only_target_that_cannot_be_is_the_end(run):
    done, records = run("--models", ALL, "--burn-backend", "wgpu", faults={"wgpu": "dead"})
    assert done.ret == 3
    assert records["0.22.1 wgpu"].failure.endswith("no device of this kind")
    done.stdout.fnmatch_lines(["*burn-verify: *wgpu does not start*"])
    done, _ = run("--models", ALL, "--burn-backend", "wgpu", "--burn-version", "0.21.0")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*Burn 0.21.0 has no backend 'wgpu' here; it has flex"])
    done, _ = run("--models", ALL, "--burn-version", "0.20.0")
    done.stderr.fnmatch_lines(["*Burn '0.20.0' is not supported*"])


@WORKERS
def test_results_of_a_case_may_differ(run, workers):
    faults = {"wgpu": {"file/add": "wrong", "file/matmul": "panic"}, "0.23.0-pre.1": {"file/two_outputs": "refused"}}
    done, records = run(*PAIR, "--burn-version", "0.22.1,0.23.0-pre.1", *workers, faults=faults)
    assert done.ret == 1
    assert outcomes(records["0.22.1 wgpu"]) == {
        "file/add": ("compare", "failed"),
        "file/matmul": ("run", "failed"),
        "file/two_outputs": ("compare", "passed"),
    }
    assert outcomes(records["0.23.0-pre.1 flex"])["file/two_outputs"] == ("convert", "failed")
    done.stdout.fnmatch_lines(
        [
            "model * 0.22.1/flex * 0.22.1/wgpu * 0.23.0-pre.1/flex * 0.23.0-pre.1/wgpu",
            "file/add * agrees * wrong numbers * agrees * wrong numbers",
            "0.22.1/flex → 0.22.1/wgpu: 1 newly wrong (1 agreed before), 1 regressed, 1 as before",
            "0.22.1/flex → 0.23.0-pre.1/flex: 1 regressed, 2 as before",
            "file/add: 0.22.1/flex and 0.22.1/wgpu answer differently (0.22.1/flex is nearer to the reference): *",
        ]
    )
    done.stdout.fnmatch_lines(["reproduce: pytest --models=*add.onnx --burn-backend=wgpu --burn-version=0.22.1"])
    (difference,) = records["0.22.1 wgpu"].differences
    assert (difference.case_id, difference.part, difference.nearer) == ("file/add", "backend", "before")


def test_conversion_options_are_targets_too(run, pytester):
    faults = {"no-simplify": {"file/add": "reshaped"}}
    done, records = run("--models", ALL, "--burn-simplify", "on,off", faults=faults)
    assert set(records) == {"0.22.1 flex", "0.22.1 flex no-simplify"}
    done.stdout.fnmatch_lines(["model * simplify=on * simplify=off", "file/add * agrees * wrong numbers"])
    assert (pytester.path / "log").read_text().splitlines().count("compile 0.22.1 6") == 1
    (difference,) = records["0.22.1 flex no-simplify"].differences
    assert difference.part == "simplify"
    assert "shape" in difference.message


@pytest.fixture
def unknown(tmp_path):
    """A model that ONNX Runtime has no kernel for, and onnx's evaluator runs."""
    node = helper.make_node("Add", ["A", "B"], ["Y"])
    a, b, y = (helper.make_tensor_value_info(name, TensorProto.BFLOAT16, [2, 3]) for name in "ABY")
    model = helper.make_model(
        helper.make_graph([node], "unknown", [a, b], [y]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    path = tmp_path / "unknown.onnx"
    onnx.save(model, path)
    return path


@WORKERS
def test_a_difference_needs_no_reference(run, unknown, workers):
    arguments = ("--models", unknown, "--burn-backend", "flex,wgpu", *workers)
    done, records = run(*arguments, faults={"wgpu": {"file/unknown": "wrong"}})
    assert {outcomes(record)["file/unknown"] for record in records.values()} == {("reference", "failed")}
    (difference,) = records["0.22.1 wgpu"].differences
    assert (difference.case_id, difference.nearer) == ("file/unknown", "")
    done.stdout.fnmatch_lines(["file/unknown: flex and wgpu answer differently (no reference says which is nearer): *"])
    _, records = run(*arguments)
    assert records["0.22.1 wgpu"].differences == ()


def test_nothing_is_left_behind(run, pytester):
    run(*PAIR)
    assert not list((pytester.path / "cache" / "runs").glob("*/answers"))


def test_expectations_are_a_targets_own(run, pytester):
    entry = '[[expect]]\npattern = "file/add"\nstage = "compare"\nreason = "known"\non = ["wgpu"]\n'
    (pytester.path / "known.toml").write_text(entry)
    done, _ = run(*PAIR, "--burn-expectations", "known.toml", faults={"wgpu": {"file/add": "wrong"}})
    done.assert_outcomes(passed=5, xfailed=1)
    assert done.ret == 0
    done.stdout.fnmatch_lines(["file/add * agrees * wrong numbers (expected)"])


@WORKERS
def test_tests_are_chosen_by_target(run, workers):
    done, records = run(*PAIR, "-k", "wgpu or matmul", *workers)
    done.assert_outcomes(passed=4)
    assert records["0.22.1 flex"].selection == ("file/matmul",)
    assert len(records["0.22.1 wgpu"].selection) == 3


def test_shards_hold_whole_cases(run):
    found = set()
    for index in (1, 2):
        _, records = run(*PAIR, f"--shard={index}/2")
        ids = {frozenset(outcomes(record)) for record in records.values()}
        assert len(ids) == 1
        found |= set(*ids)
    assert found == {"file/add", "file/matmul", "file/two_outputs"}


def test_own_tests_get_the_target(run, pytester):
    pytester.makepyfile(
        """
        def test_mine(burn_case, burn_verify, burn_target):
            burn_verify(burn_case)
            assert burn_target.backend in ("flex", "wgpu")

        def test_case_alone(burn_case):
            assert burn_case.corpus == "file"
        """
    )
    done, records = run("--models", FIXTURES / "add.onnx", "--burn-backend", "flex,wgpu", ".")
    done.assert_outcomes(passed=3)
    assert [len(record.results) for record in records.values()] == [1, 1]


@WORKERS
def test_a_defect_of_this_program_is_no_expected_failure(run, pytester, workers):
    expected = pytester.path / "expected.toml"
    expected.write_text('[[expect]]\npattern = "file/add"\nstage = "run"\nreason = "panics"\n')
    arguments = ("--models", ALL, "--burn-expectations", expected, *workers)
    done, _ = run(*arguments, faults={"flex": {"file/add": "panic"}})
    done.assert_outcomes(passed=2, xfailed=1)
    done, records = run(*arguments, faults={"flex": {"file/add": "defect"}})
    done.assert_outcomes(passed=2, failed=1)
    (failed,) = [result for result in records["0.22.1 flex"].results if result.outcome is Outcome.FAILED]
    assert (failed.stage, failed.reason) == (Stage.RUN, "internal error: ValueError: unforeseen")


@pytest.fixture
def burn_verify(pytester, monkeypatch):
    """Run the command line with the Burn that is faked."""
    script = "from fake_burn import SEAMS; from burn_verify.cli.main import main; main(seams=SEAMS)"

    def burn_verify(*arguments, faults=None):
        if faults is not None:
            monkeypatch.setenv("FAKE_BURN", json.dumps(faults))
        return pytester.run(sys.executable, "-c", script, *map(str, arguments))

    return burn_verify


def test_records_tell_it_again(run, pytester, burn_verify):
    run(*PAIR, faults={"wgpu": {"file/add": "wrong"}})
    shown = burn_verify("report", "record.jsonl")
    shown.stdout.fnmatch_lines(["file/add * agrees * wrong numbers", "*add: flex and wgpu answer differently*"])
    different = burn_verify("diff", "record.jsonl")
    assert different.ret == 1
    different.stdout.fnmatch_lines(["Burn 0.22.1 on flex → Burn 0.22.1 on wgpu", "Newly wrong*(1)"])
    made = burn_verify("report", "record.jsonl", "--out", "site")
    assert made.ret == 0
    text = (pytester.path / "site" / "compatibility-matrix.md").read_text(encoding="utf-8")
    assert "| file/add | ✓ agrees | ✗ wrong numbers |" in text
    assert "flex and wgpu answer differently" in text


def test_the_command_line_does_the_same(run, burn_verify):
    add, matmul = FIXTURES / "add.onnx", FIXTURES / "matmul.onnx"
    arguments = ("verify", add, matmul, "--burn-backend", "flex,wgpu", "--burn-cache-dir", "cache")
    fine = burn_verify(*arguments)
    assert fine.ret == 0
    fine.stdout.fnmatch_lines(["file/add * agrees * agrees"])
    wrong = burn_verify(*arguments, faults={"wgpu": {"file/add": "wrong"}})
    assert wrong.ret == 1
    wrong.stderr.fnmatch_lines(["burn-verify: file/add on wgpu stopped at COMPARE*", "reproduce: *--burn-backend=wgpu"])
    dead = burn_verify(*arguments, faults={"wgpu": "dead"})
    assert dead.ret == 3
    dead.stdout.fnmatch_lines(["file/add * agrees * not run"])
    dead.stderr.fnmatch_lines(["burn-verify: Burn 0.22.1 on wgpu was not run: wgpu does not start*"])


def test_blame_names_the_part_that_flips_the_result(run, burn_verify):
    place = ("--burn-cache-dir", "cache")
    sides = ("--good", "0.22.1/flex", "--bad", "0.23.0-pre.1/wgpu,simplify=off")
    done = burn_verify("blame", FIXTURES / "add.onnx", *sides, *place, faults={"wgpu": {"file/add": "wrong"}})
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        [
            "file/add",
            "  good: Burn 0.22.1 on flex: agrees",
            "  bad:  Burn 0.23.0-pre.1 on wgpu, not simplified: wrong numbers: Y: *",
            "burn * the bad one with the good one's ends as the bad one, *",
            "backend * ends as the good one, the good one with the bad one's as the bad one",
            "to blame: backend",
        ]
    )
    alike = burn_verify("blame", FIXTURES / "add.onnx", *sides, *place, faults={})
    assert alike.ret == 2
    alike.stdout.fnmatch_lines(["the results do not differ: no part is to blame"])


def test_blame_says_what_cannot_be_exchanged(run, burn_verify):
    sides = ("--good", "0.21.0", "--bad", "0.22.1", "--burn-cache-dir", "cache")
    faults = {"0.22.1": {"file/add": "refused"}, "burn 0.21.0 burn-onnx 0.22.0": "broken"}
    done = burn_verify("blame", FIXTURES / "add.onnx", *sides, faults=faults)
    done.stdout.fnmatch_lines(["burn-onnx * cannot be built*"])


@pytest.fixture
def other_python(pytester):
    """Make an interpreter that has another onnx, and whose pytest records that the case agrees."""

    def other_python(onnx_version, verdict):
        result = CaseResult(
            case_id="zoo/mnist@seeded",
            corpus="zoo",
            stage=Stage.COMPARE,
            outcome=Outcome.PASSED if verdict == "agrees" else Outcome.FAILED,
            verdict=verdict,
        )
        (pytester.path / "theirs.jsonl").write_text(result_to_line(result, Target()) + "\n")
        script = pytester.path / "python"
        versions = f"{version('burn-verify')} {onnx_version} {version('onnxruntime')}"
        copy = 'for word; do case "$word" in --burn-record=*) cp theirs.jsonl "${word#*=}";; esac; done'
        script.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then echo {versions}; else {copy}; fi\n')
        script.chmod(0o755)
        return script

    return other_python


@pytest.mark.parametrize(
    ("verdict", "code", "said"), [("agrees", 0, "to blame: onnx"), ("disagrees", 2, "*do not differ*")]
)
def test_blame_exchanges_another_python(run, burn_verify, other_python, verdict, code, said):
    python = other_python("0.0.1", verdict)
    sides = ("--good", "latest", "--bad", "latest", "--good-python", python, "--burn-offline", "on")
    faults = {"0.22.1": {"zoo/mnist@seeded": "wrong"}}
    done = burn_verify("blame", "mnist", *sides, "--burn-cache-dir", "cache", faults=faults)
    assert done.ret == code
    done.stdout.fnmatch_lines([said])


def test_blame_wants_another_python_to_be_another_one(run, burn_verify, other_python):
    python = other_python(version("onnx"), "agrees")
    done = burn_verify("blame", "mnist", "--good", "latest", "--bad", "latest", "--good-python", python)
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*it has the same onnx and onnxruntime: there is nothing to exchange"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mnist", "--good", "flex", "--bad", "flex"), "--good and --bad are the same target"),
        (("mnist", "--good", "0.1.0", "--bad", "flex"), "--good 0.1.0: Burn '0.1.0' is not supported"),
        (("mnist", "--good", ",", "--bad", "flex"), "--good ,: nothing is named; try 0.22.1"),
        (("mnist", "--good", "simplify=perhaps", "--bad", "flex"), "on or off is needed"),
        (("mnist", "--good", "flex", "--bad", "burn-onnx=nowhere"), "there is no folder *nowhere"),
        (("file/add", "--good", "flex", "--bad", "wgpu"), "name the .onnx file"),
        (("mnist", "--good", "flex", "--bad", "wgpu", "--good-python", "nopython"), "this is no Python with"),
    ],
)
def test_what_blame_cannot_mean_is_one_line(burn_verify, run, arguments, said):
    done = burn_verify("blame", *arguments, "--burn-cache-dir", "cache")
    assert done.ret == 4
    done.stderr.fnmatch_lines([f"burn-verify: error: *{said}*"])
    done.stderr.no_fnmatch_line("*Traceback*")
