"""Crates with hooks: what of them is read, how the converter gets them, and which nodes they are handed."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from burn_verify.burn.checkouts import look
from burn_verify.burn.hooks import DOMAIN, Hooks, handed_over, hooks_of, with_hooks
from burn_verify.burn.recipe import packaged_sources, recipes
from burn_verify.core.errors import UsageError
from burn_verify.core.target import Checkout, Target
from burn_verify.expectations import packaged
from burn_verify.record.targets import target_from_json, target_to_json
from burn_verify.system.cache import Cache
from handmade import model, value

SOURCES = packaged_sources()
EXAMPLE = Path(__file__).parents[3] / "examples" / "hooks" / "roi-align"
HOOKS = Hooks(checkout=Checkout(path=Path('/my "hooks"'), digest="d" * 64), package="mine")
HOOKED = Target(hooks=HOOKS.checkout)

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo reads the manifests")


def a_crate(folder, metadata="", lib="pub fn register() {}"):
    (folder / "src").mkdir(parents=True)
    manifest = '[package]\nname = "mine"\nversion = "1.0.0"\nedition = "2024"\n\n[workspace]\n'
    (folder / "Cargo.toml").write_text(manifest + metadata)
    (folder / "src" / ("lib.rs" if lib else "main.rs")).write_text(lib or "fn main() {}")
    return folder


def target_of(folder, tmp_path, **given):
    return Target(hooks=look(Cache(tmp_path / "cache"), "hooks", str(folder)), **given)


def test_the_example_says_which_operator_it_takes(tmp_path):
    found = hooks_of(target_of(EXAMPLE, tmp_path))
    assert (found.package, found.operators) == ("roi-align", ("RoiAlign",))


def test_without_hooks_there_are_none():
    assert hooks_of(Target()) is None
    assert with_hooks(SOURCES, None) == SOURCES


def test_a_crate_without_operators_has_custom_ones_only(tmp_path):
    assert hooks_of(target_of(a_crate(tmp_path / "mine"), tmp_path)).operators == ()


@pytest.mark.parametrize(
    ("made", "more", "said"),
    [
        ({"lib": ""}, {}, "0 crates with a library, one is needed"),
        ({"metadata": '[package.metadata.burn-verify]\noperators = "RoiAlign"\n'}, {}, "has to be a list of names"),
        ({"metadata": "[package.metadata.burn-verify]\noperators = [1]\n"}, {}, "has to be a list of names"),
        ({}, {"burn": "0.21.0", "burn_onnx": "0.21.0"}, r"burn-onnx 0\.21\.0 has no hooks"),
    ],
)
def test_what_is_wrong_with_a_crate_is_one_line(tmp_path, made, more, said):
    target = target_of(a_crate(tmp_path / "mine", **made), tmp_path, **more)
    with pytest.raises(UsageError, match=rf"^--burn-hooks .*mine: .*{said}") as caught:
        hooks_of(target)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_manifest_is_no_crate(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"this is no crate with hooks: it has no Cargo\.toml"):
        target_of(tmp_path / "empty", tmp_path)


def test_the_converter_registers_hooks():
    made = with_hooks(SOURCES, HOOKS)
    changed = {name for name in SOURCES if made[name] != SOURCES[name]}
    assert changed == {"converter/Cargo.toml", "converter/src/main.rs"}
    assert r'hooks = { package = "mine", path = "/my \"hooks\"" }' in made["converter/Cargo.toml"]
    assert "hooked(&mut ModelGen::new())" in made["converter/src/main.rs"]
    assert "hooks::register(generator);" in made["converter/src/main.rs"]


def test_only_the_converter_is_another_one():
    plain, hooked = recipes(Target(), (), ()), recipes(HOOKED, (), ())
    assert hooked[0] == plain[0] == plain[1]
    assert hooked[1].hooks == HOOKS.checkout
    assert not hooked[1].is_plain
    assert hooked[1].name != plain[1].name
    assert hooked[1].digests == ("flex", "hooks", "d" * 64)


def test_a_target_with_hooks_is_another_one():
    assert HOOKED.build_key != Target().build_key
    assert HOOKED.version == "0.22.1+hooks@~ddddddd"
    read = target_from_json(target_to_json(HOOKED))
    assert read == replace(HOOKED, hooks=replace(HOOKS.checkout, path=Path()))
    assert packaged.load(HOOKED) == ()


def roi_align(inner=False):
    node = helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], name="n")
    image, boxes = value("x", shape=[1, 1, 4, 4]), value("r", shape=[1, 4])
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "b")
    nodes = [node]
    if inner:
        body = helper.make_graph([node], "then", [], [value("y", shape=[1, 1, 1, 1])])
        nodes = [helper.make_node("If", ["c"], ["z"], then_branch=body, else_branch=body)]
    inputs = [image, boxes, *([value("c", onnx.TensorProto.BOOL, [])] if inner else [])]
    return model(nodes, inputs, [value("z" if inner else "y", shape=[1, 1, 1, 1])], [indices], opset=16)


@pytest.mark.parametrize("inner", [False, True])
def test_nodes_are_handed_over_in_a_copy(tmp_path, inner):
    path = tmp_path / "roi.onnx"
    onnx.save(roi_align(inner), path)
    before = path.read_bytes()

    copy = handed_over(path, ("RoiAlign",), tmp_path / "handed")

    assert copy == tmp_path / "handed" / "roi.onnx"
    assert path.read_bytes() == before
    made = onnx.load(copy)
    assert DOMAIN in str(made.graph)
    assert {entry.domain: entry.version for entry in made.opset_import}[DOMAIN] == 16


@pytest.mark.parametrize("operators", [(), ("Resize",)])
def test_a_model_without_such_nodes_is_read_where_it_lies(tmp_path, operators):
    path = tmp_path / "roi.onnx"
    onnx.save(roi_align(), path)
    assert handed_over(path, operators, tmp_path / "handed") == path
    assert not (tmp_path / "handed").exists()
