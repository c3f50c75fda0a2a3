"""Contents of a Cargo workspace: a version of Burn, backends, and crates that replace those of the registry.

Writes no file, and reads only the packaged sources.
"""

import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from burn_verify.core.errors import UsageError
from burn_verify.core.target import Checkout, Target
from burn_verify.core.versions import BURN_ONNX, BurnVersion, built_with, resolve

_VERSIONS: Final = "compat/versions/"
_ONNX_CRATES: Final = frozenset({"burn-onnx", "onnx-ir", "onnx-ir-derive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCrate:
    """A crate of a checkout: `folder` holds its ``Cargo.toml``."""

    name: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A checkout and those of its crates that replace crates of the registry.

    Attributes:
        project: ``burn`` or ``burn-onnx``.
    """

    project: str
    checkout: Checkout
    crates: tuple[LocalCrate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The contents of a workspace.

    Attributes:
        backends: the backends that are compiled in, the default first.
        hooks: sources of hooks that the converter registers.
    """

    version: BurnVersion
    backends: tuple[str, ...]
    patches: tuple[Patch, ...] = ()
    hooks: Checkout | None = None

    @property
    def sources(self) -> tuple[tuple[str, Checkout], ...]:
        """What of this machine is compiled in, by project."""
        hooks = [] if self.hooks is None else [("hooks", self.hooks)]
        return (*((patch.project, patch.checkout) for patch in self.patches), *hooks)

    @property
    def name(self) -> str:
        """Name of the workspace's folder. Different contents give different names."""
        digest = hashlib.sha256("".join(checkout.digest for _, checkout in self.sources).encode()).hexdigest()
        paths = hashlib.sha256("".join(str(checkout.path) for _, checkout in self.sources).encode()).hexdigest()
        marks = [project for project, _ in self.sources]
        return "-".join([*self.backends, *marks, *([digest[:12], paths[:4]] if marks else [])])

    @property
    def is_plain(self) -> bool:
        """Whether this is the recipe of a version's default backend alone, with the crates of the registry."""
        return self.backends == self.version.backends[:1] and not self.sources

    @property
    def title(self) -> str:
        """Display name: ``Burn 0.22.1 for flex and wgpu, burn-onnx@1a2b3c4``."""
        marks = [f", {project}@{checkout.label}" for project, checkout in self.sources]
        return f"Burn {self.version.burn} for {' and '.join(self.backends)}" + "".join(marks)

    @property
    def digests(self) -> tuple[str, ...]:
        """What determines the build besides our sources: backends, and the sources of patches and hooks."""
        return (*self.backends, *(part for project, one in self.sources for part in (project, one.digest)))


def lock_name(version: Path, recipe: str, profile: str) -> str:
    """Return the name of the lock that is held while a profile of a recipe is compiled.

    Arguments:
        version: folder of the version of Burn.
        recipe: `Recipe.name`.
    """
    return f"{version.name}-{recipe}-{profile}"


def recipes(target: Target, backends: Collection[str], patches: Sequence[Patch]) -> tuple[Recipe, Recipe]:
    """Return the workspaces of a target: the one in which models are compiled, and the one of the converter.

    Both are equal if burn-onnx is the one of that version of Burn and no checkout of it is given. The runner depends
    on burn-onnx only through the generated text, so the models need no build of another burn-onnx in their workspace.
    A burn-onnx that goes with another Burn is built with that one, and its text is compiled with this one.

    Arguments:
        backends: backends of all targets that share a binary.

    Raises:
        UsageError: the version is not supported, or does not have these backends.
    """
    version = resolve(target.burn)
    wanted = {version.backends[0], target.backend, *backends}
    if missing := sorted(wanted - set(version.backends)):
        message = f"Burn {version.burn} has no backend {missing[0]!r} here; it has {', '.join(version.backends)}"
        raise UsageError(message)
    compiled_in = tuple(backend for backend in version.backends if backend in wanted)
    on_burn = tuple(patch for patch in patches if patch.project == "burn")
    running = Recipe(version=version, backends=compiled_in, patches=on_burn)
    on_onnx = tuple(patch for patch in patches if patch.project != "burn")
    other = version if target.burn_onnx == version.burn_onnx else built_with(target.burn_onnx)
    if other != version or target.hooks is not None:
        # Models need no build of their own where only the converter is another one.
        return running, Recipe(version=other, backends=other.backends[:1], patches=on_onnx, hooks=target.hooks)
    return running, Recipe(version=version, backends=compiled_in, patches=(*on_burn, *on_onnx))


def overlaid(packaged: Mapping[str, str], version: BurnVersion) -> dict[str, str]:
    """Return the workspace's own files for a version: text by path. Files in ``compat/versions`` override others.

    There, a folder with the name of an importer has what all its versions share.
    """
    made = {name: text for name, text in packaged.items() if not name.startswith(_VERSIONS) and name[-3:] != ".md"}
    for over in (f"{_VERSIONS}{version.importer}/", f"{_VERSIONS}{version.burn}/"):
        made |= {name.removeprefix(over): text for name, text in packaged.items() if name.startswith(over)}
    return made


def manifest(packaged: str, recipe: Recipe, members: Sequence[str]) -> str:
    """Return the workspace's ``Cargo.toml``: the recipe's versions and backends, and the generated crates as members.

    Raises:
        ValueError: the packaged text does not have exactly one line for each of them.
    """
    beside = [backend for backend in recipe.backends if backend != recipe.version.backends[0]]
    burn = f'{{ version = "={recipe.version.burn}", default-features = false }}'
    lines = packaged.splitlines()
    own = json.loads(_line(lines, "members")[1])
    written = {
        "members": json.dumps([*own, *members]),
        "compat": f'{{ path = "compat", features = {json.dumps(beside)} }}' if beside else '{ path = "compat" }',
        "burn": burn,
        "burn-store": burn,
        "burn-onnx": _importer(recipe),
    }
    for name, value in written.items():
        lines[_line(lines, name)[0]] = f"{name} = {value}"
    crates = [crate for patch in recipe.patches for crate in patch.crates]
    if crates:
        lines += ["", "[patch.crates-io]"]
        lines += [f"{crate.name} = {{ path = {_toml_string(crate.folder)} }}" for crate in crates]
    return "\n".join(lines) + "\n"


def _importer(recipe: Recipe) -> str:
    """Return the dependency on what converts, which the workspace knows by the name of burn-onnx."""
    version = recipe.version
    if version.importer == BURN_ONNX:
        local = (crate.version for patch in recipe.patches for crate in patch.crates if crate.name == BURN_ONNX)
        return f'"={next(local, version.burn_onnx)}"'
    # Its other defaults import from PyTorch, by a framework of its own.
    return (
        f'{{ package = "{version.importer}", version = "={version.burn_onnx}", default-features = false, '
        'features = ["onnx"] }'
    )


def replaced(project: str, crates: Sequence[LocalCrate], lock: str, version: BurnVersion) -> tuple[LocalCrate, ...]:
    """Choose the crates of a checkout that replace those of a lock file.

    Crates of the registry ask for each other's exact versions, so that only burn-onnx itself may have another one, and
    beside it what it asks for.

    Arguments:
        project: ``burn`` or ``burn-onnx``.
        lock: text of the pinned ``Cargo.lock``.

    Raises:
        UsageError: the checkout has no such crate, or the version of one does not fit.
    """
    pinned = {package["name"]: package["version"] for package in tomllib.loads(lock)["package"]}
    chosen = [crate for crate in crates if crate.name in pinned and _belongs(crate.name, project)]
    if not chosen:
        message = (
            f"the checkout has no crate of {project}; it has {', '.join(crate.name for crate in crates) or 'none'}"
        )
        raise UsageError(message)
    if any(crate.name == BURN_ONNX for crate in chosen):
        return tuple(chosen)
    for crate in sorted(chosen, key=lambda crate: crate.name != project):
        if crate.version != pinned[crate.name]:
            message = (
                f"the checkout is {crate.name} {crate.version}, and Burn {version.burn} goes with {crate.name} "
                f"{pinned[crate.name]}: choose another --burn-version, or another revision of the checkout"
            )
            raise UsageError(message)
    return tuple(chosen)


def _belongs(crate: str, project: str) -> bool:
    return (crate in _ONNX_CRATES) if project == "burn-onnx" else crate.startswith("burn") and crate not in _ONNX_CRATES


def _toml_string(text: str) -> str:
    """Return a basic string of TOML: with the escapes of JSON, and DEL escaped, which JSON does not escape."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(lines: Sequence[str], name: str) -> tuple[int, str]:
    """Return the index of the line ``name = value``, and the value."""
    found = [(place, line) for place, line in enumerate(lines) if line.startswith(f"{name} = ")]
    if len(found) != 1:
        msg = f"{len(found)} lines of {name} in the packaged Cargo.toml, 1 expected"
        raise ValueError(msg)
    place, line = found[0]
    return place, line.removeprefix(f"{name} = ")


def packaged_sources(name: str = "rust") -> dict[str, str]:
    """Return a packaged Rust workspace, by default that of the runner: text by relative path."""
    with as_file(files("burn_verify") / name) as folder:
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "target" not in path.relative_to(folder).parts
        }
