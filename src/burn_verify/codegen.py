"""Text of the generated crates: one library a group of models, one binary that registers them all.

Values in, text out: writes no file and starts nothing. The model code itself is burn-onnx's and is never touched; it
is included by path, so rustc's errors name its file.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.types import ConvertedModel

PROFILE: Final = "correctness"
"""Name of the cargo profile in ``rust/Cargo.toml``."""

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


def group(models: Iterable[ConvertedModel]) -> tuple[Group, ...]:
    """Distribute models over crates.

    Each model of the zoo is large and gets a crate of its own: a change in one compiles only that one again.
    """
    unique = {model.module: model for model in models}
    return tuple(Group(crate=f"g_{module[2:]}", models=(unique[module],)) for module in sorted(unique))


def batch_name(groups: Sequence[Group]) -> str:
    """Return the name of the binary crate of a selection: the same groups give the same name."""
    return "batch_" + hashlib.sha256(" ".join(group.crate for group in groups).encode()).hexdigest()[:16]


def batch_manifest(name: str, groups: Sequence[Group]) -> str:
    """Return the text of the binary's ``Cargo.toml``."""
    return _manifest(
        name, [f'{group.crate} = {{ path = "../{group.crate}" }}' for group in groups] + ["runner.workspace = true"]
    )


def batch_source(groups: Sequence[Group]) -> str:
    """Return the text of the binary's ``src/main.rs``."""
    calls = "\n".join(f"    {group.crate}::register(&mut registry);" for group in groups)
    return (
        "fn main() -> std::io::Result<()> {\n"
        "    #[allow(unused_mut)]\n    let mut registry = runner::Registry::default();\n"
        f"{calls}\n    runner::serve(&registry)\n}}\n"
    )


def workspace_manifest(packaged: str, members: Sequence[str]) -> str:
    """Return the workspace's ``Cargo.toml`` with the generated crates among its members.

    Raises:
        ValueError: the packaged text has no line of members.
    """
    lines = packaged.splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("members = ")]
    if len(places) != 1:
        msg = f"{len(places)} lines of members in the packaged Cargo.toml, 1 expected"
        raise ValueError(msg)
    own = json.loads(lines[places[0]].removeprefix("members = "))
    lines[places[0]] = f"members = {json.dumps([*own, *members])}"
    return "\n".join(lines) + "\n"


def rust_string(text: str) -> str:
    r"""Return a Rust string literal; every character outside printable ASCII becomes ``\u{…}``."""
    escapes = {"\\": "\\\\", '"': '\\"'}
    inside = (escapes.get(char, char) if " " <= char <= "~" else f"\\u{{{ord(char):x}}}" for char in text)
    return f'"{"".join(inside)}"'


def _manifest(name: str, dependencies: Sequence[str]) -> str:
    return _MANIFEST.format(name=name, dependencies="\n".join(dependencies))


def _insert(model: ConvertedModel) -> str:
    module = model.module
    load = f"|weights, device| runner::bind({module}::Model::from_file(weights, device), {module}::Model::forward)"
    return f'registry.insert("{module}", {load});'
