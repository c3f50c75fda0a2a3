"""A disk that is full at any place that writes: one line, exit code 3, and what was done stays done.

The limit on the size of a file stands for the disk: it is met at the first write beyond it, by every process.
"""

import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

FIXTURES = Path(__file__).parents[2] / "fixtures"
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)); "
CLI = LIMITED + "from fake_burn import SEAMS; from burn_verify.cli.main import main; main(seams=SEAMS)"
PYTEST = LIMITED + "import sys, pytest; sys.exit(pytest.main(['-p', 'fake_burn', *sys.argv[1:]]))"


@pytest.fixture
def models(pytester, as_a_user, monkeypatch):
    """Return a small model and one whose answers do not fit on the disk."""
    monkeypatch.setenv("PYTHONPATH", str(FIXTURES), prepend=os.pathsep)
    pytester.makeini("[pytest]\n")
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1000, 1000))
    sizes = numpy_helper.from_array(np.array([1000, 1000], np.int64), "sizes")
    graph = helper.make_graph([helper.make_node("Expand", ["x", "sizes"], ["y"])], "g", [shape], [answer], [sizes])
    large = pytester.path / "large.onnx"
    onnx.save(helper.make_model(graph, opset_imports=(helper.make_opsetid("", 17),), ir_version=8), large)
    return [str(FIXTURES / "add.onnx"), str(large)]


def test_the_command_line(pytester, models):
    done = pytester.run(sys.executable, "-c", CLI, "verify", *models, "--burn-cache-dir", "cache")
    assert done.ret == 3
    done.stderr.fnmatch_lines(["burn-verify: error: *File too large: make room*--burn-cache-dir*is kept"])
    assert "Traceback" not in done.stderr.str()
    # What was asked before is kept, and nothing is left in halves.
    kept = [path for path in (pytester.path / "cache" / "reference").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in kept) == [".json", ".safetensors"]


def test_pytest(pytester, models):
    done = pytester.run(sys.executable, "-c", PYTEST, "--models", ",".join(models), "--burn-cache-dir", "cache")
    assert done.ret == 3
    done.stdout.fnmatch_lines(["*burn-verify: *File too large: make room*"])
    done.stdout.no_fnmatch_line("*INTERNALERROR*")
