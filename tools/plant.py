"""Plant faults in single nodes of models, one at a time, and count how often `burn-verify locate` names the node.

usage: python tools/plant.py run --out FILE [--models NAMES] [--count N] [--seed S]
       python tools/plant.py agree --out FILE [--models NAMES]
       python tools/plant.py report FILE… --out FILE.md
       python tools/plant.py inputs [--own] --out FILE.md

`run` draws faults over all kinds (see `planting.faults`) and nodes of the models, those that change what the node
answers on the values of the model without changing a shape, and locates each. It goes on where FILE ends. `agree`
locates in the models as they are, and counts pieces that fail though the model passes. `inputs` plants the faults of
`planting.inputs`, which one draw at one size does not show, and ends with 1 where a run with the default options misses
one.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tabulate import tabulate

from burn_verify.cases.load import prepare
from burn_verify.cases.select import Selection
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.located import Finding, Located
from burn_verify.core.options import settings_from
from burn_verify.graph import control
from burn_verify.graph.cut import graph_of, whole_inputs
from burn_verify.reference.engine import infer
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.locate import locate
from burn_verify.run.seams import Seams
from burn_verify.run.search import Search
from burn_verify.system.cache import Cache, scratch
from burn_verify.system.console import LongWork
from json_lines import lines_of
from planting import sized
from planting.builder import builders, marked
from planting.faults import Kind, planted

MODELS = (
    "mnist-12,mnist-8,dtln_model_1,keyword-spotting,resnet8,resnet20,squeezenet,blazeface,mobilenetv2,"
    "mnist-burn-example,vit_pgd_2_3_16"
)


_SMALL = 100
"""Units in the last place of the root mean square below which a change is of the size of what rounding does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault in a node of a model: what is drawn.

    Attributes:
        change: the greatest change of the node's outputs, in units of their root mean square.
    """

    model: str
    place: int
    node: str
    op_type: str
    kind: Kind
    change: float


def main() -> None:
    """Plant faults, or locate in models as they are, or write the report."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        arguments.out.write_text(
            _report([line for path in arguments.files for line in lines_of(path)]), encoding="utf-8"
        )
        return
    if arguments.command == "inputs":
        tried = sized.plant(own_only=arguments.own)
        arguments.out.write_text(sized.report(tried), encoding="utf-8")
        sys.exit(any(one.end == "missed" for one in tried))
    bench = Bench(arguments.out)
    names = arguments.models.split(",")
    if arguments.command == "agree":
        for name in names:
            bench.agree(name)
        return
    bench.run(names, arguments.count, arguments.seed)


class Bench:
    """Models in which faults are planted.

    Arguments:
        out: JSON lines, one for each fault; those in it are not tried again.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._settings = settings_from({})
        self._cache = Cache(self._settings.cache_dir)
        self._done = {(line["model"], line.get("node"), line.get("kind")) for line in lines_of(out)}

    def run(self, names: Sequence[str], count: int, seed: int) -> None:
        """Locate faults, as many of each model."""
        each = -(-count // len(names))
        for name in names:
            case = self._case(name)
            with tempfile.TemporaryDirectory(prefix="plant-") as folder, self._keeping() as cache:
                model = control.named(onnx.load(prepare(case, self._cache).model))
                for fault in self._drawn(case, name, model, each, random.Random(f"{seed} {name}")):
                    if (name, fault.node, fault.kind) not in self._done:
                        self._note(self._tried(case, model, fault, Path(folder), cache))

    def agree(self, name: str) -> None:
        """Locate in a model as it is."""
        if (name, None, None) in self._done:
            return
        case = self._case(name)
        with self._keeping() as cache:
            found, seconds = self._located(case, Seams(), cache)
        self._note({"model": name, "seconds": seconds, **_said(found)})

    def _tried(self, case: Case, model: onnx.ModelProto, fault: Fault, folder: Path, cache: Cache) -> dict[str, Any]:
        path = folder / f"{case.id.rpartition('/')[2]}.onnx"
        onnx.save(marked(model), path)
        seams = Seams(builder=builders(fault.place, fault.kind, folder))
        found, seconds = self._located(replace(case, source=ModelFile(path=path)), seams, cache)
        first = found.first or (found.hidden[0] if found.hidden else None)
        # Of a piece of several nodes the last is the one that is named; a pair names both.
        named = [] if first is None else [node.name for node in first.nodes[-2 if first.kind == "pair" else -1 :]]
        about = {name: getattr(fault, name) for name in ("model", "node", "op_type", "kind", "change")}
        took = {
            "seconds": seconds,
            "phases": {phase: round(spent, 2) for phase, spent in (found.seconds or {}).items()},
        }
        return {**about, "named": named, "right": fault.node in named, **took, **_said(found)}

    def _keeping(self) -> AbstractContextManager[Cache]:
        """Return a cache that holds the references of all pieces of a model, until its faults are located."""
        return scratch(self._cache, "reference", "measured")

    def _located(self, case: Case, seams: Seams, cache: Cache) -> tuple[Located, float]:
        started = time.monotonic()
        with LongWork(sys.stderr) as work:
            search = Search(settings=self._settings, cache=cache, listen=work.listen, seams=seams, keeps=True)
            return locate(case, search), time.monotonic() - started

    def _drawn(self, case: Case, name: str, model: onnx.ModelProto, count: int, rng: random.Random) -> Iterator[Fault]:
        """Yield faults in the order in which they are tried, kinds in turn."""
        places = [place for place, node in enumerate(model.graph.node) if node.op_type != "Constant"]
        wanted = [(kind, place) for kind in Kind for place in rng.sample(places, len(places))]
        ranks: Counter[Kind] = Counter()
        ordered = []
        for kind, place in wanted:
            ordered.append((ranks[kind], rng.random(), kind, place))
            ranks[kind] += 1
        answers = self._answers(case, model)
        drawn: Counter[Kind] = Counter()
        for _ in range(count):
            fault = self._next(name, model, answers, [one[2:] for one in sorted(ordered)], drawn)
            if fault is None:
                return
            drawn[fault.kind] += 1
            ordered = [one for one in ordered if one[2:] != (fault.kind, fault.place)]
            yield fault

    def _next(
        self,
        name: str,
        model: onnx.ModelProto,
        answers: "_Values",
        ordered: Sequence[tuple[Kind, int]],
        drawn: Counter[Kind],
    ) -> Fault | None:
        """Return the next fault of the kind that was drawn least often and is possible."""
        for kind in sorted(Kind, key=lambda kind: drawn[kind]):
            for place in (place for other, place in ordered if other is kind):
                if (change := answers.change(model, place, kind)) is not None and change > 0:
                    node = model.graph.node[place]
                    return Fault(
                        model=name, place=place, node=node.name, op_type=node.op_type, kind=kind, change=change
                    )
        return None

    def _answers(self, case: Case, model: onnx.ModelProto) -> "_Values":
        engine = OnnxRuntime(self._cache, self._settings.timeout)
        prepared = prepare(case, self._cache)
        inputs = next(iter(read(Oracle(self._cache, engine).answer(prepared)).data_sets.values())).inputs
        return _Values(engine, self._cache.folder("planted") / "node.onnx", inputs)

    def _case(self, name: str) -> Case:
        selection = Selection(self._cache, mirror=self._settings.zoo_mirror, offline=True)
        return selection.choose([name]).cases[0]

    def _note(self, line: dict[str, Any]) -> None:
        with self._out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print({name: line.get(name) for name in ("model", "node", "kind", "right", "finding", "seconds")}, flush=True)


class _Values:
    """What a fault changes of a node's answer, by ONNX Runtime on the values of the model."""

    def __init__(self, engine: OnnxRuntime, path: Path, inputs: Sequence[Any]) -> None:
        self._engine = engine
        self._path = path
        self._inputs = inputs
        self._known: dict[tuple[int, Kind], float | None] = {}

    def change(self, model: onnx.ModelProto, place: int, kind: Kind) -> float | None:
        """Return the greatest change of the outputs of a node; None where shapes change, or nothing runs."""
        if (place, kind) not in self._known:
            self._known[place, kind] = self._changed(model, place, kind)
        return self._known[place, kind]

    def _changed(self, model: onnx.ModelProto, place: int, kind: Kind) -> float | None:
        wrong = onnx.ModelProto()
        wrong.CopyFrom(model)
        if not planted(wrong, place, kind):
            return None
        outputs = [name for name in model.graph.node[place].output if name]
        try:
            right_values, wrong_values = (self._values(one, outputs) for one in (model, wrong))
        except Exception:  # any refusal of the changed model: the fault is not one that runs
            return None
        if [one.shape for one in right_values] != [one.shape for one in wrong_values]:
            return None
        return max(_distance(one, other) for one, other in zip(right_values, wrong_values, strict=True))

    def _values(self, model: onnx.ModelProto, outputs: Sequence[str]) -> list[Any]:
        graph = graph_of(model)
        watched = onnx.ModelProto()
        watched.CopyFrom(model)
        watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs if name not in graph.outputs)
        assert len(whole_inputs(watched)) == len(self._inputs)
        self._path.write_bytes(watched.SerializeToString())
        names = [value.name for value in watched.graph.output]
        answers = dict(zip(names, infer(self._engine, self._path, self._inputs), strict=True))
        return [answers[name] for name in outputs]


def _distance(right: Any, wrong: Any) -> float:
    right, wrong = (np.asarray(one, np.float64) for one in (right, wrong))
    scale = float(np.sqrt(np.mean(right**2))) if right.size else 0.0
    return float(np.max(np.abs(right - wrong), initial=0.0)) / (scale or 1.0)


def _said(found: Located) -> dict[str, Any]:
    return {
        "finding": found.finding,
        "stage": found.stage,
        "proof": found.proof,
        "pieces": found.pieces,
        "aside": found.aside,
        "nodes": found.nodes,
        "message": found.message.partition("\n")[0],
    }


def _report(lines: Sequence[dict[str, Any]]) -> str:
    """Return the counts of planted faults by model and kind, each that was not named, and the pieces that agree."""
    planted_ = [line for line in lines if line.get("kind")]
    agreeing = [line for line in lines if not line.get("kind")]
    named = sum(line["right"] for line in planted_)
    text = [
        "# Planted faults: how often `burn-verify locate` names the node",
        "",
        "Made by `tools/plant.py` from its results: a fault at a time in what burn-onnx makes of one node of a model,",
        f"in the whole and in every piece that has the node. {named} of {len(planted_)} were named. The seconds are",
        "those of `locate`; references of pieces that stay the same are kept from fault to fault, and other work ran",
        "beside it.",
        "",
    ]
    for word in ("model", "kind"):
        rows = []
        for name in dict.fromkeys(line[word] for line in planted_):
            some = [line for line in planted_ if line[word] == name]
            seconds = sorted(line["seconds"] for line in some)
            rows.append([name, len(some), sum(line["right"] for line in some), round(seconds[len(seconds) // 2])])
        text += [tabulate(rows, headers=[word, "planted", "named", "median s"], tablefmt="github"), ""]
    survivors = [line for line in planted_ if not line["right"]]
    rows = [[line["model"], line["node"], line["kind"], f"{line['change']:.2g}", _why(line)] for line in survivors]
    text += [tabulate(rows, headers=["model", "node", "fault", "change / rms", "why not"], tablefmt="github"), ""]
    rows = [
        [line["model"], line["finding"], line["pieces"], line["aside"], round(line["seconds"])] for line in agreeing
    ]
    heads = ["model as it is", "finding", "pieces", "fail", "s"]
    text += [tabulate(rows, headers=heads, tablefmt="github"), ""]
    if pieces := sum(line["pieces"] for line in agreeing):
        aside = sum(line["aside"] for line in agreeing)
        wrong = sum(line["finding"] != Finding.NOTHING_WRONG for line in agreeing)
        share = f"{aside} fail ({aside / pieces:.2%})"
        text += [f"Of {pieces} pieces of {len(agreeing)} models that agree {share}; named: {wrong}.", ""]
    return "\n".join(text)


def _why(line: dict[str, Any]) -> str:
    """Return why a fault was not named, by what was measured."""
    if line["finding"] == Finding.NOTHING_WRONG:
        units = line["change"] / float(np.finfo(np.float32).eps)
        small = f"; the node changes by {units:.0f} units in the last place of float32" if units < _SMALL else ""
        piece = f"; {line['aside']} of its pieces fails, by less than is named" if line["aside"] else ""
        return f"the model passes: its outputs do not show it{small}{piece}"
    return f"{line['finding']}: {', '.join(line['named']) or 'nothing'} named"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("run", "plant faults"), ("agree", "locate in models as they are")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--models", default=MODELS, help="names of the zoo")
        command.add_argument("--out", type=Path, required=True, help="JSON lines; a run goes on where they end")
        if name == "run":
            command.add_argument("--count", type=int, default=100)
            command.add_argument("--seed", type=int, default=0)
    inputs = commands.add_parser("inputs", help="plant faults that other sizes and values show")
    inputs.add_argument("--own", action="store_true", help="leave the models of the zoo out")
    inputs.add_argument("--out", type=Path, required=True, help="Markdown")
    report = commands.add_parser("report", help="write Markdown")
    report.add_argument("files", type=Path, nargs="+")
    report.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
