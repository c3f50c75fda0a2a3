"""Release builds: one program per model, built as a user would build it, and the cost of the build.

Programs and their costs are cached by content. Judges nothing and times no calls: see `stopwatch`. Errors of rustc are
not attributed to nodes here, since all models compiled before in the *correctness* profile.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from burn_verify.burn import codegen, rustc_clock
from burn_verify.burn.cargo import CargoRun
from burn_verify.burn.workspace import MADE_BY, Workspace
from burn_verify.core.errors import CompileError
from burn_verify.core.latency import Cost
from burn_verify.core.stage import ConvertedModel, PreparedCase, RunnerBinary
from burn_verify.graph.facts import nodes
from burn_verify.system.cache import Cache, prune
from burn_verify.system.files import copy_atomically, digest_of, sha256_of, write_if_changed
from burn_verify.system.kept import seal, sealed

_KEPT: Final = 120
_DAY: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseBinary:
    """A runner with one model in it, and its cost."""

    binary: RunnerBinary
    cost: Cost


class ReleaseBuilder:
    """Builds models one after the other, so that no two rustc processes compete for the machine."""

    def __init__(self, cache: Cache, workspace: Workspace) -> None:
        self._cache = cache
        self._workspace = workspace

    def build(self, prepared: PreparedCase, model: ConvertedModel) -> ReleaseBinary:
        """Return the program of a model, from the cache where it was built before.

        Raises:
            CompileError: the model does not compile in this profile.
            ToolchainError: Burn itself does not compile.
        """
        folder = self._cache.folder("release") / key_of(self._workspace, model)
        if (cost := _known(folder)) is None:
            self._workspace.dependencies()
            timed = self._workspace.timed()
            with self._cache.lock(timed.lock, timed.waiting):
                if (cost := _known(folder)) is None:
                    cost = _compile(timed, prepared, model, folder)
                    prune(folder.parent, keep=_KEPT, young=_DAY)
        else:
            os.utime(folder)
        return ReleaseBinary(binary=RunnerBinary(path=folder / "runner", modules=frozenset({model.module})), cost=cost)


def key_of(workspace: Workspace, model: ConvertedModel) -> str:
    """Return the cache key of the program of a model and its cost."""
    parts = (codegen.LATENCY, model.module, sha256_of(model.rust), sha256_of(model.weights))
    return digest_of(MADE_BY.digest, workspace.fingerprint, *parts)[:24]


def _compile(workspace: Workspace, prepared: PreparedCase, model: ConvertedModel, folder: Path) -> Cost:
    group = codegen.crate_of([model])
    name = codegen.batch_name([group])
    workspace.write(codegen.batch_files([group]), [group.crate, name])
    for crate, source in ((group.crate, "lib.rs"), (name, "main.rs")):
        # A new time stamp makes cargo compile the crate again; otherwise there would be nothing to measure.
        os.utime(workspace.build.folder / "generated" / crate / "src" / source)
    log = workspace.build.folder.with_name("rustc-clock.jsonl")
    log.unlink(missing_ok=True)
    run = workspace.compile(name, {group.crate: group.label}, profile=codegen.LATENCY, env=_clocked(workspace, log))
    if run.code != 0:
        raise _refused(model, run)
    executable = Path(run.executables[name])
    copy_atomically(executable, folder / "runner")
    codegen_note = sealed(model.rust.parent / "done.json") or {}
    clock = _clock(log)
    cost = Cost(
        codegen=float(codegen_note.get("seconds", model.seconds)),
        rustc=clock[group.crate][0],
        rustc_peak=clock[group.crate][1],
        link=clock[name][0],
        lines=sum(1 for line in model.rust.read_text(encoding="utf-8").splitlines() if line.strip()),
        nodes=_count_nodes(prepared.model),
        binary=executable.stat().st_size,
        weights=model.weights.stat().st_size,
    )
    for path in (executable, *executable.parent.glob(f"deps/{executable.name}-*")):
        path.unlink(missing_ok=True)
    seal(folder / "cost.json", [folder / "runner"], cost=asdict(cost))
    return cost


def _clocked(workspace: Workspace, log: Path) -> dict[str, str]:
    """Return the environment in which the time and memory of rustc are recorded."""
    wrapper = workspace.build.folder.with_name("rustc-clock")
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(rustc_clock.__file__)} "$@"\n'
    write_if_changed(wrapper, script)
    wrapper.chmod(0o755)
    return {"RUSTC_WRAPPER": str(wrapper), rustc_clock.LOG: str(log)}


def _known(folder: Path) -> Cost | None:
    note = sealed(folder / "cost.json")
    return None if note is None else Cost(**note["cost"])


def _clock(log: Path) -> Mapping[str, tuple[float, int]]:
    notes = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {note["crate"]: (float(note["seconds"]), int(note["peak"])) for note in notes}


def _count_nodes(path: Path) -> int:
    import onnx

    return sum(1 for _ in nodes(onnx.load(path, load_external_data=False)))


def _refused(model: ConvertedModel, run: CargoRun) -> CompileError:
    said = [error.message for _, error in run.errors] or ["rustc ended without naming an error"]
    message = f"{model.label} compiles in the profile {codegen.PROFILE}, not in {codegen.LATENCY}: {said[0]}"
    return CompileError(message, f"{codegen.LATENCY}: {said[0]}")
