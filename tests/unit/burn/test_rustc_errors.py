"""rustc's and cargo's messages: what they say, and which module each error of a failed build is about."""

import json
from pathlib import Path

import pytest

from burn_verify.burn import rustc_errors
from burn_verify.burn.codegen import crate_of
from burn_verify.burn.rustc_errors import RustError, Spot, attribute, compile_error
from burn_verify.core.stage import ConvertedModel


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
    found = attribute([PAIR, SINGLE], [(PAIR.crate, error(Spot(file=str(B.rust), line=3)))], {PAIR.crate})
    assert list(found.errors) == ["m_b"]
    assert found.suspects == ()


def test_an_error_in_the_line_that_binds_is_that_models():
    line = next(number for number, text in enumerate(PAIR.source.splitlines(), 1) if text.endswith(", m_b);"))
    spot = Spot(file=f"generated/{PAIR.crate}/src/lib.rs", line=line)
    assert list(attribute([PAIR], [(PAIR.crate, error(spot))], {PAIR.crate}).errors) == ["m_b"]


def test_a_library_around_the_generated_line_is_not_blamed():
    spots = (Spot(file="/registry/burn/src/tensor.rs", line=9), Spot(file=str(A.rust), line=2))
    assert list(attribute([PAIR], [(PAIR.crate, error(*spots))], {PAIR.crate}).errors) == ["m_a"]


def test_a_crate_that_failed_without_a_name_is_suspect():
    assert attribute([PAIR, SINGLE], [], {PAIR.crate}).suspects == (PAIR,)
    elsewhere = error(Spot(file="/registry/burn/src/tensor.rs", line=9))
    assert attribute([PAIR, SINGLE], [(SINGLE.crate, elsewhere)], set()).suspects == (SINGLE,)


def test_a_crate_with_a_named_module_is_not_suspect():
    named = (PAIR.crate, error(Spot(file=str(A.rust), line=1)))
    assert attribute([PAIR], [named, (PAIR.crate, error())], {PAIR.crate}).suspects == ()


def test_errors_of_other_crates_blame_nobody():
    found = attribute([SINGLE], [("runner", error(Spot(file="runner/src/lib.rs", line=2)))], {"runner"})
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


SAMPLES = Path(__file__).parents[3] / "fixtures" / "rustc"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))


def lines_of(name):
    return (SAMPLES / f"{name}.json").read_text(encoding="utf-8").splitlines()


def messages(name):
    return [message for line in lines_of(name) if (message := rustc_errors.parse(line)) is not None]


def error_in(name):
    (message,) = messages(name)
    assert message.executable is None
    return message.error


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("mismatch", "E0308", "mismatched types"),
        ("tuple", "E0308", "mismatched types"),
        ("included", "E0425", "cannot find value `missing` in this scope"),
        ("borrow", "E0502", "cannot borrow `self.parts` as mutable because it is also borrowed as immutable"),
        ("children", "E0061", "this function takes 2 arguments but 1 argument was supplied"),
        ("expanded", "E0277", "cannot divide `f32` by `&str`"),
        ("macro", "E0308", "mismatched types"),
        ("std-macro", "E0277", "can't compare `Vec<f32>` with `i64`"),
        ("binding", "E0277", "the trait bound `&str: FromWire` is not satisfied"),
        ("syntax", None, "expected `;`, found `identity1_out1`"),
    ],
)
def test_an_error(name, code, message):
    error = error_in(name)
    assert (error.code, error.message) == (code, message)
    assert error.rendered.startswith(f"error[{code}]: {message}\n" if code else f"error: {message}\n")


def test_the_crate_is_named():
    assert [message.crate for message in messages("mismatch")] == ["mismatch"]


def test_the_primary_place_comes_first():
    # rustc lists the line of the first borrow and that of its last use as well.
    assert [spot.line for spot in error_in("borrow").spots] == [8, 7, 9]


def test_a_primary_place_that_is_listed_last_comes_first():
    spans = json.loads(lines_of("borrow")[0])["message"]["spans"]
    assert [span["is_primary"] for span in spans] == [True, False, False]
    error = rustc_errors.parse(changed("borrow", spans=spans[::-1])).error
    assert [spot.line for spot in error.spots] == [8, 9, 7]


def test_places_in_children_come_last():
    # The call, then where the function is defined, then the suggestion.
    assert [spot.line for spot in error_in("children").spots] == [8, 8, 2, 2, 8]


def test_a_macro_is_followed_to_where_it_was_called():
    first, second, *others = error_in("expanded").spots
    assert first == Spot(file="src/lib.rs", line=5)
    assert second == Spot(file="src/lib.rs", line=11)
    assert any(spot.file.startswith("/rustc/") for spot in others)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("macro", Spot(file="runner/src/lib.rs", line=4)),
        ("std-macro", Spot(file=f"/rustc/{'0' * 40}/library/core/src/macros/mod.rs", line=46)),
    ],
)
def test_a_macro_of_another_crate_is_followed_to_the_generated_file(name, place):
    assert error_in(name).spots[:2] == (place, Spot(file="/workspace/converted/model.rs", line=4))


def test_an_error_where_a_model_is_bound_names_the_crate_that_binds_it():
    (message,) = messages("binding")
    places = [spot for spot in message.error.spots if spot.file.endswith(f"{message.crate}/src/lib.rs")]
    assert {spot.line for spot in places} == {5}
    assert message.error.spots[0] == places[0]


def test_a_module_included_by_path_is_named_by_that_path():
    assert error_in("included").spots == (Spot(file="/workspace/included/model.rs", line=2),)


def test_a_warning_is_no_error():
    assert any(json.loads(line).get("message", {}).get("level") == "warning" for line in lines_of("warning"))
    (artifact,) = messages("warning")
    assert artifact.error is None
    assert artifact.executable is None


def test_the_note_after_an_error_is_no_second_error():
    assert any(json.loads(line).get("message", {}).get("level") == "failure-note" for line in lines_of("mismatch"))
    assert len(messages("mismatch")) == 1


def test_a_binary():
    (message,) = messages("artifact")
    assert (message.crate, message.executable) == ("batch_1", "/workspace/target/debug/batch_1")
    assert message.error is None


def changed(name, **changes):
    line = json.loads(lines_of(name)[0])
    line["message"] |= changes
    return json.dumps(line)


def test_a_compiler_that_breaks_down_is_an_error():
    # Made by hand: the level that rustc gives to a failure of its own.
    line = changed(
        "mismatch",
        level="error: internal compiler error",
        code=None,
        message="unexpected panic",
        spans=[],
        rendered=None,
        children=[],
    )
    error = rustc_errors.parse(line).error
    assert (error.code, error.message, error.rendered, error.spots) == (None, "unexpected panic", "", ())


@pytest.mark.parametrize("level", ["warning", "note", "help", "failure-note"])
def test_only_errors_count(level):
    assert rustc_errors.parse(changed("mismatch", level=level)) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   Compiling g_1 v0.1.0 (/workspace/generated/g_1)",
        "thread 'rustc' panicked at compiler/rustc_hir/src/lib.rs:1:1:",
        "{ not JSON",
        '{"reason":"compiler-mess',
        "{}",
        "[1]",
        "null",
        '{"reason":"build-finished","success":false}',
        '{"$message_type":"diagnostic","level":"error","message":"rustc without cargo"}',
    ],
)
def test_anything_else_says_nothing(line):
    assert rustc_errors.parse(line) is None


def test_files_that_were_made_name_their_units():
    made = ["/t/deps/libburn_flex-0123456789abcdef.rlib", "/t/deps/libburn_flex-0123456789abcdef.rmeta"]
    said = rustc_errors.parse(json.dumps({"reason": "compiler-artifact", "target": {"name": "x"}, "filenames": made}))
    assert set(said.units) == {"0123456789abcdef"}
    out = "/t/build/serde-fedcba9876543210/out"
    said = rustc_errors.parse(json.dumps({"reason": "build-script-executed", "out_dir": out}))
    assert said.units == ("fedcba9876543210",)


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_line_says_nothing(name):
    for line in lines_of(name):
        assert all(rustc_errors.parse(line[:end]) is None for end in range(0, len(line), 7))


@pytest.mark.parametrize("name", NAMES)
def test_samples_hold_nothing_of_the_machine_they_come_from(name):
    for line in lines_of(name):
        assert "/home/" not in line
        assert "/root" not in line
        assert "/tmp" not in line


@pytest.mark.parametrize(
    ("line", "crate"),
    [
        ("error: could not compile `g_1` (lib) due to 1 previous error", "g_1"),
        ('error: could not compile `batch_1` (bin "batch_1") due to 2 previous errors; 1 warning emitted', "batch_1"),
        ("  error: could not compile `g_1` (lib)", "g_1"),
        ("warning: build failed, waiting for other jobs to finish...", None),
        ("error: linking with `cc` failed", None),
        ("", None),
    ],
)
def test_the_crate_that_cargo_gave_up(line, crate):
    assert rustc_errors.failed_crate(line) == crate


@pytest.mark.parametrize(
    ("line", "crate"),
    [
        ("error: could not compile `g_12` (lib) due to 1 previous error", "g_12"),
        ("error: could not compile `g_12` (lib) due to 2 previous errors; 1 warning emitted", "g_12"),
        ("  error: could not compile `g_12` (lib)\r", "g_12"),
        ("warning: `g_12` (lib) generated 1 warning", None),
        ("error: process didn't exit successfully: `rustc --crate-name g_12` (signal: 9, SIGKILL: kill)", None),
        ("said before: error: could not compile `g_12`", None),
        ("", None),
    ],
)
def test_a_crate_that_failed(line, crate):
    assert rustc_errors.failed_crate(line) == crate


@pytest.mark.parametrize(
    ("line", "node"),
    [
        ("        let conv2d1_out1 = self.conv2d1.forward(input1);", "conv2d1"),
        ('    let conv2d1_out1: f32 = "text";', "conv2d1"),
        ("        let (topk1_out1, topk1_out2) = topk1_out1.topk(3);", "topk1"),
        ("        let mut reshape1_out1 = x;", "reshape1"),
        ("        let linear1 = LinearConfig::new(2, 3);", "linear1"),
        ("            self.gemm2.forward(flatten1_out1)", "gemm2"),
        ("        let constant1_out12 = 3;", "constant1"),
        ("    pub fn forward(&self, input1: Tensor<4>) -> Tensor<2> {", None),
        ("}", None),
        ("", None),
    ],
)
def test_the_node_of_a_line(line, node):
    assert rustc_errors.node_of([line], 1) == node


BLOCK = """\
    pub fn forward(&self, x: Tensor<4>, n1: i64) -> Tensor<1, Int> {
        let range1_out1 = {
            let start = 0i64;
            let n = (((add1_out1 as i128 - start as i128) as f64) / delta as f64)
                .ceil();

            Tensor::arange(0..n, &self.device)
        };
        let linear1_out1 = self
            .linear1
            .forward(range1_out1);
        (linear1_out1, x)
    }
""".splitlines()


@pytest.mark.parametrize(
    ("line", "node"),
    [
        (1, None),
        (2, "range1"),
        (3, "range1"),
        (4, "range1"),
        (5, "range1"),
        (7, "range1"),
        (9, "linear1"),
        (11, "linear1"),
        (12, None),
    ],
)
def test_a_variable_of_generated_code_is_no_node(line, node):
    assert rustc_errors.node_of(BLOCK, line) == node


def test_the_node_of_a_real_error():
    source = 'pub fn forward() -> f32 {\n    let conv2d1_out1: f32 = "text";\n    conv2d1_out1\n}\n'.splitlines()
    assert rustc_errors.node_of(source, error_in("mismatch").spots[0].line) == "conv2d1"
