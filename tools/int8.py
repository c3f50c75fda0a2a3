"""Quantise models, evaluate them beside their float versions by ONNX Runtime and Burn, and write the table of it.

    python tools/int8.py run digits mnist --data DATA --work WORK
    python tools/int8.py report --work WORK --out reports

DATA holds ``digits/`` (``train.npz``, ``test.npz``: images float32 [n, 1, 8, 8], labels), ``stsb/test.csv`` and
``minilm-tokenizer/tokenizer.json``; models are those of the zoo, but for ``digits/digits.onnx``. A model in 8 bits
whose numbers by Burn do not agree is not written by `quantize`; it is rewritten here and evaluated all the same, and
the page says so. `run` keeps every step in WORK, and does none twice; `report` reads them and writes ``int8.json`` and
``int8.md``.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from burn_verify.cli.written import QUANTISED

SEED = 20261130
SEARCH = 900.0
"""Seconds in which `quantize` may look for rewritings; for 90 MB that do not agree it takes much longer."""
METRICS = {"classification": "top1", "similarity": "spearman"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model of the table.

    Attributes:
        model: a name of the zoo, or a path below DATA.
        variants: words for ``quantize`` by name; calibration data are added to static ones.
        task, labels: what is evaluated; `labels` says in the report where the labels come from.
        fed: words for ``verify`` about its inputs.
    """

    model: str
    variants: Mapping[str, Sequence[str]]
    task: str = "classification"
    labels: str = ""
    fed: Sequence[str] = ()


STATIC = {"per tensor": (), "per channel": ("--per-channel",)}
ENTRIES = {
    "digits": Entry(model="digits/digits.onnx", variants=STATIC, labels="899 digits of scikit-learn, the second half"),
    "mnist": Entry(
        model="mnist-12",
        variants={"per tensor": ()},
        labels="the same 899 digits, scaled to 20x20 and framed: not what it was trained with",
    ),
    "micro-kws": Entry(
        model="micro_kws_m_static_fp32",
        variants={"per tensor": ()},
        labels="no labelled data: 200 drawn inputs, labelled by the float model and ONNX Runtime",
    ),
    "resnet20": Entry(
        model="resnet20_cifar10",
        variants={"per channel": ("--per-channel",)},
        labels="no labelled data: 200 drawn inputs, labelled by the float model and ONNX Runtime",
    ),
    "minilm": Entry(
        model="minilm",
        variants={"dynamic": ("--dynamic", "--op", "MatMul")},
        task="similarity",
        fed=(
            *("--input", "input_ids:int64[0,30000)", "--input", "attention_mask:ones"),
            *("--input", "token_type_ids:zeros", "--dim", "batch=2", "--dim", "sequence=8,19"),
        ),
        labels="every fourth pair of STS-B's test split, 345 of 1,379",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run some models, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.add_argument("names", nargs="+", choices=list(ENTRIES))
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--work", type=Path, required=True)
    running.add_argument("--only", choices=["quantize", "evaluate"])
    running.set_defaults(run=run)
    reporting = commands.add_parser("report")
    reporting.add_argument("--work", type=Path, required=True)
    reporting.add_argument("--out", type=Path, required=True)
    reporting.set_defaults(run=report)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def run(arguments: argparse.Namespace) -> int:
    """Quantise and evaluate; what is in the folder of an entry already is not done again."""
    for name in arguments.names:
        entry, folder = ENTRIES[name], arguments.work / name
        folder.mkdir(parents=True, exist_ok=True)
        source = arguments.data / entry.model
        model = str(source) if source.is_file() else entry.model
        calibration, labelled = samples(name, arguments.data, folder, model)
        made = [quantised(entry, variant, model, calibration, folder) for variant in entry.variants]
        if arguments.only != "quantize":
            evaluated(entry, [model, *filter(None, made)], labelled, arguments.data, folder)
    return 0


def samples(name: str, data: Path, folder: Path, model: str) -> tuple[Path, Path]:
    """Return the calibration samples and the labelled data of an entry, written where they are made."""
    if name == "minilm":
        return data, fourth(data / "stsb" / "test.csv", folder / "pairs.csv")
    calibration, labelled = folder / "calibration.npz", folder / "labelled.npz"
    if labelled.exists():
        return calibration, labelled
    if name in ("digits", "mnist"):
        train, test = (np.load(data / "digits" / f"{part}.npz") for part in ("train", "test"))
        key, change = ("image", np.asarray) if name == "digits" else ("Input3", framed)
        saved(calibration, {key: change(train["images"])})
        saved(labelled, {key: change(test["images"]), "labels": test["labels"]})
        return calibration, labelled
    draw = np.random.default_rng(SEED)
    path = located(model)
    key, shape = fed(path)
    one, two = (draw.normal(size=(200, *shape[1:])).astype(np.float32) for _ in range(2))
    saved(calibration, {key: one})
    saved(labelled, {key: two, "labels": classes(path, key, two)})
    return calibration, labelled


def fourth(source: Path, made: Path) -> Path:
    """Write every fourth pair of a CSV."""
    if not made.exists():
        with source.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[::4]
        with made.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return made


def saved(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write an npz file."""
    np.savez(path, **arrays)


def framed(images: Any) -> Any:
    """Return digits of 8x8 in 0..1 as MNIST's: scaled to 20x20 bilinearly, in a frame, 0..255."""
    places = (np.arange(20) + 0.5) * 8 / 20 - 0.5
    low = np.clip(np.floor(places).astype(int), 0, 7)
    high, share = np.clip(low + 1, 0, 7), np.clip(places - low, 0, 1).astype(np.float32)
    rows = images[:, :, low] * (1 - share)[:, None] + images[:, :, high] * share[:, None]
    wide = rows[..., low] * (1 - share) + rows[..., high] * share
    return np.pad(wide, [(0, 0), (0, 0), (4, 4), (4, 4)]).astype(np.float32) * 255


def located(model: str) -> Path:
    """Return the file of a model of the zoo."""
    from burn_verify.cases.load import prepare
    from burn_verify.cases.select import Selection
    from burn_verify.core.options import settings_from
    from burn_verify.system.cache import Cache

    settings = settings_from({})
    cache = Cache(settings.cache_dir)
    (case,) = Selection(cache, mirror=settings.zoo_mirror, offline=True).choose([model]).cases
    return prepare(case, cache).model


def fed(path: Path) -> tuple[str, Sequence[int]]:
    """Return name and shape of the only input."""
    import onnxruntime

    (value,) = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()
    return value.name, value.shape


def classes(path: Path, key: str, inputs: Any) -> Any:
    """Return the best class of each input by the float model and ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.array([session.run(None, {key: one[None]})[0].argmax() for one in inputs], np.int64)


def quantised(entry: Entry, variant: str, model: str, calibration: Path, folder: Path) -> Path | None:
    """Quantise a model; where Burn does not agree, rewrite it all the same. None where nothing can be made."""
    made = folder / f"{Path(model).stem}.int8-{variant.replace(' ', '-')}.onnx"
    note = made.with_suffix(".json")
    words = ["quantize", model, *entry.variants[variant]]
    if "--dynamic" not in words:
        words += ["--data", str(calibration)]
    if not note.exists():
        done = command([*words, "-o", str(made), "--json"], SEARCH)
        note.write_text(done or "{}", encoding="utf-8")
    if not made.exists():
        plain = folder / "plain" / made.name
        plain.parent.mkdir(exist_ok=True)
        said = command([*words, "-o", str(plain), "--no-prepare", "--json", "--force"])
        made.write_bytes(rewritten_for_burn(plain, drawn(calibration)))
        if note.read_text(encoding="utf-8") == "{}":
            note.write_text(json.dumps(json.loads(said) | {"prepare": disagreement(entry, made, folder)}))
    return made if made.exists() else None


def drawn(calibration: Path) -> list[dict[str, Any]]:
    """Return eight samples: the first that calibrate, or ids of sentences of random words."""
    if calibration.suffix == ".npz":
        with np.load(calibration) as file:
            return [{key: file[key][place : place + 1] for key in file} for place in range(8)]
    draw = np.random.default_rng(SEED)
    several = [draw.integers(1000, 30000, (1, size)) for size in range(5, 45, 5)]
    return [{"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0} for ids in several]


def rewritten_for_burn(plain: Path, samples_: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a quantised model after the rewritings that `quantize` tries first, which are noted in it with a proof."""
    from burn_verify.cli.written import PREPARED, annotate
    from burn_verify.core.options import settings_from
    from burn_verify.core.target import Target
    from burn_verify.prepare.recipe import rewritten
    from burn_verify.reference.ort import OnnxRuntime
    from burn_verify.run.prepare.rules import sparing_rewritings_for
    from burn_verify.run.prepare.tools import EngineTools
    from burn_verify.system.cache import Cache

    model = plain.read_bytes()
    rules = [one for one in sparing_rewritings_for(model, Target()) if not one.options]
    cache = Cache(settings_from({}).cache_dir)
    with closing(OnnxRuntime(cache, 600.0, memory_limit=0)) as engine, tempfile.TemporaryDirectory() as folder:
        made = rewritten(model, rules, EngineTools(engine, Path(folder)))
    steps = [{"name": one.rewriting.name, "proof": distance(one.before, one.after, samples_)} for one in made.steps]
    found = onnx.ModelProto.FromString(made.model)
    annotate(found, PREPARED, {"steps": steps})
    return found.SerializeToString()


def distance(before: bytes, after: bytes, samples_: Sequence[Mapping[str, Any]]) -> str:
    """Return how far two models are apart by ONNX Runtime without its optimisations."""
    old, new = (answers(model, samples_) for model in (before, after))
    gap = max(float(np.abs(one - it).max()) for one, it in zip(old, new, strict=True))
    return "bit-equal" if gap == 0 else f"{gap:.1e} apart"


def answers(model: bytes, samples_: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what ONNX Runtime answers to samples, every output."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return [found for one in samples_ for found in session.run(None, {name: one[name] for name in names})]


def disagreement(entry: Entry, made: Path, folder: Path) -> dict[str, Any]:
    """Return what ``verify`` says of a model whose search for rewritings took too long, as `quantize` would."""
    from burn_verify.core.result import VerdictName
    from burn_verify.record.store import read

    record = folder / "verify.jsonl"
    record.unlink(missing_ok=True)
    command(["verify", str(made), *entry.fed, "--burn-record", str(record), "--burn-timeout", "600"])
    (result,) = read(record).results
    message = f"{result.verdict}: {result.message}" if result.message else ""
    return {"agrees": result.verdict is VerdictName.AGREES, "after": {"message": message}}


def evaluated(entry: Entry, models: Sequence[str | Path], labelled: Path, data: Path, folder: Path) -> None:
    """Evaluate the models of an entry."""
    if (folder / "comparison.json").exists():
        return
    words = ["evaluate", *map(str, models), "--data", str(labelled), "--task", entry.task, "-o", str(folder)]
    if entry.task == "similarity":
        words += ["--tokenizer", str(data / "minilm-tokenizer" / "tokenizer.json")]
    print(command(words))


def command(words: Sequence[str], seconds: float | None = None) -> str:
    """Run burn-verify, and return what it prints; nothing where it takes longer. Its progress is shown."""
    print("+ burn-verify", *words, flush=True)
    program = [sys.executable, "-c", "from burn_verify.cli import main; main()"]
    try:
        done = subprocess.run([*program, *words], stdout=subprocess.PIPE, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def report(arguments: argparse.Namespace) -> int:
    """Write the report of the entries that were evaluated."""
    found = {}
    for name in ENTRIES:
        folder = arguments.work / name
        if (folder / "comparison.json").exists():
            comparison = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
            models = sorted(folder.glob("*.onnx"))
            for one in comparison["comparisons"]:
                one.pop("worst", None)
                if one["flips"]:
                    one["flips"] = {key: one["flips"][key] for key in ("count", "by_kind")}
            found[name] = {**comparison, "notes": {path.stem: notes(path) for path in models}}
    (arguments.out / "int8.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (arguments.out / "int8.md").write_text(page(found), encoding="utf-8")
    return 0


def notes(path: Path) -> dict[str, Any]:
    """Return what `quantize` noted in a model."""
    props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    found: dict[str, Any] = json.loads(props[QUANTISED])
    prepared = json.loads(props.get("burn_verify.prepare", "{}"))
    steps = [f"{step['name']} ({step['proof']})" for step in prepared.get("steps", [])]
    said = path.with_suffix(".json")
    told = json.loads(said.read_text(encoding="utf-8")) if said.exists() else {}
    about = told.get("prepare") or {}
    against = (about.get("after") or {}).get("message", "") if about and not about["agrees"] else ""
    found |= {"steps": steps, "options": prepared.get("options", {}), "losses": told.get("losses", [])}
    return found | {"disagrees": against}


def page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the report."""
    set_aside = [name for name in ENTRIES if name not in found]
    lines = [
        "# The same model in 8 bits\n",
        "Made by `tools/int8.py`: models quantised by `burn-verify quantize`, and evaluated beside the float ones by",
        "`burn-verify evaluate` ([what it means](../docs/int8.md)). Bytes are those of the model file, and of the",
        "weights that Burn loads. Calls are medians in milliseconds with an interval that holds them at 95 %, through",
        "a pipe, by Burn's build for verification, beside much other work on two cores: they are no latency of a",
        "release build. Burn computes the models in 8 bits in float32.\n",
        "| model | variant | engine | bytes | metric | ms a call | beside ONNX Runtime |",
        "|---|---|---|---:|---:|---:|---|",
        *(line for name, one in found.items() for line in _rows(name, one)),
        "\n## Drift from float to 8 bits\n",
        "The same by both engines? It needs no labels. `onnxruntime-plain` is ONNX Runtime without its optimisations,",
        "which computes each operator by its definition; as a user runs it, its kernels of 8 bits may saturate.\n",
        "| model | variant | engines | by the first | by the second | differs | flipped by one only | the same |",
        "|---|---|---|---:|---:|---:|---:|---|",
        *(line for name, one in found.items() for line in _drifts(name, one)),
        "\n## What had to be rewritten for Burn\n",
        "| model | how | samples | rewritings, each with its proof |",
        "|---|---|---:|---|",
        *(line for name, one in found.items() for line in _notes(name, one)),
        "\n## What Burn's numbers are\n",
        *(line for name, one in found.items() for line in _disagreements(name, one)),
        "\n## What is lost\n",
        "Signal to noise in dB by ONNX Runtime's `qdq_loss_debug`: of a tensor before and after its own rounding, and",
        "of the float model and the one in 8 bits. The three tensors that are worst against the float model; 20 dB are",
        "an error of a tenth, 40 dB of a hundredth.\n",
        "| model | variant | tensors | tensor | own rounding | against float |",
        "|---|---|---:|---|---:|---:|",
        *(line for name, one in found.items() for line in _losses(name, one)),
        "\n## Data\n",
        *(f"- {name}: {ENTRIES[name].labels}" for name in found),
        f"\nOn the list of the tool, and not evaluated here: {', '.join(set_aside) or 'none'}.",
    ]
    return "\n".join(lines) + "\n"


def variant_of(model: str) -> str:
    """Return how a model of a run is called in the table."""
    return model.partition(".int8-")[2].replace("-", " ") or "float32"


def _rows(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    metric = METRICS[one["task"]]
    beside = {(each["before"], each["after"]): each for each in one["comparisons"]}
    for run_ in sorted(one["evaluations"], key=lambda each: variant_of(each["model"]) != "float32"):
        reference = f"{run_['model']} by onnxruntime"
        known = beside.get((reference, f"{run_['model']} by {run_['engine']}"))
        said = "-" if known is None else f"{known['tier'] or known['dataset_check']}, {_flips(known)}"
        call = run_["call_ms"]
        time = "-" if call is None else f"{call['median']:.3g} [{call['low']:.3g}, {call['high']:.3g}]"
        value = "-" if run_.get(metric) is None else f"{metric} {run_[metric]:.6f}"
        size = "-" if run_["bytes"] is None else f"{run_['bytes']:,}"
        cells = (name, variant_of(run_["model"]), run_["engine"], size, run_.get("error") or value, time, said)
        yield f"| {' | '.join(cells)} |"


def _flips(known: Mapping[str, Any]) -> str:
    flips = known["flips"]
    return "nothing known of decisions" if flips is None else f"{flips['count']} of {known['samples']} flipped"


def _drifts(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    metric = METRICS[one["task"]]
    for each in (*one["drifts"], *one.get("drifts_of_kernels", ())):
        by = each["metrics"].get(metric, {})
        moved = [f"{metric} {by[engine]:+.6f}" if engine in by else "-" for engine in each["engines"]]
        share = each["share_that_differs"]
        alone = sum(map(len, each["flipped_by_one_only"].values()))
        told = "yes" if each["passes"] else f"no: {'; '.join(each['exceeded'])}"
        differs = "-" if share is None else f"{100 * share:.2g} %"
        cells = (name, variant_of(each["after"]), ", ".join(each["engines"]), *moved, differs, str(alone), told)
        yield f"| {' | '.join(cells)} |"


def _notes(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    for model, note in one["notes"].items():
        done = ", ".join([*note["steps"], *(f"{key} {'on' if on else 'off'}" for key, on in note["options"].items())])
        yield f"| {name} | {variant_of(model)} | {note['samples']} | {done or 'none'} |"


def _disagreements(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `quantize` says of each model in 8 bits: whether its numbers by Burn are those of ONNX Runtime."""
    for model, note in one["notes"].items():
        why = note.get("disagrees") or ""
        said = f"they do not agree, so `quantize` wrote nothing: {why[:250]}" if why else "they agree"
        yield f"- {name}, {variant_of(model)}: {said}"


def _losses(name: str, one: Mapping[str, Any]) -> Iterator[str]:
    for model, note in one["notes"].items():
        losses = note.get("losses", [])
        if not losses:
            yield f"| {name} | {variant_of(model)} | 0 | not measured: without calibration there are no pairs | - | - |"
        for place, loss in enumerate(losses[:3]):
            head = (name, variant_of(model), str(len(losses))) if not place else ("", "", "")
            sizes = ["-" if loss[key] is None else f"{loss[key]:.1f}" for key in ("own", "whole")]
            tensor = f"`{loss['tensor']}`"
            yield f"| {' | '.join([*head, tensor, *sizes])} |"


if __name__ == "__main__":
    sys.exit(main())
