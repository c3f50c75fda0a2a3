"""Hooks: a user's crate with operators of its own for burn-onnx, linked into the converter.

What a hook generates has to stand by itself: models are compiled as without hooks. Runs cargo to read the crate's
manifest, and compiles nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burn_verify.burn.checkouts import metadata_of
from burn_verify.core.errors import UsageError
from burn_verify.core.target import Checkout, Target
from burn_verify.graph import facts
from burn_verify.graph.operators import canonical

DOMAIN: Final = "burn_verify.hooks"
"""The domain of the nodes that are handed to hooks.

burn-onnx 0.22 refuses an operator of the default domain whose name it knows and for which it has no code, before it
asks for hooks; of another domain, it asks.
"""
_OLDEST: Final = (0, 22)
"""The first burn-onnx with hooks."""
_NAME: Final = "burn-verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """A crate with hooks.

    Attributes:
        package: its name.
        operators: operators of the default domain whose nodes are handed to it, in `DOMAIN`.
    """

    checkout: Checkout
    package: str
    operators: tuple[str, ...] = ()


def hooks_of(target: Target) -> Hooks | None:
    """Return the crate with the hooks of a target, None where it has none.

    Raises:
        UsageError: the folder is no crate with a library, or this burn-onnx has no hooks.
    """
    checkout = target.hooks
    if checkout is None:
        return None
    if tuple(map(int, target.burn_onnx.split(".")[:2])) < _OLDEST:
        message = f"--burn-hooks {checkout.path}: burn-onnx {target.burn_onnx} has no hooks; 0.22.0 is the first"
        raise UsageError(message)
    packages = metadata_of("hooks", checkout.path)
    libraries = [one for one in packages if any("lib" in target["kind"] for target in one["targets"])]
    if len(libraries) != 1:
        message = f"--burn-hooks {checkout.path}: {len(libraries)} crates with a library, one is needed"
        raise UsageError(message)
    (package,) = libraries
    return Hooks(checkout=checkout, package=package["name"], operators=_operators(package, checkout.path))


def with_hooks(sources: Mapping[str, str], hooks: Hooks | None) -> dict[str, str]:
    """Return the texts of a workspace whose converter registers hooks; the same texts where there are none.

    Raises:
        ValueError: the packaged converter is not as it is expected.
    """
    if hooks is None:
        return dict(sources)
    manifest, main = "converter/Cargo.toml", "converter/src/main.rs"
    path = json.dumps(str(hooks.checkout.path), ensure_ascii=False)
    name = json.dumps(hooks.package)
    return {
        **sources,
        manifest: f"{sources[manifest].rstrip()}\nhooks = {{ package = {name}, path = {path} }}\n",
        main: _once(sources[main], "ModelGen::new()", "hooked(&mut ModelGen::new())") + _REGISTER,
    }


_REGISTER: Final = """
/// Registers the hooks of a user's crate.
fn hooked(generator: &mut ModelGen) -> &mut ModelGen {
    hooks::register(generator);
    generator
}
"""


def handed_over(model: Path, operators: tuple[str, ...], folder: Path) -> Path:
    """Write a copy of a model in which the nodes of some operators are of `DOMAIN`, and return its path.

    The version of the domain is that of the default one, so that hooks see which version of ONNX is meant. A model
    without such nodes is returned as it is.

    Arguments:
        folder: for the copy, which keeps its name.

    Raises:
        ValueError: the copy is too large for one file.
        OSError: it cannot be read or written.
    """
    import onnx

    whole = onnx.load(model, format="protobuf", load_external_data=False)
    if not any(_is_handed(node, operators) for node in facts.nodes(whole)):
        return model
    whole = onnx.load(model, format="protobuf")
    for node in facts.nodes(whole):
        if _is_handed(node, operators):
            node.domain = DOMAIN
    version = next((entry.version for entry in whole.opset_import if not canonical(entry.domain)), 1)
    whole.opset_import.append(onnx.OperatorSetIdProto(domain=DOMAIN, version=version))
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / model.name
    copy.write_bytes(whole.SerializeToString())
    return copy


def _is_handed(node: Any, operators: tuple[str, ...]) -> bool:
    return node.op_type in operators and not canonical(node.domain)


def _operators(package: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    said = ((package.get("metadata") or {}).get(_NAME) or {}).get("operators", [])
    if not isinstance(said, list) or not all(isinstance(one, str) and one for one in said):
        message = f"--burn-hooks {path}: operators of [package.metadata.{_NAME}] has to be a list of names"
        raise UsageError(message)
    return tuple(said)


def _once(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        message = f"{text.count(old)} times {old} in the packaged converter, 1 expected"
        raise ValueError(message)
    return text.replace(old, new)
