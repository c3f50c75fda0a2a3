"""Ctrl-C while rustc works: everything ends with it, and the same run goes on from there."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from toolchain.helpers import FIXTURES, OwnCache, environment

# A run without a shell around it: prints a line when cargo compiles the model, and how the case ended.
RUN = """
import signal
import sys
from pathlib import Path

from toolchain.helpers import OwnCache, case, replacing, spoiling

from burn_verify.core.options import Settings
from burn_verify.run.pipeline import Pipeline

# A shell that starts the tests in the background makes them, and what they start, ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
own, model, gate = map(Path, sys.argv[1:])
name = f"file/{model.stem}"
cache = OwnCache(own)


def listen(event):
    if event.phase == "compile" and name in event.text:
        print("compiling", flush=True)


gated = replacing("extern crate alloc;", f'extern crate alloc;\\nconst GATE: &str = include_str!("{gate}");')
taken = Pipeline(Settings(), cache, listen, builder=spoiling(cache.folder("spoilt", "gated"), {name: gated}))
try:
    plan = taken.prepare([case(model.stem, model)])
    print(taken.verify(plan.cases[name]).result.outcome, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
finally:
    taken.close()
"""


@pytest.fixture
def arguments(cache: OwnCache, tmp_path: Path) -> list[str]:
    model = tmp_path / "gated.onnx"
    shutil.copy(FIXTURES / "add.onnx", model)
    return [sys.executable, "-c", RUN, str(cache.own.root), str(model), str(tmp_path / "gate")]


def test_ctrl_c_ends_the_build_and_the_next_run_completes(arguments: list[str], tmp_path: Path) -> None:
    # rustc stops at the gate until somebody writes to it: nothing depends on how fast anything is.
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    family: list[psutil.Process] = []
    with subprocess.Popen(
        arguments, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == "compiling\n"
            family = psutil.Process(run.pid).children(recursive=True)
            assert any("cargo" in process.name() for process in family)
            run.send_signal(signal.SIGINT)
            said, _ = run.communicate(timeout=60)
        finally:
            run.kill()
            if run.returncode is None:
                # Cargo would wait at the gate for ever, and every other cargo for its lock.
                for process in family:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
    assert said.splitlines()[-1] == "interrupted"
    assert run.returncode == 130
    _, left = psutil.wait_procs(family, timeout=5)
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]
    # Nobody waits at the gate, not even a compiler that was not there yet when the family was counted.
    with pytest.raises(OSError, match="No such device or address"):
        os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
    gate.unlink()
    gate.write_text("open")
    again = subprocess.run(arguments, env=environment(), stdout=subprocess.PIPE, text=True, timeout=300, check=False)
    assert again.stdout.splitlines()[-1] == "passed"
    assert again.returncode == 0
