"""Write a folder for each group of failures of `reports/errors.json`, and build and run each project in them.

usage: python tools/upstream.py write [--errors reports/errors.json] [--out reports/upstream] [--only TEXT]
       python tools/upstream.py run --target DIR [--profile-of Cargo.toml] [--out reports/upstream] [--only TEXT]
       python tools/upstream.py report [--out reports/upstream]

`write` takes the smallest case of each group that has no folder yet; `--errors` may be those of another record, such as
that of graphs of several operators, whose folders begin with *several*. A case of more than `PLAIN` nodes is made small
first, as `burn-verify issue` does it; the others are small, and all of them are verified in one batch. `run` does what
the report in a folder says, and compares what comes with what it says; a run goes on where ``shown.jsonl`` ends.
Projects whose program is the same are built once. ``Cargo.lock`` is the same for all, and lies beside the folders;
`run` copies it. With ``--profile-of`` the profile *correctness* of a manifest is used instead of *dev*, so that a
target folder of the cache has most of Burn compiled.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from tabulate import tabulate

from burn_verify.burn.codegen import PROFILE
from burn_verify.cases.load import prepare
from burn_verify.cases.select import Selection
from burn_verify.cli.issue import known_cases
from burn_verify.core.case import Case
from burn_verify.core.errors import BurnVerifyError, StageError
from burn_verify.core.options import settings_from
from burn_verify.core.reduced import Reduction
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import FailureKind, Outcome, Stage
from burn_verify.graph.shrink import Draft
from burn_verify.reference.oracle import read, stored_inputs
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.search import Search
from burn_verify.run.steps import Ended, Ready
from burn_verify.several import collection
from burn_verify.ship.evidence import evidence_at, evidence_of
from burn_verify.ship.issue import Evidence, files_of
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.wire import Array
from json_lines import lines_of

PLAIN: Final = 3
STAGES: Final = ("convert", "compile", "run", "compare")
LOCK: Final = "Cargo.lock"
SHOWN: Final = "shown.jsonl"
LEFT: Final = "left.json"
SEVERAL: Final = "several/"
_VALUES: Final = 2000
_BYTES: Final = 200 << 10
_FEW: Final = 8
"""Numbers of a model of the zoo that a folder may hold: its weights are not ours to give away."""
_SLUG: Final = 60
_SECONDS: Final = 1200
_AT_MOST: Final = 300.0
_LETTERS: Final = 48
_NUMBER: Final = r"-?(?:inf|NaN|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)"


def main() -> None:
    """Write the folders, run their projects, or write the table."""
    arguments = _parser().parse_args()
    if arguments.command == "write":
        groups = groups_of(json.loads(arguments.errors.read_text(encoding="utf-8")))
        write({slug: group for slug, group in groups.items() if arguments.only in slug}, arguments.out)
    elif arguments.command == "run":
        run(arguments.out, Cargo(arguments.target.resolve(), arguments.profile_of), arguments.only)
    (arguments.out / "README.md").write_text(report(arguments.out), encoding="utf-8")


def groups_of(errors: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the groups of failures by the name of their folder: stage, title, number of cases, smallest case."""
    found: dict[str, dict[str, Any]] = {}
    for section in errors["sections"]:
        if section["stage"] not in STAGES:
            continue
        for line in section["lines"]:
            example = line["example"]["case_id"]
            several = "several " if example.startswith(SEVERAL) else ""
            name = f"{several}{section['stage']} {line['title']}".lower()
            words = re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:_SLUG]
            slug, number = words.strip("-"), 2
            while slug in found:
                slug, number = f"{words[: _SLUG - 3]}-{number}", number + 1
            found[slug] = {"stage": section["stage"], "title": line["title"], "cases": line["count"], "case": example}
    return found


def write(groups: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Write the folders that are not there yet; what cannot be written is noted in ``left.json``."""
    settings = settings_from({})
    cache = Cache(settings.cache_dir)
    out.mkdir(parents=True, exist_ok=True)
    missing = {slug: group for slug, group in groups.items() if not (out / slug / "README.md").is_file()}
    noted = out / LEFT
    left: dict[str, str] = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
    left = {slug: why for slug, why in left.items() if slug not in missing}
    several = [group["case"] for group in missing.values() if group["case"].startswith(SEVERAL)]
    with LongWork(sys.stderr) as work:
        selection = Selection(cache, mirror=settings.zoo_mirror, offline=True, listen=work.listen)
        cases = {case.id: case for case in selection.choose(["all"], ["all"], ["all"]).cases}
        cases |= {name: collection.named(cache, name, work.listen) for name in several}
        wanted = {slug: cases[group["case"]] for slug, group in missing.items() if group["case"] in cases}
        left |= {slug: "the case is not at hand" for slug in missing.keys() - wanted.keys()}
        search = Search(settings=settings, cache=cache, listen=work.listen)
        large = {slug for slug, case in wanted.items() if _is_large(case, cache)}
        made: Iterator[tuple[str, Evidence | str]] = _as_they_are(
            {slug: case for slug, case in wanted.items() if slug not in large}, search
        )
        for slug, found in made:
            left |= _kept(out / slug, missing[slug], found)
        for slug in sorted(large):
            left |= _kept(out / slug, missing[slug], _made_small(wanted[slug], search))
    noted.write_text(json.dumps(left, indent=1) + "\n", encoding="utf-8")


def _is_large(case: Case, cache: Cache) -> bool:
    """Return whether a case has to be made small: many nodes, or many values."""
    prepared = prepare(case, cache)
    model = onnx.load(prepared.model, load_external_data=False)
    nodes = sum(node.op_type != "Constant" for node in model.graph.node)
    arrays = stored_inputs(prepared) if prepared.stored else []
    return nodes > PLAIN or sum(array.size for array in arrays) > _VALUES


def _as_they_are(cases: Mapping[str, Case], search: Search) -> Iterator[tuple[str, Evidence | str]]:
    """Yield the evidence of cases that are small, verified in one batch; or why there is none."""
    pipeline = Pipeline(search.settings, search.cache, search.listen)
    try:
        steps = pipeline.prepare(list(cases.values()), search.target).cases
        for slug, case in cases.items():
            step = steps[case.id]
            try:
                yield slug, _evidence(case, step, pipeline, search)
            except (BurnVerifyError, ValueError, KeyError) as error:
                yield slug, f"{type(error).__name__}: {error}".partition("\n")[0]
    finally:
        pipeline.close()


def _evidence(case: Case, step: Ready | Ended, pipeline: Pipeline, search: Search) -> Evidence | str:
    verified = pipeline.verify(step, keep=True, shrink=False)
    if verified.result.outcome is not Outcome.FAILED:
        return f"it ends otherwise now: {verified.result.stage} {verified.result.outcome}"
    prepared = step.prepared
    assert prepared is not None
    inputs, expected = stored_inputs(prepared), []
    if isinstance(step, Ready):
        sets = read(step.reference).data_sets
        name, outputs = _failing(step, verified.result, {name: data.inputs for name, data in sets.items()}, pipeline)
        inputs, expected = list(sets[name].inputs), list(sets[name].desired)
        verified = replace(verified, outputs={name: outputs})
    draft = Draft(model=onnx.load(prepared.model), inputs=tuple(map(np.asarray, inputs)))
    built = step.built if isinstance(step, Ready) else step
    found = evidence_at(case.id, built, verified, draft, search, lambda result: known_cases(result, search.target))
    return replace(found, expected=tuple(map(np.asarray, expected)), smaller=False)


def _failing(
    step: Ready, result: CaseResult, sets: Mapping[str, Sequence[Array]], pipeline: Pipeline
) -> tuple[str, Sequence[Array]]:
    """Return the data set with which a case fails, and what Burn answers to it; nothing where it panics."""
    unlike = {one.data_set for one in result.metrics if not one.fits}
    for name, inputs in sets.items():
        try:
            outputs = pipeline.infer(step, inputs)
        except StageError:
            if result.stage is Stage.RUN:
                return name, ()
            continue
        if name in unlike:
            return name, outputs
    return next(iter(sets)), ()


def _made_small(case: Case, search: Search) -> Evidence | str:
    try:
        search = replace(search, deadline=time.monotonic() + _AT_MOST)
        reduced, evidence = evidence_of(case, search, lambda result: known_cases(result, search.target))
    except (BurnVerifyError, ValueError) as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]
    return evidence or f"reduce: {Reduction(reduced.reduction)}"


def _kept(folder: Path, group: Mapping[str, Any], found: Evidence | str) -> dict[str, str]:
    """Write the folder of a group; return why not, by the name of the folder."""
    if isinstance(found, str):
        return {folder.name: found}
    if found.result.failure is FailureKind.NO_VALUE:
        return {folder.name: "Burn has no value of such an input or answer, so nothing is run"}
    if found.result.stage.value != group["stage"]:
        return {folder.name: f"it ends at {found.result.stage} now"}
    try:
        files = files_of(found)
    except (BurnVerifyError, ValueError, KeyError) as error:
        return {folder.name: f"no program can be written: {type(error).__name__}: {error}".partition("\n")[0]}
    if group["case"].startswith("zoo/") and _parameters(onnx.load_from_string(files["tiny.onnx"])) > _FEW:
        return {folder.name: "what a model of the zoo learned would be in it: `burn-verify issue` writes it"}
    if sum(len(content) for name, content in files.items() if name != LOCK) > _BYTES:
        return {folder.name: f"more than {_BYTES >> 10} KiB: `burn-verify issue` writes it"}
    for name, content in files.items():
        path = folder.parent / name if name == LOCK else folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "group.json").write_text(json.dumps({**group, **_said(found.result)}) + "\n", encoding="utf-8")
    return {}


def _parameters(model: onnx.ModelProto) -> int:
    """Return how many numbers are in the constants and attributes of a model."""
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    constants = [*model.graph.initializer, *(one.t for one in attributes if one.HasField("t"))]
    listed = sum(len(one.floats) + len(one.ints) for one in attributes)
    return listed + sum(int(np.prod(tensor.dims)) for tensor in constants)


def _said(result: CaseResult) -> dict[str, Any]:
    return {"message": result.message, "reason": result.reason, "codes": list(result.details.get("codes") or ())}


class Cargo:
    """Runs ``cargo run`` in folders, with one target folder.

    Arguments:
        manifest: of a workspace whose profile *correctness* is used; None for the profile *dev*, without debug info.
    """

    def __init__(self, target: Path, manifest: Path | None) -> None:
        name, profile = "dev", {"debug": False}
        if manifest is not None:
            name = PROFILE
            profile = tomllib.loads(manifest.read_text(encoding="utf-8"))["profile"][name]
        values = [f"profile.{name}.{key}={json.dumps(value)}" for key, value in _flat(profile)]
        self._command = ["cargo", "run", "--quiet", "--profile", name, *(f"--config={value}" for value in values)]
        self._target = target
        self._program = target / ("debug" if manifest is None else name) / "reproduction"
        self._built: dict[str, Path] = {}

    def ran(self, folder: Path) -> tuple[int, str]:
        """Return exit code and words of the program in a folder; that of another folder if it is the same."""
        sources = [folder / "src" / "main.rs", folder / "Cargo.toml", *folder.glob("src/model*")]
        version = re.compile(r'^version = "[^"]*"$', re.MULTILINE)
        key = hashlib.sha256("\n".join(version.sub("", path.read_text()) for path in sources).encode()).hexdigest()
        # What refuses a model has no generated code, and is the same program for all models.
        refuses = len(sources) == len(("main.rs", "Cargo.toml"))
        if key in self._built:
            return _said_by([str(self._built[key])], folder, {})
        environment = {"CARGO_TARGET_DIR": str(self._target), "CARGO_TERM_COLOR": "never"}
        self._program.unlink(missing_ok=True)
        code, text = _said_by(self._command, folder, environment)
        if refuses and self._program.is_file():
            self._built[key] = self._target / f"program-{key[:16]}"
            shutil.copyfile(self._program, self._built[key])
            self._built[key].chmod(0o755)
        return code, text


def _flat(profile: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in profile.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{json.dumps(key)}.")
        else:
            yield f"{before}{key}", value


def run(out: Path, cargo: Cargo, only: str) -> None:
    """Run the project in each folder, and note whether it shows what its report says."""
    noted = out / SHOWN
    done = {line["folder"] for line in lines_of(noted)}
    for folder in sorted(path.parent for path in out.glob("*/group.json")):
        if folder.name in done or only not in folder.name:
            continue
        said = json.loads((folder / "group.json").read_text(encoding="utf-8"))
        shutil.copyfile(out / LOCK, folder / LOCK)
        code, text = cargo.ran(folder)
        shows = _SHOWS[said["stage"]](said, (folder / "README.md").read_text(encoding="utf-8"), code, text)
        line = {"folder": folder.name, "code": code, "shows": shows, "last": text.strip()[-400:] if not shows else ""}
        with noted.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(folder.name, code, shows, flush=True)


def _said_by(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=_SECONDS
    )
    return done.returncode, f"{done.stdout}\n{done.stderr}"


def _refuses(said: Mapping[str, Any], readme: str, code: int, text: str) -> bool:
    """Return whether burn-onnx ends with the words of the report."""
    return code != 0 and _plain(_without_file(said["message"]))[:_LETTERS] in _plain(_without_file(text))


def _rejects(said: Mapping[str, Any], readme: str, code: int, text: str) -> bool:
    """Return whether rustc ends with the codes of the report."""
    return code != 0 and all(f"error[{one}]" in text for one in said["codes"]) and "model.rs" in text


def _panics(said: Mapping[str, Any], readme: str, code: int, text: str) -> bool:
    """Return whether the program panics with the reason, or with the message of which it is the short form."""
    words = [
        _plain(one)[:_LETTERS] for one in (re.sub(r"^panic: ", "", said["reason"]), said.get("message", "")) if one
    ]
    return code == 101 and any(word in _plain(text) for word in words)


def _differs(said: Mapping[str, Any], readme: str, code: int, text: str) -> bool:
    """Return whether the program prints the expected and the actual values of the report, and they differ.

    Of what is drawn at random, type and shape are those of the report, and differ from what is expected.
    """
    told, came = ({word: _values(one, word) for word in ("expected", "actual")} for one in (readme, text))
    if code != 0 or not came["actual"] or came["expected"] != told["expected"]:
        return False
    types = {word: [typed for typed, _ in found] for word, found in came.items()}
    same = came["actual"] == told["actual"]
    drawn = types["actual"] != types["expected"] and types["actual"] == [typed for typed, _ in told["actual"]]
    return came["actual"] != came["expected"] and (same or drawn)


def _values(text: str, word: str) -> list[tuple[str, str]]:
    """Return dtype and shape, and numbers, of the lines that begin with a word."""
    found = []
    for line in text.splitlines():
        if line.startswith(word):
            typed, _, values = line.partition(": ")[2].replace("(Native)", "").partition("] ")
            if typed.startswith("["):
                # A shape is an array of Rust: "[i64; 3] [1, 2, 3]".
                typed = re.sub(r"^\[(\w+); (\d+)", r"\1[\2", typed)
            elif "[" not in typed:
                # A number of Rust: "f32 1.5".
                typed, _, values = typed.partition(" ")
                typed += "["
            kind, _, shape = typed.lower().partition("[")
            kind = re.sub(r"^bf(?=\d)", "bfloat", re.sub(r"^f(?=\d)", "float", re.sub(r"^(u?)i(?=\d)", r"\1int", kind)))
            kind = re.sub(r"^u(?=\d)", "uint", kind)
            numbers = re.findall(_NUMBER, values.replace("true", "1").replace("false", "0"))
            found.append((f"{kind}[{shape.replace(' ', '')}]", " ".join(f"{float(one):.15g}" for one in numbers)))
    return found


def _without_file(text: str) -> str:
    return re.sub(r"'?[^\s'\"]*\.onnx'?\"?", "", text)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"\d+", "0", text.lower())).strip()


_SHOWS: Final[Mapping[str, Callable[[Mapping[str, Any], str, int, str], bool]]] = {
    "convert": _refuses,
    "compile": _rejects,
    "run": _panics,
    "compare": _differs,
}


def report(out: Path) -> str:
    """Return the table of all folders: what each shows, and whether it did when it was run."""
    lines = lines_of(out / SHOWN)
    shown = {line["folder"]: line for line in lines}
    groups = {path.parent.name: json.loads(path.read_text()) for path in sorted(out.glob("*/group.json"))}
    left = json.loads((out / LEFT).read_text()) if (out / LEFT).is_file() else {}
    yes = sum(line["shows"] for line in lines)
    text = [
        "# Failures of Burn, each in a folder that can be sent",
        "",
        "Made by `python tools/upstream.py write` from [errors.json](../errors.json): the smallest case of each group",
        "of failures, as `burn-verify issue` writes it. `python tools/upstream.py run` ran the project in each once,",
        f"and compared what came with what its report says: {yes} of {len(lines)} show it. `{LOCK}` is that of all",
        "of them: copy it into a folder, or cargo resolves the versions that are not pinned anew.",
        "",
    ]
    rows = [
        [
            f"[{slug}]({slug}/README.md)",
            group["stage"],
            group["cases"],
            group["case"].replace("|", "\\|"),
            _word(shown.get(slug)),
        ]
        for slug, group in groups.items()
    ]
    text += [tabulate(rows, headers=["folder", "stage", "cases", "smallest case", "shows it"], tablefmt="github"), ""]
    if left:
        text += ["Groups without a folder:", "", *(f"- {slug}: {why}" for slug, why in sorted(left.items())), ""]
    return "\n".join(text)


def _word(line: Mapping[str, Any] | None) -> str:
    return "not run" if line is None else "yes" if line["shows"] else f"no, exit code {line['code']}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("write", "write folders"), ("run", "run their projects"), ("report", "write the table")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--out", type=Path, default=Path("reports/upstream"))
        if name != "report":
            command.add_argument("--only", default="", metavar="TEXT", help="folders with this text in their names")
        if name == "write":
            command.add_argument("--errors", type=Path, default=Path("reports/errors.json"))
        if name == "run":
            command.add_argument("--profile-of", type=Path, metavar="MANIFEST", help="use its profile correctness")
            command.add_argument("--target", type=Path, required=True, help="cargo's target folder, shared by all")
    return parser


if __name__ == "__main__":
    main()
