"""Compile generated modules into one runner binary and attribute rustc's errors to their modules.

Runs no model. `codegen` writes the text of the generated crates. `rustc_errors` finds the module of an error.
"""

import contextlib
import logging
import math
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burn_verify.burn import codegen
from burn_verify.burn.cargo import CargoRun
from burn_verify.burn.rustc_errors import RustError, attribute, compile_error
from burn_verify.burn.workspace import MADE_BY, Workspace
from burn_verify.core.errors import CompileError
from burn_verify.core.stage import ConvertedModel, RunnerBinary
from burn_verify.core.ways import BURNPACK, FILE, FULL
from burn_verify.system.cache import Cache, prune
from burn_verify.system.files import copy_atomically, digest_of, read_json, sha256_of, write_json
from burn_verify.system.kept import seal, sealed

logger = logging.getLogger("burn_verify")

# rustc needs about 2 MiB per small module. More modules per crate save no time and cost memory.
_MODULES_PER_CRATE: Final = 250
# A binary takes tens of megabytes and is rebuilt in seconds.
_KEPT_BINARIES: Final = 24
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The result of compiling a batch.

    Attributes:
        binary: None where no module compiled.
        errors: by module name.
        seconds: wall time of cargo, 0.0 when the binary came from the cache.
    """

    binary: RunnerBinary | None
    errors: Mapping[str, CompileError]
    seconds: float


class BatchCompiler:
    """Compiles batches in a workspace."""

    def __init__(self, cache: Cache, workspace: Workspace) -> None:
        self._cache = cache
        self._workspace = workspace

    def compile(self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()) -> Compiled:
        """Compile modules to one binary. Modules that rustc rejects are removed and the rest is built again.

        Arguments:
            doubtful: labels of models that most likely do not compile. They go into separate crates, so that the
                crates of the other models need no second round. The result does not depend on it.

        Raises:
            ToolchainError: cargo failed, and the failure could not be attributed to a module.
        """
        unique = {model.module: model for model in models}
        folder = self._cache.folder("binaries") / key_of(self._workspace, unique.values())
        if (known := _remembered(folder)) is not None:
            os.utime(folder)
            return known
        if not unique:
            return Compiled(binary=None, errors={}, seconds=0.0)
        with self._place(unique) as workspace:
            if (known := _remembered(folder)) is not None:
                return known
            started = time.monotonic()
            executable, errors = self._rounds(workspace, unique, frozenset(doubtful))
            binary = None
            if executable is not None:
                copy_atomically(Path(executable), folder / "runner")
                _drop(Path(executable))
                binary = RunnerBinary(path=folder / "runner", modules=frozenset(unique.keys() - errors.keys()))
            compiled = Compiled(binary=binary, errors=errors, seconds=time.monotonic() - started)
            _remember(folder, compiled)
            prune(folder.parent, keep=_KEPT_BINARIES, young=_HOUR)
            return compiled

    @contextlib.contextmanager
    def _place(self, models: Mapping[str, ConvertedModel]) -> Iterator[Workspace]:
        """Yield the workspace, locked; where it is not free and all crates are compiled, one to link them in."""
        own = self._workspace
        with self._cache.lock_if_free(own.lock) as held:
            if held:
                yield own
                return
        with contextlib.ExitStack() as stack:
            beside = self._beside(stack, models)
            if beside is None:
                stack.enter_context(self._cache.lock(own.lock, own.waiting))
            yield beside or own

    def _beside(self, stack: contextlib.ExitStack, models: Mapping[str, ConvertedModel]) -> Workspace | None:
        """Return a workspace beside the own one to link compiled crates in, None where some are not compiled."""
        groups = self._reusable(models)
        if not models.keys() <= frozenset().union(*(group.modules for group in groups)):
            return None
        try:
            return stack.enter_context(self._workspace.beside([group.crate for group in groups]))
        except OSError as error:
            # Whoever holds the lock may be deleting crates.
            logger.info("waiting for the workspace, since it cannot be copied: %s", error)
            return None

    def _rounds(
        self, workspace: Workspace, models: Mapping[str, ConvertedModel], doubtful: frozenset[str]
    ) -> tuple[str | None, dict[str, CompileError]]:
        errors: dict[str, CompileError] = {}
        groups = self._grouped(models, doubtful)
        # rustc reports borrow-check errors only when there are no type errors, so one round is not always enough.
        while groups:
            batch = codegen.batch_name(groups)
            workspace.write(codegen.batch_files(groups), [*(group.crate for group in groups), batch])
            run = workspace.compile(batch, {group.crate: group.label for group in groups})
            if run.code == 0:
                if workspace is self._workspace:
                    self._remember_groups(groups)
                return run.executables[batch], errors
            found = attribute(groups, run.errors, run.failed)
            alone = [group for group in found.suspects if len(group.models) == 1]
            if not found.errors and (not found.suspects or (alone and not run.artifacts)):
                what = "the generated crates could not be built, and no model is to blame"
                raise workspace.build.failure(what, run.code)
            guilty = {**found.errors, **{group.models[0].module: _unnamed(group, run) for group in alone}}
            for module in guilty.keys() & models.keys():
                text = models[module].rust.read_text(encoding="utf-8")
                errors[module] = compile_error(models[module], text, guilty[module])
            groups = _regrouped(groups, found.suspects, guilty)
        return None, errors

    def _grouped(self, models: Mapping[str, ConvertedModel], doubtful: frozenset[str]) -> tuple[codegen.Group, ...]:
        """Return crates that hold all models: crates compiled before where possible, new crates for the rest."""
        reused = self._reusable(models)
        old = frozenset().union(*(group.modules for group in reused))
        sizes = {module: model.rust.stat().st_size for module, model in models.items()}
        fresh = [model for module, model in models.items() if module not in old]
        sure = [model for model in fresh if model.label not in doubtful]
        crates = max(os.cpu_count() or 1, math.ceil(len(sure) / _MODULES_PER_CRATE))
        aside = codegen.pack([model for model in fresh if model.label in doubtful], sizes, 1)
        return reused + codegen.pack(sure, sizes, crates) + aside

    def _reusable(self, models: Mapping[str, ConvertedModel]) -> tuple[codegen.Group, ...]:
        """Return compiled crates that hold as many of these models as possible."""
        known = [group for group in self._known_groups() if all(_same(model, models) for model in group.models)]
        return codegen.cover(models, known)

    def _known_groups(self) -> list[codegen.Group]:
        """Return the crates that were compiled in this workspace and whose generated text still exists."""
        note = read_json(self._workspace.folder / "groups.json")
        try:
            if note is None or note["fingerprint"] != self._workspace.fingerprint:
                return []
            groups = [codegen.crate_of(map(_model_of, models)) for models in note["groups"].values()]
        except (TypeError, KeyError, ValueError, AttributeError):
            # The note is damaged: the crates are compiled again.
            return []
        return [group for group in groups if all(model.rust.is_file() for model in group.models)]

    def _remember_groups(self, groups: Sequence[codegen.Group]) -> None:
        known = {group.crate: group for group in (*self._known_groups(), *groups)}
        note = {crate: [_noted(model) for model in group.models] for crate, group in known.items()}
        write_json(self._workspace.folder / "groups.json", {"fingerprint": self._workspace.fingerprint, "groups": note})


def key_of(workspace: Workspace, models: Iterable[ConvertedModel]) -> str:
    """Return the cache key of the result of a batch, which includes the compile errors."""
    ordered = sorted(models, key=lambda model: model.module)
    contents = [part for model in ordered for part in (model.module, sha256_of(model.rust))]
    return digest_of(MADE_BY.digest, workspace.fingerprint, codegen.PROFILE, *contents)[:24]


def _noted(model: ConvertedModel) -> list[str | int]:
    ways = [] if (model.load, model.stored) == (FILE, FULL) else [model.load, model.stored]
    if model.alloc:
        ways = [model.load, model.stored, model.record]
    return [model.label, model.module, str(model.rust), str(model.weights), model.inputs, model.outputs, *ways]


def _model_of(noted: Sequence[str | int]) -> ConvertedModel:
    label, module, rust, weights, inputs, outputs, *ways = noted
    load, stored, record = map(str, (*ways, *(FILE, FULL, BURNPACK)[len(ways) :]))
    return ConvertedModel(
        label=str(label),
        module=str(module),
        rust=Path(str(rust)),
        weights=Path(str(weights)),
        seconds=0.0,
        inputs=int(inputs),
        outputs=int(outputs),
        load=load,
        stored=stored,
        record=record,
        # Code of burn-import: the kind of its file of weights is always noted.
        alloc=bool(ways[2:]),
    )


def _same(model: ConvertedModel, wanted: Mapping[str, ConvertedModel]) -> bool:
    """Return whether a module compiled before was made from the same file as the requested one."""
    return model.module not in wanted or wanted[model.module].rust == model.rust


def _unnamed(group: codegen.Group, run: CargoRun) -> list[RustError]:
    """Return the errors of a crate that holds one model and in which rustc named no line of that model."""
    errors = [error for crate, error in run.errors if crate == group.crate]
    message = "rustc ended without naming an error"
    return errors or [RustError(code=None, message=message, rendered="", spots=())]


def _regrouped(
    groups: Sequence[codegen.Group], suspects: Sequence[codegen.Group], guilty: Mapping[str, object]
) -> tuple[codegen.Group, ...]:
    """Return the crates of the next round: without the failed modules, and suspect crates split into single models."""
    split = {group.crate for group in suspects}
    pieces = (
        piece
        for group in groups
        for piece in ([codegen.crate_of([model]) for model in group.models] if group.crate in split else [group])
    )
    return tuple(left for piece in pieces if (left := piece.without(guilty)).models)


def _remember(folder: Path, compiled: Compiled) -> None:
    errors = {module: [error.message, error.reason, error.details] for module, error in compiled.errors.items()}
    modules = sorted(compiled.binary.modules) if compiled.binary else None
    files = [compiled.binary.path] if compiled.binary else []
    seal(folder / "note.json", files, modules=modules, errors=errors)


def _remembered(folder: Path) -> Compiled | None:
    note = sealed(folder / "note.json")
    if note is None:
        return None
    known = note["modules"]
    binary = None if known is None else RunnerBinary(path=folder / "runner", modules=frozenset(known))
    errors = {module: CompileError(*parts) for module, parts in note["errors"].items()}
    return Compiled(binary=binary, errors=errors, seconds=0.0)


def _drop(executable: Path) -> None:
    """Remove cargo's copies of a binary that is stored in the cache; otherwise every selection would leave one."""
    for path in (executable, *executable.parent.glob(f"deps/{executable.name}-*")):
        path.unlink(missing_ok=True)
