"""The commands ``report``, ``diff`` and ``history`` on records in files."""

import json
import re

import pytest

from burn_verify.core.target import Target
from burn_verify.record.codec import selection_line
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


def test_what_one_record_lacks_is_told(command, written):
    record = written(agrees("zoo/a"))
    head, *results = record.read_text().splitlines()
    record.write_text("\n".join([head, selection_line(["zoo/a", "zoo/b"]), *results]) + "\n")

    code, out, err = command("report", record)

    assert code == 1
    assert "zoo/a" in out
    assert "missing: " in err
    assert "ended early: 1 case has no result" in err


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


def test_what_prepare_makes_of_failures_is_read_from_the_folder_of_the_report(command, written, tmp_path):
    about = {"corpus": "zoo", "operator": "", "stage": "convert", "reason": "no", "status": "agrees after prepare"}
    case = {"case_id": "zoo/a", "expressible": True, "rewritings": ["names"], "proofs": {}, "declined": [], **about}
    text = json.dumps({"versions": {"burn": "0.22.1", "burn_onnx": "0.22.0"}, "seconds": 1, "cases": [case]})
    record = written(refused("zoo/a"), target=Target())
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "prepare.json").write_text(text)
    (tmp_path / "other.json").write_text(text.replace("agrees after prepare", "does not agree after prepare"))

    assert command("report", record, "--out", tmp_path / "site")[0] == 0
    assert "agrees after prepare: 1 rewriting" in (tmp_path / "site" / "compatibility-matrix.md").read_text()
    assert command("report", record, "--out", tmp_path / "site", "--prepared", tmp_path / "other.json")[0] == 0
    assert "does not agree after prepare" in (tmp_path / "site" / "compatibility-matrix.md").read_text()


@pytest.mark.parametrize(
    ("extra", "said"),
    [(["--out", "site"], r"no\.json: .*not a file of lifted cases"), ([], "--prepared is for --out DIR")],
)
def test_a_wrong_file_of_prepare_is_told(command, written, tmp_path, monkeypatch, extra, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.json").write_text("{}")
    code, _, err = command("report", written(refused("zoo/a")), "--prepared", "no.json", *extra)

    assert code == 4
    assert re.search(said, err)
