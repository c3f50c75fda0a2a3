"""What `--models` selects, and which tests run beside it."""

import os
import shutil
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
TINY = ("add", "matmul", "two_outputs")


def test_a_file(run):
    done, results = run("--models", FIXTURES / "add.onnx")
    assert done.ret == 0
    done.assert_outcomes(passed=1)
    assert list(results) == ["file/add"]
    assert results["file/add"]["verdict"] == "agrees"


def test_a_folder_and_a_glob_mean_the_same(run, pytester):
    for name in TINY:
        shutil.copy(FIXTURES / f"{name}.onnx", pytester.path)
    _, from_folder = run("--models", ".")
    _, from_glob = run("--models", "*.onnx")
    assert set(from_folder) == set(from_glob) == {f"file/{name}" for name in TINY}


def test_names_are_added_up_and_each_runs_once(run):
    done, results = run("--models", f"{FIXTURES / 'add.onnx'},{FIXTURES / 'matmul.onnx'},{FIXTURES / 'add.onnx'}")
    done.assert_outcomes(passed=2)
    assert set(results) == {"file/add", "file/matmul"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minst", "*no zoo model is called 'minst': did you mean mnist*"),
        ("resnet", "*'resnet' fits several zoo models*"),
        ("nowhere/at_all.onnx", "*nowhere/at_all.onnx: no such file*"),
        (",", "*--models: names nothing; try --models mnist*"),
    ],
)
def test_a_name_that_cannot_be_meant_is_one_line(run, name, said):
    done, results = run("--models", name, "--burn-offline", "on")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([said])
    done.stderr.no_fnmatch_line("*Traceback*")
    assert results == {}


def test_a_typed_selection_leaves_the_tests_of_the_folder_out(run, pytester):
    pytester.makepyfile("def test_mine(): pass")
    done, _ = run("--models", FIXTURES / "add.onnx")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["burn-verify: 1 selected; tests of this folder are left out*"])


def test_a_path_brings_the_tests_of_the_folder_back(run, pytester):
    pytester.makepyfile("def test_mine(): pass")
    done, _ = run("--models", FIXTURES / "add.onnx", ".")
    done.assert_outcomes(passed=2)


def test_a_selection_in_the_ini_file_hides_nothing(run, pytester):
    pytester.makepyfile("def test_mine(): pass")
    pytester.makeini(f"[pytest]\nburn_models = {FIXTURES / 'add.onnx'}\n")
    done, results = run()
    done.assert_outcomes(passed=2)
    assert set(results) == {"file/add"}


def test_paths_of_an_ini_file_are_seen_from_its_folder(run, pytester):
    (pytester.path / "known.toml").write_text("")
    shutil.copy(FIXTURES / "add.onnx", pytester.path)
    pytester.makeini("[pytest]\nburn_models = ./add.onnx\nburn_expectations = known.toml\n")
    os.chdir(pytester.mkdir("below"))
    done, results = run("..")
    assert done.ret == 0
    assert set(results) == {"file/add"}


def test_a_folder_called_like_a_model_does_not_hide_it(run, pytester):
    pytester.mkdir("mnist")
    done, results = run("--models", "mnist", "--burn-offline", "on")
    assert done.ret == 0
    assert set(results) == {"zoo/mnist@seeded"}


def test_a_test_of_ones_own_takes_the_place_of_the_packaged_one(run, pytester):
    pytester.makepyfile(
        """
        def test_mine(burn_case, burn_verify):
            burn_verify(burn_case)
        """
    )
    done, results = run("--models", FIXTURES / "add.onnx", ".", "-v")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*::test_mine[[]file/add[]] PASSED*"])
    assert set(results) == {"file/add"}


def test_a_parameter_called_case_is_nobodys_business(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("case", [1, 2])
        def test_mine(case):
            assert case
        """
    )
    done, _ = run("--models", FIXTURES / "add.onnx", ".")
    done.assert_outcomes(passed=3)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_deselected_cases_are_not_even_prepared(run, workers):
    done, results = run("--models", FIXTURES, "-k", "matmul", *workers)
    done.assert_outcomes(passed=1)
    assert set(results) == {"file/matmul"}


def test_collecting_builds_and_writes_nothing(run, pytester):
    done, results = run("--models", FIXTURES / "add.onnx", "--collect-only", "-q")
    done.stdout.fnmatch_lines(["burn-verify::test_model[[]file/add[]]"])
    assert results == {}
    assert not (pytester.path / "record.jsonl").exists()


def test_without_a_selection_the_plugin_is_not_there(run, pytester):
    pytester.makepyfile("def test_mine(): pass")
    done, _ = run()
    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("*burn-verify:*")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (
            "--burn-timeout",
            "soon",
            "*--burn-timeout: a number of seconds above 0 and up to a week is needed, not 'soon'*",
        ),
        ("--burn-memory-limit", "-1", "*--burn-memory-limit: a whole number of MiB up to*"),
        ("--burn-simplify", "maybe", "*--burn-simplify: on or off is needed, not 'maybe'*"),
        ("--zoo-mirror", "/nowhere/at/all", "*--zoo-mirror: /nowhere/at/all is not a folder*"),
    ],
)
def test_a_bad_value_dies_at_the_command_line(run, option, value, said):
    done, _ = run("--models", FIXTURES / "add.onnx", option, value)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([said])
