"""Write what burn-onnx declares, ``src/burn_verify/data/declared/<version>.json``, from the sources of onnx-ir.

Usage, from the root of the repository::

    python tools/refresh_declared.py           # write the file of the pinned version
    python tools/refresh_declared.py --check   # exit 1 if it is stale

An operator is declared when onnx-ir registers a processor for its node type (``onnx-ir/src/registry.rs``) that is not
the placeholder for what is not supported yet; the opsets are those of the processor's ``NodeSpec``
(``onnx-ir/src/node/*.rs``).
Asks cargo where the sources are, of the versions that the packaged Rust pins; downloads nothing and compiles nothing.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from burn_verify.burn.cargo import host
from burn_verify.burn.recipe import overlaid, packaged_sources
from burn_verify.core.errors import CommandFailed
from burn_verify.core.versions import DEFAULT
from burn_verify.graph.operators import all_operators
from burn_verify.system.process import output_of

FOLDER = Path(__file__).resolve().parents[1] / "src" / "burn_verify" / "data" / "declared"
PLACEHOLDER = "UnsupportedProcessor"
FUSED = {"Custom", "Linear"}
"""Node types of onnx-ir's own making; any other that onnx does not know is a mistake of this script."""

_REGISTRATION = re.compile(r"registry\.register\(\s*NodeType::(\w+),\s*Box::new\(([\w:]+)\),?\s*\)")
_PROCESSOR = re.compile(r"^impl (?:crate::processor::)?NodeProcessor for (\w+)\b[^{]*", re.MULTILINE)
_SPEC = re.compile(r"fn spec\(&self\) -> NodeSpec ")
_MIN = re.compile(r"\bmin_opset: (\w+)")
_MAX = re.compile(r"\bmax_opset: (\w+)(?:\((\d+)\))?")
_BASE = re.compile(r"\.\.(\w+)\.spec\(\)")
_README = re.compile(r"all ONNX opset versions\W+(\d+) through (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A crate whose sources are on this machine."""

    version: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The opsets that a processor accepts."""

    min_opset: int
    max_opset: int | None


def find_crates(names: Iterable[str]) -> dict[str, Crate]:
    """Return where the sources of pinned crates are.

    Raises:
        CommandFailed: cargo is missing, or the sources were never fetched.
    """
    with tempfile.TemporaryDirectory(prefix="burn-verify-declared-") as scratch:
        for name, text in overlaid(packaged_sources(), DEFAULT).items():
            path = Path(scratch) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        # Sources for other platforms are not here, and cargo would miss them.
        asked = ["--format-version=1", "--offline", "--locked", "--filter-platform", host()]
        said = output_of(["cargo", "metadata", *asked, "--manifest-path", str(Path(scratch) / "Cargo.toml")])
    packages = {package["name"]: package for package in json.loads(said)["packages"]}
    return {
        name: Crate(version=packages[name]["version"], folder=Path(packages[name]["manifest_path"]).parent)
        for name in names
    }


def render(onnx_ir: Crate, burn_onnx: Crate) -> str:
    """Return the text of the file, an operator a line."""
    declared = declared_operators(onnx_ir.folder / "src")
    readme = _README.search((onnx_ir.folder / "README.md").read_text(encoding="utf-8"))
    span = [int(readme[1]), int(readme[2])] if readme else None
    lines = [
        f"    {json.dumps(name)}: {json.dumps({'min_opset': spec.min_opset, 'max_opset': spec.max_opset})}"
        for name, spec in sorted(declared.items(), key=lambda item: ("." in item[0], item[0]))
    ]
    head = {"burn_onnx": burn_onnx.version, "onnx_ir": onnx_ir.version, "readme_opsets": span}
    parts = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    return "\n".join(["{", *parts, '  "operators": {', ",\n".join(lines), "  }", "}"]) + "\n"


def declared_operators(sources: Path) -> dict[str, Spec]:
    """Return the opsets of every ONNX operator that is registered; variants by rank are one operator.

    Raises:
        SystemExit: the sources are not written as this script expects.
    """
    registered = registrations((sources / "registry.rs").read_text(encoding="utf-8"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((sources / "node").glob("*.rs"))}
    default = _numbers((sources / "processor.rs").read_text(encoding="utf-8").partition("Default for NodeSpec")[2])
    specs = {name: spec for text in texts.values() for name, spec in processors(text, default).items()}
    names = {operator.op_type.lower(): operator.name for operator in all_operators()}
    found: dict[str, list[Spec]] = {}
    for node_type, processor in registered.items():
        # onnx-ir compares names without regard to case: LSTM is Lstm there.
        name = names.get(node_type.lower()) or names.get(re.sub(r"[123]d$", "", node_type).lower())
        if name is None and node_type not in FUSED:
            message = f"{node_type} is registered, and no operator that onnx knows"
            raise SystemExit(message)
        if name is not None and processor != PLACEHOLDER:
            found.setdefault(name, []).append(specs[processor])
    return {name: _widest(variants) for name, variants in found.items()}


def registrations(text: str) -> dict[str, str]:
    """Return the name of the processor of each node type that is registered."""
    found = {node_type: path.rpartition("::")[2] for node_type, path in _REGISTRATION.findall(text)}
    if len(found) != text.count("registry.register("):
        message = "registry.rs registers processors in a way that is not understood"
        raise SystemExit(message)
    return found


def processors(text: str, default: Spec) -> dict[str, Spec]:
    """Return the opsets of each processor that a file defines."""
    blocks = {found[1]: _block(text, found.end()) for found in _PROCESSOR.finditer(text)}
    specs: dict[str, Spec] = {}
    for name, block in blocks.items():
        found = _SPEC.search(block)
        specs[name] = _spec(_block(block, found.end()), blocks, default) if found else default
    return specs


def _spec(body: str, blocks: Mapping[str, str], default: Spec) -> Spec:
    if base := _BASE.search(body):
        of_base = _SPEC.search(blocks[base[1]])
        default = _spec(_block(blocks[base[1]], of_base.end()), blocks, default) if of_base else default
    elif "NodeSpec::default()" in body or "..Default::default()" in body:
        pass
    elif not (_MIN.search(body) and _MAX.search(body)):
        message = f"a NodeSpec is not understood: {body}"
        raise SystemExit(message)
    return _numbers(body, default)


def _numbers(body: str, default: Spec | None = None) -> Spec:
    """Read the two fields of a `NodeSpec` in a text, the first of each."""
    low, high = _MIN.search(body), _MAX.search(body)
    if default is None and not (low and high):
        message = "processor.rs has no default NodeSpec that is understood"
        raise SystemExit(message)
    if (low and not low[1].isdigit()) or (high and not (high[1] == "None" or high[2])):
        message = f"a NodeSpec is computed: {body}"
        raise SystemExit(message)
    default = default or Spec(min_opset=0, max_opset=None)  # of no influence: the text says both
    return Spec(
        min_opset=int(low[1]) if low else default.min_opset,
        max_opset=(int(high[2]) if high[2] else None) if high else default.max_opset,
    )


def _block(text: str, start: int) -> str:
    """Return the text between the brace at or after a place and its partner."""
    begin = text.index("{", start)
    depth = 0
    for place in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[begin : place + 1]
    message = "a brace has no partner"
    raise SystemExit(message)


def _widest(variants: Sequence[Spec]) -> Spec:
    highest = [spec.max_opset for spec in variants]
    return Spec(
        min_opset=min(spec.min_opset for spec in variants),
        max_opset=None if None in highest else max(one for one in highest if one is not None),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the file goes")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is stale")
    arguments = parser.parse_args(argv)
    try:
        crates = find_crates(["onnx-ir", "burn-onnx"])
    except CommandFailed as error:
        sys.exit(str(error))
    text = render(crates["onnx-ir"], crates["burn-onnx"])
    target = arguments.folder / f"{crates['burn-onnx'].version}.json"
    if not arguments.check:
        target.write_text(text, encoding="utf-8")
        return 0
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{target.name} is stale: run python tools/refresh_declared.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
