"""The command ``burn-verify expectations``, as typed."""

import os
import subprocess
import sys

import pytest

from burn_verify.cli import common, main
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.core.target import Target
from burn_verify.expectations import packaged as packaged_module
from burn_verify.expectations.match import parse
from burn_verify.record.codec import environment_line, result_to_line


def a_line(case_id, outcome=Outcome.FAILED, *, reason="why", failure=None, version="0.22.1", backend="flex"):
    result = CaseResult(
        case_id=case_id, corpus="node", stage=Stage.RUN, outcome=outcome, reason=reason, failure=failure
    )
    return result_to_line(result, Target(burn=version, backend=backend))


@pytest.fixture
def write(tmp_path):
    """Write a record and return its path."""

    def write(*lines):
        path = tmp_path / "run.jsonl"
        path.write_text("".join(f"{line}\n" for line in (environment_line({}), *lines)), encoding="utf-8")
        return path

    return write


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """Move the packaged files into a folder of this test's own and return it."""
    folder = tmp_path / "package" / "data" / "expectations"
    folder.mkdir(parents=True)
    monkeypatch.setattr(packaged_module, "PACKAGED", folder)
    return folder


@pytest.fixture
def update(capsys):
    """Run ``burn-verify expectations update`` and return exit code, output and errors."""

    def update(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["expectations", "update", *map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    return update


def test_a_new_file_of_a_new_burn(write, packaged, update):
    record = write(a_line("node/b", version="9.8.7"), a_line("node/a", version="9.8.7"))
    target = packaged / "9.8-flex.toml"

    code, said, _ = update(record)
    assert code == 0
    assert said == f"2 added, 0 removed, 0 moved, 0 kept (2 results)\nwrote {target}\n"
    text = target.read_text(encoding="utf-8")
    assert text.startswith("# Failures expected of Burn 9.8 on the Flex backend.\n")
    assert [entry.pattern for entry in parse(text, "f")] == ["node/a", "node/b"]

    assert update(record)[:2] == (0, f"0 added, 0 removed, 0 moved, 2 kept (2 results)\n{target} is up to date\n")
    assert target.read_text(encoding="utf-8") == text


def test_check_writes_nothing(write, packaged, update):
    record = write(a_line("node/a"))
    assert update(record, "--check")[0] == 1
    assert list(packaged.iterdir()) == []
    assert update(record)[0] == 0
    assert update(record, "--check")[0] == 0
    assert update(write(a_line("node/a", Outcome.PASSED, reason="")), "--check")[0] == 1


def test_out_holds_what_is_new_and_leaves_the_packaged_file_alone(write, packaged, update, tmp_path):
    update(write(a_line("node/a"), a_line("node/c")))
    before = (packaged / "0.22-flex.toml").read_bytes()
    out = tmp_path / "mine.toml"

    run = write(a_line("node/a"), a_line("node/b"), a_line("node/c", Outcome.PASSED))
    assert update(run, "--out", out)[:2] == (0, f"2 added, 0 removed, 0 moved, 0 kept (3 results)\nwrote {out}\n")
    assert [(entry.pattern, entry.stage) for entry in parse(out.read_text(encoding="utf-8"), "f")] == [
        ("node/b", Stage.RUN),
        ("node/c", None),
    ]
    assert update(run, "--out", out, "--check")[0] == 0
    assert (packaged / "0.22-flex.toml").read_bytes() == before
    assert update(write(a_line("node/b")), "--out", out)[0] == 0


def test_several_targets_share_what_is_common(write, packaged, update):
    record = write(
        a_line("node/everywhere"),
        a_line("node/everywhere", backend="wgpu"),
        a_line("node/flex"),
        a_line("node/flex", Outcome.PASSED, backend="wgpu"),
        a_line("node/wgpu", Outcome.PASSED),
        a_line("node/wgpu", backend="wgpu"),
        a_line("node/everywhere", version="0.23.0"),
    )
    assert update(record)[0] == 0
    assert sorted(path.name for path in packaged.iterdir()) == ["0.22-flex.toml", "0.22-wgpu.toml", "0.23-flex.toml"]
    text = (packaged / "0.22-wgpu.toml").read_text(encoding="utf-8")
    assert '\ninherits = "0.22-flex"\n' in text
    assert [(entry.pattern, entry.stage) for entry in parse(text, "f")] == [
        ("node/wgpu", Stage.RUN),
        ("node/flex", None),
    ]
    assert parse((packaged / "0.23-flex.toml").read_text(encoding="utf-8"), "f") == ()

    code, said, _ = update(record, "--check")
    assert code == 0
    assert said.count("is up to date") == 3


def test_an_older_version_inherits_from_a_newer_one_where_there_is_no_other(write, packaged, update):
    update(write(a_line("node/a"), a_line("node/b")))
    update(write(a_line("node/a", version="0.21.0"), a_line("node/b", Outcome.PASSED, version="0.21.0")))
    text = (packaged / "0.21-flex.toml").read_text(encoding="utf-8")
    assert [(entry.pattern, entry.stage) for entry in parse(text, "f")] == [("node/b", None)]
    # Never one from the other and back.
    (packaged / "0.22-flex.toml").unlink()
    update(write(a_line("node/a")))
    assert "\ninherits =" not in (packaged / "0.22-flex.toml").read_text(encoding="utf-8")


def test_what_becomes_common_is_not_written_twice(write, packaged, update):
    update(write(a_line("node/a", Outcome.PASSED), a_line("node/a", backend="wgpu")))
    assert '"node/a"' in (packaged / "0.22-wgpu.toml").read_text(encoding="utf-8")
    update(write(a_line("node/a"), a_line("node/a", backend="wgpu")))
    assert '"node/a"' not in (packaged / "0.22-wgpu.toml").read_text(encoding="utf-8")


def test_several_targets_go_to_a_folder(write, packaged, update, tmp_path):
    record = write(a_line("node/a"), a_line("node/a", backend="wgpu"))
    code, _, warned = update(record, "--out", tmp_path / "mine.toml")
    assert (code, "--out has to name a folder" in warned) == (4, True)
    folder = tmp_path / "mine"
    folder.mkdir()
    assert update(record, "--out", folder)[0] == 0
    assert {path.name for path in folder.iterdir()} == {"0.22-flex.toml", "0.22-wgpu.toml"}


def test_failures_without_evidence_are_told(write, packaged, update):
    crashed = [
        a_line(f"node/{place}", reason="no result: crashed", failure=FailureKind.NO_RESULT) for place in range(7)
    ]
    code, said, warned = update(write(*crashed))

    assert code == 0
    assert said.startswith("0 added")
    assert warned == (
        "burn-verify: no evidence about Burn (no result), left as it was: "
        "node/0, node/1, node/2, node/3, node/4 and 2 more\n"
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "no result says which Burn it ran"),
        ((a_line("node/a", version=""),), "no result says which Burn it ran"),
        ((a_line("node/a", backend=""),), "no result says which Burn it ran"),
        (("{}",), "not a line of a record"),
    ],
)
def test_a_record_that_says_too_little_is_a_mistake(write, packaged, update, lines, said):
    code, _, warned = update(write(*lines))

    assert code == 4
    assert said in warned
    assert warned.count("\n") == 1


def test_a_file_that_is_wrong_is_told_with_its_line(write, packaged, update):
    (packaged / "0.22-flex.toml").write_text("[[expect]]\npattern = 'a'\n", encoding="utf-8")

    assert update(write(a_line("node/a")))[2] == "burn-verify: error: 0.22-flex.toml:2: stage is missing\n"


def test_a_folder_that_cannot_be_written_is_one_line(write, packaged, update, monkeypatch):
    def refuse(path, text):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(common, "write_if_changed", refuse)
    code, _, warned = update(write(a_line("node/a")))

    assert code == 2
    assert warned == (
        f"burn-verify: error: {packaged / '0.22-flex.toml'} cannot be written: Permission denied; "
        "--out FILE writes elsewhere\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["update", "nowhere.jsonl"], 4, "nowhere.jsonl: no such record"),
        (["update"], 4, "the following arguments are required: RECORD"),
        ([], 4, "the following arguments are required: ACTION"),
        (["update", "--help"], 0, "keeps its reason and link"),
    ],
)
def test_as_a_process(arguments, code, said):
    done = subprocess.run(
        [sys.executable, "-c", "from burn_verify.cli.main import main; main()", "expectations", *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
