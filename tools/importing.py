"""Verify models as they are and with a newer opset, and with their weights in every kind of record.

usage: python tools/importing.py run --models NAMES --out FILE.jsonl [--burn-version VERSIONS] [OPTION…]
       python tools/importing.py report FILE.jsonl… --out reports/import.md [--note TEXT] [--cases RECORD]

Each model is built for each version as it is, and, where its opset is older, once more with the opset raised by
`burn_verify.prepare`, which asks onnx's version converter in a process of its own. Both are judged by what ONNX Runtime
answers for the model as it is. For a version that writes records, what answers is built with every type of record,
full and half, and loaded in every way that the type has: of each answer it is told how far it is from that of the first
way, and whether it is the same, bit for bit, as that of the first way with weights of the same precision. JSON takes
some 16 times the bytes of the others, so it is left out where these have more than 16 MB. OPTION is
`--burn-record-type`, `--burn-load` or `--burn-weights`, by default all of their values. RECORD is what a run of test
cases wrote by `--burn-record`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from google.protobuf.message import EncodeError
from tabulate import tabulate

from burn_verify.cases.select import Selection
from burn_verify.core.case import Case
from burn_verify.core.errors import BurnVerifyError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.target import Target
from burn_verify.core.targets import refusal
from burn_verify.core.text import shortened
from burn_verify.core.versions import VERSIONS, BurnVersion, resolve
from burn_verify.core.ways import FULL, LOADS, RECORDS, WEIGHTS
from burn_verify.judge.metrics import is_float, widened
from burn_verify.prepare.known import opset_of
from burn_verify.prepare.rewritings.versions import raised
from burn_verify.record.targets import target_from_json
from burn_verify.reference import oracle
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.models import Model, Models
from burn_verify.run.prepare.tools import EngineTools
from burn_verify.run.steps import Built, Ended, Outputs, Referred
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

AGREES: Final = "agrees"
_MOST_AS_JSON: Final = 16 << 20
_KINDS: Final = {"record_type": "--burn-record-type", "load": "--burn-load", "weights": "--burn-weights"}
_STAGES: Final = ("compile", "run", "compare")
_OLD: Final = ("requires opset", "UnsupportedOpset")
"""How onnx-ir 0.19 and 0.20 say that a model, or an operator, is of an opset that is too old."""

_LONGEST: Final = 90
"""Characters of a reason in a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A model on a version of Burn, as it is and with a newer opset.

    Attributes:
        raised: the newer opset; None where the model is new enough, or cannot be raised.
        before, after: the verdict of the judge, or the stage that failed, with the reason; empty where there is none.
        apart: the greatest difference between what ONNX Runtime answers for the two.
    """

    model: str
    on: str
    opset: int
    raised: int | None
    before: str
    after: str = ""
    apart: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A model with its weights in one kind of record.

    Attributes:
        way: of the record, of loading and of the weights, as the names of targets have it.
        verdict: of the judge, or the stage that failed, with the reason.
        size: bytes of the file of weights.
        apart: the greatest difference from the first way; None without both answers.
        same: whether the answer is that of the first way with weights of this precision; None without both.
    """

    model: str
    way: str
    verdict: str
    size: int | None = None
    apart: float | None = None
    same: bool | None = None


def apart(base: Outputs, other: Outputs) -> float | None:
    """Return the greatest absolute difference of two answers; infinite where shape, dtype or special values differ."""
    return max((_apart(one, two) for one, two in _pairs(base, other)), default=None)


@np.errstate(all="ignore")
def _apart(one: Any, two: Any) -> float:
    if one.shape != two.shape or one.dtype != two.dtype:
        return float("inf")
    if one.tobytes() == two.tobytes():
        return 0.0
    if not is_float(one.dtype):
        return float("inf")
    wide = widened(one), widened(two)
    same = (wide[0] == wide[1]) | (np.isnan(wide[0]) & np.isnan(wide[1]))
    return float(np.max(np.nan_to_num(np.where(same, 0.0, np.abs(wide[0] - wide[1])), nan=np.inf), initial=0.0))


def _pairs(base: Outputs, other: Outputs) -> list[tuple[Any, Any]]:
    both = base.keys() & other.keys()
    return [pair for name in both for pair in zip(base[name], other[name], strict=True)]


def equal(base: Outputs, other: Outputs) -> bool | None:
    """Return whether two answers are the same, bit for bit; None where one of them is missing."""
    pairs = _pairs(base, other)
    alike = ((one.shape, one.dtype, one.tobytes()) == (two.shape, two.dtype, two.tobytes()) for one, two in pairs)
    return all(alike) if pairs else None


def targets_of(
    version: BurnVersion,
    records: Sequence[str] = RECORDS,
    loads: Sequence[str] = LOADS,
    weights: Sequence[str] = WEIGHTS,
) -> list[Target]:
    """Return a version's targets: each kind of file of weights, way of loading it and precision that it has."""
    plain = Target(
        burn=version.burn, burn_onnx=version.burn_onnx, backend=version.backends[0], record=version.records[0]
    )
    every = (
        replace(plain, record=record, load=load, weights=stored)
        for stored in weights
        for load in loads
        for record in version.records
        if record in records
    )
    return [target for target in every if refusal(target) is None]


def rows(
    cases: Sequence[Case], targets: Sequence[Target], settings: Settings, cache: Cache
) -> Iterator[Imported | Recorded]:
    """Yield the rows of some models on targets of one version, of which the first is asked for all models."""
    plain, *others = targets
    version = resolve(plain.burn)
    with LongWork(sys.stderr) as work, Models(settings, plain, cache=cache, listen=work.listen) as models:
        steps = {name: one for name, one in models.referred(cases).items() if isinstance(one, Referred)}
        whole = {name: data for name, step in steps.items() if (data := _whole(step)) is not None}
        newer = dict(_newer(steps, whole, settings, cache))
        built = models.build(
            [Model(name=name, model=data) for name, data in whole.items()]
            + [Model(name=f"{name} raised", model=data) for name, (data, _) in newer.items()]
        )
        chosen: dict[str, bytes] = {}
        firsts: dict[str, Outputs] = {}
        sizes: dict[str, int | None] = {}
        for name, data in whole.items():
            before = models.answer(built[name], steps[name])
            after = models.answer(built[f"{name} raised"], steps[name]) if name in newer else None
            best = before if isinstance(built[name], Built) or after is None else after
            chosen[name] = data if best is before else newer[name][0]
            firsts[name] = best.outputs
            sizes[name] = _size(built[name if best is before else f"{name} raised"])
            yield Imported(
                model=name,
                on=f"{version.burn} {plain.backend}",
                opset=opset_of(onnx.ModelProto.FromString(data)),
                raised=opset_of(onnx.ModelProto.FromString(newer[name][0])) if name in newer else None,
                before=_said(before.result),
                after="" if after is None else _said(after.result),
                apart=newer[name][1] if name in newer else None,
            )
            if len(version.records) > 1:
                yield Recorded(
                    model=name,
                    way=_way(plain),
                    verdict=_said(best.result),
                    size=sizes[name],
                    apart=apart(firsts[name], best.outputs),
                    same=equal(firsts[name], best.outputs),
                )
    if len(version.records) > 1:
        chosen = {name: data for name, data in chosen.items() if firsts[name]}
        known = {FULL: firsts}
        for target in others:
            small = {name: data for name, data in chosen.items() if (sizes[name] or 0) <= _MOST_AS_JSON}
            yield from _with_record(target, cases, small if target.record == "json" else chosen, known, settings, cache)


def _with_record(
    target: Target,
    cases: Sequence[Case],
    chosen: Mapping[str, bytes],
    known: dict[str, dict[str, Outputs]],
    settings: Settings,
    cache: Cache,
) -> Iterator[Recorded]:
    """Yield a row for each model that has answered.

    Arguments:
        known: the first answers by the precision of weights and model; those of another precision are added.
    """
    first = known.setdefault(target.weights, {})
    with LongWork(sys.stderr) as work, Models(settings, target, cache=cache, listen=work.listen) as models:
        steps = models.referred([case for case in cases if case.id in chosen])
        built = models.build(Model(name=name, model=data) for name, data in chosen.items())
        for name in chosen:
            step = steps[name]
            assert isinstance(step, Referred)
            verified = models.answer(built[name], step)
            if verified.outputs:
                first.setdefault(name, verified.outputs)
            yield Recorded(
                model=name,
                way=_way(target),
                verdict=_said(verified.result),
                size=_size(built[name]),
                apart=apart(known[FULL][name], verified.outputs),
                same=equal(first.get(name, {}), verified.outputs),
            )


def _whole(step: Referred) -> bytes | None:
    """Return a model as one file; None where it is too large for one."""
    try:
        return onnx.load(step.prepared.model).SerializeToString()
    except (ValueError, EncodeError):
        return None


def _newer(
    steps: Mapping[str, Referred], whole: Mapping[str, bytes], settings: Settings, cache: Cache
) -> Iterator[tuple[str, tuple[bytes, float | None]]]:
    """Yield models of a newer opset, and how far ONNX Runtime's answers are from those to the model as it is."""
    with (
        TemporaryDirectory(prefix="burn-verify-") as folder,
        closing(OnnxRuntime(cache, settings.timeout, memory_limit=settings.memory_limit)) as engine,
    ):
        tools = EngineTools(engine, Path(folder))
        for name, data in whole.items():
            model = onnx.ModelProto.FromString(data)
            made = raised(model, tools)
            if made is None:
                continue
            known = oracle.read(steps[name].reference).data_sets
            inputs = [one.inputs for one in known.values()]
            try:
                pairs = zip(tools.run_all(model, inputs), tools.run_all(made, inputs), strict=True)
                answers = [(dict(a=one), dict(a=two)) for one, two in pairs]
                greatest = max(found for one, two in answers if (found := apart(one, two)) is not None)
            except (BurnVerifyError, ValueError):
                greatest = None
            yield name, (made.SerializeToString(), greatest)


def _said(result: Any) -> str:
    head = str(result.verdict or result.stage)
    return head if head == AGREES or not result.reason else f"{head}: {' '.join(result.reason.split())}"


def _size(built: Built | Ended) -> int | None:
    path = built.model.loaded if isinstance(built, Built) else None
    return path.stat().st_size if path is not None and path.is_file() else None


def _way(target: Target) -> str:
    return target.name.removeprefix(f"{target.burn} {target.backend} ")


def page(found: Sequence[Imported], recorded: Sequence[Recorded], made: str) -> str:
    """Return the report of rows."""
    lines = ["# Importing: a newer opset, and records", "", made, ""]
    for on in dict.fromkeys(row.on for row in found):
        own = [row for row in found if row.on == on]
        lines += [f"## Import, Burn {on}", "", _summary(own), ""]
        heads = ["model", "opset", "as is", "raised to", "once raised", "apart in ONNX Runtime"]
        lines += [tabulate(map(_import_row, own), heads, tablefmt="github", disable_numparse=True), ""]
    if recorded:
        lines += _records(recorded)
    return "\n".join(lines)


def _summary(own: Sequence[Imported]) -> str:
    newer = [row for row in own if row.raised is not None]
    gained = [row for row in newer if row.before != AGREES and row.after == AGREES]
    lost = [row for row in newer if row.before == AGREES and row.after != AGREES]
    agreed = sum(row.before == AGREES for row in own)
    best = sum(AGREES in (row.before, row.after) for row in own)
    return (
        f"{len(own)} models: {agreed} agree as they are, {best} as they are or raised. "
        f"Of {len(newer)} that were raised, {len(gained)} agree only since, {len(lost)} only before."
    )


def _import_row(row: Imported) -> list[str]:
    difference = "" if row.apart is None else f"{row.apart:.3g}"
    return [row.model, str(row.opset), _cell(row.before), str(row.raised or ""), _cell(row.after), difference]


def _cell(text: str) -> str:
    return shortened(text, _LONGEST).replace("|", "\\|")


def _records(found: Sequence[Recorded]) -> list[str]:
    ways = list(dict.fromkeys(row.way for row in found))
    # What does not answer in the first way is above, and was not tried in the others.
    models = [row.model for row in found if row.way == ways[0] and row.same is not None]
    found = [row for row in found if row.model in models]
    body = []
    for way in ways:
        own = [row for row in found if row.way == way]
        answered = [row for row in own if row.same is not None]
        body.append(
            [
                way,
                str(len(own)),
                str(sum(row.verdict == AGREES for row in own)),
                str(len(answered)),
                str(sum(row.apart == 0 for row in answered)),
                str(sum(bool(row.same) for row in answered)),
            ]
        )
    heads = ["way", "models", "agree", "answered", f"bit-equal to {ways[0]}", "bit-equal to the first of these weights"]
    lines = ["## Records", "", tabulate(body, heads, tablefmt="github", disable_numparse=True), ""]
    at = {(row.model, row.way): row for row in found}
    sizes = [[model, *(_bytes(at.get((model, way))) for way in ways)] for model in models]
    lines += ["### Bytes", "", tabulate(sizes, ["model", *ways], tablefmt="github", disable_numparse=True), ""]
    moved = [[row.model, row.way, f"{row.apart:.3g}", _cell(row.verdict)] for row in found if row.apart]
    if moved:
        heads = ["model", "way", f"from {ways[0]}", "verdict"]
        lines += ["### Apart", "", tabulate(moved, heads, tablefmt="github", disable_numparse=True), ""]
    broken = [f"- {row.way}: {row.model}: {row.verdict}" for row in found if row.verdict != AGREES]
    return [*lines, "### What does not agree", "", *broken, ""] if broken else lines


def cases_table(lines: Sequence[str]) -> str:
    """Return the part of the report about test cases: how they end on each target."""
    targets: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        found = json.loads(line)
        if found["kind"] == "result":
            targets.setdefault(target_from_json(found).name, []).append(found)
    body = []
    for name, own in targets.items():
        refused = [one for one in own if one["stage"] == "convert" and one["outcome"] == "failed"]
        old = sum(any(words in one["reason"] for words in _OLD) for one in refused)
        ends = [sum(one["stage"] == stage and one["outcome"] == "failed" for one in own) for stage in _STAGES]
        agree = sum(one["outcome"] == "passed" for one in own)
        body.append(list(map(str, [name, len(own), agree, old, len(refused) - old, *ends])))
    heads = ["target", "cases", "agree", "refused for the opset", "refused otherwise", "do not compile"]
    table = tabulate(body, [*heads, "fail at run time", "wrong"], tablefmt="github", disable_numparse=True)
    apart = sum(json.loads(line)["kind"] == "difference" for line in lines)
    alike = "No two of them answer otherwise" if apart == 0 else f"{apart} pairs of answers differ"
    return "\n".join(["## Test cases", "", table, "", f"{alike}, where both answer.", ""])


def _bytes(row: Recorded | None) -> str:
    return "" if row is None or row.size is None else f"{row.size / 1e6:.3g} MB"


def _run(arguments: argparse.Namespace) -> None:
    typed = {name: getattr(arguments, name) for name in ("models", "burn_version", *_KINDS)}
    settings = settings_from(typed)
    cache = Cache(settings.cache_dir)
    choice = Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline).choose(settings.models)
    kinds = {
        "records": settings.record_type or RECORDS,
        "loads": settings.load if arguments.load else LOADS,
        "weights": settings.weights if arguments.weights else WEIGHTS,
    }
    for version in settings.burn_version:
        for row in rows(choice.cases, targets_of(resolve(version), **kinds), settings, cache):
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(asdict(row))}\n")


def read(paths: Sequence[Path]) -> tuple[list[Imported], list[Recorded]]:
    """Return the rows of some files; of several rows of one model and way the last one."""
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    found = {(line["model"], line["on"]): Imported(**line) for line in lines if "on" in line}
    recorded = {(line["model"], line["way"]): Recorded(**line) for line in lines if "way" in line}
    return list(found.values()), list(recorded.values())


def _report(arguments: argparse.Namespace) -> None:
    made = f"By tools/importing.py on {datetime.now(UTC):%Y-%m-%d}. {arguments.note}".strip()
    parts = [page(*read(arguments.rows), made)]
    if arguments.cases is not None:
        parts.append(cases_table(arguments.cases.read_text(encoding="utf-8").splitlines()))
    arguments.out.write_text("\n".join(parts), encoding="utf-8")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--models", required=True)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--burn-version", default=VERSIONS[0].burn)
    for name, flag in _KINDS.items():
        run.add_argument(flag, dest=name)
    run.set_defaults(call=_run)
    report = commands.add_parser("report")
    report.add_argument("rows", type=Path, nargs="+")
    report.add_argument("--out", type=Path, required=True)
    report.add_argument("--cases", type=Path, metavar="RECORD", help="of a run of test cases")
    report.add_argument("--note", default="", help="what is to be known of the run")
    report.set_defaults(call=_report)
    arguments = parser.parse_args()
    arguments.call(arguments)


if __name__ == "__main__":
    main()
