"""The files of a crate that loads a verified model: text and bytes by path.

Pure: writes nothing, and starts no process. Static Rust lies in ``rust``.
"""

import hashlib
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

import numpy as np

from burn_verify.burn.codegen import PROFILE, rust_string
from burn_verify.burn.recipe import overlaid, packaged_sources
from burn_verify.core.target import Target
from burn_verify.core.versions import resolve
from burn_verify.core.ways import FULL, HALF
from burn_verify.ship.face import Face, Port, described, port_table, struct
from burn_verify.ship.golden import GoldenSet, encoded
from burn_verify.system.wire import Array

WEIGHTS: Final = "weights/model.bpk"
_GENERATED: Final = "src/generated.rs"
_GOLDEN: Final = "tests/golden.safetensors"
_MODEL: Final = "model/model.onnx"


class Load(StrEnum):
    """How a crate gets its weights."""

    EMBEDDED = "embedded"
    FILE = "file"
    BYTES = "bytes"


_STORES: Final = {
    FULL: "&mut { store }",
    HALF: "&mut store.with_from_adapter(burn_store::HalfPrecisionAdapter::new())",
}
"""How the store of the weights is read, in Rust."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a crate is made of.

    Attributes:
        name: of the crate, as cargo takes it.
        title: of the model, for people.
        generated: the Rust of burn-onnx, without what names this machine.
        weights: the content of the ``.bpk`` file.
        full_weights: of that with full weights, which burn-onnx wrote.
        model: the ``.onnx`` file and its external data by relative path, for ``build.rs``; empty where the generated
            code is in the crate.
        about: what was verified, when and against what, by name; for the README.
    """

    name: str
    title: str
    target: Target
    load: Load
    face: Face
    generated: str
    weights: bytes
    full_weights: bytes
    model: Mapping[str, bytes]
    golden: tuple[GoldenSet, ...]
    about: Mapping[str, str]

    @property
    def library(self) -> str:
        """The crate's name in Rust."""
        return self.name.replace("-", "_")


def files_of(contents: Contents) -> dict[str, bytes]:
    """Return the files of the crate."""
    sources = overlaid(packaged_sources(), resolve(contents.target.burn))
    text = {
        "Cargo.lock": sources["Cargo.lock"],
        "README.md": _readme(contents),
        ".gitignore": "/target\n",
        "src/lib.rs": library(contents),
        "src/wire.rs": _wire(sources["runner/src/wire.rs"]),
        "examples/run.rs": filled("run.rs", crate=contents.library, load=_load_call(contents)),
        "examples/npz/mod.rs": _static("npz.rs"),
        "tests/check/mod.rs": _static("check.rs"),
    }
    if contents.model:
        text["build.rs"] = _build_script(contents)
    else:
        text[_GENERATED] = contents.generated
    made = {path: content.encode() for path, content in text.items()}
    made |= {f"model/{path}": content for path, content in contents.model.items()}
    made[WEIGHTS] = contents.weights
    made[_GOLDEN] = encoded(contents.golden)
    made["examples/inputs.npz"] = npz(
        {port.name: array for port, array in zip(contents.face.inputs, contents.golden[0].inputs, strict=True)}
    )
    made["tests/golden.rs"] = _golden_test(contents, made).encode()
    return {"Cargo.toml": _manifest(contents, sources, version_of(made)).encode()} | made


def version_of(files: Mapping[str, bytes]) -> str:
    """Return the version of a crate, with a digest of its files.

    In a target folder that several workspaces share, cargo tells their crates apart by name and version, and else by
    the times of files: it would take the program of one for that of another.
    """
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0{len(files[path])}\0".encode() + files[path])
    return f"0.1.0+{total.hexdigest()[:12]}"


def library(contents: Contents) -> str:
    """Return ``src/lib.rs``."""
    face = contents.face
    fed = [tuple(array.shape for array in one.inputs) for one in contents.golden]
    inputs = [_as_fed(port, [shapes[place] for shapes in fed]) for place, port in enumerate(face.inputs)]
    return filled(
        "lib.rs",
        title=contents.title,
        loading=_static(f"load_{contents.load}.rs").rstrip("\n"),
        digest=hashlib.sha256(contents.weights).hexdigest(),
        store=_STORES[contents.target.weights],
        generated=_include(contents),
        inputs=port_table("INPUTS", inputs),
        outputs=port_table("OUTPUTS", face.outputs),
        input_struct=struct("Inputs", "What the model takes.", face.inputs),
        output_struct=struct("Outputs", "What the model gives.", face.outputs),
        taken="".join(f"            {_taken(port, place)},\n" for place, port in enumerate(face.inputs)),
        given="".join(f"        self.{port.field}.into_wire(&mut values);\n" for port in face.outputs),
        call=_call(face),
    )


def npz(arrays: Mapping[str, Array]) -> bytes:
    """Return the content of an ``.npz`` file; `numpy.savez` does not take every name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, array in arrays.items():
            inside = io.BytesIO()
            np.lib.format.write_array(inside, np.require(array, requirements="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), inside.getvalue())
    return made.getvalue()


def _as_fed(port: Port, shapes: Sequence[tuple[int, ...]]) -> Port:
    """Return a port whose dimensions are free where the verified inputs are not as declared."""
    if any(len(shape) != len(port.shape) for shape in shapes):
        return Port(field=port.field, kind=port.kind, name=port.name, dtype=port.dtype, shape=(None,) * len(shapes[0]))
    dims = tuple(dim if all(shape[axis] == dim for shape in shapes) else None for axis, dim in enumerate(port.shape))
    return Port(field=port.field, kind=port.kind, name=port.name, dtype=port.dtype, shape=dims)


def _taken(port: Port, place: int) -> str:
    return f"{port.field}: taken(&INPUTS[{place}], values.next(), device)?"


def _call(face: Face) -> str:
    arguments = ", ".join(f"inputs.{port.field}" for port in face.inputs)
    names = ", ".join(f"o{place}" for place in range(len(face.outputs)))
    pattern = names if len(face.outputs) == 1 else f"({names})"
    fields = ", ".join(f"{port.field}: o{place}" for place, port in enumerate(face.outputs))
    unused = "" if face.inputs else "        let _ = inputs;\n"
    return f"{unused}        let {pattern} = self.0.forward({arguments});\n        Outputs {{ {fields} }}"


def _include(contents: Contents) -> str:
    if contents.model:
        return 'mod generated {\n    include!(concat!(env!("OUT_DIR"), "/model/model.rs"));\n}'
    return "mod generated;"


def _load_call(contents: Contents) -> str:
    path = f'concat!(env!("CARGO_MANIFEST_DIR"), "/{WEIGHTS}")'
    match contents.load:
        case Load.EMBEDDED:
            return "Model::load(&device)"
        case Load.FILE:
            return f"Model::load({path}, &device)"
        case Load.BYTES:
            read = f"std::fs::read({path}).map_err(|error| error.to_string())"
            return f"{read}.and_then(|bytes| Model::load(bytes, &device))"


def _golden_test(contents: Contents, made: Mapping[str, bytes]) -> str:
    own = [WEIGHTS, _GOLDEN, *(f"model/{path}" for path in contents.model)]
    own += [] if contents.model else [_GENERATED]
    rows = [
        f"    ({rust_string(path)}, include_bytes!({rust_string(f'../{path}')}), "
        f'"{hashlib.sha256(made[path]).hexdigest()}"),'
        for path in own
    ]
    load = _load_call(contents)
    return filled(
        "golden.rs",
        crate=contents.library,
        load=load,
        sets=", ".join(rust_string(one.name) for one in contents.golden),
        digests="\n".join(rows),
        generated=_generated_test(contents),
    )


def _generated_test(contents: Contents) -> str:
    if not contents.model:
        return ""
    digest = hashlib.sha256(contents.generated.encode()).hexdigest()
    weights = hashlib.sha256(without_ids(contents.full_weights)).hexdigest()
    return "\n" + filled("golden_generated.rs", digest=digest, weights=weights)


def without_ids(weights: bytes) -> bytes:
    """Return a ``.bpk`` file with blank ids of parameters, which burn-onnx draws anew each time it writes one."""
    return re.sub(rb"(?s)(?<=param_id).{1,9}", lambda found: bytes(len(found[0])), weights)


def _wire(source: str) -> str:
    """Return the runner's own values, for a crate without a runner."""
    changed = source
    for before, after in (
        ("use compat::", "use crate::compat::"),
        ("\nfn to_data(", "\n/// Makes a value of its bytes.\n///\n/// # Errors\n/// No Burn value.\npub fn to_data("),
    ):
        if changed.count(before) != 1:
            msg = f"{changed.count(before)} times {before!r} in wire.rs, 1 expected"
            raise ValueError(msg)
        changed = changed.replace(before, after)
    return changed


def _manifest(contents: Contents, sources: Mapping[str, str], version: str) -> str:
    packages = tomllib.loads(sources["Cargo.lock"])["package"]
    pinned = {one["name"]: one["version"] for one in packages if one["name"] != "safetensors"}
    runner = tomllib.loads(sources["runner/Cargo.toml"])["dependencies"]
    compat = tomllib.loads(sources["compat/Cargo.toml"])["dependencies"]
    own = max(one["version"] for one in packages if one["name"] == "safetensors")
    assert own.startswith(runner["safetensors"])
    burn, onnx = contents.target.burn, contents.target.burn_onnx
    features = json.dumps(compat["burn"]["features"])
    burns = [
        f'burn = {{ version = "={burn}", default-features = false, features = {features} }}',
        f'burn-store = {{ version = "={burn}", default-features = false, features = ["std"] }}',
    ]
    pinned["safetensors"] = own
    once = [_ONCE, *_named(_AS_CONVERTED, pinned)]
    lines = [
        "[package]",
        f"name = {json.dumps(contents.name)}",
        f'version = "{version}"',
        'edition = "2024"',
        "publish = false",
        "",
        "# Of no workspace around it.",
        "[workspace]",
        'resolver = "3"',
        "",
        "[dependencies]",
        *burns,
        *(f'{name} = "={pinned[name]}"' for name in ("bytemuck", "half")),
        f'sha2 = "={pinned["sha2"]}"',
        *([] if contents.model else [f'safetensors = "={own}"']),
        *([*once, "", "[build-dependencies]", *burns, f'burn-onnx = "={onnx}"', *once] if contents.model else []),
        "",
        "[dev-dependencies]",
        f'zip = {{ version = "={pinned["zip"]}", default-features = false, features = ["deflate"] }}',
        *([] if contents.model else [_SHARED, *_named(_AS_BUILT, pinned)]),
        "",
        "# Debug builds too answer in bearable time: the optimiser works where the time of a forward pass is spent.",
        *_profile(tomllib.loads(sources["Cargo.toml"]), bool(contents.model)),
        "",
        "# The same by the name that burn-verify has for it: in its target folder, Burn is compiled already.",
        f"[profile.{PROFILE}]",
        'inherits = "dev"',
    ]
    return "\n".join(lines) + "\n"


_AS_BUILT: Final[Mapping[str, tuple[str, ...]]] = {
    "bytes": (),
    "log": ("std",),
    "once_cell": (),
    "regex": (),
    "regex-automata": ("dfa-build", "dfa-search"),
    "regex-syntax": (),
}
"""Crates below Burn, and features that burn-onnx adds to them."""
_WITHOUT_DEFAULTS: Final = frozenset({"regex-automata"})
_AS_CONVERTED: Final[Mapping[str, tuple[str, ...]]] = {
    **_AS_BUILT,
    "byteorder": (),
    "either": (),
    "safetensors": (),
}
DEPENDENCIES: Final = frozenset({"burn", "burn-onnx", "burn-store", "bytemuck", "half", "sha2", "zip", *_AS_CONVERTED})
"""Names of the crates that a crate depends on, in one style or the other."""
_ONCE: Final = "# Named for their features, which are the same in both tables: so Burn is compiled once, not twice."
_SHARED: Final = "# Named for their features: so that tests may use the Burn that burn-verify has compiled."

_CONVERTER: Final = frozenset({"burn-onnx", "onnx-ir", "prettyplease", "protobuf", "rust-format"})
_CONVERTS: Final = frozenset({"syn@1.0.109"})
_ABSENT: Final = frozenset({"burn-ndarray", "naga"})
"""Crates of other backends than Flex."""


def _profile(manifest: Mapping[str, Any], converts: bool) -> Iterator[str]:
    """Yield the profile of tests: that in which the model was verified."""
    for profile in ("dev",):
        settings = {name: value for name, value in manifest["profile"][PROFILE].items() if name != "package"}
        yield f"[profile.{profile}]"
        yield from (f"{name} = {json.dumps(value)}" for name, value in settings.items() if name != "inherits")
        for package, own in manifest["profile"][PROFILE]["package"].items():
            plain = package.partition("@")[0]
            if plain in _ABSENT or plain.startswith("cubecl") or (plain in _CONVERTER and not converts):
                continue
            key = json.dumps(package) if "@" in package else package
            if package in _CONVERTS and not converts:
                continue
            yield f"[profile.{profile}.package.{key}]"
            yield from (f"{name} = {json.dumps(value)}" for name, value in own.items())
        yield f"[profile.{profile}.package.sha2]"
        yield "opt-level = 3"


def _named(crates: Mapping[str, tuple[str, ...]], pinned: Mapping[str, str]) -> Iterator[str]:
    for name, features in crates.items():
        plain = ", default-features = false" if name in _WITHOUT_DEFAULTS else ""
        yield f'{name} = {{ version = "={pinned[name]}"{plain}, features = {json.dumps(features)} }}'


def _build_script(contents: Contents) -> str:
    options = {"simplify": contents.target.simplify, "partition": contents.target.partition}
    calls = "".join(f"\n        .{name}({json.dumps(value)})" for name, value in options.items())
    return filled("build.rs", model=_MODEL, options=calls)


def _readme(contents: Contents) -> str:
    face = contents.face
    about = "\n".join(f"| {name} | {_cell(value)} |" for name, value in contents.about.items())
    ports = [
        f"| {kind} | `{port.field}` | `{port.kind}` | {_cell(described(port))} |"
        for kind, ports in (("input", face.inputs), ("output", face.outputs))
        for port in ports
    ]
    files_ = sorted([WEIGHTS, _GOLDEN, *(f"model/{path}" for path in contents.model)])
    return filled(
        "README.md",
        name=contents.name,
        library=contents.library,
        title=contents.title,
        about=about,
        ports="\n".join(ports),
        load=_load_call(contents),
        load_words=_LOAD_WORDS[contents.load],
        code="`build.rs` has burn-onnx write the Rust of the model from `model/model.onnx`"
        if contents.model
        else f"`{_GENERATED}` is the Rust that burn-onnx wrote; the crate needs no ONNX file and no burn-onnx",
        files=", ".join(f"`{path}`" for path in files_),
    )


def _cell(value: str) -> str:
    """Return a text as a cell of a table: in one line, without the mark between cells."""
    return " ".join(value.split()).replace("|", "\\|")


_LOAD_WORDS: Final = {
    Load.EMBEDDED: "the weights are part of the program; nothing has to lie beside it",
    Load.FILE: f"the weights are read from a file; ship `{WEIGHTS}` with the program and say where it lies",
    Load.BYTES: f"the caller hands over the content of `{WEIGHTS}`, wherever it comes from",
}


def _static(name: str) -> str:
    return (files("burn_verify") / "ship" / "rust" / name).read_text(encoding="utf-8")


def filled(source: str, /, **values: str) -> str:
    """Return a file of ``rust`` with every ``{{name}}`` replaced.

    Raises:
        ValueError: a place has no value, or a value has no place.
    """
    text = _static(source)
    if (places := set(_PLACE.findall(text))) != values.keys():
        msg = f"{source} has {sorted(places)}, not {sorted(values)}"
        raise ValueError(msg)
    # Once over the text: a value may hold what looks like a place, such as the name of a model.
    return _PLACE.sub(lambda found: values[found[1]], text)


_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")
