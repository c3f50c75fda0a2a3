"""The kept models of exporters: ONNX Runtime answers as their frameworks did, and the table of them is theirs."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from burn_verify.core.target import Target
from burn_verify.graph.operators import qualified
from burn_verify.prepare.decompositions import DECOMPOSITIONS
from burn_verify.run.prepare.rules import supported_by
from rewriting import answers

EXTRAS = Path(__file__).parents[3] / "extras"
KEPT = sorted((EXTRAS / "kept").glob("*.onnx"))
TEXT = (EXTRAS / "README.md").read_text(encoding="utf-8")
NIGHTLY = (EXTRAS.parent / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8")
ROWS = {
    row[0].strip(" `"): row
    for row in (line.strip("|").split("|") for line in TEXT.partition("| script |")[0].splitlines() if "| `" in line)
}


def stored(path, kind):
    files = sorted((path.with_suffix("") / "test_data_set_0").glob(f"{kind}_*.pb"))
    return [numpy_helper.to_array(onnx.TensorProto.FromString(file.read_bytes())) for file in files]


def test_there_are_kept_models():
    assert KEPT


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_onnx_runtime_answers_as_the_framework_did(path):
    found = answers(onnx.load(path), stored(path, "input"))
    for mine, framework in zip(found, stored(path, "output"), strict=True):
        assert mine.dtype == framework.dtype
        np.testing.assert_allclose(mine, framework, rtol=1e-4, atol=1e-5)


def test_the_table_names_each_kept_model_with_its_operators():
    assert set(ROWS) == {path.stem for path in KEPT}
    for path in KEPT:
        operators = sorted({node.op_type for node in onnx.load(path).graph.node})
        assert ROWS[path.stem][1].strip() == ", ".join(operators)


def test_what_burn_onnx_lacks_has_a_rewriting():
    for path in KEPT:
        present = {qualified(node.op_type, node.domain) for node in onnx.load(path).graph.node}
        lacking = sorted(present - supported_by(Target()))
        assert ROWS[path.stem][2].strip() == (", ".join(lacking) or "none")
        assert set(lacking) <= set(DECOMPOSITIONS)


def test_every_exporter_is_run_at_night():
    scripts = {path.name for path in EXTRAS.glob("export_*.py")}
    assert scripts == {f"export_{name}.py" for name in re.findall(r"framework: (\w+), packages", NIGHTLY)}
