"""MiniLM end to end: the published table of one sentence, and STS-B, by ONNX Runtime and by Burn.

    python tools/embeddings.py run --data DATA --work WORK --backends flex,ndarray
    python tools/embeddings.py report --work WORK --out reports

DATA holds ``stsb/test.csv`` and ``minilm-tokenizer/tokenizer.json``; the model is the zoo's ``minilm``. `run` keeps
what it did in WORK, and does nothing twice; `report` writes ``embeddings.md``; its exit code is 1 where something is
not as expected.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

IDS = [101, 7592, 2088, 102]
SENTENCE = "Hello world"
OUTPUT = "pooler_output"
GUIDE = [-0.039659, 0.022167, -0.011310, 0.027763, -0.024910, -0.006622, 0.019669, 0.053398, -0.117513, 0.007952]
NORM = 1.183152
"""The table of the guide "ONNX to Burn: all-MiniLM-L6-v2 Inference in Rust" (Burn 0.19.1), to six decimals."""

NEAR = 1e-6


def main(argv: Sequence[str] | None = None) -> int:
    """Run, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--work", type=Path, required=True)
    running.add_argument("--backends", default="flex")
    running.set_defaults(run=run)
    reporting = commands.add_parser("report")
    reporting.add_argument("--work", type=Path, required=True)
    reporting.add_argument("--out", type=Path, required=True)
    reporting.set_defaults(run=report)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def run(arguments: argparse.Namespace) -> int:
    """Evaluate STS-B, and keep the answers to one sentence, whose ids the tokenizer gives."""
    work, tokenizer = arguments.work, arguments.data / "minilm-tokenizer" / "tokenizer.json"
    work.mkdir(parents=True, exist_ok=True)
    backends = ["--burn-backend", arguments.backends]
    if not (work / "comparison.json").exists():
        words = ["--data", str(arguments.data / "stsb" / "test.csv"), "--task", "similarity", "-o", str(work)]
        command("evaluate", "minilm", *words, "--tokenizer", str(tokenizer), *backends)
    if not (work / "kept").exists():
        ids = np.array([encoded(tokenizer)], np.int64)
        arrays: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        np.savez(work / "sentence.npz", **arrays)
        command(
            "verify", "minilm", "--data", str(work / "sentence.npz"), "--keep-outputs", str(work / "kept"), *backends
        )
    return 0


def encoded(tokenizer: Path) -> list[int]:
    """Return the ids of the sentence."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(tokenizer))
    found.no_padding()
    ids: list[int] = found.encode(SENTENCE).ids
    return ids


def command(*words: str) -> None:
    """Run burn-verify, and show what it prints."""
    print("+ burn-verify", *words, flush=True)
    subprocess.run([sys.executable, "-c", "from burn_verify.cli import main; main()", *words], check=False)


def report(arguments: argparse.Namespace) -> int:
    """Write the report; return 1 where a value is not the expected one."""
    from burn_verify.run.kept_outputs import BURN, INPUTS, REFERENCE, kept_in

    comparison = json.loads((arguments.work / "comparison.json").read_text(encoding="utf-8"))
    kept = kept_in(arguments.work / "kept")
    ids = kept[0].arrays(INPUTS)["input_ids"].ravel().tolist()
    pooled = {"onnxruntime": kept[0].arrays(REFERENCE)[OUTPUT].ravel()}
    pooled |= {f"burn-{one.notes['backend']}": one.arrays(BURN)[OUTPUT].ravel() for one in kept}
    text, faults = page(ids, pooled, comparison)
    (arguments.out / "embeddings.md").write_text(text, encoding="utf-8")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def page(ids: Sequence[int], pooled: Mapping[str, Any], comparison: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the report, and what is not as expected.

    Arguments:
        ids: of the sentence.
        pooled: the vector of the sentence by each engine, the reference first.
        comparison: what ``evaluate`` wrote.
    """
    faults = [] if list(ids) == IDS else [f"the ids of {SENTENCE!r} are {list(ids)}, not {IDS}"]
    engines = list(pooled)
    rows = [f"| [{place}] | {guide:.6f} | {_cells(pooled, place)} |" for place, guide in enumerate(GUIDE)]
    norms = {name: float(np.linalg.norm(np.asarray(vector, np.float64))) for name, vector in pooled.items()}
    rows.append(f"| L2 norm | {NORM:.6f} | {' | '.join(f'{norm:.6f}' for norm in norms.values())} |")
    for name, vector in pooled.items():
        gap = max(float(np.abs(np.asarray(vector[: len(GUIDE)], np.float64) - GUIDE).max()), abs(norms[name] - NORM))
        if not gap <= NEAR:
            faults.append(f"{name}: {gap:.2g} from the published table, allowed are {NEAR:g}")
    data = [f"| {one['engine']} | {_metrics(one)} |" for one in comparison["evaluations"]]
    scores = [one.get("spearman") for one in comparison["evaluations"]]
    for one, score in zip(comparison["evaluations"][1:], scores[1:], strict=True):
        if score is None or not abs(score - scores[0]) <= NEAR:
            faults.append(f"{one['engine']}: Spearman {score}, by ONNX Runtime {scores[0]}")
    lines = [
        "# Embeddings: MiniLM end to end\n",
        "Made by `tools/embeddings.py`. all-MiniLM-L6-v2, float32; what is counted, and how to do the same with a",
        "model of yours, stands in [Embeddings](../docs/embeddings.md).\n",
        f"## `{OUTPUT}` of {list(ids)}\n",
        f'"{SENTENCE}"; the published table is that of the guide to MiniLM in Burn 0.19.1, to six decimals.\n',
        f"| value | guide | {' | '.join(engines)} |",
        f"|---|---:|{'---:|' * len(engines)}",
        *rows,
        "\n## STS-B, test split\n",
        f"{comparison['dataset']['samples']} pairs, mean pooling over the mask, cosine.\n",
        "| engine | Spearman | Pearson | pairs | pairs a second |",
        "|---|---:|---:|---:|---:|",
        *data,
        f"\nAs expected: {'yes' if not faults else 'no: ' + '; '.join(faults)}.",
    ]
    return "\n".join(lines) + "\n", faults


def _cells(pooled: Mapping[str, Any], place: int) -> str:
    return " | ".join(f"{float(vector[place]):.6f}" for vector in pooled.values())


def _metrics(one: Mapping[str, Any]) -> str:
    if one.get("spearman") is None:
        return f"{one.get('error', '-')} | - | {one['samples']} | -"
    return f"{one['spearman']:.6f} | {one['pearson']:.6f} | {one['samples']} | {one['samples_per_second'] or 0:.1f}"


if __name__ == "__main__":
    sys.exit(main())
