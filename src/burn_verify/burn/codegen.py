"""Text of the generated crates: one library per group of models, one binary that registers all models.

Pure functions: write no file and start no process. The model code is written by burn-onnx and is never changed. It is
included by path, so rustc's errors name its file.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.burn.ways import loading, recorded
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.ways import BURNPACK, FILE, FULL

PROFILE: Final = "correctness"
"""Name of the cargo profile in ``rust/Cargo.toml`` with which outputs are computed."""

LATENCY: Final = "latency"
"""Name of the cargo profile with which calls are timed. Results of the two profiles are never mixed."""

LATENCY_PROFILE: Final[Mapping[str, object]] = {
    **{"inherits": "release", "opt-level": 3, "lto": "off between crates", "codegen-units": 16},
    **{"debug-assertions": False, "overflow-checks": False},
}
"""Settings of the profile `LATENCY`: those of cargo's release profile, unchanged."""

_INFERRED: Final = 32
"""Number of inputs or outputs up to which rustc infers a model's signature, see ``rust/runner/src/invoke.rs``. For a
model with more of them, the call is generated explicitly."""

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
        """Display name: the label of the first model and the number of the others."""
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
        """Text of ``src/lib.rs``: two lines per model. No line concerns two models, so errors can be attributed."""
        modules = "\n".join(
            f"#[path = {rust_string(str(model.rust))}] pub mod {model.module};" for model in self.models
        )
        inserts = "\n".join(_insert(model) for model in self.models)
        alloc = " extern crate alloc;" if any(model.alloc for model in self.models) else ""
        head = f"#![allow(warnings)]{alloc}\n{modules}\n"
        return f"{head}\npub fn register(registry: &mut runner::Registry) {{\n{inserts}\n}}\n"

    def model_at(self, line: int) -> ConvertedModel | None:
        """Return the model that a line (from 1) of `source` belongs to, None for lines that belong to no model."""
        count = len(self.models)
        place = line - 2 if line < count + 2 else line - (count + 4)
        return self.models[place] if 0 <= place < count else None


def crate_of(models: Iterable[ConvertedModel]) -> Group:
    """Return the crate of these models. Its name is a hash of their modules, so other models give another crate."""
    ordered = tuple(sorted(models, key=lambda model: model.module))
    name = hashlib.sha256(" ".join(model.module for model in ordered).encode()).hexdigest()
    return Group(crate=f"g_{name[:16]}", models=ordered)


def cover(wanted: Collection[str], known: Iterable[Group]) -> tuple[Group, ...]:
    """Choose crates that were compiled before and hold requested modules, those with the most of them first.

    A compiled crate never changes, so the other modules in it cost no compile time, only space in the binary.
    """
    missing = set(wanted)
    chosen = []
    for group in sorted(known, key=lambda group: (-len(missing.intersection(group.modules)), group.crate)):
        if not missing.isdisjoint(group.modules):
            chosen.append(group)
            missing.difference_update(group.modules)
    return tuple(chosen)


def pack(models: Iterable[ConvertedModel], sizes: Mapping[str, int], crates: int) -> tuple[Group, ...]:
    """Distribute models over new crates of about the same size.

    Fewer crates cost less, because rustc needs half a second per crate before its first line. As many crates as
    processors use all processors: docs/decisions/0010-crates-never-change.md.

    Arguments:
        sizes: bytes of generated text by module.
        crates: the largest number of crates.
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
    """Return the files of a selection, its binary crate and all library crates, in the format of `crate_files`."""
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
    if model.record != BURNPACK:
        return f"{recorded(model)}{_wide(model)});"
    if (model.load, model.stored) != (FILE, FULL):
        return _insert_otherwise(model)
    return f"runner::compat::insert!(registry, {model.module}{_wide(model)});"


def _insert_otherwise(model: ConvertedModel) -> str:
    """Return the line of a model that gets its weights in another way than from a file as it is."""
    if max(model.inputs, model.outputs) <= _INFERRED:
        bound = f"runner::bind({loading(model)}, {model.module}::Model::forward)"
    else:
        inputs, outputs = _names("i", model.inputs), _names("o", model.outputs)
        bound = f"runner::bind_wide!({loading(model)}, [{inputs}], [{outputs}])"
    return f"registry.insert(stringify!({model.module}), |weights, device| {bound});"


def _wide(model: ConvertedModel) -> str:
    """Return further arguments of a macro: a name for every input and output, where rustc cannot infer so many."""
    if max(model.inputs, model.outputs) <= _INFERRED:
        return ""
    return f", [{_names('i', model.inputs)}], [{_names('o', model.outputs)}]"


def _names(letter: str, count: int) -> str:
    return " ".join(f"{letter}{place}" for place in range(count))
