"""A failed case, told in text."""

from pathlib import Path

import pytest

from burn_verify.core.case import Case, ModelFile, Unavailable
from burn_verify.core.errors import CompareError, CompileError, ConvertError, LoadError, RunError
from burn_verify.core.options import Settings
from burn_verify.report.views.failure import failure_text


def zoo_case(name):
    return Case(id=f"zoo/{name}", corpus="zoo", source=Unavailable(reason="none"))


def file_case(path):
    return Case(id="file/a", corpus="file", source=ModelFile(path=Path(path)))


def test_a_message_alone():
    text = failure_text(zoo_case("candy"), LoadError("not here\nsecond line", "gone"), Settings())
    assert text == "zoo/candy stopped at LOAD: not here\nsecond line\nreproduce: pytest --models=candy"


def test_the_evidence_of_a_compile_error():
    details = {
        "codes": ["E0308"],
        "line": 12,
        "rust": "let conv2d1_out1 = x;",
        "node": "conv2d1",
        "file": "0a1b/model.rs",
    }
    text = failure_text(zoo_case("candy"), CompileError("error[E0308]: mismatched types", "E0308", details), Settings())
    assert text.splitlines() == [
        "zoo/candy stopped at COMPILE: error[E0308]: mismatched types",
        "generated line 12 (node conv2d1): let conv2d1_out1 = x;",
        "file: converted/0a1b/model.rs in the cache; burn-verify doctor says where that is",
        "reproduce: pytest --models=candy",
    ]


def test_a_line_without_a_node():
    text = failure_text(zoo_case("candy"), CompileError("m", "r", {"rust": "}", "line": 3, "node": None}), Settings())
    assert "generated line 3: }" in text.splitlines()


@pytest.mark.parametrize("details", [{}, {"rust": None, "line": None, "node": None, "file": "", "log": ""}])
def test_what_is_not_known_is_not_shown(details):
    assert len(failure_text(zoo_case("candy"), ConvertError("m", "r", details), Settings()).splitlines()) == 2


def test_the_location_of_a_panic():
    text = failure_text(zoo_case("candy"), RunError("panicked", "", {"location": "burn/src/a.rs:3:4"}), Settings())
    assert "location: burn/src/a.rs:3:4" in text.splitlines()


def test_the_end_of_a_log():
    log = "\n".join(f"line {number}" for number in range(30))
    lines = failure_text(zoo_case("candy"), RunError("died", "", {"log": log}), Settings()).splitlines()
    assert lines[1] == "the process said last:"
    assert lines[2:-1] == [f"  line {number}" for number in range(18, 30)]
    assert lines[-1] == "reproduce: pytest --models=candy"


def test_numbers_of_a_comparison_are_kept_whole():
    message = "Y: float32[2,3] 4/6 elements differ, max_abs=1.2e-03 at [0,2]"
    assert message in failure_text(file_case("/a.onnx"), CompareError(message), Settings())
