"""Evaluate models on labelled data as the issue of evaluation asks it, plant faults, break data, and write the page.

    python tools/evaluation.py metrics|export|faults|broken --data DATA --work WORK [--only WORD…]
    python tools/evaluation.py report --work WORK --out reports

DATA holds ``triangles``, ``fasterrcnn``, ``tinycoco``, ``persons``, ``digits``, ``stsb`` and ``minilm-tokenizer``, each
with the figures that its README publishes. `metrics` evaluates each model by ONNX Runtime and Burn; `export` compares a
wrong export with its training framework; `faults` plants faults in one engine (`evaluating.faults`); `broken` damages
copies of the data (`evaluating.broken`). Each keeps what it did in WORK, and does nothing twice; `report` reads it and
writes ``evaluate.md``. Its exit code is 1 where a figure is not the published one.
"""

import argparse
import contextlib
import io
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import onnx

from burn_verify.cli import main as burn_verify
from burn_verify.run.seams import Seams
from evaluating.broken import BROKEN, GOOD
from evaluating.faults import DETECTORS, NONE, Fault, planted

NEAR: Final = 1e-4
LIMIT: Final = "ap=0.01"
ENDED, COMPARISON = "ended.json", "comparison.json"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of the table of metrics.

    Attributes:
        model: a path below the data, or a name of the zoo.
        published: the figures of the data's README, by metric.
        words: further words of the command.
    """

    model: str
    data: str
    task: str
    published: Mapping[str, float]
    words: Sequence[str] = field(default_factory=tuple)


ENTRIES: Final[Mapping[str, Entry]] = {
    "triangles, single-stage": Entry(
        model="fasterrcnn/detector-no-roialign.onnx",
        data="triangles/test",
        task="detection",
        published={"AP": 0.877491, "AP50": 0.997035, "AP75": 0.985601, "AR100": 0.904479},
    ),
    "triangles, Faster R-CNN": Entry(
        model="fasterrcnn/model.onnx",
        data="triangles/test",
        task="detection",
        published={"AP": 0.862148, "AP50": 0.986081, "AP75": 0.969409, "AR100": 0.889045},
    ),
    "tinycoco, YOLOX nano": Entry(
        model="yolox",
        data="tinycoco/train",
        task="detection",
        published={"AP": 0.269070, "AP50": 0.408226, "AP75": 0.286581, "AR100": 0.357495},
    ),
    "persons, YOLOX nano": Entry(
        model="yolox",
        data="persons/val",
        task="detection",
        published={"AP": 0.387797, "AP50": 0.665901, "AP75": 0.369686, "AR100": 0.507692},
    ),
    "digits, float32": Entry(
        model="digits/digits.onnx",
        data="digits/test.npz",
        task="classification",
        published={"top1": 0.984427},
    ),
    "digits, int8 per tensor": Entry(
        model="digits/digits-int8-per-tensor.onnx",
        data="digits/test.npz",
        task="classification",
        published={"top1": 0.984427},
    ),
    "digits, int8 per tensor, Conv only": Entry(
        model="digits/digits-int8-per-tensor-conv-rank1.onnx",
        data="digits/test.npz",
        task="classification",
        published={"top1": 0.985539},
    ),
    "digits, int8 per channel": Entry(
        model="digits/digits-int8-per-channel.onnx",
        data="digits/test.npz",
        task="classification",
        published={"top1": 0.983315},
    ),
    "digits, int8 per channel, Conv only": Entry(
        model="digits/digits-int8-per-channel-conv-rank1.onnx",
        data="digits/test.npz",
        task="classification",
        published={"top1": 0.983315},
    ),
    "STS-B test, MiniLM": Entry(
        model="minilm",
        data="stsb/test.csv",
        task="similarity",
        published={"spearman": 0.820325, "pearson": 0.827406},
    ),
}
PREPARED: Final = ("digits, int8 per tensor", "digits, int8 per channel")
"""Burn takes these once `prepare` has rewritten them: a step before, whose answers are equal to the bit."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run some part, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("metrics", metrics), ("export", export), ("faults", faults), ("broken", broken)):
        command = commands.add_parser(name)
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--work", type=Path, required=True)
        command.add_argument("--only", nargs="*", default=[], help="words that its name holds")
        command.set_defaults(run=run)
    reporting = commands.add_parser("report")
    reporting.add_argument("--work", type=Path, required=True)
    reporting.add_argument("--out", type=Path, required=True)
    reporting.set_defaults(run=report)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def evaluated(words: Sequence[str | Path], place: Path, seams: Seams | None = None) -> None:
    """Run ``evaluate`` once, and note how it ended; a place that has such a note is left as it is."""
    if (place / ENDED).exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    text = ["evaluate", *map(str, words), "-o", str(place), "--pictures", "0"]
    print("+ burn-verify", *text, flush=True)
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            burn_verify(text, seams or Seams())
        except SystemExit as ended:
            code = int(ended.code or 0)
    print(f"{out.getvalue()}{err.getvalue()[-600:]}exit code {code}", flush=True)
    lines = [line.removeprefix("burn-verify: ") for line in err.getvalue().splitlines()]
    said = [line for line in lines if not re.match(r"[a-zA-Z ,]+ \d+/\d+", line)]
    note = {"code": code, "said": said, "traceback": "Traceback" in err.getvalue()}
    (place / ENDED).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def located(data: Path, model: str) -> str | Path:
    """Return the path of a model below the data; a name of the zoo as it is."""
    return data / model if (data / model).exists() else model


def wanted(names: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the names that hold one of the words, or all where there is no word."""
    return [name for name in names if not only or any(word in name for word in only)]


def slug(name: str) -> str:
    """Return a name of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def metrics(arguments: argparse.Namespace) -> int:
    """Evaluate each model of the table."""
    data = arguments.data
    for name in wanted(list(ENTRIES), arguments.only):
        entry = ENTRIES[name]
        model = located(data, entry.model)
        place = arguments.work / "metrics" / slug(name)
        if name in PREPARED:
            model = prepared(Path(model), place)
        words = [model, "--data", data / entry.data, "--task", entry.task, *entry.words]
        if entry.task == "similarity":
            words += ["--tokenizer", data / "minilm-tokenizer" / "tokenizer.json"]
        evaluated(words, place)
    return 0


def prepared(model: Path, place: Path) -> Path:
    """Return what ``prepare`` makes of a model."""
    made = place / model.name
    if not made.exists():
        place.mkdir(parents=True, exist_ok=True)
        words = ["prepare", str(model), "-o", str(made)]
        print("+ burn-verify", *words, flush=True)
        with contextlib.suppress(SystemExit):
            burn_verify(words)
    return made


def export(arguments: argparse.Namespace) -> int:
    """Compare a right and a wrong export of Faster R-CNN with its training framework, and the wrong one by engines."""
    source, data = arguments.data / "fasterrcnn", arguments.data / "triangles" / "test"
    work = arguments.work / "export"
    work.mkdir(parents=True, exist_ok=True)
    wrong = work / "wrong.onnx"
    if not wrong.exists():
        model = onnx.load(source / "model.onnx")
        for node in model.graph.node:
            for attribute in node.attribute:
                if node.op_type == "RoiAlign" and attribute.name == "coordinate_transformation_mode":
                    attribute.s = b"half_pixel"
        onnx.save(model, wrong)
    plain = ["--data", data, "--task", "detection"]
    baseline = ["--baseline", source / "torch_metrics.json", "--reference-only"]
    evaluated([source / "model.onnx", *plain, *baseline], work / "right-baseline")
    evaluated([wrong, *plain, *baseline], work / "wrong-baseline")
    evaluated([wrong, *plain], work / "wrong-engines", Seams(builder=planted(Fault(), work, standing_in=True)))
    return 0


def faults(arguments: argparse.Namespace) -> int:
    """Plant each fault, and evaluate twice: without a limit, and with one."""
    data, work = arguments.data, arguments.work / "faults"
    for name in wanted(list(DETECTORS), arguments.only):
        one = DETECTORS[name]
        model = located(data, one.model)
        for kind, fault in one.faults.items():
            place = work / slug(name) / slug(kind)
            (place / "models").mkdir(parents=True, exist_ok=True)
            words: list[str | Path] = [model]
            seams = None
            if fault.iou is None:
                seams = Seams(builder=planted(fault, place / "models", standing_in=one.standing_in))
            else:
                words = [model, described(model, fault.iou, place / "models"), "--reference-only"]
            words += ["--data", data / one.data, "--task", "detection"]
            evaluated(words, place / "plain", seams)
            evaluated([*words, "--max-drop", LIMIT], place / "limited", seams)
    return 0


def described(model: str | Path, iou: float, place: Path) -> Path:
    """Return a copy of a model with a description of another suppression beside it."""
    made = place / "other.onnx"
    shutil.copyfile(file_of(model), made)
    made.with_suffix(".toml").write_text(f'[task]\nkind = "detection"\niou = {iou}\n', encoding="utf-8")
    return made


def file_of(model: str | Path) -> Path:
    """Return the file of a model, of which a name may be given."""
    if isinstance(model, Path):
        return model
    from burn_verify.cases.load import prepare
    from burn_verify.cases.select import Selection
    from burn_verify.core.options import settings_from
    from burn_verify.system.cache import Cache

    settings = settings_from({})
    cache = Cache(settings.cache_dir)
    (case,) = Selection(cache, mirror=settings.zoo_mirror, offline=True).choose([model]).cases
    return prepare(case, cache).model


def broken(arguments: argparse.Namespace) -> int:
    """Damage a copy of a data set in each way, and evaluate it by ONNX Runtime."""
    for name in wanted(list(BROKEN), arguments.only):
        kind, damage = BROKEN[name]
        good = GOOD[kind]
        place = arguments.work / "broken" / slug(name)
        if (place / "out" / ENDED).exists():
            continue
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        data = good.copy(arguments.data / good.data, place / "data")
        damage(data)
        words = [located(arguments.data, good.model), "--data", data, "--task", good.task, "--reference-only"]
        if good.task == "similarity":
            words += ["--tokenizer", arguments.data / "minilm-tokenizer" / "tokenizer.json"]
        evaluated(words, place / "out")
    return 0


def report(arguments: argparse.Namespace) -> int:
    """Write the page; return 1 where a figure is not the published one."""
    text, wrong = page(arguments.work)
    (arguments.out / "evaluate.md").write_text(text, encoding="utf-8")
    for one in wrong:
        print(one, file=sys.stderr)
    return 1 if wrong else 0


def page(work: Path) -> tuple[str, list[str]]:
    """Return the page, and what is not as published."""
    wrong: list[str] = []
    lines = [
        "# Does the task still work? Measured\n",
        "Made by `tools/evaluation.py`; what the words mean stands in [evaluate](../docs/evaluate.md). Figures of",
        "speed are of Burn's build for verification, asked through a pipe, beside other work on two cores.\n",
        "## Metrics\n",
        "The published figure is that of the data's README, through ONNX Runtime or the training framework; ONNX",
        f"Runtime's has to be equal to {NEAR:g}. Flips, tier and interval are of Burn beside ONNX Runtime: an interval",
        "holds 95 % of the differences of a metric when the samples are drawn again.\n",
        "| data, model | metric | published | ONNX Runtime | difference | Burn | flips | tier | interval |",
        "|---|---|---:|---:|---:|---:|---:|---|---|",
        *_metric_rows(work, wrong),
        "\n| data, model | engine | samples | a second | peak MiB |",
        "|---|---|---:|---:|---:|",
        *_cost_rows(work),
        "\nThe two digits models in 8 bits without `Conv only` are those of the data after `burn-verify prepare`; Burn",
        "refuses them as they are. Faster R-CNN is refused as it is: [how far it comes](two-stage.md).\n",
        "## A wrong export\n",
        "Faster R-CNN whose RoiAlign lost its coordinate mode on export. ONNX Runtime stands in for Burn in the",
        "comparison of engines, since Burn does not take the model: both would run the same wrong graph.\n",
        "| compared | AP | AP50 | AP75 | decisions that flip | tier | exit code | says |",
        "|---|---:|---:|---:|---:|---|---:|---|",
        *_export_rows(work),
        *_fault_sections(work),
        "\n## Broken data\n",
        "Copies of the data with one thing damaged, evaluated by ONNX Runtime alone. `-` is where nothing could be",
        "evaluated. Of the others, `--allow-broken N` lets so many lines pass.\n",
        "| what is wrong | data | evaluated | metric | lines | exit code | the first line |",
        "|---|---|---:|---|---:|---:|---|",
        *_broken_rows(work),
    ]
    return "\n".join(lines) + "\n", wrong


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _metric_rows(work: Path, wrong: list[str]) -> Iterator[str]:
    for name, entry in ENTRIES.items():
        found = _read(work / "metrics" / slug(name) / COMPARISON)
        if found is None:
            wrong.append(f"{name}: not evaluated")
            continue
        first, *others = found["evaluations"]
        burn = others[0] if others else {}
        beside = found["comparisons"][0] if found["comparisons"] else {}
        for place, (metric, figure) in enumerate(entry.published.items()):
            gap = first[metric] - figure
            if abs(gap) > NEAR:
                wrong.append(f"{name}: {metric} {first[metric]:.6f}, published {figure:.6f}")
            change = beside.get("metrics", {}).get(metric, {})
            cells = [name if not place else "", metric, f"{figure:.6f}", f"{first[metric]:.6f}", f"{gap:+.0e}"]
            if metric not in burn:
                cells += [burn.get("error", "-").partition(":")[0] + " failed" if not place else "", "", "", ""]
            else:
                cells += [f"{burn[metric]:.6f}", _flips(beside) if not place else ""]
                cells += [str(change.get("tier", "-")), _interval(change.get("interval"))]
            yield f"| {' | '.join(cells)} |"


def _flips(beside: Mapping[str, Any]) -> str:
    flips = beside.get("flips")
    if flips is None:
        return "-"
    kinds = ", ".join(f"{count} {kind}" for kind, count in flips["by_kind"].items())
    return kinds or "0"


def _interval(found: Sequence[float] | None) -> str:
    return "-" if not found else f"[{found[0]:+.4f}, {found[1]:+.4f}]"


def _cost_rows(work: Path) -> Iterator[str]:
    for name in ENTRIES:
        found = _read(work / "metrics" / slug(name) / COMPARISON)
        for place, one in enumerate(found["evaluations"] if found else ()):
            if one.get("error"):
                continue
            cells = [name if not place else "", one["engine"], str(one["samples"])]
            cells += [f"{one['samples_per_second']:.1f}", f"{one['peak_memory_mib']:.0f}"]
            yield f"| {' | '.join(cells)} |"


def _export_rows(work: Path) -> Iterator[str]:
    named = {
        "right-baseline": "the right export beside PyTorch",
        "wrong-baseline": "**the wrong export beside PyTorch**",
        "wrong-engines": "the wrong export by two engines",
    }
    for place, name in named.items():
        found, ended = (_read(work / "export" / place / file) for file in (COMPARISON, ENDED))
        if found is None or ended is None:
            continue
        one = found["comparisons"][0]
        values = [f"{one['metrics'][key]['after']:.4f}" for key in ("AP", "AP50", "AP75")]
        cells = [name, *values, _flips(one), one["tier"], str(ended["code"]), "; ".join(one["exceeded"]) or "nothing"]
        yield f"| {' | '.join(cells)} |"


def _fault_sections(work: Path) -> Iterator[str]:
    yield "\n## Planted faults\n"
    yield "Faults of one engine of two, behind the seams: what the engine is fed, what it answers, or its graph."
    yield "Suppression outside of the model is no engine's; there a second model has a description that says another"
    yield "overlap, and both are run by ONNX Runtime. *Boxes moved* is the note of an evaluation: pixels to the right"
    yield f"and down, in the median of all pairs. *Limited* is the exit code with `--max-drop {LIMIT}`."
    for name, one in DETECTORS.items():
        yield f"\n### {name}\n"
        yield f"{'ONNX Runtime stands in for Burn.' if one.standing_in else 'Burn, flex.'}\n"
        yield "| fault | AP | AP75 | interval of AP | tier | decisions that flip | boxes moved | exit code | limited |"
        yield "|---|---:|---:|---|---|---|---|---:|---:|"
        for kind in one.faults:
            yield _fault_row(work / "faults" / slug(name) / slug(kind), kind)


def _fault_row(place: Path, kind: str) -> str:
    found = _read(place / "plain" / COMPARISON)
    plain, limited = (_read(place / kind_ / ENDED) for kind_ in ("plain", "limited"))
    name = "no fault" if kind == NONE else kind
    if found is None or plain is None or limited is None or not found["comparisons"]:
        return f"| {name} | not tried | | | | | | | |"
    beside = found["comparisons"][0]
    if not beside["metrics"]:
        return f"| {name} | {beside['dataset_check']} | | | | | | {plain['code']} | {limited['code']} |"
    ap, ap75 = (beside["metrics"][key] for key in ("AP", "AP75"))
    cells = [name, f"{ap['difference']:+.4f}", f"{ap75['difference']:+.4f}", _interval(ap["interval"]), beside["tier"]]
    cells += [_flips(beside), _moved(beside.get("notes", ())), str(plain["code"]), str(limited["code"])]
    return f"| {' | '.join(cells)} |"


def _moved(notes: Sequence[str]) -> str:
    """Return by how much boxes moved to the right and down, as a note tells it."""
    numbers = re.findall(r"[+-]\d+\.\d+", " ".join(notes))
    return ", ".join(numbers[:2]) if numbers else "no"


def _broken_rows(work: Path) -> Iterator[str]:
    for name, (kind, _) in BROKEN.items():
        place = work / "broken" / slug(name) / "out"
        ended, found = _read(place / ENDED), _read(place / COMPARISON)
        if ended is None:
            continue
        said = ended["said"][0].removeprefix("error: ") if ended["said"] else "(nothing)"
        if ended["traceback"]:
            said = "a traceback"
        evaluated_, told, value = "-", "1", "-"
        if found is not None:
            one = found["evaluations"][0]
            told = str(len(found["dataset"]["unreadable"]))
            metric = next(key for key in ("AP", "top1", "spearman") if key in one)
            evaluated_, value = f"{one['samples']} of {GOOD[kind].samples}", f"{metric} {one[metric]:.4f}"
        text = said.replace(str(place.parent), "…").replace("|", "\\|")
        yield f"| {name} | {GOOD[kind].data} | {evaluated_} | {value} | {told} | {ended['code']} | `{text}` |"


if __name__ == "__main__":
    sys.exit(main())
