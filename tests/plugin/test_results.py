"""What a run tells: table, record, exit code; the same with and without workers."""

import json
import os
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.record.codec import SCHEMA_VERSION

FIXTURES = Path(__file__).parents[2] / "fixtures"
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "xdist"])


@pytest.fixture
def refused(tmp_path):
    """A model that ONNX Runtime runs and burn-onnx refuses."""
    node = helper.make_node("Normalizer", ["X"], ["Y"], domain="ai.onnx.ml", norm="MAX")
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in "XY"]
    graph = helper.make_graph([node], "refused", value[:1], value[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    path = tmp_path / "refused.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@WORKERS
def test_a_refusal_fails_and_costs_nobody_else_a_result(run, refused, workers):
    done, results = run("--models", f"{FIXTURES / 'add.onnx'},{refused}", *workers)
    assert done.ret == 1
    done.assert_outcomes(passed=1, failed=1)
    assert results["file/refused"]["stage"] == "convert"
    assert results["file/refused"]["reason"] == "unsupported operators: ai.onnx.ml::Normalizer"
    done.stdout.fnmatch_lines(
        [
            "file/refused stopped at CONVERT: Failed to parse ONNX file 'refused.onnx'*",
            f"reproduce: pytest --models={refused}*",
            "1 of 2 agree (50% of all), 1 of 1 attempted (100%)",
        ]
    )
    done.stdout.no_fnmatch_line("*Traceback*")


@WORKERS
def test_an_expected_refusal_is_no_failure(run, refused, pytester, workers):
    expected = pytester.path / "expected.toml"
    expected.write_text('[[expect]]\npattern = "file/refused"\nstage = "convert"\nreason = "no Normalizer"\n')
    done, results = run("--models", refused, "--burn-expectations", expected, *workers)
    assert done.ret == 0
    done.assert_outcomes(xfailed=1)
    # The record holds what happened, not what was expected.
    assert results["file/refused"]["outcome"] == "failed"


def test_failing_at_another_stage_than_expected_fails(run, refused, pytester):
    expected = pytester.path / "expected.toml"
    expected.write_text('[[expect]]\npattern = "file/*"\nstage = "run"\nreason = "it should panic"\n')
    done, _ = run("--models", refused, "--burn-expectations", expected)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["expected at RUN: it should panic (expected.toml:2;*but it stopped elsewhere"])


def test_an_unexpected_pass_fails_with_the_line_to_delete(run, pytester):
    expected = pytester.path / "expected.toml"
    expected.write_text('\n[[expect]]\npattern = "file/add"\nstage = "run"\nreason = "it used to panic"\n')
    done, _ = run("--models", FIXTURES / "add.onnx", "--burn-expectations", expected)
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*expected at RUN: it used to panic (expected.toml:3; delete this entry*"])


def test_an_expectation_that_fits_nothing_fails_a_full_run_only(run, pytester):
    mirror = pytester.mkdir("mirror")
    expected = pytester.path / "expected.toml"
    expected.write_text('[[expect]]\npattern = "zoo/renamed"\nstage = "run"\nreason = "gone"\n')
    arguments = ["--burn-offline", "on", "--zoo-mirror", mirror, "--burn-expectations", expected]
    partial, _ = run("--models", "mnist", *arguments)
    assert partial.ret == 0
    empty, _ = run("--models", "all", *arguments)
    assert empty.ret == pytest.ExitCode.USAGE_ERROR
    empty.stderr.fnmatch_lines(["*--models all: no model of the zoo is at hand*"])
    (mirror / "mnist-12.onnx").write_bytes((FIXTURES / "add.onnx").read_bytes())
    full, results = run("--models", "all", *arguments)
    assert full.ret == 1
    full.stdout.fnmatch_lines(["error: expected.toml:2: 'zoo/renamed' fits no case: delete the entry"])
    # Nor does a file become a model of the zoo by its name.
    assert [(line["stage"], line["reason"]) for line in results.values()] == [("load", "wrong sha256")]


def test_only_what_was_selected_whole_can_be_out_of_date(run, pytester):
    expected = pytester.path / "expected.toml"
    ids = ", ".join(f'"light/gone_{number}"' for number in range(12))
    expected.write_text(f'[[expect]]\ncases = [{ids}, "zoo/gone", "file/gone"]\nstage = "run"\nreason = "gone"\n')
    done, _ = run("--conformance=light", "--burn-expectations", expected, "--burn-offline", "on")
    lines = [line for line in done.outlines if line.startswith("error: ")]
    assert len(lines) == 11
    assert all("'light/gone_" in line for line in lines[:10])
    assert lines[10].startswith("error: 2 more expectations fit no case: ")


def test_the_record(run, pytester):
    run("--models", FIXTURES / "add.onnx")
    lines = [json.loads(line) for line in (pytester.path / "record.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["environment", "selection", "result", "phases"]
    assert {line["schema_version"] for line in lines} == {SCHEMA_VERSION}
    assert {"burn", "burn_onnx", "rustc", "onnx", "onnxruntime", "numpy", "python", "cpu", "threads", "commit"} <= set(
        lines[0]["environment"]
    )
    assert lines[1]["selection"] == {"cases": ["file/add"]}
    fields = "kind case_id corpus op_types opset burn_version burn_backend stage outcome verdict message reason"
    assert set(fields.split()) | {"metrics", "durations"} <= set(lines[2])
    assert lines[2]["op_types"] == ["Add"]
    inputs = lines[2]["details"]["inputs"]
    assert inputs == {name: ["float32[2,3]"] for name in ("seeded", "positive", "negative")}
    assert {"convert", "reference", "run", "compare"} <= set(lines[2]["durations"])
    assert {"collect", "reference", "convert", "compile", "run", "judge"} <= set(lines[3]["phases"])


@pytest.mark.parametrize("place", ["file/r.jsonl", "nowhere/r.jsonl", "."])
def test_a_record_that_cannot_be_written_is_told_at_once(run, pytester, place):
    (pytester.path / "file").write_text("")
    done = pytester.runpytest_subprocess(
        "--models", str(FIXTURES / "add.onnx"), "--burn-record", str(pytester.path / place)
    )
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--burn-record: *: cannot write the record*"])
    assert not (pytester.path / "nowhere").exists()


def test_a_record_that_cannot_be_written_any_more_warns_and_fails_no_test(run, pytester):
    pytester.makepyfile(
        """
        import os

        def test_mine(burn_case, burn_verify):
            os.remove("gone.jsonl")
            os.mkdir("gone.jsonl")
            burn_verify(burn_case)
        """
    )
    done = pytester.runpytest_subprocess("--models", str(FIXTURES / "add.onnx"), "--burn-record", "gone.jsonl", ".")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["warning: *gone.jsonl: cannot write the record*"])


@WORKERS
def test_what_never_ran_did_not_fail(run, pytester, workers):
    pytester.makepyfile(
        """
        def test_mine(burn_case, burn_verify):
            assert burn_case.id != "file/add", "stop here"
            burn_verify(burn_case)
        """
    )
    done, results = run("--models", FIXTURES, ".", "-x", *workers)
    assert done.ret != 0
    failed = {name for name, line in results.items() if line["outcome"] == "failed"}
    assert failed == {"file/add"}
    if not workers:
        assert set(results) == {"file/add"}
        done.stdout.fnmatch_lines(["stopped early: without a result: file/matmul, file/two_outputs"])


def test_a_skip_tells_why(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        def test_mine(burn_case, burn_verify):
            pytest.skip("not today")
        """
    )
    _, results = run("--models", FIXTURES / "add.onnx", ".")
    assert (results["file/add"]["outcome"], results["file/add"]["message"]) == ("skipped", "Skipped: not today")


def test_without_a_terminal_plugin_the_run_is_silent(run):
    done, results = run("--models", FIXTURES / "add.onnx", "-p", "no:terminal")
    assert done.ret == 0
    assert results["file/add"]["outcome"] == "passed"
    assert done.stdout.lines == []


def test_a_limit_that_is_too_low_is_named(run):
    done, results = run("--models", FIXTURES / "add.onnx", "--burn-memory-limit", "40")
    # Nothing can start with so little: that is no case's fault.
    assert (done.ret, results) == (3, {})
    done.stdout.fnmatch_lines(["*flex does not start: out of memory (limit 40 MiB)*"])


def test_a_test_that_dies_before_its_verdict_is_a_failure_and_not_a_gap(run, pytester):
    pytester.makepyfile(
        """
        def test_mine(burn_case, burn_verify):
            if burn_case.id == "file/matmul":
                raise RuntimeError("before the verdict")
            burn_verify(burn_case)
        """
    )
    done, results = run("--models", f"{FIXTURES / 'add.onnx'},{FIXTURES / 'matmul.onnx'}", ".")
    assert done.ret == 1
    assert results["file/add"]["outcome"] == "passed"
    assert (results["file/matmul"]["outcome"], results["file/matmul"]["verdict"]) == ("failed", None)
    assert results["file/matmul"]["reason"].startswith("no result")


def test_a_worker_that_dies_is_a_failure_of_the_case_it_ran(run, pytester):
    pytester.makepyfile(
        """
        import os

        def test_mine(burn_case, burn_verify):
            if burn_case.id == "file/matmul":
                os._exit(1)
            burn_verify(burn_case)
        """
    )
    done, results = run("--models", f"{FIXTURES / 'add.onnx'},{FIXTURES / 'matmul.onnx'}", ".", "-n", "2")
    assert done.ret == 1
    assert results["file/add"]["outcome"] == "passed"
    assert results["file/matmul"]["outcome"] == "failed"
    assert "crashed" in results["file/matmul"]["message"]


@WORKERS
def test_progress_is_visible(run, workers):
    done, _ = run("--models", FIXTURES / "add.onnx", *workers)
    done.stdout.fnmatch_lines_random(
        ["burn-verify: reading models 0/1 file/add", "burn-verify: asking ONNX Runtime 0/1 file/add"]
    )


def test_no_process_is_left(run):
    psutil = pytest.importorskip("psutil")
    before = {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}
    run("--models", FIXTURES / "add.onnx", "-n", "2")
    left = [
        process.info
        for process in psutil.process_iter(["pid", "name", "ppid"])
        if process.info["name"] in ("runner", "converter") and process.info["ppid"] == 1
    ]
    after = {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}
    assert after <= before
    assert left == []


@WORKERS
def test_without_cargo_there_is_one_line_and_no_verdict(run, pytester, monkeypatch, workers):
    monkeypatch.setenv("PATH", str(pytester.path))
    done, results = run("--models", FIXTURES / "add.onnx", "--burn-cache-dir", pytester.path / "cache", *workers)
    assert done.ret == 3
    assert results == {}
    said = [line for line in done.stdout.lines + done.stderr.lines if "cargo was not found" in line]
    assert len(said) == 1
    assert "https://rustup.rs" in said[0]


def test_a_name_that_is_not_ascii_is_prepared_under_xdist_too(run, pytester):
    (pytester.path / "modèle.onnx").write_bytes((FIXTURES / "add.onnx").read_bytes())
    done, results = run("--models", pytester.path / "modèle.onnx", "-n", "2")
    assert done.ret == 0
    assert list(results) == ["file/modèle"]


def test_the_root_folder_stays_where_pytest_was_started(run, pytester):
    elsewhere = pytester.mkdir("elsewhere")
    started = pytester.mkdir("started")
    (elsewhere / "add.onnx").write_bytes((FIXTURES / "add.onnx").read_bytes())
    (pytester.path / "tox.ini").unlink(missing_ok=True)
    os.chdir(started)
    done = pytester.runpytest_subprocess("--models", str(elsewhere / "add.onnx"))
    assert done.ret == 0
    assert [path.name for path in elsewhere.iterdir()] == ["add.onnx"]


def test_the_fixture_without_a_selection_says_so(run, pytester):
    pytester.makepyfile("def test_mine(burn_verify): pass")
    done, _ = run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*nothing was selected; try pytest --models mnist*"])
