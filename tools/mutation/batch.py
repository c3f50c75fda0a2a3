"""Mutants as converted models, compiled in batches beside everything else that this machine has compiled.

Burn and the locks are those of the user's cache; binaries and generated crates are the mutants' own, and removed.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from burn_verify.burn.batch import BatchCompiler
from burn_verify.burn.codegen import rust_string
from burn_verify.burn.workspace import Workspace
from burn_verify.core.errors import ToolchainError
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, RunnerBinary
from burn_verify.core.target import Target
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of, read_json, write_if_changed, write_json
from mutation import kinds
from mutation.boundary import Answered, constants
from mutation.draw import Mutant


class Apart(Cache):
    """The user's cache with its locks and its compiled Burn; every other folder is in one of one's own.

    Arguments:
        shared: the cache whose Burn is used.
        own: a folder that may be deleted.
    """

    def __init__(self, shared: Cache, own: Path) -> None:
        super().__init__(shared.root)
        self.own = Cache(own)

    def folder(self, *names: str) -> Path:
        """Return a folder, see `Cache.folder`."""
        return super().folder(*names) if names[0] == "locks" else self.own.folder(*names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What became of some mutants.

    Attributes:
        models: by id of the mutant, of those that compiled.
        binary: None where none did.
        errors: why not, in rustc's words, by id of the others.
    """

    models: Mapping[str, ConvertedModel]
    binary: RunnerBinary | None
    errors: Mapping[str, str]


def written(mutant: Mutant, original: ConvertedModel, answered: Answered, folder: Path) -> ConvertedModel:
    """Write the module of a mutant; the weights are the original's.

    Raises:
        ValueError: the changed lines are not in the original.
    """
    files = constants(answered) if mutant.change.kind == kinds.CONSTANT else {}
    # Other answers, another module: what is kept of a batch is known by the names and texts in it.
    told = digest_of(*(part for name, data in sorted(files.items()) for part in (name, data)))[:12] if files else ""
    module = f"x_{mutant.change.key}{told}_{original.module}"
    text = mutant.change.applied(original.rust.read_text(encoding="utf-8"))
    rust = folder / module / "model.rs"
    write_if_changed(rust, text)
    for name, data in files.items():
        write_if_changed(rust.with_name(name), data)
    return replace(original, label=mutant.id, module=module, rust=rust)


def compiled(cache: Apart, listen: Listener, models: Mapping[str, ConvertedModel]) -> list[Batch]:
    """Compile mutants, in one batch where cargo finds whom to blame for what does not compile.

    Arguments:
        models: by id of the mutant.
    """
    workspace = Workspace.of(cache, listen, Target())
    workspace.converter()
    try:
        made = BatchCompiler(cache, workspace).compile(list(models.values()))
    except ToolchainError as error:
        if len(models) == 1:
            return [Batch(models={}, binary=None, errors=dict.fromkeys(models, str(error)))]
        halves = (list(models)[: len(models) // 2], list(models)[len(models) // 2 :])
        return [batch for half in halves for batch in compiled(cache, listen, {one: models[one] for one in half})]
    errors = {
        one: made.errors[model.module].reason or "" for one, model in models.items() if model.module in made.errors
    }
    living = {one: model for one, model in models.items() if one not in errors}
    return [Batch(models=living, binary=made.binary, errors=errors)]


def sweep(cache: Apart, listen: Listener, *, keep: bool = False) -> None:
    """Remove the mutants' crates, and what cargo built of them.

    Arguments:
        keep: whether modules and binaries stay, so that the same batch need not be compiled again.
    """
    workspace = Workspace.of(cache, listen, Target())
    root = str(cache.own.root)
    mark = rust_string(root)[1:-1]
    with cache.lock(workspace.lock):
        generated = workspace.build.folder / "generated"
        crates = {path.parents[1].name for path in generated.glob("g_*/src/lib.rs") if mark in path.read_text()}
        batches = {
            path.parent.name
            for path in generated.glob("batch_*/Cargo.toml")
            if not crates.isdisjoint(path.read_text().replace('"', " ").replace("/", " ").split())
        }
        for crate in crates | batches:
            shutil.rmtree(generated / crate, ignore_errors=True)
        note = read_json(workspace.folder / "groups.json")
        if note is not None:
            note["groups"] = {crate: some for crate, some in note["groups"].items() if not _is_in(root, some)}
            write_json(workspace.folder / "groups.json", note)
        _forget(workspace.build.target, crates | batches)
    if not keep:
        shutil.rmtree(cache.own.root, ignore_errors=True)


def _is_in(root: str, models: Sequence[Sequence[str]]) -> bool:
    """Tell whether a crate, as it is noted, holds a module below a folder."""
    return any(str(field).startswith(root) for fields in models for field in fields)


def _forget(target: Path, crates: Sequence[str] | set[str]) -> None:
    """Remove what cargo keeps of some crates."""
    for path in [*target.glob("*/*"), *target.glob("*/*/*")]:
        if path.name.removeprefix("lib").partition("-")[0].partition(".")[0] in crates:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
