"""Faults of kernels in Burn's source, and the page of how often the two sides are told apart."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

from planting import kernels
from whose_fault import CASES, report

RUST = """impl FloatTensorOps<Flex> for Flex {
    fn float_exp(
        tensor: FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        if tensor.is_empty() {
            return tensor;
        }
        unary::exp(tensor)
    }

    fn float_log(tensor: FloatTensor<Flex>) -> FloatTensor<Flex> {
        unary::log(tensor)
    }
}
"""


def line(planted, said, case="node/a", **more):
    by = [] if said == "not decidable" else ["other kernels"]
    fault = {"side": said, "by": by, "facts": ["on ndarray it is right"]}
    return {
        "planted": planted,
        "what": "w",
        "case": case,
        "outcome": "failed",
        "stage": "compare",
        "fault": fault,
    } | more


def test_the_answer_of_one_kernel_goes_through_the_fault():
    made = kernels.wrapped(RUST, "float_exp")
    assert made.count("spoil(") == 1
    assert 'spoil("float_exp", move || -> FloatTensor<Flex> {\n        if tensor.is_empty()' in made
    assert "        unary::exp(tensor)\n        })\n    }\n\n    fn float_log" in made
    with pytest.raises(ValueError, match="no kernel float_sin"):
        kernels.wrapped(RUST, "float_sin")


def test_a_copy_is_made_once(tmp_path, monkeypatch):
    crate = tmp_path / "crate"
    (crate / "src" / "ops").mkdir(parents=True)
    (crate / "src" / "lib.rs").write_text("mod layout;\n")
    (crate / "src" / "ops" / "float.rs").write_text(RUST)
    monkeypatch.setattr(kernels, "KERNELS", {"float_exp": "float.rs", "float_log": "float.rs"})
    for _ in range(2):
        kernels.spoilt(crate, tmp_path / "copy")
    assert "mod planted;" in (tmp_path / "copy" / "src" / "lib.rs").read_text()
    assert (tmp_path / "copy" / "src" / "ops" / "float.rs").read_text().count("spoil(") == 2
    assert kernels.VARIABLE in (tmp_path / "copy" / "src" / "planted.rs").read_text()


def test_sources_that_cargo_does_not_have_are_missed(tmp_path, monkeypatch):
    monkeypatch.setenv("CARGO_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no burn-flex"):
        kernels.sources_of("0.22.1")


def test_every_kernel_has_a_case():
    assert set(CASES) == set(kernels.KERNELS)


def test_the_page_counts_what_was_told_apart():
    lines = [
        line("importer", "importer"), line("importer", "kernel"), line("kernel", "kernel"),
        line("kernel", "not decidable"),
    ]  # fmt: skip
    page = report(lines, [line("", "kernel"), line("", "not decidable"), line("", "importer", stage="run")])
    assert "Planted: 4. Decided: 3. Of these told apart: 2 (67%)." in page
    assert "with a wrong answer: 2, decided: 1" in page
    assert "(50%): 1 by other kernels" in page
