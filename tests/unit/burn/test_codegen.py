"""Text of the generated crates, and which line of it is about which model."""

import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burn_verify.burn import codegen
from burn_verify.core.stage import ConvertedModel

PACKAGED = (files("burn_verify") / "rust" / "Cargo.toml").read_text(encoding="utf-8")


def a_model(module, rust=None):
    return ConvertedModel(
        label=f"zoo/{module}",
        module=module,
        rust=Path(rust or f"/models/{module}.rs"),
        weights=Path(f"/models/{module}.bpk"),
        seconds=0.0,
    )


def models(count):
    return tuple(a_model(f"m_{place:04x}") for place in range(count))


def a_group(count):
    return codegen.Group(crate="g_0000", models=models(count))


SOURCE = """\
#![allow(warnings)]
#[path = "/models/m_0000.rs"] pub mod m_0000;
#[path = "/models/m_0001.rs"] pub mod m_0001;

pub fn register(registry: &mut runner::Registry) {
runner::compat::insert!(registry, m_0000);
runner::compat::insert!(registry, m_0001);
}
"""
MANIFEST = """\
[package]
name = "g_0000"
version.workspace = true
edition.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
burn.workspace = true
burn-store.workspace = true
half.workspace = true
runner.workspace = true
"""
BATCH_MANIFEST = """\
[package]
name = "{name}"
version.workspace = true
edition.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
g_0000 = {{ path = "../g_0000" }}
g_0001 = {{ path = "../g_0001" }}
runner.workspace = true
"""
BATCH_SOURCE = """\
fn main() -> std::io::Result<()> {
    #[allow(unused_mut)]
    let mut registry = runner::Registry::default();
    g_0000::register(&mut registry);
    g_0001::register(&mut registry);
    runner::serve(&registry)
}
"""


def test_a_group_in_full():
    assert a_group(2).source == SOURCE
    assert a_group(2).manifest == MANIFEST


def test_a_batch_in_full():
    groups = tuple(codegen.Group(crate=f"g_000{place}", models=(model,)) for place, model in enumerate(models(2)))
    name = codegen.batch_name(groups)
    libraries = {path: text for group in groups for path, text in codegen.crate_files(group).items()}
    binary = {f"{name}/Cargo.toml": BATCH_MANIFEST.format(name=name), f"{name}/src/main.rs": BATCH_SOURCE}
    assert codegen.batch_files(groups) == {**libraries, **binary}
    assert len(libraries) == 4


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_line_is_about_the_model_it_names_or_about_none(count):
    group = a_group(count)
    lines = group.source.splitlines()
    seen = []
    for number, line in enumerate(lines, start=1):
        named = [model for model in group.models if model.module in line]
        assert [group.model_at(number)] == (named or [None]), line
        seen += named
    assert sorted(model.module for model in seen) == sorted([model.module for model in group.models] * 2)


@given(st.lists(st.from_regex(r"m_[0-9a-f]{8}", fullmatch=True), min_size=1, max_size=5, unique=True), st.data())
@settings(deadline=None, derandomize=True)
def test_lines_stay_true_whatever_the_paths(modules, data):
    paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
    group = codegen.Group(crate="g", models=tuple(a_model(module, data.draw(paths)) for module in modules))
    lines = group.source.split("\n")

    assert lines == [*group.source.splitlines(), ""]
    for model in group.models:
        about = [number for number in range(-3, len(lines) + 5) if group.model_at(number) == model]
        assert len(about) == 2
        assert lines[about[0] - 1].endswith(f"pub mod {model.module};")
        assert lines[about[1] - 1] == f"runner::compat::insert!(registry, {model.module});"


@given(st.integers(min_value=1, max_value=5), st.integers())
@settings(deadline=None, derandomize=True)
def test_a_line_that_is_not_there_is_about_none(count, line):
    group = a_group(count)
    if not 1 <= line <= len(group.source.splitlines()):
        assert group.model_at(line) is None


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", '""'),
        ("plain/path.rs", '"plain/path.rs"'),
        ('a"b', r'"a\"b"'),
        ("C:\\models\\a.rs", r'"C:\\models\\a.rs"'),
        ("two\nlines\ttab\r", r'"two\u{a}lines\u{9}tab\u{d}"'),
        ("modèle", r'"mod\u{e8}le"'),
        ("猫😀", r'"\u{732b}\u{1f600}"'),
        ("\0\x7f", r'"\u{0}\u{7f}"'),
        ("{}'$", '"{}\'$"'),
    ],
)
def test_a_rust_string(text, literal):
    assert codegen.rust_string(text) == literal


def read_rust(literal):
    """Undo the escapes of a Rust string literal, as rustc does."""
    inside = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', literal)[1]
    escape = re.compile(r'\\(?:u\{([0-9a-f]{1,6})\}|(["\\]))')
    return escape.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], inside)


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(deadline=None, derandomize=True)
def test_rust_reads_the_same_text(text):
    literal = codegen.rust_string(text)
    assert literal.isascii()
    assert literal.isprintable()
    assert read_rust(literal) == text


def test_a_hostile_path_stays_inside_its_string():
    hostile = '/a"] mod evil; /*\n*/ #[path = "b.rs'
    group = codegen.Group(crate="g", models=(a_model("m_1", hostile),))
    assert group.source.count("\n") == a_group(1).source.count("\n")
    line = group.source.splitlines()[1]
    literal = line.removeprefix("#[path = ").removesuffix("] pub mod m_1;")
    assert read_rust(literal) == hostile


def test_the_profile_is_in_the_packaged_workspace():
    assert codegen.PROFILE in tomllib.loads(PACKAGED)["profile"]


def test_what_the_crates_depend_on_is_in_the_packaged_workspace():
    known = tomllib.loads(PACKAGED)["workspace"]["dependencies"]
    group = tomllib.loads(a_group(1).manifest)
    name = codegen.batch_name([a_group(1)])
    batch = tomllib.loads(codegen.batch_files([a_group(1)])[f"{name}/Cargo.toml"])
    asked = {**group["dependencies"], **batch["dependencies"]}
    assert {name for name, source in asked.items() if source == {"workspace": True}} <= set(known)
    inherited = {name for name, value in group["package"].items() if value == {"workspace": True}}
    assert inherited <= set(tomllib.loads(PACKAGED)["workspace"]["package"])


def sizes_of(models, size=1):
    return {model.module: size for model in models}


def packed(models, crates, sizes=None):
    return codegen.pack(models, sizes or sizes_of(models), crates)


def modules_of(groups):
    return [sorted(group.modules) for group in groups]


@given(st.randoms(use_true_random=False), st.integers(min_value=1, max_value=6), st.data())
@settings(deadline=None, derandomize=True)
def test_the_order_of_the_models_does_not_matter(rng, crates, data):
    ordered = models(5)
    sizes = {model.module: data.draw(st.integers(min_value=0, max_value=9)) for model in ordered}
    shuffled = list(ordered)
    rng.shuffle(shuffled)

    assert codegen.crate_of(shuffled) == codegen.crate_of(ordered)
    assert packed(shuffled, crates, sizes) == packed(ordered, crates, sizes)


@given(st.integers(min_value=0, max_value=9), st.integers(min_value=0, max_value=6), st.data())
@settings(deadline=None, derandomize=True)
def test_every_model_gets_into_one_crate(count, crates, data):
    ordered = models(count)
    sizes = {model.module: data.draw(st.integers(min_value=0, max_value=9)) for model in ordered}
    groups = packed(ordered, crates, sizes)

    assert len(groups) <= max(crates, 1)
    assert all(group.models for group in groups)
    assert sorted(module for group in groups for module in group.modules) == sorted(sizes)
    assert len({group.crate for group in groups}) == len(groups)


def test_crates_are_of_about_the_same_size():
    ordered = models(4)
    sizes = dict(zip((model.module for model in ordered), (9, 3, 3, 3), strict=True))
    assert modules_of(packed(ordered, 2, sizes)) == [["m_0000"], ["m_0001", "m_0002", "m_0003"]]


def test_a_crate_is_named_after_its_models():
    names = [codegen.crate_of(models(count)).crate for count in range(1, 6)]
    assert len(set(names)) == 5
    assert all(re.fullmatch(r"g_[0-9a-f]{16}", name) for name in names)


def test_a_label_for_people():
    assert a_group(1).label == "zoo/m_0000"
    assert a_group(3).label == "zoo/m_0000 and 2 more"


def test_without_a_model_it_is_another_crate():
    group = codegen.crate_of(models(3))
    assert group.without([]) is group
    assert group.without(["m_ffff"]) is group
    assert group.without(["m_0001"]) == codegen.crate_of([a_model("m_0000"), a_model("m_0002")])


def test_cover_takes_the_most_useful_crates_and_none_in_vain():
    small, large, other = codegen.crate_of(models(1)), codegen.crate_of(models(3)), codegen.crate_of([a_model("m_9")])
    assert codegen.cover(["m_0000", "m_0001"], [small, other, large]) == (large,)
    assert codegen.cover(["m_0000", "m_9"], [small, other]) == codegen.cover(["m_9", "m_0000"], [other, small])
    assert codegen.cover(["m_7777"], [small, large, other]) == ()
    assert codegen.cover([], [small, large, other]) == ()


@given(st.sets(st.integers(min_value=0, max_value=5)), st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=5))
@settings(deadline=None, derandomize=True)
def test_cover_holds_all_that_is_known(wanted, known):
    every = models(6)
    groups = [codegen.crate_of(every[place] for place in places) for places in known]
    modules = {every[place].module for place in wanted}
    chosen = codegen.cover(modules, groups)

    held = frozenset().union(*(group.modules for group in chosen))
    assert modules & held == modules & frozenset().union(*(group.modules for group in groups))
    assert set(chosen) <= set(groups)
    for group in chosen:
        assert group.modules & modules


def test_the_name_of_a_batch():
    names = {codegen.batch_name(packed(models(count), 2)) for count in range(5)}
    assert len(names) == 5
    assert all(re.fullmatch(r"batch_[0-9a-f]{16}", name) for name in names)
    assert codegen.batch_name(packed(models(3), 2)) == codegen.batch_name(packed(models(3), 2))


def test_the_latency_profile_is_cargos_release_profile_and_said_as_such():
    manifest = tomllib.loads((files("burn_verify") / "rust" / "Cargo.toml").read_text(encoding="utf-8"))
    profile = manifest["profile"][codegen.LATENCY]
    packages = profile.pop("package")
    assert profile == {"inherits": codegen.LATENCY_PROFILE["inherits"]} == {"inherits": "release"}
    assert "release" not in manifest["profile"]
    # Only crates of the converter, which no runner calls, may be left as they are.
    converters = {"burn-onnx", "onnx-ir", "protobuf", "prettyplease", "rust-format", "syn"}
    assert {name.partition("@")[0] for name in packages} <= converters


@pytest.mark.parametrize(("inputs", "outputs"), [(33, 1), (1, 33), (40, 81)])
def test_the_call_of_a_model_with_many_values_is_spelt_out(inputs, outputs):
    model = replace(a_model("m_0000"), inputs=inputs, outputs=outputs)
    line = codegen.crate_of([model]).source.splitlines()[4]
    names = [
        " ".join(f"{letter}{place}" for place in range(count)) for letter, count in (("i", inputs), ("o", outputs))
    ]
    assert line == f"runner::compat::insert!(registry, m_0000, [{names[0]}], [{names[1]}]);"
    assert codegen.crate_of([model]).model_at(5) == model
    few = replace(model, inputs=min(inputs, 32), outputs=min(outputs, 32))
    assert codegen.crate_of([few]).source.splitlines()[4] == "runner::compat::insert!(registry, m_0000);"
