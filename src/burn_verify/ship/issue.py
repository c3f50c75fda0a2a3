"""A folder that shows a failure of Burn to people who do not have burn-verify: a small model, values, Rust, a report.

The cargo project in it has nothing but Burn: ``cargo run`` prints what is expected and what comes, or how burn-onnx or
rustc refuse the model. Pure: text and bytes by path.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from burn_verify.burn.codegen import rust_string
from burn_verify.burn.recipe import overlaid, packaged_sources
from burn_verify.core.located import Fault
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.target import Target
from burn_verify.core.text import one_line, shortened
from burn_verify.core.versions import resolve
from burn_verify.graph.dtypes import dtype_name
from burn_verify.graph.facts import facts
from burn_verify.graph.shrink import Draft
from burn_verify.ship.crate import npz, version_of
from burn_verify.ship.face import Face, Port, face_of, portable
from burn_verify.system.wire import Array

_DTYPES: Final[Mapping[str, str]] = {
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
    "bfloat16": "BF16",
    "bool": "Bool(burn::tensor::BoolStore::Native)",
}
_SHOWN: Final = 8
_LINES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A failure of a small model.

    Attributes:
        result: of the small model, alone.
        expected: what ONNX Runtime answers; empty where it was not asked.
        actual: what Burn answered; empty where it gave no answer.
        rust, weights: what burn-onnx made of it; empty where it refused.
        versions: of programs, by name.
        known: ids of cases that fail for the same reason.
        fault: whose fault it is; None where it was not asked.
        smaller: whether the model was made small; else it is that of the title, and `expected` what it is stored with.
    """

    title: str
    target: Target
    result: CaseResult
    draft: Draft
    expected: tuple[Array, ...] = ()
    actual: tuple[Array, ...] = ()
    rust: str = ""
    weights: bytes = b""
    versions: Mapping[str, str]
    known: tuple[str, ...] = ()
    fault: Fault | None = None
    smaller: bool = True

    @property
    def face(self) -> Face:
        """The inputs and outputs of the generated code.

        Raises:
            ConvertError: it cannot be called in the terms of the graph.
        """
        about = facts(self.draft.model)
        return face_of(self.rust, about.inputs, about.outputs)


def files_of(evidence: Evidence) -> dict[str, bytes]:
    """Return the files of the folder, by path."""
    names = [value.name for value in evidence.draft.model.graph.input]
    outputs = [value.name for value in evidence.draft.model.graph.output]
    made = {
        "tiny.onnx": evidence.draft.model.SerializeToString(),
        "inputs.npz": npz(dict(zip(names, evidence.draft.inputs, strict=False))),
        "expected.npz": npz(dict(zip(outputs, evidence.expected, strict=False))),
        "README.md": _report(evidence).encode(),
        "Cargo.lock": _sources(evidence)["Cargo.lock"].encode(),
        "src/main.rs": _main(evidence).encode(),
        ".gitignore": b"/target\n/generated\n",
    }
    if evidence.rust:
        made["src/model.rs"] = portable(evidence.rust).encode()
        made["model.bpk"] = evidence.weights
    if _is_run(evidence):
        made |= {f"values/input{place}.bin": array.tobytes() for place, array in enumerate(evidence.draft.inputs)}
    return made | {"Cargo.toml": _manifest(evidence, version_of(made)).encode()}


def _is_run(evidence: Evidence) -> bool:
    return evidence.result.stage in (Stage.RUN, Stage.COMPARE)


def _sources(evidence: Evidence) -> Mapping[str, str]:
    return overlaid(packaged_sources(), resolve(evidence.target.burn))


def _manifest(evidence: Evidence, version: str) -> str:
    """Return ``Cargo.toml``: Burn with the features with which it failed, or burn-onnx alone where that refuses."""
    compat = tomllib.loads(_sources(evidence)["compat/Cargo.toml"])["dependencies"]
    features = json.dumps(compat["burn"]["features"])
    burn, burn_onnx = evidence.target.burn, evidence.target.burn_onnx
    needed = [f'burn-onnx = "={burn_onnx}"']
    if evidence.rust:
        needed = [
            f'burn = {{ version = "={burn}", default-features = false, features = {features} }}',
            f'burn-store = {{ version = "={burn}", default-features = false, features = ["std"] }}',
        ]
        # Numbers of half precision that are no tensors are those of another crate.
        needed += ['half = "2"'] if "half::" in evidence.rust else []
    head = ["[package]", 'name = "reproduction"', f'version = "{version}"', 'edition = "2024"', "publish = false"]
    return "\n".join([*head, "", "[workspace]", "", "[dependencies]", *needed]) + "\n"


def _main(evidence: Evidence) -> str:
    if not evidence.rust:
        options = f".simplify({_bool(evidence.target.simplify)}).partition({_bool(evidence.target.partition)})"
        return (
            "//! Has burn-onnx convert the model, which it refuses.\n\nfn main() {\n"
            f'    burn_onnx::ModelGen::new().input("tiny.onnx").out_dir("generated"){options}.run_from_cli();\n}}\n'
        )
    if not _is_run(evidence):
        return (
            "//! The generated code does not compile.\n\nmod model;\n\nfn main() {\n"
            "    let _ = model::Model::new(&Default::default());\n}\n"
        )
    return "\n".join(_program(evidence)) + "\n"


def _program(evidence: Evidence) -> Iterator[str]:
    face = evidence.face
    yield "//! Prints what ONNX Runtime answers and what Burn answers."
    yield ""
    yield "#[allow(warnings)]"
    yield "mod model;"
    yield ""
    yield "#[allow(unused_imports)]"
    yield "use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};"
    yield ""
    yield "fn main() {"
    yield "    let device = Device::flex();"
    yield '    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);'
    for place, (port, array) in enumerate(zip(face.inputs, evidence.draft.inputs, strict=True)):
        yield f"    let input{place} = {_value(place, port, array)};"
    for port, array in zip(face.outputs, evidence.expected, strict=False):
        yield f"    println!({rust_string(f'expected {port.name}: {_text(array)}')});"
    arguments = ", ".join(f"input{place}" for place in range(len(face.inputs)))
    names = [f"output{place}" for place in range(len(face.outputs))]
    pattern = names[0] if len(names) == 1 else f"({', '.join(names)})"
    yield f"    let {pattern} = model.forward({arguments});"
    for name, port in zip(names, face.outputs, strict=True):
        yield from _printed(name, port)
    yield "}"


def _value(place: int, port: Port, array: Array) -> str:
    """Return an expression for an input, read from its file where it is a tensor."""
    if not port.kind.startswith("Tensor<"):
        values = ", ".join(_literal(value) for value in array.reshape(-1))
        return f"[{values}]" if port.kind.startswith("[") else values
    dtype = f"DType::{_DTYPES[dtype_name(array.dtype)]}"
    sizes = f"[{', '.join(f'{size}usize' for size in array.shape)}]" if array.shape else "[0usize; 0]"
    data = f'TensorData::from_bytes_vec(include_bytes!("../values/input{place}.bin").to_vec(), {sizes}, {dtype})'
    return f"{port.kind.replace('<', '::<', 1)}::from_data({data}, (&device, {dtype}))"


def _literal(value: np.generic) -> str:
    if value.dtype == np.bool_:
        return _bool(bool(value))
    if value.dtype.kind in "iu":
        return str(int(value))
    bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[value.dtype.itemsize]
    kind = {2: "half::f16", 4: "f32", 8: "f64"}[value.dtype.itemsize]
    return f"{kind}::from_bits({int(value.view(bits))})"


def _printed(name: str, port: Port) -> Iterator[str]:
    label = rust_string(f"actual   {port.name}: ")[1:-1].replace("{", "{{").replace("}", "}}")
    if not port.kind.startswith("Tensor<"):
        yield f'    println!("{label}{port.kind} {{{name}:?}}");'
        return
    kinds = {"Int>": "i64", "Bool>": "bool"}
    number = next((one for end, one in kinds.items() if port.kind.endswith(end)), "f64")
    shown = f"{name}.to_data().iter::<{number}>().take({_SHOWN}).collect::<Vec<_>>()"
    yield f'    println!("{label}{{:?}}{{:?}} {{:?}}", {name}.dtype(), {name}.dims(), {shown});'


def _text(array: Array) -> str:
    # A whole number beyond 2^53 is another one as a float.
    number = _SHOWN_AS.get(array.dtype.kind, float)
    values = ", ".join(str(number(value)) for value in array.reshape(-1)[:_SHOWN])
    return f"{dtype_name(array.dtype)}{list(array.shape)} [{values}]"


def _report(evidence: Evidence) -> str:
    """Return the report, of about one screen."""
    result = evidence.result
    graph = evidence.draft.model.graph
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    called = " → ".join(node.op_type for node in nodes[:_SHOWN])
    lines = [f"# {called}: {shortened(one_line(result.reason), 100)}", ""]
    where = f"found in `{evidence.title}`, made small by burn-verify" if evidence.smaller else f"`{evidence.title}`"
    lines += [f"{_WORDS[result.stage]} ({where}).", ""]
    lines += ["`cargo run` in this folder shows it. `tiny.onnx` is the model, `inputs.npz` and `expected.npz` are its"]
    answers = "inputs and what ONNX Runtime answers." if evidence.smaller else "inputs and the outputs to be expected."
    lines += [answers, "", "```", *_first_lines(result.message), "```", ""]
    rows = [f"expected {port.name}: {_text(array)}" for port, array in _paired(graph.output, evidence.expected)]
    rows += [f"actual   {port.name}: {_text(array)}" for port, array in _paired(graph.output, evidence.actual)]
    if rows:
        lines += ["```", *rows, "```", ""]
    if result.details.get("rust"):
        lines += [f"Generated line {result.details.get('line')}: `{result.details['rust']}`", ""]
    if evidence.fault is not None:
        lines += [f"- {evidence.fault.line}"]
    lines += [f"- {name} {version}" for name, version in evidence.versions.items()]
    lines += [
        f"- opset {facts(evidence.draft.model).opset}, inputs {', '.join(map(_described, evidence.draft.inputs))}"
    ]
    known = ", ".join(evidence.known[:_SHOWN]) or "none known"
    lines += [f"- cases of ONNX's corpora that fail for the same reason: {known}"]
    return "\n".join(lines) + "\n"


_SHOWN_AS: Final[Mapping[str, Callable[[Any], Any]]] = {"i": int, "u": int, "b": lambda value: _bool(bool(value))}
_DIGEST: Final = re.compile(r"\b[0-9a-f]{32}\.onnx\b")
_WORDS: Final[Mapping[Stage, str]] = {
    Stage.CONVERT: "burn-onnx refuses the model",
    Stage.COMPILE: "The Rust that burn-onnx generates does not compile",
    Stage.RUN: "The compiled model panics",
    Stage.COMPARE: "The compiled model answers otherwise than ONNX Runtime",
}


def _first_lines(message: str) -> list[str]:
    """Return the beginning of a message about the model, which was called by its digest when it was tried."""
    lines = _DIGEST.sub("tiny.onnx", message).strip().splitlines()
    return [shortened(line, 160) for line in lines[:_LINES]]


def _paired(values: Sequence[Any], arrays: Sequence[Array]) -> list[tuple[Any, Array]]:
    return list(zip(values, arrays, strict=False))


def _described(array: Array) -> str:
    return f"{dtype_name(array.dtype)}{list(array.shape)}"


def _bool(value: bool) -> str:
    return "true" if value else "false"
