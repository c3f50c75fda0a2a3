"""The way of one model that docs/architecture.md tells is the way that a model takes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TITLE = "## From the command line to the record"
THREADS = {"main": "In the process:", "beside": "Beside it, on a thread:"}
MODULE = re.compile(r"`([a-z_]+(?:\.\w+)+)`")


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """Trace a run; return the modules by thread."""
    script = Path(__file__).with_name("modules_of_a_run.py")
    paths = [str(ROOT / "src"), str(ROOT / "tests")]
    argv = [sys.executable, str(script), str(ROOT / "fixtures" / "add.onnx"), str(tmp_path_factory.mktemp("cache"))]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BURN_VERIFY_")}
    env = {**plain, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("code") == 0
    return found


def told(thread):
    """Return the modules of a thread in the order in which the page names them."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition(TITLE)[2].partition("\n## ")[0]
    steps = section.partition(THREADS[thread])[2].partition("\n\n-")
    listed = re.match(r"(?:- .*\n(?:  .*\n)*)+", f"-{steps[2]}")
    assert listed, f"{THREADS[thread]} has no list"
    return MODULE.findall(listed[0])


@pytest.mark.parametrize("thread", THREADS)
def test_the_way_of_a_model_is_the_one_that_is_told(traced, thread):
    assert told(thread) == traced[thread], f"the way is now {traced[thread]}"


def test_the_way_leads_from_the_command_line_to_the_record(traced):
    assert traced["main"][0] == "cli.main"
    rooms = {name.partition(".")[0] for names in traced.values() for name in names}
    assert rooms == {path.parent.name for path in (ROOT / "src" / "burn_verify").glob("*/__init__.py")} - {
        "plugin",
        "prepare",
        "several",
        "ship",
        "task",
    }
