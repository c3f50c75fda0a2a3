"""The command line, as typed."""

import subprocess
import sys
from pathlib import Path

import pytest

from burn_verify.core.options import settings_from
from burn_verify.core.versions import DEFAULT
from burn_verify.system.cache import Cache

FIXTURES = Path(__file__).parents[2] / "fixtures"
pytestmark = pytest.mark.usefixtures("as_a_user")


def burn_verify(*arguments, cwd=None, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-c", "from burn_verify.cli.main import main; main()", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_verify_agrees(tmp_path):
    record = tmp_path / "r.jsonl"
    done = burn_verify("verify", FIXTURES / "add.onnx", "--burn-record", record, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 agree (100% of all)" in done.stdout
    assert record.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]


def test_verify_tells_a_broken_file_from_the_others(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_text("not a model")
    done = burn_verify("verify", FIXTURES / "add.onnx", broken)
    assert done.returncode == 1
    assert "1 of 2 agree" in done.stdout
    assert f"file/broken stopped at LOAD: {broken}: not an ONNX file" in done.stderr
    assert f"reproduce: pytest --models={broken}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["verify", "minst", "--burn-offline", "on"], 4, "did you mean mnist"),
        (["verify"], 4, "nothing to verify: name a model, such as mnist, or say --conformance or --ops"),
        ([], 4, "the following arguments are required: COMMAND"),
        (["frobnicate"], 4, "invalid choice"),
        (["report"], 4, "name a record, or say --last"),
        (["report", "nowhere.jsonl"], 4, "nowhere.jsonl"),
        (["list", "zzz"], 4, "no name contains 'zzz'"),
        (["verify", "mnist", "--burn-timeout", "0"], 4, "--burn-timeout"),
    ],
)
def test_a_mistake_is_one_line_and_no_traceback(arguments, code, said):
    done = burn_verify(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_list_names_what_is_at_hand():
    done = burn_verify("list", "mnist", "--burn-offline", "on")
    assert done.returncode == 0
    assert "zoo/mnist@seeded" in done.stdout
    everything = burn_verify("list", "mnist", "--all", "--burn-offline", "on")
    assert "mnist-12" in everything.stdout


def test_doctor_is_content_here():
    done = burn_verify("doctor", "--burn-offline", "on")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "ready"


def test_doctor_says_what_to_type_without_cargo(tmp_path):
    done = burn_verify("doctor", "--burn-offline", "on", "--burn-cache-dir", tmp_path / "c", PATH=str(tmp_path))
    assert done.returncode == 3
    assert "https://rustup.rs" in done.stdout
    assert "missing" in done.stdout
    assert not (tmp_path / "c").exists()


def test_report_of_the_last_run_and_as_markdown(tmp_path):
    # A cache of its own, but for the compiled toolchain: other tests' runs must not become the last one.
    cache = tmp_path / "cache"
    cache.mkdir()
    toolchain = f"burn-{DEFAULT.burn}"
    (cache / toolchain).symlink_to(Cache(settings_from({}).cache_dir).folder(toolchain))
    burn_verify("verify", FIXTURES / "add.onnx", BURN_VERIFY_CACHE=str(cache))
    last = burn_verify("report", "--last", BURN_VERIFY_CACHE=str(cache))
    assert last.returncode == 0
    assert "1 of 1 agree" in last.stdout
    written = burn_verify("report", "--last", "--out", tmp_path / "reports", BURN_VERIFY_CACHE=str(cache))
    assert written.returncode == 0
    assert "file/add" in (tmp_path / "reports" / "compatibility-matrix.md").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_one_line(tmp_path):
    record = tmp_path / "r.jsonl"
    burn_verify("verify", FIXTURES / "add.onnx", "--burn-record", record)
    done = burn_verify("report", record, "--out", record)
    assert done.returncode == 4
    assert "is not a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_teaches():
    done = burn_verify("--help")
    assert done.returncode == 0
    assert "exit codes" in done.stdout
    assert "burn-verify verify mnist" in done.stdout


def test_nothing_is_written_where_nobody_asked(tmp_path):
    before = set(Path(FIXTURES).rglob("*"))
    burn_verify("verify", FIXTURES / "add.onnx", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert set(Path(FIXTURES).rglob("*")) == before


def test_the_list_of_an_operator_says_what_its_graphs_vary():
    done = burn_verify("ops", "list", "leakyrelu", "--ops-profile=quick")
    assert done.returncode == 0, done.stderr
    assert "LeakyRelu, family elementwise; axes of version 16" in done.stdout
    assert "  alpha: omit, 0.0, 0.5" in done.stdout
    assert "op/LeakyRelu-16/float32/default" in done.stdout
    assert "nightly" not in done.stdout


def test_the_list_of_operators_says_why_some_have_no_graphs():
    done = burn_verify("ops", "list")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines["Conv"].split()[1:] == ["conv", "1,", "11,", "22"]
    assert "its input is an encoded image" in lines["ImageDecoder"]
    assert len(lines) >= 201
    wrong = burn_verify("ops", "list", "Nope")
    assert wrong.returncode == 4
    assert "no operator is called 'Nope': burn-verify ops list shows every one" in wrong.stderr
