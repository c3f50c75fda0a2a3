"""The controller: it prepares what is left, records, and shows the table; alone and with workers."""

import pytest

from burn_verify.record import store


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "xdist"])
def test_results_are_recorded_and_shown(faked, pytester, workers):
    done = faked("--burn-record=run.jsonl", *workers)

    assert done.ret == 0
    done.stdout.fnmatch_lines(["*1 of 1 agree*"])
    record = store.read(pytester.path / "run.jsonl")
    assert (record.selection, [result.case_id for result in record.results]) == (("file/add",), ["file/add"])


def test_what_is_deselected_is_not_prepared(faked, pytester):
    done = faked("-k", "no_such_case", "--burn-record=run.jsonl")

    assert done.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert store.read(pytester.path / "run.jsonl").results == ()


def test_an_expectation_that_fits_no_case_is_told(faked, pytester):
    (pytester.path / "known.toml").write_text('[[expect]]\npattern = "file/add"\nstage = "convert"\nreason = "known"\n')

    done = faked("--burn-expectations=known.toml")

    assert done.ret == 1
    done.stdout.fnmatch_lines(["*XPASS(strict)*"])
