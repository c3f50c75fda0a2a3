"""Burn and burn-onnx of a target: a Cargo workspace in the cache, with the compiled converter and probe.

Does not depend on models: generated crates are added to the workspace as files, see `batch`. A `Recipe` describes the
contents of the workspace.
"""

import contextlib
import copy
import logging
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from burn_verify.burn.cargo import Build, CargoRun, require_rust, rustc_version
from burn_verify.burn.checkouts import patches_of
from burn_verify.burn.codegen import LATENCY, PROFILE
from burn_verify.burn.hooks import Hooks, hooks_of, with_hooks
from burn_verify.burn.recipe import Recipe, lock_name, manifest, overlaid, packaged_sources, recipes
from burn_verify.burn.units import LINKING, forget, generated_crate, libraries, take_over, unit_of, units_noted
from burn_verify.core.progress import Listener, Progress, silent
from burn_verify.core.target import Target
from burn_verify.core.versions import BurnVersion
from burn_verify.system.cache import Cache
from burn_verify.system.files import copy_atomically, digest_of, read_json, write_if_changed, write_json
from burn_verify.system.kept import damaged, extend, seal, sealed
from burn_verify.system.made_by import MadeBy

logger = logging.getLogger("burn_verify")

MADE_BY: Final = MadeBy(rooms=("core", "graph", "system", "burn"), libraries=("onnx", "numpy", "ml_dtypes"))
"""Code that determines, apart from Rust, the cached results of a compiled model: crates' text, errors, cost."""

_COMPILED: Final = "compiled.json"
"""Name of the note on the state of cargo's results."""

_TOOLS: Final = ("converter", "probe")
_TRIES: Final = 5


class Workspace:
    """The workspace of a recipe, in which models are compiled in the profile `PROFILE`.

    Each recipe, and within it each profile, is compiled under a lock of its own and in a folder where cargo locks
    nothing that another one needs. A recipe starts with the units that its version has for the default backend.

    Arguments:
        listen: called for every step.
        converting: the recipe of the workspace whose converter is used; None where it is this one.
        hooks: what that converter registers.

    Attributes:
        folder: folder of the tools and notes; the sources are in a subfolder.
        lock: name of the cache lock that is held during compilation.
    """

    def __init__(
        self,
        cache: Cache,
        listen: Listener,
        recipe: Recipe,
        converting: Recipe | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.recipe = recipe
        self._cache = cache
        self._listen = listen
        self._rustc = rustc_version()
        self._packaged = overlaid(packaged_sources(), recipe.version)
        self._sources = with_hooks(self._packaged, hooks if recipe.hooks else None)
        version = cache.root / f"burn-{recipe.version.burn}"
        self.folder = version / recipe.name
        self.lock = lock_name(version, recipe.name, PROFILE)
        self._base = version / "target"
        target = self._base if recipe.is_plain else self.folder / "target"
        self.build = _build(self.folder, target)
        self._compiled: Path | None = self.folder / _COMPILED
        other = None if converting in (None, recipe) else converting
        self._converting = None if other is None else Workspace(cache, listen, other, hooks=hooks)

    @classmethod
    def of(cls, cache: Cache, listen: Listener, target: Target, backends: Collection[str] = ()) -> "Workspace":
        """Return the workspace of a target.

        Arguments:
            backends: backends of other targets with the same `Target.build_key`, which the same binary must support.

        Raises:
            UsageError: the version does not have these backends, or a checkout does not match the version.
        """
        return cls(cache, listen, *recipes(target, backends, patches_of(target)), hooks_of(target))

    @property
    def fingerprint(self) -> str:
        """Digest of what determines converter and runner: our Rust, pinned versions, backends, checkouts, rustc."""
        return digest_of(self._rustc, *self.recipe.digests, *self._texts(self.recipe))

    @property
    def converter_fingerprint(self) -> str:
        """Digest of what determines the output of the converter: our Rust, the pinned versions, checkouts.

        Backends and rustc are left out, since the text that the converter writes does not depend on them.
        """
        if self._converting is not None:
            return self._converting.converter_fingerprint
        plain = replace(self.recipe, backends=self.recipe.backends[:1], patches=(), hooks=None)
        return digest_of(*self._texts(plain), *(checkout.digest for _, checkout in self.recipe.sources))

    @property
    def ready(self) -> Mapping[str, Any] | None:
        """The note of this workspace's build, None where this workspace or that of the converter is not built yet."""
        return self._note() if self._converting is None or self._converting.ready else None

    @property
    def sources(self) -> Mapping[str, str]:
        """The packaged sources for its version: text by path."""
        return self._sources

    @property
    def converting(self) -> "Workspace":
        """The workspace whose converter is used."""
        return self._converting or self

    def converter(self) -> Path:
        """Return the compiled converter; build it, and the dependencies of models, if they are not built yet.

        Raises:
            ToolchainError: cargo is missing, too old, or failed.
        """
        own = self._tool("converter")
        return own if self._converting is None else self._converting.converter()

    def probe(self) -> Path:
        """Return a runner without models, which tests if a backend starts: `burn_verify.burn.runner.Runner.start`.

        Raises:
            ToolchainError: cargo is missing, too old, or failed.
        """
        return self._tool("probe")

    def timed(self) -> "Workspace":
        """Return the workspace in which models are compiled in the profile `LATENCY`."""
        other = copy.copy(self)
        other.lock = lock_name(self.folder.parent, self.recipe.name, LATENCY)
        other.build = _build(self.folder / LATENCY, self.build.target)
        other._compiled = self.folder / LATENCY / _COMPILED
        return other

    @contextlib.contextmanager
    def beside(self, crates: Collection[str]) -> Iterator["Workspace"]:
        """Yield a temporary copy in which cargo finds these generated crates compiled, and locks nothing of this one.

        Raises:
            OSError: a part of it is missing or cannot be copied; another process may be deleting it.
        """
        units, bad = units_noted(self.folder), [] if self._compiled is None else damaged(self._compiled)
        units -= {unit_of(path) for path in bad}
        with self._cache.scratch(LINKING) as scratch:
            other = copy.copy(self)
            other._compiled = None
            log = self.folder / "linking.log"
            other.build = Build(folder=scratch / "workspace", target=scratch / "target", log=log)
            left_out = [path.name for path in (self.build.folder / "generated").iterdir() if path.name not in crates]
            ignore = shutil.ignore_patterns(*left_out)
            shutil.copytree(self.build.folder, other.build.folder, ignore=ignore, symlinks=True)
            shutil.copyfile(_stamp_of(self.build), _stamp_of(other.build))
            take_over(
                self.build.target,
                other.build.target,
                lambda path: unit_of(path) in units or (generated_crate(path) in crates and path not in bad),
            )
            yield other

    def write(self, generated: Mapping[str, str], crates: Sequence[str]) -> None:
        """Write the workspace with generated crates as members. Only files whose content changed are written.

        Arguments:
            generated: text by path below the folder ``generated``.
            crates: folders below ``generated`` that are members.
        """
        self._start_target()
        self._mend()
        own = {name: text for name, text in self._sources.items() if name not in ("Cargo.toml", "Cargo.lock")}
        own |= {f"generated/{path}": text for path, text in generated.items()}
        for name, text in own.items():
            write_if_changed(self.build.folder / name, text)
        self._write_lock()
        text = manifest(self._sources["Cargo.toml"], self.recipe, [f"generated/{crate}" for crate in crates])
        write_if_changed(self.build.folder / "Cargo.toml", text)

    def compile(
        self,
        package: str,
        labels: Mapping[str, str],
        *,
        profile: str = PROFILE,
        env: Mapping[str, str] | None = None,
        beside: Sequence[str] = (),
    ) -> CargoRun:
        """Build a generated package, and others beside it, whose features count too; nothing is fetched.

        If the sources were removed since then (cargo's registry was emptied or replaced), they are fetched again.
        """
        packages = [part for name in (package, *beside) for part in ("-p", name)]
        arguments = ["--profile", profile, *packages, "--keep-going"]
        phase = "compile" if profile == PROFILE else f"compile {profile}"
        run_cargo = partial(self.build.run, phase=phase, labels=labels, listen=self._listen, env=env)
        run = run_cargo([*arguments, "--offline"])
        if run.gave_up:
            text = f"fetching the sources of {self.recipe.title} again"
            self._listen(Progress(phase=phase, done=0, total=0, text=text))
            run = run_cargo(arguments)
        if run.code == 0:
            self._note_compiled(profile)
        return run

    def dependencies(self) -> None:
        """Build the dependencies of a runner in the profile `LATENCY`, that is Burn, if they are not built yet.

        Raises:
            ToolchainError: cargo failed.
        """
        stamp, units = self.folder / f"ready-{LATENCY}.json", self.folder / f"units-{LATENCY}.json"
        timed = self.timed()
        if _is_stamped(stamp, self.fingerprint) and units.is_file():
            return
        with self._cache.lock(timed.lock, self.waiting):
            if _is_stamped(stamp, self.fingerprint) and units.is_file():
                return
            phase = f"toolchain {LATENCY}"
            self._listen(Progress(phase=phase, done=0, total=0))
            timed.write({}, ())
            arguments = ["--profile", LATENCY, "-p", "runner"]
            run = timed.build.run(arguments, phase=phase, labels={}, listen=self._listen)
            if run.code != 0:
                what = f"{self.recipe.title} could not be built in the profile {LATENCY}"
                raise timed.build.failure(what, run.code)
            timed._note_compiled(LATENCY)
            write_json(units, sorted(run.units))
            write_json(stamp, {"fingerprint": self.fingerprint})

    def waiting(self, text: str) -> None:
        """Report that another run holds the lock."""
        self._listen(Progress(phase="compile", done=0, total=0, text=text, whole=True))

    def _tool(self, name: str) -> Path:
        if self._note() is None:
            with self._cache.lock(self.lock, self.waiting):
                if self._note() is None:
                    self._make_tools()
        return self.folder / name

    def _texts(self, recipe: Recipe) -> Iterator[str]:
        """Yield names and texts of the workspace's own files; the manifest as it is written for a recipe."""
        manifests = {"Cargo.toml": manifest(self._packaged["Cargo.toml"], recipe, ())}
        for name, text in sorted({**self._packaged, **manifests}.items()):
            yield from (name, text)

    def _note(self) -> Mapping[str, Any] | None:
        note = sealed(self.folder / "ready.json")
        return note if note and note["fingerprint"] == self.fingerprint else None

    def _make_tools(self) -> None:
        require_rust(self.recipe.version.min_rustc)
        started = time.monotonic()
        self._listen(Progress(phase="toolchain", done=0, total=0, text=f"fetching the sources of {self.recipe.title}"))
        # Generated crates of earlier runs stay on disk, but are no members until a batch needs them again.
        self.write({}, ())
        write_if_changed(self.build.folder / "Cargo.lock", self._sources["Cargo.lock"])
        # The pinned lock file does not contain the crates of a checkout, so cargo must be able to add their sources.
        locked = [] if self.recipe.sources else ["--locked"]
        arguments = ["--profile", PROFILE, "-p", "converter", "-p", "runner", *locked]
        run = self.build.run(arguments, phase="toolchain", labels={}, listen=self._listen)
        if run.code != 0:
            what = f"{self.recipe.title} could not be built"
            raise self.build.failure(what, run.code)
        for tool in _TOOLS:
            copy_atomically(Path(run.executables[tool]), self.folder / tool)
        # The first build compiles Burn. Builds after a change of our own sources are short, so the first time is kept.
        before = read_json(self.folder / "ready.json") or {"seconds": time.monotonic() - started}
        note = {
            "fingerprint": self.fingerprint,
            "rustc": self._rustc,
            "seconds": before["seconds"],
            "title": self.recipe.title,
            "backends": self.recipe.backends,
        }
        self._note_compiled(PROFILE)
        write_json(self.folder / "units.json", sorted(run.units))
        seal(self.folder / "ready.json", [self.folder / tool for tool in _TOOLS], **note)

    def _start_target(self) -> None:
        """Begin the target folder of another recipe with what is compiled for the default backend."""
        if self.build.target == self._base or self.build.target.exists() or not self._base.exists():
            return
        units = units_noted(self.folder)
        for other in self._base.parent.iterdir():
            units |= units_noted(other)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._cache.lock(f"{self.folder.parent.name}-{self.recipe.name}-target"):
            if not self.build.target.exists():
                take_over(self._base, self.build.target, lambda path: unit_of(path) in units)

    def _mend(self) -> None:
        """Make cargo compile again what changed of its results since they were noted."""
        bad = [] if self._compiled is None else damaged(self._compiled)
        for path in bad:
            logger.info("%s is damaged or missing, and is made again", path)
        forget(path for path in bad if path.parent.name == "deps")
        if any(path.parent == self.build.folder for path in bad):
            _stamp_of(self.build).unlink(missing_ok=True)

    def _note_compiled(self, profile: str) -> None:
        if self._compiled is None:
            return
        # Crates that `package` wrote may be compiled in this target folder too, and cargo replaces what is theirs
        # meanwhile. Where that goes on, nothing more is noted than before.
        for _ in range(_TRIES):
            with contextlib.suppress(FileNotFoundError):
                extend(self._compiled, [*libraries(self.build.target, profile), self.build.folder / "Cargo.lock"])
                return

    def _write_lock(self) -> None:
        """Write the lock file if the pinned one changed; cargo adds crates to it, so the contents are not compared."""
        stamp = _stamp_of(self.build)
        wanted = digest_of(self._sources["Cargo.lock"])
        lock = self.build.folder / "Cargo.lock"
        if not lock.is_file() or not stamp.is_file() or stamp.read_text() != wanted:
            write_if_changed(lock, self._sources["Cargo.lock"])
            write_if_changed(stamp, wanted)


def recipes_built(cache: Cache, version: BurnVersion) -> list[Recipe]:
    """Return the recipes of a version, without checkouts, whose workspaces are compiled and up to date."""
    notes = [sealed(path) for path in sorted(cache.root.glob(f"burn-{version.burn}/*/ready.json"))]
    sets = {tuple(note["backends"]) for note in notes if note}
    recipes = [Recipe(version=version, backends=backends) for backends in sorted(sets, key=len)]
    return [recipe for recipe in recipes if Workspace(cache, silent, recipe).ready]


def _build(folder: Path, target: Path) -> Build:
    """Return the builds of a folder with sources, cargo's log and the stamp of the lock file."""
    return Build(folder=folder / "workspace", target=target, log=folder / "cargo.log")


def _stamp_of(build: Build) -> Path:
    return build.folder.with_name("lock.sha256")


def _is_stamped(stamp: Path, fingerprint: str) -> bool:
    return bool(read_json(stamp) == {"fingerprint": fingerprint})
