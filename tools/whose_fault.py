"""Plant faults of the importer and of kernels, and count how often they are told apart; write the page of it.

usage: python tools/whose_fault.py run --out FILE [--count N] [--seed S]
       python tools/whose_fault.py report FILE --rounds ROUNDS --out FILE.md
       python tools/whose_fault.py rounds ROUNDS… --out FILE.md

`run` plants in ONNX's own test cases. Importer: the converter reads another model than ONNX Runtime does
(`planting.faults`). Kernel: burn-flex is compiled with kernels that go wrong when they are named (`planting.kernels`);
on ndarray nothing is wrong. Whose fault each is is then asked as `burn-verify locate --whose-fault` does. ROUNDS are
the lines of `burn-verify round-trip --conformance node --lines ROUNDS`: how many failures of Burn itself are decided.
`rounds` makes one page of several such files.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
from tabulate import tabulate

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.checkouts import look
from burn_verify.burn.program import Builders
from burn_verify.cases import load
from burn_verify.core.case import Case
from burn_verify.core.located import Side
from burn_verify.core.options import settings_from
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel, Outcome, PreparedCase, Stage
from burn_verify.core.target import Target
from burn_verify.report.views.round_trip import is_decided, round_trip_page
from burn_verify.run.results import Verified
from burn_verify.run.round_trip import Travelled
from burn_verify.run.seams import Seams
from burn_verify.run.session import Session
from burn_verify.run.travelling import Round, ran, rounds, told
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork
from burn_verify.system.files import sha256_of
from json_lines import lines_of
from planting.faults import faults_of
from planting.kernels import KERNELS, VARIABLE, KernelFault, sources_of, spoilt

CASES = {
    "float_add": "add",
    "float_sub": "sub",
    "float_mul": "mul",
    "float_div": "div",
    "float_matmul": "matmul_2d",
    "float_exp": "exp",
    "float_log": "log",
    "float_sqrt": "sqrt",
    "float_tanh": "tanh",
    "float_erf": "erf",
    "float_sin": "sin",
    "float_atan": "atan",
    "float_abs": "abs",
    "float_neg": "neg",
    "float_sum_dim": "reduce_sum_keepdims_random",
    "float_mean_dim": "reduce_mean_keepdims_random",
    "float_max_dim": "reduce_max_keepdims_random",
    "float_cumsum": "cumsum_2d_axis_1",
    "float_gather": "gather_elements_1",
    "float_select": "gather_0",
    "float_mask_where": "where_example",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "softmax": "softmax_axis_1",
    "conv2d": "basic_conv_with_padding",
    "max_pool2d": "maxpool_2d_default",
    "avg_pool2d": "averagepool_2d_default",
    "interpolate": "resize_upsample_scales_linear",
}
"""A test case that each kernel computes."""

COMMAND = "burn-verify round-trip, once with --conformance node and once with models of the zoo"

FLEX, NDARRAY = Target(), Target(backend="ndarray")


def main() -> None:
    """Plant, or write the page."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        page = report(list(lines_of(arguments.file)), list(lines_of(arguments.rounds)))
        arguments.out.write_text(page, encoding="utf-8")
        return
    if arguments.command == "rounds":
        lines = [line for path in arguments.files for line in lines_of(path)]
        arguments.out.write_text(round_trip_page(lines, COMMAND), encoding="utf-8")
        return
    settings = settings_from({"conformance": "node"})
    cache = Cache(settings.cache_dir)
    session = Session.open(settings, silent, targets=[FLEX])
    cases = {case.id.removeprefix("node/test_"): case for case in session.selected.cases}
    session.close()
    with tempfile.TemporaryDirectory(prefix="whose-") as folder, LongWork(sys.stderr) as work:
        bench = Bench(replace(settings, conformance=()), cache, work.listen, Path(folder))
        _append(arguments.out, bench.importers(cases, arguments.count, arguments.seed))
        _append(arguments.out, bench.kernels(cases, arguments.count))


def _append(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


class Bench:
    """What is planted, and asked."""

    def __init__(self, settings: Any, cache: Cache, listen: Any, folder: Path) -> None:
        self._settings = settings
        self._cache = cache
        self._listen = listen
        self._folder = folder

    def importers(self, cases: Mapping[str, Case], count: int, seed: int) -> list[dict[str, Any]]:
        """Plant in what the converter reads; return the faults that the values show."""
        planted: dict[str, tuple[str, Path]] = {}
        chosen: list[Case] = []
        for case, kind, model in self._drawn(cases, 3 * count, seed):
            path = self._folder / f"{case.id.rpartition('/')[2]}.onnx"
            onnx.save(model, path)
            planted[case.id] = kind, path
            chosen.append(case)
        seams = Seams(builder=_builders({case: path for case, (_, path) in planted.items()}))
        found = rounds(chosen, **self._with(seams), target=FLEX, other=NDARRAY)
        lines = [_line(Side.IMPORTER, planted[one.result.case_id][0], one) for one in found if _shows(one)]
        return lines[:count]

    def kernels(self, cases: Mapping[str, Case], count: int) -> list[dict[str, Any]]:
        """Plant in kernels, one at a time; return the faults that the values show."""
        copy = self._cache.folder("planted") / "burn-flex"
        spoilt(sources_of(FLEX.burn), copy)
        target = replace(FLEX, burn_checkout=look(self._cache, "burn", str(copy)))
        known = {kernel: cases[CASES[kernel]] for kernel in KERNELS if CASES[kernel] in cases}
        found: dict[str, Travelled | Verified] = {}
        faults: dict[str, str] = {}
        self._ran(list(known.values()), target)
        for place, (kernel, case) in enumerate(known.items()):
            faults[case.id] = f"{kernel}: {list(KernelFault)[place % len(KernelFault)]}"
            os.environ[VARIABLE] = faults[case.id].replace(": ", ":")
            try:
                found |= self._ran([case], target)
            finally:
                del os.environ[VARIABLE]
        made = told(found, list(known.values()), **self._with(Seams()), target=target, other=NDARRAY)
        return [_line(Side.KERNEL, faults[one.result.case_id], one) for one in made if _shows(one)][:count]

    def _ran(self, cases: Sequence[Case], target: Target) -> dict[str, Travelled | Verified]:
        return ran(cases, **self._with(Seams()), target=target)

    def _with(self, seams: Seams) -> dict[str, Any]:
        return {"settings": self._settings, "cache": self._cache, "listen": self._listen, "seams": seams}

    def _drawn(self, cases: Mapping[str, Case], count: int, seed: int) -> Iterator[tuple[Case, str, onnx.ModelProto]]:
        """Yield cases of single nodes with a fault of the kind that was drawn least often."""
        rng = random.Random(seed)
        kinds: Counter[str] = Counter()
        operators: Counter[str] = Counter()
        for name in rng.sample(sorted(cases), len(cases)):
            prepared = load.prepare(cases[name], self._cache)
            model = onnx.load(prepared.model)
            if len(model.graph.node) != 1 or operators[model.graph.node[0].op_type] > 1:
                continue
            made = sorted(faults_of(model, 0), key=lambda one: kinds[one[0]])
            if made:
                kind, changed = made[0]
                kinds[kind] += 1
                operators[model.graph.node[0].op_type] += 1
                yield cases[name], str(kind), changed
            if kinds.total() == count:
                return


def _builders(planted: Mapping[str, Path]) -> Builders:
    """Return what makes builders that read another model of some cases, by id."""

    class Planting(CargoBuilder):
        def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
            path = planted.get(prepared.case.id)
            if path is not None:
                prepared = replace(prepared, model=path, digest=sha256_of(path))
            return super().convert(prepared, target)

    return Planting


def _shows(one: Round) -> bool:
    return one.result.outcome is Outcome.FAILED and one.result.stage is Stage.COMPARE


def _line(planted: Side, what: str, one: Round) -> dict[str, Any]:
    return {"planted": planted, "what": what, **one.line, "load": round(os.getloadavg()[0], 1)}


def report(lines: Sequence[Mapping[str, Any]], of_burn: Sequence[Mapping[str, Any]]) -> str:
    """Return the page."""
    decided = [line for line in lines if is_decided(line)]
    right = [line for line in decided if line["fault"]["side"] == line["planted"]]
    share = f"{len(right) / len(decided):.0%}" if decided else "none"
    text = [
        "# Whose fault: importer or kernel",
        "",
        "Made by `tools/whose_fault.py`. One fault at a time is planted in a test case of ONNX that shows it: in the",
        "model that the converter reads, which is another one than ONNX Runtime's (importer), or in the source of one",
        "kernel of burn-flex (kernel). Then it is asked whose fault the wrong answer is, as",
        "`burn-verify locate --whose-fault` does. No fault is planted that several backends have in common: of those",
        "only the round trip tells.",
        "",
        f"Planted: {len(lines)}. Decided: {len(decided)}. Of these told apart: {len(right)} ({share}).",
        "",
    ]
    rows = []
    for side in (Side.IMPORTER, Side.KERNEL):
        own = [line for line in lines if line["planted"] == side]
        said = Counter(line["fault"]["side"] for line in own)
        by = Counter(one for line in own for one in line["fault"]["by"])
        rows.append([str(side), len(own), *(said[one] for one in Side), by["other kernels"], by["round trip"]])
    heads = ["planted in", "faults", *(f"said: {side}" for side in Side), "by other kernels", "by the round trip"]
    text += [tabulate(rows, headers=heads, tablefmt="github"), ""]
    rows = [
        [line["planted"], line["what"], line["case"], line["fault"]["side"], "; ".join(line["fault"]["facts"])]
        for line in lines
    ]
    heads = ["planted in", "fault", "case", "said", "what says so"]
    text += [tabulate(rows, headers=heads, tablefmt="github", disable_numparse=True), ""]
    text += ["## Failures of Burn itself", "", *_of_burn(of_burn)]
    return "\n".join(text).rstrip() + "\n"


def _of_burn(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    wrong = [line for line in lines if line["outcome"] == Outcome.FAILED and line["stage"] == Stage.COMPARE]
    decided = sum(map(is_decided, wrong))
    by = Counter(tuple(line["fault"]["by"]) for line in wrong if is_decided(line))
    yield f"Test cases of ONNX with a wrong answer: {len(wrong)}, decided: {decided}"
    yield f"({decided / max(len(wrong), 1):.0%}): " + ", ".join(
        f"{count} by {' and '.join(names)}" for names, count in by.most_common()
    )
    yield "([each of them](round-trip.md))."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="plant faults, and ask")
    run.add_argument("--out", type=Path, required=True, help="JSON lines")
    run.add_argument("--count", type=int, default=20, help="of each side")
    run.add_argument("--seed", type=int, default=1)
    several = commands.add_parser("rounds", help="write the page of the round trips")
    several.add_argument("files", type=Path, nargs="+", metavar="ROUNDS")
    several.add_argument("--out", type=Path, required=True)
    page = commands.add_parser("report", help="write the page")
    page.add_argument("file", type=Path)
    page.add_argument("--rounds", type=Path, required=True)
    page.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
