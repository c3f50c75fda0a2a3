"""Whose fault a failed build is."""

from pathlib import Path

from burn_verify.blame import blame, compile_error
from burn_verify.codegen import crate_of
from burn_verify.diagnostics import RustError, Spot
from burn_verify.types import ConvertedModel


def model(name):
    folder = Path("/c") / name
    return ConvertedModel(
        label=f"zoo/{name}", module=f"m_{name}", rust=folder / "model.rs", weights=folder / "model.bpk", seconds=0.0
    )


A, B, C = model("a"), model("b"), model("c")
PAIR, SINGLE = crate_of([A, B]), crate_of([C])


def error(*spots, code="E0308"):
    return RustError(code=code, message="mismatched types", rendered="error: …", spots=spots)


def test_an_error_is_its_files():
    found = blame([PAIR, SINGLE], [(PAIR.crate, error(Spot(file=str(B.rust), line=3)))], {PAIR.crate})
    assert list(found.errors) == ["m_b"]
    assert found.suspects == ()


def test_an_error_in_the_line_that_binds_is_that_models():
    line = next(number for number, text in enumerate(PAIR.source.splitlines(), 1) if text.endswith(", m_b);"))
    spot = Spot(file=f"generated/{PAIR.crate}/src/lib.rs", line=line)
    assert list(blame([PAIR], [(PAIR.crate, error(spot))], {PAIR.crate}).errors) == ["m_b"]


def test_a_library_around_the_generated_line_is_not_blamed():
    spots = (Spot(file="/registry/burn/src/tensor.rs", line=9), Spot(file=str(A.rust), line=2))
    assert list(blame([PAIR], [(PAIR.crate, error(*spots))], {PAIR.crate}).errors) == ["m_a"]


def test_a_crate_that_failed_without_a_name_is_suspect():
    assert blame([PAIR, SINGLE], [], {PAIR.crate}).suspects == (PAIR,)
    elsewhere = error(Spot(file="/registry/burn/src/tensor.rs", line=9))
    assert blame([PAIR, SINGLE], [(SINGLE.crate, elsewhere)], set()).suspects == (SINGLE,)


def test_a_crate_with_a_named_module_is_not_suspect():
    named = (PAIR.crate, error(Spot(file=str(A.rust), line=1)))
    assert blame([PAIR], [named, (PAIR.crate, error())], {PAIR.crate}).suspects == ()


def test_errors_of_other_crates_blame_nobody():
    found = blame([SINGLE], [("runner", error(Spot(file="runner/src/lib.rs", line=2)))], {"runner"})
    assert (dict(found.errors), found.suspects) == ({}, ())


def test_the_evidence():
    text = "fn forward() {\n    let conv2d1_out1 = self.conv2d1.forward(x);\n}\n"
    elsewhere = error(code=None)
    made = compile_error(A, text, [error(Spot(file=str(A.rust), line=2)), elsewhere])
    assert made.reason == "E0308: mismatched types (+1 more)"
    assert made.details == {
        "codes": ["E0308"],
        "errors": 2,
        "line": 2,
        "rust": "let conv2d1_out1 = self.conv2d1.forward(x);",
        "node": "conv2d1",
        "file": f"{A.rust.parent.name}/{A.rust.name}",
    }


def test_a_line_beyond_the_text_is_not_shown():
    made = compile_error(A, "one line", [error(Spot(file=str(A.rust), line=7))])
    assert (made.details["line"], made.details["rust"]) == (7, None)
