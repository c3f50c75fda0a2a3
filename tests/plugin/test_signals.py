"""A signal in any phase: a run ends as with Ctrl-C, tells and records what it has, and leaves no process."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from burn_verify.record import store

FIXTURES = Path(__file__).parents[2] / "fixtures"
# `add` has its result before any other model is run.
MODELS = tuple(str(FIXTURES / f"{name}.onnx") for name in ("add", "matmul", "two_outputs"))
PLACES = ("toolchain", "reference", "convert", "compile", "run")
CLI = "from fake_burn import SEAMS; from burn_verify.cli.main import main; main(seams=SEAMS)"


@pytest.fixture
def run(pytester, as_a_user, monkeypatch):
    """Run a command in which a signal comes at a place; return its result and the ids in its record."""
    monkeypatch.setenv("PYTHONPATH", str(FIXTURES), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_BURN_PIDS", str(pytester.path / "pids"))
    pytester.makeini("[pytest]\n")

    def run(place, name, *argv):
        monkeypatch.setenv("FAKE_BURN_SIGNAL", f"{place} {name}")
        done = pytester.run(
            sys.executable, *argv, "--burn-record", "record.jsonl", "--burn-cache-dir", "cache", timeout=300
        )
        (found,) = store.read_run(pytester.path / "record.jsonl")
        return done, [result.case_id for result in found.results]

    yield run
    # Resident processes, whatever they are, have the working directory of the run; this process has it as well.
    here = [process for process in psutil.process_iter(["cwd", "cmdline"]) if process.info["cwd"] == str(pytester.path)]
    pids = pytester.path / "pids"
    senders = [int(pid) for pid in pids.read_text().split()] if pids.exists() else []
    assert [process.info["cmdline"] for process in here if process.pid != os.getpid()] == []
    assert [pid for pid in senders if psutil.pid_exists(pid)] == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_the_command_line_says_which_signal_it_was(run, place, name, code):
    done, ids = run(place, name, "-c", CLI, "verify", *MODELS)
    assert done.ret == code
    said = "interrupted" if name == "SIGINT" else f"ended by {name}"
    done.stderr.fnmatch_lines([f"burn-verify: {said}; what was built so far is kept"])
    assert "Traceback" not in done.stderr.str()
    assert ids == (["file/add"] if place == "run" else [])
    if place == "run":
        done.stdout.fnmatch_lines(["*1 of 1 agree*", "*stopped early: without a result: file/matmul, file/two_outputs"])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_pytest_ends_as_with_ctrl_c(run, place, name):
    done, ids = run(place, name, "-m", "pytest", "-p", "fake_burn", "--models", ",".join(MODELS))
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert ids == (["file/add"] if place == "run" else [])
    if place == "run":
        done.stdout.fnmatch_lines(["*stopped early: without a result: file/matmul, file/two_outputs"])


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_pytest_ends_as_with_ctrl_c_while_it_reports(run, pytester, name):
    hook = "import os, signal\n\ndef pytest_terminal_summary():\n    os.kill(os.getpid(), signal.%s)\n"
    pytester.makeconftest(hook % name)
    done, ids = run("nowhere", name, "-m", "pytest", "-p", "fake_burn", "--models", ",".join(MODELS))
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in done.stderr.str() + done.stdout.str()
    done.stderr.fnmatch_lines(["Exit: burn-verify: * while reports were written"])
    assert ids == ["file/add", "file/matmul", "file/two_outputs"]


@pytest.mark.parametrize("place", ["compile", "run"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_controller_of_xdist_takes_its_workers_along(run, place, name):
    done, ids = run(place, name, "-m", "pytest", "-p", "fake_burn", "-n", "2", "--models", ",".join(MODELS))
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert set(ids) <= {"file/add"}
