"""The lines with which a crate of the user gets what was verified: ``Cargo.toml``, ``build.rs``, and a program.

Writes nothing; `crate` writes a whole crate instead.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from burn_verify.burn.checkouts import patches_of
from burn_verify.burn.recipe import Patch, overlaid, packaged_sources
from burn_verify.core.case import ModelFile, TensorSpec
from burn_verify.core.stage import PreparedCase
from burn_verify.core.target import Target
from burn_verify.core.text import one_line
from burn_verify.core.versions import BURN_ONNX, resolve
from burn_verify.core.ways import BURNPACK, EMBEDDED, FULL
from burn_verify.ship.face import RUST_WORDS

_DEVICES: Final = {
    "flex": "Device::flex()",
    "ndarray": "Device::ndarray()",
    "wgpu": 'Device::wgpu_options().init().expect("a device is there")',
    "cuda": "Device::cuda(0)",
}
_CRATES: Final = frozenset({"alloc", "burn", "burn_store", "core", "std"})
_TYPED: Final = ("0.19", "0.20", "0.21")
"""Beginnings of the versions in which the backend is a type."""
_TYPES: Final = {"flex": "Flex", "ndarray": "NdArray"}
_RECORDS: Final = {"mpk": "NamedMpk", "mpk.gz": "NamedMpkGz", "bin": "Bincode", "json": "PrettyJson"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that passed.

    Attributes:
        path: of the ``.onnx`` file, as a user reads it.
    """

    name: str
    path: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines for one target.

    Attributes:
        dependencies, build_dependencies: tables of ``Cargo.toml`` with their heads.
        patches: further lines of ``Cargo.toml``, for sources that are not the registry's; empty without any.
        copies: what to copy where before, in a line each.
        build: ``build.rs``.
        program: ``src/main.rs``.
    """

    title: str
    dependencies: str
    build_dependencies: str
    patches: str
    copies: tuple[str, ...]
    build: str
    program: str

    @property
    def text(self) -> str:
        """All of them, for people."""
        manifest = "\n\n".join(filter(None, [self.dependencies, self.build_dependencies, self.patches]))
        parts = (("Cargo.toml", manifest), ("build.rs", self.build), ("src/main.rs", self.program))
        blocks = "\n\n".join(f"--- {name}\n{text}" for name, text in parts)
        return "\n".join([f"how to ship {self.title}:", *(f"  {copy}" for copy in self.copies), "", blocks])


def how(target: Target, passed: Sequence[PreparedCase]) -> str:
    """Return the lines for the models that passed on a target, as one text.

    Raises:
        UsageError: a checkout of the target is not what it was.
    """
    models = [
        Model(
            name=prepared.case.id,
            path=str(prepared.case.source.path if isinstance(prepared.case.source, ModelFile) else prepared.model),
            inputs=prepared.inputs,
            outputs=prepared.outputs,
        )
        for prepared in passed
    ]
    return lines(target, models, patches_of(target)).text


def lines(target: Target, models: Sequence[Model], patches: Sequence[Patch] = ()) -> Lines:
    """Return the lines for the models that passed on a target, at least one.

    Arguments:
        patches: the crates of the target's checkouts.
    """
    named = dict(zip(_modules(models), models, strict=True))
    crates = [crate for patch in patches for crate in patch.crates]
    return Lines(
        title=f"{', '.join(model.name for model in models)} with {target.label}",
        dependencies="\n".join(["[dependencies]", *_dependencies(target)]),
        build_dependencies=f"[build-dependencies]\n{_importer(target)}",
        patches="\n".join(
            ["[patch.crates-io]", *(f"{one.name} = {{ path = {json.dumps(one.folder)} }}" for one in crates)]
        )
        if crates
        else "",
        copies=tuple(
            f"copy {model.path} to model/{name}.onnx, its data files beside it" for name, model in named.items()
        ),
        build=_build(target, list(named)),
        program=_program(target, named),
    )


def _modules(models: Sequence[Model]) -> list[str]:
    """Return a name for each model that Rust takes for a module, each once."""
    taken: list[str] = []
    for model in models:
        stem = re.sub(r"[^a-z0-9]+", "_", model.name.rpartition("/")[2].lower()).strip("_") or "model"
        stem = f"model_{stem}" if stem[0].isdecimal() or stem in RUST_WORDS | _CRATES else stem
        number = sum(one == stem or one.startswith(f"{stem}__") for one in taken)
        taken.append(f"{stem}__{number + 1}" if number else stem)
    return taken


def _dependencies(target: Target) -> Iterator[str]:
    """Yield a line for every crate of Burn that a model needs, with the features that were verified."""
    sources = overlaid(packaged_sources(), resolve(target.burn))
    crates = tomllib.loads(sources["compat/Cargo.toml"])["dependencies"]
    for name, asked in crates.items():
        if not name.startswith("burn") or name == "burn-onnx":
            continue
        features = list(asked.get("features", ())) if isinstance(asked, dict) else []
        if name == "burn" and target.backend not in features:
            features.append(target.backend)
        more = f", default-features = false, features = {json.dumps(features)}" if isinstance(asked, dict) else ""
        yield f'{name} = {{ version = "={target.burn}"{more} }}'


def _importer(target: Target) -> str:
    if resolve(target.burn).importer == BURN_ONNX:
        return f'burn-onnx = "={target.burn_onnx}"'
    # Its other defaults import from PyTorch.
    return f'burn-import = {{ version = "={target.burn_onnx}", default-features = false, features = ["onnx"] }}'


def _build(target: Target, names: Sequence[str]) -> str:
    options: dict[str, object] = {"simplify": target.simplify, "partition": target.partition}
    crate = "burn_onnx"
    if resolve(target.burn).importer != BURN_ONNX:
        crate, options = "burn_import::onnx", {}
    if target.record != BURNPACK:
        options = {"half_precision": target.weights != FULL, "embed_states": target.load == EMBEDDED}
    calls = [f'        .input("model/{name}.onnx")' for name in names]
    calls += [
        '        .out_dir("model/")',
        *(f"        .{name}({json.dumps(value)})" for name, value in options.items()),
    ]
    if target.record != BURNPACK:
        calls.append(f"        .record_type(burn_import::onnx::RecordType::{_RECORDS[target.record]})")
    return "\n".join(
        [
            "fn main() {",
            '    println!("cargo:rerun-if-changed=model");',
            f"    {crate}::ModelGen::new()",
            *calls,
            "        .run_from_script();",
            "}",
        ]
    )


def _program(target: Target, named: dict[str, Model]) -> str:
    typed = target.burn.startswith(_TYPED)
    made = "Default::default()" if typed else f"burn::tensor::{_DEVICES[target.backend]}"
    found = ["fn main() {", f"    let device = {made};"]
    for name, model in named.items():
        kind = f"{name}::Model<burn::backend::{_TYPES[target.backend]}>" if typed else f"{name}::Model"
        # A recorder adds the extension itself.
        ending = ".bpk" if target.record == BURNPACK else ""
        loaded = f'from_file(concat!(env!("OUT_DIR"), "/model/{name}{ending}"), &device)'
        if target.record != BURNPACK and target.load == EMBEDDED:
            loaded = "from_embedded(&device)"
        found += [
            f"    let {name}: {kind} = {name}::Model::{loaded};",
            f"    // {name}.forward({_ports(model.inputs)}) gives {_ports(model.outputs)}",
            f'    println!("{{}} parameters", burn::module::Module::num_params(&{name}));',
        ]
    modules = [
        line
        for name in named
        for line in (
            "#[allow(warnings)]",
            f"mod {name} {{",
            f'    include!(concat!(env!("OUT_DIR"), "/model/{name}.rs"));',
            "}",
        )
    ]
    # Code of burn-import names it.
    alloc = [] if resolve(target.burn).importer == BURN_ONNX else ["extern crate alloc;", ""]
    return "\n".join([*alloc, *modules, "", *found, "}"])


def _ports(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{one_line(spec.name)}: {spec.dtype}[{_dims(spec)}]" for spec in specs)


def _dims(spec: TensorSpec) -> str:
    return ",".join("?" if dim is None else one_line(str(dim)) for dim in spec.shape)
