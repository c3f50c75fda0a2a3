"""What a user's own crate ships: versions and sources of Burn from its ``Cargo.lock``, backends from its features.

Runs ``cargo metadata`` without dependencies, which resolves and writes nothing. Changes no file.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from burn_verify.core.errors import CommandFailed, UsageError
from burn_verify.core.versions import VERSIONS, BurnVersion
from burn_verify.system.process import output_of

Table: TypeAlias = Mapping[str, Any]

OPTION: Final = "--manifest-path"
_BURN: Final = "burn"
_BURN_ONNX: Final = "burn-onnx"
_FLEX: Final = "flex"
_BACKENDS: Final[Mapping[str, str]] = {
    **{name: name for name in ("flex", "ndarray", "wgpu", "cuda")},
    **dict.fromkeys(("vulkan", "metal", "webgpu"), "wgpu"),
}
"""Features of burn that bring a backend, and the backend by which they are verified."""
_OTHER_BACKENDS: Final = frozenset({"cpu", "rocm", "hip", "tch", "candle", "router", "remote"})
_OF_KERNELS: Final = frozenset(
    {"accelerate", "apple-amx", "autotune", "blas-netlib", "fusion", "openblas", "openblas-system", "x86-v4"}
)
"""Features that choose other kernels, and are not compiled in here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What a crate ships.

    Attributes:
        burn, burn_onnx: versions.
        backends: those that its features bring and that can be verified; empty where they bring others only.
        burn_path, burn_onnx_path: folders of sources in place of the registry's; None for the registry.
        notes: what is not verified as it is shipped, in a line each.
    """

    lock: Path
    burn: str
    burn_onnx: str
    backends: tuple[str, ...]
    burn_path: str | None = None
    burn_onnx_path: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The versions, in one line."""
        paths = (
            f", {name} from {path}"
            for name, path in ((_BURN, self.burn_path), (_BURN_ONNX, self.burn_onnx_path))
            if path
        )
        return (
            f"{self.lock}: burn {self.burn}, burn-onnx {self.burn_onnx}, {' and '.join(self.backends)}{''.join(paths)}"
        )


def shipped(manifest: Path) -> Shipped:
    """Return what the crate of a ``Cargo.toml`` ships, or the crates of a workspace.

    Raises:
        UsageError: cargo cannot read it, there is no ``Cargo.lock``, it has no Burn, or a version is not supported.
    """
    arguments = ["--no-deps", "--offline", "--format-version=1", "--manifest-path", str(manifest)]
    try:
        metadata = json.loads(output_of(["cargo", "metadata", *arguments]))
    except CommandFailed as error:
        message = f"{OPTION} {manifest}: cargo cannot read it: {error.summary}"
        raise UsageError(message) from error
    root = Path(metadata["workspace_root"])
    own = [one for one in metadata["packages"] if _same(Path(one["manifest_path"]), manifest)]
    return _Crates(manifest, own or metadata["packages"], _lock(root / "Cargo.lock"), root).shipped()


@dataclass(frozen=True)
class _Crates:
    """Crates of a user with the lock file of their workspace."""

    manifest: Path
    packages: Sequence[Table]
    lock: Sequence[Table]
    root: Path

    def shipped(self) -> Shipped:
        burn = self._locked(_BURN)
        notes = []
        if burn is None:
            msg = f"{self._names} has no burn in {self._lock_file}: name the Cargo.toml of what is shipped"
            raise self._error(msg)
        version = _supported(burn["version"], self._lock_file)
        onnx = self._locked(version.importer)
        if onnx is None:
            crate = version.importer
            notes.append(f"no {crate} is locked, so {crate} {version.burn_onnx} converts, which goes with it")
        elif onnx["version"] not in {known.burn_onnx for known in VERSIONS if known.importer == version.importer}:
            raise _unsupported(_BURN_ONNX, onnx["version"], self._lock_file)
        backends, about = self._backends(version)
        return Shipped(
            lock=self._lock_file,
            burn=version.burn,
            burn_onnx=version.burn_onnx if onnx is None else onnx["version"],
            backends=backends,
            burn_path=self._sources(burn),
            burn_onnx_path=None if onnx is None else self._sources(onnx),
            notes=(*notes, *about),
        )

    @property
    def _lock_file(self) -> Path:
        return self.root / "Cargo.lock"

    @property
    def _names(self) -> str:
        return " and ".join(one["name"] for one in self.packages[:3]) or "the workspace"

    def _error(self, text: str) -> UsageError:
        return UsageError(f"{OPTION} {self.manifest}: {text}")

    def _locked(self, name: str) -> Table | None:
        """Return the entry of a crate in the lock file: the one that the user's crates depend on, where there are two.

        Raises:
            UsageError: it cannot be told which of several versions is shipped.
        """
        found = [entry for entry in self.lock if entry["name"] == name]
        if len(found) > 1:
            own = {package["name"] for package in self.packages}
            said = {text for one in self.lock if one["name"] in own for text in one.get("dependencies", ())}
            wanted = {text.split()[1] for text in said if text.split()[0] == name and len(text.split()) > 1}
            found = [entry for entry in found if entry["version"] in wanted] or found
        if len(found) > 1:
            versions = " and ".join(entry["version"] for entry in found)
            msg = f"{self._lock_file} has {name} {versions}: name the Cargo.toml of the crate that is shipped"
            raise self._error(msg)
        return found[0] if found else None

    def _backends(self, version: BurnVersion) -> tuple[tuple[str, ...], list[str]]:
        """Return the backends to verify, none where those that are shipped cannot be, and what to tell of them."""
        features = dict.fromkeys(feature for package in self.packages for feature in _features(package))
        wanted = {feature: _BACKENDS[feature] for feature in features if feature in _BACKENDS}
        known = tuple(name for name in version.backends if name in wanted.values())
        others = [
            name for name in features if name in _OTHER_BACKENDS or _BACKENDS.get(name, _FLEX) not in version.backends
        ]
        notes = [f"{', '.join(others)} cannot be verified here"] if others and known else []
        if others and not known:
            return (), [f"{', '.join(others)} cannot be verified, {', '.join(version.backends)} can"]
        notes += [f"{name} is verified as {by}" for name, by in wanted.items() if name != by and by in known]
        if kernels := [name for name in features if name in _OF_KERNELS]:
            notes.append(f"features that choose other kernels are not compiled in here: {', '.join(kernels)}")
        if not known:
            notes.append(f"its features name no backend, so it is verified on {version.backends[0]}")
        return known or version.backends[:1], notes

    def _sources(self, entry: Table) -> str | None:
        """Return the folder of a crate's sources, None where they are the registry's.

        Raises:
            UsageError: they are not on this machine.
        """
        source = entry.get("source")
        if source is not None and not source.startswith("git+"):
            return None
        name = entry["name"]
        found = _checked_out(source) if source else self._path_of(name)
        if found is None:
            where = f"comes from {source}" if source else "is of a folder that Cargo.toml does not name"
            msg = (
                f"{name} {where}, which is not on this machine: cargo fetch brings it, or name a checkout with "
                f"{'--burn-path' if name == _BURN else '--burn-onnx-path'} and leave {OPTION} out"
            )
            raise self._error(msg)
        return str(found)

    def _path_of(self, name: str) -> Path | None:
        """Return the folder of a crate that a dependency, or a patch of the workspace, has for a path."""
        for package in self.packages:
            for dependency in package["dependencies"]:
                if dependency["name"] == name and dependency.get("path"):
                    return Path(dependency["path"])
        patches = tomllib.loads((self.root / "Cargo.toml").read_text(encoding="utf-8")).get("patch", {})
        paths = (crates[name]["path"] for crates in patches.values() if "path" in crates.get(name, {}))
        return next(((self.root / path).resolve() for path in paths), None)


def _features(package: Table) -> Iterator[str]:
    """Yield the features of Burn that a crate asks for: of its dependencies, and by its own default features."""
    renamed = {_BURN}
    for dependency in package["dependencies"]:
        name = dependency["name"]
        if dependency["kind"] == "dev":
            continue
        if name == _BURN:
            renamed.add(dependency["rename"] or _BURN)
            yield from dependency["features"]
        elif name.removeprefix("burn-") in {*_BACKENDS, *_OTHER_BACKENDS} and name.startswith("burn-"):
            yield name.removeprefix("burn-")
    for feature in _enabled(package["features"]):
        crate, slash, of_burn = feature.partition("/")
        if slash and crate.removesuffix("?") in renamed:
            yield of_burn


def _enabled(features: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what a crate's default features stand for, each once."""
    seen: set[str] = set()
    open_ = list(features.get("default", ()))
    while open_:
        feature = open_.pop()
        if feature not in seen:
            seen.add(feature)
            yield feature
            open_ += features.get(feature, ())


def _checked_out(source: str) -> Path | None:
    """Return the folder in which cargo has unpacked a commit of a repository."""
    url, _, commit = source.removeprefix("git+").partition("#")
    repository = url.partition("?")[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    found = sorted((home / "git" / "checkouts").glob(f"{repository}-*/{commit[:7]}")) if len(commit) > 7 else []
    return found[0] if found else None


def _lock(path: Path) -> Sequence[Table]:
    """Return the packages of a lock file.

    Raises:
        UsageError: it is not there, or cannot be read.
    """
    if not path.is_file():
        message = f"{OPTION}: there is no {path}, which says what is shipped: cargo generate-lockfile makes it"
        raise UsageError(message)
    try:
        packages = tomllib.loads(path.read_text(encoding="utf-8")).get("package", [])
        return [entry for entry in packages if entry["name"] and entry["version"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{OPTION}: {path} cannot be read: {error}"
        raise UsageError(message) from error


def _supported(version: str, lock: Path) -> BurnVersion:
    found = next((known for known in VERSIONS if known.burn == version), None)
    if found is None:
        raise _unsupported(_BURN, version, lock)
    return found


def _unsupported(name: str, version: str, lock: Path) -> UsageError:
    known = ", ".join(f"{one.burn} ({one.importer} {one.burn_onnx})" for one in VERSIONS)
    nearest = max(VERSIONS, key=lambda one: (_alike(_own(one, name), version), one.is_release))
    return UsageError(
        f"{OPTION}: {lock} has {name} {version}, which is not supported; Burn {known} are: "
        f"cargo update -p {name} --precise {_own(nearest, name)}"
    )


def _own(version: BurnVersion, name: str) -> str:
    return version.burn if name == _BURN else version.burn_onnx


def _alike(one: str, other: str) -> int:
    same = (place for place, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(same, min(len(one), len(other)))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
