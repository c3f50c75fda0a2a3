"""What burn-onnx declares: the packaged file, and the reader of its sources."""

import re
from pathlib import Path

import pytest

import refresh_declared as script
from burn_verify.core.versions import DEFAULT
from burn_verify.graph.operators import all_operators
from burn_verify.report.summary import declared

ROOT = Path(__file__).parents[4]
FILE = ROOT / "src" / "burn_verify" / "data" / "declared" / f"{DEFAULT.burn_onnx}.json"
PACKAGED = declared.load_packaged(DEFAULT.burn_onnx)


def test_the_pinned_version_has_a_file():
    assert PACKAGED is not None
    assert PACKAGED.burn_onnx == DEFAULT.burn_onnx
    assert re.fullmatch(r"\d+\.\d+\.\d+", PACKAGED.onnx_ir)


def test_every_declared_operator_is_one_of_onnx():
    known = {operator.name for operator in all_operators()}
    assert len(PACKAGED.operators) > 100
    assert set(PACKAGED.operators) <= known


def test_the_opsets_are_opsets():
    for declaration in PACKAGED.operators.values():
        assert declaration.min_opset >= 1
        assert declaration.max_opset is None or declaration.max_opset >= declaration.min_opset


def test_names_differ_from_those_in_rust():
    # Lstm, Conv2d and the fused Linear in onnx-ir; Unique has only the placeholder.
    assert {"LSTM", "Conv", "ai.onnx.ml.Scaler"} <= set(PACKAGED.operators)
    assert not {"Lstm", "Conv2d", "Linear", "Custom", "Unique"} & set(PACKAGED.operators)


def test_the_file_says_nothing_of_the_machine_that_wrote_it():
    assert not re.search(r"[/\\]|://", FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("version", ["", "0.0.1", "../declared/0.22.0", "0.22.0.json"])
def test_an_unknown_version_declares_nothing_that_is_known(version):
    assert declared.load_packaged(version) is None


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"readme_opsets": 1}'])
def test_another_file_is_refused(text):
    with pytest.raises(ValueError, match=r"not a file of declarations|Expecting value"):
        declared.parse(text)


@pytest.mark.parametrize(("opset", "covered"), [(6, False), (7, True), (12, True), (13, False)])
def test_a_declaration_covers_its_opsets(opset, covered):
    assert declared.Declaration(min_opset=7, max_opset=12).covers(opset) is covered
    assert declared.Declaration(min_opset=7, max_opset=None).covers(opset) is (opset >= 7)


RUST = """
impl NodeProcessor for OneProcessor {
    fn spec(&self) -> NodeSpec {
        NodeSpec {
            min_opset: 11,
            max_opset: Some(12),
            inputs: InputSpec::Exact(3),
        }
    }
    fn other(&self) { if true { min_opset: 3 } }
}

impl NodeProcessor for TwoProcessor {
    fn spec(&self) -> NodeSpec {
        NodeSpec {
            min_opset: 9,
            ..OneProcessor.spec()
        }
    }
}

impl<'a> NodeProcessor for Generic<'a> {
}

impl NodeProcessor for ThreeProcessor {
    type Config = ();
}
"""


def test_specs_are_read_from_rust():
    default = script.Spec(min_opset=1, max_opset=None)
    assert script.processors(RUST, default) == {
        "OneProcessor": script.Spec(min_opset=11, max_opset=12),
        "TwoProcessor": script.Spec(min_opset=9, max_opset=12),
        "ThreeProcessor": default,
    }


def test_what_is_not_understood_is_refused():
    with pytest.raises(SystemExit, match="not understood"):
        script.registrations("registry.register(node_type, make());")
    with pytest.raises(SystemExit, match="computed"):
        script.processors(RUST.replace("11", "FIRST"), script.Spec(min_opset=1, max_opset=None))


def test_the_sources_make_the_file(tmp_path):
    (tmp_path / "src" / "node").mkdir(parents=True)
    (tmp_path / "README.md").write_text("supports **all ONNX opset versions** (1 through 24) for", encoding="utf-8")
    (tmp_path / "src" / "node" / "conv.rs").write_text(RUST, encoding="utf-8")
    (tmp_path / "src" / "processor.rs").write_text(
        "impl Default for NodeSpec { min_opset: 1, max_opset: None, }", encoding="utf-8"
    )
    names = {"Conv1d": "One", "Conv2d": "Two", "Lstm": "Three", "Linear": "Three", "Unique": "Unsupported"}
    (tmp_path / "src" / "registry.rs").write_text(
        "".join(
            f"registry.register(NodeType::{name}, Box::new(crate::node::conv::{processor}Processor));\n"
            for name, processor in names.items()
        ),
        encoding="utf-8",
    )
    text = script.render(script.Crate(version="9.9.9", folder=tmp_path), script.Crate(version="9.9.8", folder=tmp_path))

    found = declared.parse(text)
    assert (found.onnx_ir, found.burn_onnx, found.readme_opsets) == ("9.9.9", "9.9.8", (1, 24))
    assert found.operators == {
        "Conv": declared.Declaration(min_opset=9, max_opset=12),
        "LSTM": declared.Declaration(min_opset=1, max_opset=None),
    }
