"""How far a detector of two stages comes through Burn: what stands in the way, one after the other, with its share.

    python tools/two_stage.py run --data DATA --work WORK
    python tools/two_stage.py report --work WORK --out reports

DATA holds ``fasterrcnn`` and ``triangles``. The hook for RoiAlign of ``examples/hooks`` is registered. `run` looks for
the first prefix of the nodes that burn-onnx refuses: its last node stands in the way. That node is taken out, the rest
is fed its values, and so on until burn-onnx takes what is left; then that is compiled, run and compared. It does so as
the model is exported and after the rewritings of `prepare`, with its Ifs and with those decided by the first image.
What is rewritten and decided is evaluated on all images, too. `report` writes ``two-stage.md``.
"""

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import helper

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.checkouts import look
from burn_verify.burn.program import infer
from burn_verify.cases.load import prepare
from burn_verify.cli import main as burn_verify
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import CompileError, ConvertError, RunError
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.target import Target
from burn_verify.graph import control
from burn_verify.graph.cut import Graph, cut, neutral
from burn_verify.prepare.body import Body, Names
from burn_verify.prepare.known import known
from burn_verify.prepare.recipe import rewritten
from burn_verify.prepare.rewriting import Rewriting
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.parts import Part, as_it_is, parts_of
from burn_verify.run.prepare.rules import rewritings_for
from burn_verify.run.prepare.tools import EngineTools
from burn_verify.run.values import Values
from burn_verify.system.cache import Cache
from burn_verify.system.wire import Array

HOOKS: Final = Path(__file__).parents[1] / "examples" / "hooks" / "roi-align"
MOST: Final = 120
"""The greatest number of nodes that are taken out."""
LEFT_OUT: Final = "by its definition"
"""A word in the names of rewritings that are left out: burn-onnx has these operators."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A form of the model.

    Attributes:
        products: ReduceProd of a shape is written as a product of its sizes, by this tool.
    """

    name: str
    title: str
    rewritten: bool
    decided: bool
    products: bool = False


VARIANTS: Final = (
    Variant(name="as-it-is", title="As it is exported", rewritten=False, decided=False),
    Variant(name="decided", title="As it is exported, its Ifs decided", rewritten=False, decided=True),
    Variant(name="rewritten", title="Rewritten", rewritten=True, decided=False),
    Variant(
        name="products",
        title="Rewritten, ReduceProd of a shape as a product",
        rewritten=True,
        decided=False,
        products=True,
    ),
    Variant(name="rewritten-decided", title="Rewritten, its Ifs decided", rewritten=True, decided=True),
)


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """A node that stands in the way.

    Attributes:
        message: of burn-onnx.
        first: how many nodes burn-onnx takes before it.
    """

    name: str
    op_type: str
    message: str
    first: int


def main(argv: Sequence[str] | None = None) -> int:
    """Run, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--work", type=Path, required=True)
    running.set_defaults(run=run)
    reporting = commands.add_parser("report")
    reporting.add_argument("--work", type=Path, required=True)
    reporting.add_argument("--out", type=Path, required=True)
    reporting.set_defaults(run=report)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def run(arguments: argparse.Namespace) -> int:
    """Look for what stands in the way, and keep it in WORK; what is there is not done again."""
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    settings = settings_from({})
    cache = Cache(settings.cache_dir)
    target = Target(hooks=look(cache, "hooks", str(HOOKS)))
    plain = onnx.load(arguments.data / "fasterrcnn" / "model.onnx")
    with closing(OnnxRuntime(cache, 600.0, memory_limit=0)) as engine, tempfile.TemporaryDirectory() as folder:
        made = rewritten(plain.SerializeToString(), rewritings(plain, target), EngineTools(engine, Path(folder)))
        for variant in VARIANTS:
            path = work / f"{variant.name}.json"
            if path.exists():
                continue
            model = onnx.ModelProto.FromString(made.model) if variant.rewritten else plain
            model = with_products(model) if variant.products else model
            named, inputs = control.named(model), [image(arguments.data)]
            builder = CargoBuilder(cache, settings, silent, [target])
            with Values(engine) as values, closing(builder):
                decided = variant.decided
                part = parts_of(named, inputs, values)[0] if decided else as_it_is(named, inputs, values)
                found = Search(builder, target, cache, Path(folder), part).found()
            names = list(made.names) if variant.rewritten else []
            if not found["blockers"] and decided:
                found["evaluated"] = evaluated(part, arguments.data, work / variant.name)
            if variant.products:
                found["located"] = located(model, work / f"{variant.name}.onnx")
            path.write_text(json.dumps({**found, "rewritings": names}, indent=1) + "\n", encoding="utf-8")
    return 0


def with_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model in which ReduceProd of a shape, which gives one number, is a product of its sizes."""
    about, made = known(model), onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    for node in model.graph.node:
        length = about.type_of(node.input[0]).static if node.op_type == "ReduceProd" else None
        if length is None or len(length) != 1:
            made.graph.node.append(node)
            continue
        body = Body(Names(made))
        sizes = [body("Gather", node.input[0], body.const([place]), axis=0) for place in range(length[0])]
        while len(sizes) > 1:
            sizes = [body("Mul", sizes[0], sizes[1]), *sizes[2:]]
        made.graph.node.extend([*body.nodes, helper.make_node("Squeeze", [sizes[0], body.const([0])], node.output)])
        made.graph.initializer.extend(body.tensors)
    return made


def located(model: onnx.ModelProto, path: Path) -> list[str]:
    """Return what ``locate`` says of a model that burn-onnx takes."""
    onnx.save(model, path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        burn_verify(["locate", str(path), "--burn-hooks", str(HOOKS), "--burn-timeout", "300"])
    return [line for line in out.getvalue().splitlines() if line.strip()]


def rewritings(model: onnx.ModelProto, target: Target) -> list[Rewriting]:
    """Return the rewritings that change what burn-onnx refuses: no definitions in place of operators that it has."""
    found = rewritings_for(model.SerializeToString(), target)
    return [one for one in found if not one.options and LEFT_OUT not in one.name]


def evaluated(part: Part, data: Path, place: Path) -> dict[str, Any]:
    """Evaluate a flat model on all images, beside ONNX Runtime and PyTorch."""
    place.mkdir(parents=True, exist_ok=True)
    graph = part.graph
    made = cut(graph, sorted(part.used), part.known, gives=graph.outputs, declared=True)
    assert made is not None
    onnx.save(made.model, place / "decided.onnx")
    words = ["evaluate", str(place / "decided.onnx"), "--data", str(data / "triangles" / "test"), "--task", "detection"]
    words += ["--baseline", str(data / "fasterrcnn" / "torch_metrics.json"), "--burn-hooks", str(HOOKS)]
    with contextlib.suppress(SystemExit):
        burn_verify([*words, "-o", str(place), "--pictures", "0"])
    found: dict[str, Any] = json.loads((place / "comparison.json").read_text(encoding="utf-8"))
    return found


def image(data: Path) -> Array:
    """Return the first image, as the model takes it."""
    from PIL import Image

    path = sorted((data / "triangles" / "test" / "data").iterdir())[0]
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


class Search:
    """The search for nodes that stand in the way.

    Arguments:
        folder: for models that the converter reads.
        part: the flat model with its values.
    """

    def __init__(self, builder: CargoBuilder, target: Target, cache: Cache, folder: Path, part: Part) -> None:
        self._builder = builder
        self._target = target
        self._cache = cache
        self._folder = folder
        self._part = part
        self._asked = 0

    def found(self) -> dict[str, Any]:
        """Return what stands in the way, and what became of the rest."""
        graph = self._part.graph
        kept = sorted(self._part.used)
        total, blockers, passed = len(kept), list[Blocker](), 0
        while (message := self._refusal(kept)) and len(blockers) < MOST:
            place = self._first(kept, kind_of(message), passed)
            node = graph.nodes[kept[place]]
            said = self._refusal(kept[: place + 1])
            blockers.append(Blocker(name=node.name, op_type=node.op_type, message=said or message, first=place))
            print(
                f"{len(blockers)}: {node.op_type} {node.name} at {place} of {len(kept)}: {said or message}", flush=True
            )
            del kept[place]
            passed = place
        counts = Counter(node.op_type for node in (graph.nodes[one] for one in sorted(self._part.used)))
        end = message or self._answers(kept)
        return {
            "nodes": total,
            "operators": dict(counts),
            "blockers": [vars(one) for one in blockers],
            "end": end,
            "conversions": self._asked,
        }

    def _first(self, kept: Sequence[int], kind: str, low: int) -> int:
        """Return the place of the last node of the shortest prefix that is refused in this way."""
        high = len(kept) - 1
        if (said := self._refusal(kept[:low])) and kind_of(said) == kind:
            low = 0
        while low < high:
            middle = (low + high) // 2
            said = self._refusal(kept[: middle + 1])
            low, high = (low, middle) if said and kind_of(said) == kind else (middle + 1, high)
        return low

    def _refusal(self, nodes: Sequence[int]) -> str:
        """Return why burn-onnx refuses some nodes; empty where it does not."""
        if not nodes:
            return ""
        try:
            self._builder.convert(prepare(self._case(nodes), self._cache), self._target)
        except ConvertError as error:
            return " ".join(error.message.split())
        return ""

    def _case(self, nodes: Sequence[int]) -> Case:
        self._asked += 1
        graph: Graph = self._part.graph
        made = cut(graph, nodes, self._part.known)
        assert made is not None
        path = self._folder / f"cut-{self._asked}.onnx"
        path.write_bytes(neutral(made).model.SerializeToString())
        self._cut = made
        return Case(id=f"file/cut-{self._asked}", corpus="file", source=ModelFile(path=path))

    def _answers(self, nodes: Sequence[int]) -> str:
        """Return what becomes of nodes that burn-onnx takes: compiled, run and compared."""
        prepared = prepare(self._case(nodes), self._cache)
        converted = self._builder.convert(prepared, self._target)
        program = self._builder.build([converted])[converted.module]
        if isinstance(program, CompileError):
            return f"compile: {' '.join(program.message.split())[:400]}"
        try:
            inputs = self._part.arrays(self._cut.feeds)
            outputs = infer(program, converted, inputs, self._target.backend).outputs
        except RunError as error:
            return f"run: {' '.join(error.message.split())[:400]}"
        finally:
            program.close()
        wanted = self._part.arrays(self._cut.gives)
        far = [name for name, one, it in zip(self._cut.gives, outputs, wanted, strict=True) if not near(one, it)]
        other = f", not {', '.join(far[:5])}" if far else ""
        return f"compare: {len(wanted) - len(far)} of {len(wanted)} values agree{other}"


def near(one: Array, other: Array) -> bool:
    """Return whether two values are the same, but for rounding."""
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-4, atol=1e-4))


def kind_of(message: str) -> str:
    """Return a message without names and numbers of nodes."""
    return re.sub(r"'[^']*'|\d+", "#", message)


def report(arguments: argparse.Namespace) -> int:
    """Write the page."""
    found = {
        one.name: json.loads((arguments.work / f"{one.name}.json").read_text(encoding="utf-8")) for one in VARIANTS
    }
    (arguments.out / "two-stage.md").write_text(page(found), encoding="utf-8")
    return 0


def page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page."""
    lines = [
        "# A detector of two stages: what is in Burn's way\n",
        "Made by `tools/two_stage.py`. Faster R-CNN of torchvision 0.14 with the [hook](../docs/hooks.md) for",
        "RoiAlign, Burn 0.22.1 and burn-onnx 0.22.0. What burn-onnx refuses first is taken out, node by node, and the",
        "rest is fed its values: each row is what stood in the way once those above it were out of it. An If is one",
        "node. *Decided* are Ifs of which only the branch is left that the first image takes; the figures at the end",
        "tell whether others take it too. Without the hook, RoiAlign itself is refused first.\n",
    ]
    for variant in VARIANTS:
        lines += [f"## {variant.title}\n", *_section(found[variant.name])]
    return "\n".join(lines)


def _section(one: Mapping[str, Any]) -> Iterator[str]:
    out = len(one["blockers"])
    if one["rewritings"]:
        yield f"Rewritten by `prepare`'s: {', '.join(one['rewritings'])}.\n"
    share = f"{100 * out / one['nodes']:.1f} %"
    yield f"{one['nodes']} nodes that compute something; {out} of them ({share}) are in the way.\n"
    if out:
        yield "| operator | in the way | of all | why | the first one | taken before it |"
        yield "|---|---:|---:|---|---|---:|"
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for blocker in one["blockers"]:
        groups.setdefault((blocker["op_type"], kind_of(blocker["message"])), []).append(blocker)
    for (op_type, _), several in groups.items():
        first = several[0]
        cells = [op_type, str(len(several)), str(one["operators"][op_type]), f"`{_cell(first['message'])}`"]
        cells += [f"`{first['name']}`", str(first["first"])]
        yield f"| {' | '.join(cells)} |"
    rest = "All of them" if not out else f"The other {one['nodes'] - out}"
    yield f"{chr(10) if out else ''}{rest}, as one model that is fed values: {_cell(one['end']).rstrip('.')}.\n"
    if one.get("located"):
        yield "`burn-verify locate` says of it:\n"
        yield from (f"    {line[:160]}" for line in one["located"])
        yield ""
    if "evaluated" in one:
        yield "On the 60 images of triangles:\n"
        yield from _metrics(one["evaluated"])
        yield ""


def _metrics(found: Mapping[str, Any]) -> Iterator[str]:
    names = ("AP", "AP50", "AP75", "AR100")
    yield f"| engine | {' | '.join(names)} | boxes that flip beside PyTorch |"
    yield f"|---|{'---:|' * (len(names) + 1)}"
    beside = {one["after"]: one for one in found["comparisons"] if "baseline" in one["before"]}
    for one in found["evaluations"]:
        known = beside.get(f"{one['model']} by {one['engine']}")
        flips = "-" if known is None else str(known["flips"]["count"])
        engine = re.sub(r"^burn-.*", "Burn flex, with the hook", one["engine"])
        yield f"| {engine} | {' | '.join(f'{one[name]:.6f}' for name in names)} | {flips} |"


def _cell(text: str) -> str:
    return re.sub(r"^Failed to parse ONNX file '[^']*': ", "", text).replace("|", "\\|")[:240]


if __name__ == "__main__":
    sys.exit(main())
