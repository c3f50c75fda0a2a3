"""The commands ``report``, ``diff`` and ``history`` on records in files."""

import json

import pytest

from burn_verify.core.target import Target
from reported import agrees, refused, wrong


def test_a_report_has_a_folder_of_files(command, written, tmp_path):
    code, out, _ = command("report", written(agrees("zoo/a")), "--out", tmp_path / "site")

    assert code == 0
    assert (tmp_path / "site" / "index.html").is_file()
    assert json.loads((tmp_path / "site" / "matrix.json").read_text())["cases"].keys() == {"zoo/a"}
    assert f"wrote {tmp_path / 'site' / 'index.html'}" in out


def test_a_report_without_a_folder_is_the_table(command, written):
    code, out, _ = command("report", written(agrees("zoo/a"), refused("zoo/b")))

    assert code == 0
    assert "1 of 2 agree" in out


@pytest.mark.parametrize(("now", "code"), [(agrees, 0), (wrong, 1)])
def test_a_regression_is_the_exit_code_of_a_diff(command, written, now, code):
    before, after = written(agrees("zoo/a"), name="old.jsonl"), written(now("zoo/a"), name="new.jsonl")

    assert command("diff", before, after)[0] == code


def test_a_diff_in_markdown(command, written):
    before, after = written(agrees("zoo/a"), name="old.jsonl"), written(wrong("zoo/a"), name="new.jsonl")

    assert "| zoo/a |" in command("diff", before, after, "--markdown")[1]


def test_one_record_of_one_target_has_nothing_to_compare(command, written):
    code, _, err = command("diff", written(agrees("zoo/a")))

    assert code == 2
    assert "there is nothing to compare" in err


def test_a_run_is_kept_and_a_case_is_followed(command, written, tmp_path):
    kept = tmp_path / "kept"
    for result, name in ((agrees("zoo/a"), "one.jsonl"), (wrong("zoo/a"), "two.jsonl")):
        command("history", kept, "--add", written(result, name=name, target=Target(), started="2026-01-02"))

    code, out, _ = command("history", kept, "zoo/a")

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["0001_release_20260102", "0002_release_20260102"]


def test_a_case_that_no_run_has_is_a_mistake(command, written, tmp_path):
    command("history", tmp_path / "kept", "--add", written(agrees("zoo/a")))

    code, _, err = command("history", tmp_path / "kept", "zoo/b")

    assert code == 4
    assert "no run in" in err


def test_a_report_needs_a_record(command):
    assert command("report")[0] == 4


def test_a_file_in_place_of_the_folder_is_a_mistake(command, written, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = command("report", written(agrees("zoo/a")), "--out", tmp_path / "file")

    assert code == 4
    assert "file: is not a folder" in err
