"""Text of the generated crates: one library a group of models, one binary that registers them all.

Values in, text out: writes no file and starts nothing. The model code itself is burn-onnx's and is never touched; it
is included by path, so rustc's errors name its file.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.core.stage import ConvertedModel

PROFILE: Final = "correctness"
"""Name of the cargo profile in ``rust/Cargo.toml`` with which answers are made."""

LATENCY: Final = "latency"
"""Name of the one with which calls are timed; numbers of one never stand for the other."""

LATENCY_PROFILE: Final[Mapping[str, object]] = {
    **{"inherits": "release", "opt-level": 3, "lto": "off between crates", "codegen-units": 16},
    **{"debug-assertions": False, "overflow-checks": False},
}
"""What that profile is: cargo's own release profile, of which nothing is changed."""

_INFERRED: Final = 32
"""Up to so many inputs and outputs rustc infers a model's signature, see ``rust/runner/src/invoke.rs``; the call of a
model that has more is spelt out."""

_MANIFEST: Final = """\
[package]
name = "{name}"
version.workspace = true
edition.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
{dependencies}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A library crate: its name and the models in it."""

    crate: str
    models: tuple[ConvertedModel, ...]

    @property
    def label(self) -> str:
        """What to call it in front of people."""
        more = f" and {len(self.models) - 1} more" if len(self.models) > 1 else ""
        return self.models[0].label + more

    @property
    def modules(self) -> frozenset[str]:
        """Names of the modules in it."""
        return frozenset(model.module for model in self.models)

    def without(self, modules: Collection[str]) -> "Group":
        """Return a crate of the other models; itself where it holds none of these."""
        if self.modules.isdisjoint(modules):
            return self
        return crate_of(model for model in self.models if model.module not in modules)

    @property
    def manifest(self) -> str:
        """Text of ``Cargo.toml``."""
        crates = ("burn", "burn-store", "half", "runner")
        return _manifest(self.crate, [f"{crate}.workspace = true" for crate in crates])

    @property
    def source(self) -> str:
        """Text of ``src/lib.rs``: two lines a model, each line about one model only, so that errors can be blamed."""
        modules = "\n".join(
            f"#[path = {rust_string(str(model.rust))}] pub mod {model.module};" for model in self.models
        )
        inserts = "\n".join(_insert(model) for model in self.models)
        return f"#![allow(warnings)]\n{modules}\n\npub fn register(registry: &mut runner::Registry) {{\n{inserts}\n}}\n"

    def model_at(self, line: int) -> ConvertedModel | None:
        """Return the model that a line (from 1) of `source` is about, None for the lines in between."""
        count = len(self.models)
        place = line - 2 if line < count + 2 else line - (count + 4)
        return self.models[place] if 0 <= place < count else None


def crate_of(models: Iterable[ConvertedModel]) -> Group:
    """Return the crate of these models, named after them: other models, another crate."""
    ordered = tuple(sorted(models, key=lambda model: model.module))
    name = hashlib.sha256(" ".join(model.module for model in ordered).encode()).hexdigest()
    return Group(crate=f"g_{name[:16]}", models=ordered)


def cover(wanted: Collection[str], known: Iterable[Group]) -> tuple[Group, ...]:
    """Choose crates that were compiled before and hold wanted modules, the most useful first.

    A compiled crate never changes, so whatever it holds beside the wanted modules costs nothing but a place in the
    binary.
    """
    missing = set(wanted)
    chosen = []
    for group in sorted(known, key=lambda group: (-len(missing.intersection(group.modules)), group.crate)):
        if not missing.isdisjoint(group.modules):
            chosen.append(group)
            missing.difference_update(group.modules)
    return tuple(chosen)


def pack(models: Iterable[ConvertedModel], sizes: Mapping[str, int], crates: int) -> tuple[Group, ...]:
    """Distribute models over at most so many new crates, of about the same size.

    Few crates are cheap, for each costs half a second of rustc before its first line; as many as there are processors
    keep all of them busy: docs/decisions/0010-crates-never-change.md.

    Arguments:
        sizes: bytes of generated text by module.
    """
    bins: list[tuple[int, list[ConvertedModel]]] = [(0, []) for _ in range(max(crates, 1))]
    for model in sorted(models, key=lambda model: (-sizes[model.module], model.module)):
        place = min(range(len(bins)), key=lambda place: bins[place][0])
        size, inside = bins[place]
        bins[place] = (size + sizes[model.module], [*inside, model])
    return tuple(crate_of(inside) for _, inside in bins if inside)


def batch_name(groups: Sequence[Group]) -> str:
    """Return the name of the binary crate of a selection: the same groups give the same name."""
    return "batch_" + hashlib.sha256(" ".join(group.crate for group in groups).encode()).hexdigest()[:16]


def crate_files(group: Group) -> dict[str, str]:
    """Return the files of a library crate: text by path below the folder of generated crates."""
    return {f"{group.crate}/Cargo.toml": group.manifest, f"{group.crate}/src/lib.rs": group.source}


def batch_files(groups: Sequence[Group]) -> dict[str, str]:
    """Return the files of a selection, its binary crate and all library crates, as `crate_files` does."""
    name = batch_name(groups)
    dependencies = [f'{group.crate} = {{ path = "../{group.crate}" }}' for group in groups]
    files = {
        f"{name}/Cargo.toml": _manifest(name, [*dependencies, "runner.workspace = true"]),
        f"{name}/src/main.rs": _batch_source(groups),
    }
    for group in groups:
        files |= crate_files(group)
    return files


def _batch_source(groups: Sequence[Group]) -> str:
    calls = "\n".join(f"    {group.crate}::register(&mut registry);" for group in groups)
    return (
        "fn main() -> std::io::Result<()> {\n"
        "    #[allow(unused_mut)]\n    let mut registry = runner::Registry::default();\n"
        f"{calls}\n    runner::serve(&registry)\n}}\n"
    )


def rust_string(text: str) -> str:
    r"""Return a Rust string literal; every character outside printable ASCII becomes ``\u{…}``."""
    escapes = {"\\": "\\\\", '"': '\\"'}
    inside = (escapes.get(char, char) if " " <= char <= "~" else f"\\u{{{ord(char):x}}}" for char in text)
    return f'"{"".join(inside)}"'


def _manifest(name: str, dependencies: Sequence[str]) -> str:
    return _MANIFEST.format(name=name, dependencies="\n".join(dependencies))


def _insert(model: ConvertedModel) -> str:
    if max(model.inputs, model.outputs) <= _INFERRED:
        return f"runner::compat::insert!(registry, {model.module});"
    inputs, outputs = _names("i", model.inputs), _names("o", model.outputs)
    return f"runner::compat::insert!(registry, {model.module}, [{inputs}], [{outputs}]);"


def _names(letter: str, count: int) -> str:
    return " ".join(f"{letter}{place}" for place in range(count))
