"""Reduce many failures, each joined into a larger graph, and say what is left of each.

usage: python tools/reduce_many.py run --out FILE [--record reports/record.jsonl] [--seed S] [--wanted convert=10,…]
       python tools/reduce_many.py report FILE --out FILE.md

`run` draws failures of a record by stage, from the zoo and from the node and pytorch suites in turn, joins each with
ten operators that have nothing to do with it (see `reducing.joined`), and reduces what comes of it. The larger graph
and the result are each verified once more, alone: those two are compared. A failure that is no failure of the same
stage once it is joined is left out, and named. A run goes on where FILE ends.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import onnx
from tabulate import tabulate

from burn_verify.cases.load import prepare
from burn_verify.cases.select import Selection
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import OracleError, RunError, StageError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.reference.oracle import Oracle, read, stored_inputs
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.models import Model
from burn_verify.run.reduce import reduce
from burn_verify.run.search import Search
from burn_verify.run.signature import fails_alike
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.wire import Array, encode_named, placed
from json_lines import lines_of
from reducing.joined import UNRELATED, joined

SUITES: Final = ("zoo", "pytorch", "node")
WANTED: Final = "convert=10,compile=10,run=5,compare=5"
_TITLES: Final = {
    "convert": "refused by burn-onnx",
    "compile": "does not compile",
    "run": "panics",
    "compare": "wrong numbers",
}


def main() -> None:
    """Reduce failures, or write the report."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        arguments.out.write_text(report(lines_of(arguments.file)), encoding="utf-8")
        return
    wanted = {stage: int(count) for stage, _, count in (part.partition("=") for part in arguments.wanted.split(","))}
    Bench(arguments.out).run(lines_of(arguments.record), wanted, arguments.seed)


class Bench:
    """Reduces failures one after the other.

    Arguments:
        out: JSON lines, one for each failure; those in it are not tried again.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._settings: Settings = settings_from({})
        self._cache = Cache(self._settings.cache_dir)
        self._done = {(line["case"], line["stage"]): line for line in lines_of(out)}

    def run(self, record: Sequence[Mapping[str, Any]], wanted: Mapping[str, int], seed: int) -> None:
        """Reduce as many failures of each stage as wanted, as far as the record has them."""
        selection = Selection(self._cache, mirror=self._settings.zoo_mirror, offline=True)
        cases = {case.id: case for case in selection.choose(["all"], ["node", "pytorch"]).cases}
        for stage, count in wanted.items():
            counted = 0
            for name in drawn(record, stage, random.Random(f"{seed} {stage}")):
                if counted == count:
                    break
                if name not in cases:
                    continue
                line = self._done.get((name, stage)) or self._noted(cases[name], stage, seed)
                counted += "left_out" not in line

    def _noted(self, case: Case, stage: str, seed: int) -> Mapping[str, Any]:
        with LongWork(sys.stderr) as work, tempfile.TemporaryDirectory(prefix="reduce-many-") as folder:
            search = Search(settings=self._settings, cache=self._cache, listen=work.listen)
            try:
                said = self._tried(case, stage, search, Path(folder), random.Random(f"{seed} {case.id}"))
            except (StageError, ValueError, onnx.checker.ValidationError) as error:
                said = {"left_out": f"{error}".partition("\n")[0]}
        line = {"case": case.id, "stage": stage, **said}
        with self._out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print({name: value for name, value in line.items() if name != "message"}, flush=True)
        return line

    def _tried(self, case: Case, stage: str, search: Search, folder: Path, rng: random.Random) -> dict[str, Any]:
        """Return what comes of a failure that is joined into a larger graph."""
        prepared = prepare(case, self._cache)
        model, value = joined(onnx.load(prepared.model), rng)
        onnx.checker.check_model(model)
        own = self._inputs(case)
        inputs = None if own is None else [*map(np.asarray, own), value]
        whole = search.run([Model(name="joined", model=model, inputs=inputs)])["joined"].result
        if whole.outcome is not Outcome.FAILED or whole.stage.value != stage:
            return {"left_out": f"joined, it ends otherwise: {whole.stage} {whole.outcome}"}
        path = folder / "joined.onnx"
        onnx.save(model, path)
        source = ModelFile(path=path)
        if inputs is not None:
            given = path.with_suffix(".safetensors")
            given.write_bytes(encode_named(placed(0, "in", inputs)))
            source = ModelFile(path=path, inputs=given)
        started = time.monotonic()
        found, draft = reduce(Case(id=f"file/{case.id}", corpus="file", source=source), search)
        seconds = time.monotonic() - started
        left: CaseResult | None = None
        if draft is not None:
            alone = Model(name="left", model=draft.model, inputs=draft.inputs or None)
            left = search.run([alone])["left"].result
        return {
            "reason": whole.reason,
            "left_reason": "" if left is None else left.reason,
            "left_stage": "" if left is None else left.stage.value,
            "same": left is not None and fails_alike(whole, left),
            "nodes": list(found.nodes),
            "elements": list(found.elements),
            "left": list(found.op_types) if draft is not None else [],
            "reduction": found.reduction,
            "batches": found.batches,
            "seconds": round(seconds, 1),
        }

    def _inputs(self, case: Case) -> list[Array] | None:
        """Return the inputs of a case: those stored with it, else those that are drawn; None where nothing runs it."""
        prepared = prepare(case, self._cache)
        if prepared.stored:
            return stored_inputs(prepared)
        engine = OnnxRuntime(self._cache, self._settings.timeout)
        try:
            return list(next(iter(read(Oracle(self._cache, engine).answer(prepared)).data_sets.values())).inputs)
        except (OracleError, RunError):
            return None
        finally:
            engine.close()


def drawn(record: Sequence[Mapping[str, Any]], stage: str, rng: random.Random) -> Iterator[str]:
    """Yield the ids of the failures of a stage in an order of chance, the suites in turn, all reasons before any again.

    A value that Burn cannot hold is no panic, and is left out.
    """
    failing = [
        line
        for line in record
        if line.get("outcome") == "failed" and line.get("stage") == stage and line.get("failure") != "no value"
    ]
    by_suite: dict[str, list[Mapping[str, Any]]] = {suite: [] for suite in SUITES}
    for line in failing:
        suite = str(line["corpus"]).partition("-")[0]
        if suite in by_suite:
            by_suite[suite].append(line)
    orders = [_apart(lines, rng) for lines in by_suite.values()]
    while any(orders):
        for order in orders:
            if order:
                yield order.pop(0)


def _apart(lines: Sequence[Mapping[str, Any]], rng: random.Random) -> list[str]:
    """Return ids in an order of chance in which all reasons come once before any comes twice."""
    shuffled = rng.sample(list(lines), len(lines))
    seen: dict[tuple[str, ...], int] = {}
    ranked = []
    for line in shuffled:
        key = (str(line["reason"]), *(line["op_types"] if line["stage"] == "compare" else ()))
        seen[key] = seen.get(key, 0) + 1
        ranked.append((seen[key], str(line["case_id"])))
    return [name for _, name in sorted(ranked, key=lambda one: one[0])]


def report(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the page: the nodes that are left, whether stage and reason are the same, and the seconds of each."""
    tried = [line for line in lines if "left_out" not in line]
    out = [line for line in lines if "left_out" in line]
    left = [line["nodes"][1] for line in tried]
    same = sum(line["same"] for line in tried)
    text = [
        "# Failures made small by `burn-verify reduce`",
        "",
        f"Made by `tools/reduce_many.py`: failures of the record, each joined into a graph with {UNRELATED} operators",
        f"that have nothing to do with it. Of {len(tried)}, {same} fail at the same stage and for the same reason once",
        f"they are reduced; the median of the nodes that are left is {median(left):g}, the most {max(left)}. The",
        "seconds are those of `reduce` alone; larger graph and result were each verified once more, and these are",
        "compared.",
        "",
    ]
    rows = []
    for stage, title in _TITLES.items():
        some = [line for line in tried if line["stage"] == stage]
        if some:
            nodes, seconds = [line["nodes"][1] for line in some], [line["seconds"] for line in some]
            counts = [len(some), sum(line["same"] for line in some), median(nodes), max(nodes)]
            rows.append([title, *counts, median(seconds), max(seconds)])
    heads = ["failure", "tried", "same", "median nodes left", "most", "median s", "longest s"]
    text += [tabulate(rows, headers=heads, tablefmt="github"), ""]
    rows = [
        [
            line["case"],
            line["stage"],
            f"{line['nodes'][0]} → {line['nodes'][1]}",
            f"{line['elements'][0]} → {line['elements'][1]}",
            ", ".join(line["left"][:3]) + (" …" if len(line["left"]) > 3 else ""),
            "yes" if line["same"] else line["reduction"],
            line["seconds"],
        ]
        for line in tried
    ]
    heads = ["failure", "stage", "nodes", "numbers", "left", "same", "s"]
    text += [tabulate(rows, headers=heads, tablefmt="github"), ""]
    if out:
        text += ["Drawn and left out, since the larger graph is no failure of the stage:", ""]
        text += [f"- {line['case']}: {line['left_out']}" for line in out]
        text += [""]
    return "\n".join(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="reduce failures")
    run.add_argument("--record", type=Path, default=Path("reports/record.jsonl"), help="where failures are drawn from")
    run.add_argument("--wanted", default=WANTED, help=f"how many failures of each stage (default: {WANTED})")
    run.add_argument("--out", type=Path, required=True, help="JSON lines; a run goes on where they end")
    run.add_argument("--seed", type=int, default=0)
    made = commands.add_parser("report", help="write Markdown")
    made.add_argument("file", type=Path)
    made.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
