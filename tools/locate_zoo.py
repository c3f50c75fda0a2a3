"""Run `burn-verify locate` on models of the zoo, and write what it names, how long it takes and how large it gets.

usage: python tools/locate_zoo.py run NAMES --out FILE
       python tools/locate_zoo.py report FILE --out FILE.md

Each model is a process of its own, so that its memory can be told: that of the largest process among it, ONNX Runtime,
the converter, rustc and the compiled models. A run goes on where FILE ends.
"""

import argparse
import json
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tabulate import tabulate

from burn_verify.core.located import Finding
from json_lines import lines_of


def main() -> None:
    """Locate, or write the report."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        arguments.out.write_text(report(lines_of(arguments.file)), encoding="utf-8")
        return
    done = {line["name"] for line in lines_of(arguments.out)}
    for name in arguments.names.split(","):
        if name not in done:
            # A process for each, since the peak of children is that of all that ever were.
            with ProcessPoolExecutor(1) as pool:
                pool.submit(one, name, arguments.out).result()


def one(name: str, out: Path) -> None:
    """Locate in one model, and append a line."""
    load = os.getloadavg()[0]
    started = time.monotonic()
    command = ["burn-verify", "locate", name, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    line: dict[str, Any] = {"name": name, "seconds": round(seconds, 1), "mib": peak, "load": round(load, 1)}
    line |= {"code": done.returncode}
    try:
        line |= _said(json.loads(done.stdout))
    except ValueError:
        line |= {"error": done.stderr.strip()[-300:]}
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(line, flush=True)


def _said(found: Mapping[str, Any]) -> dict[str, Any]:
    suspects = [*found["suspects"], *found["later"]]
    first = next(iter(found["suspects"] or found["hidden"]), None)
    return {
        "finding": found["finding"],
        "stage": found["stage"],
        "reason": found["reason"],
        "proof": found["proof"],
        "kind": first and first["kind"],
        "named": [node["name"] for node in first["nodes"]][-2:] if first else [],
        "cells": [node["cell"] for node in first["nodes"]][-2:] if first else [],
        "obstacles": sorted({one["reason"] for one in suspects if one["stage"] == found["stage"]}),
        **{name: found[name] for name in ("nodes", "pieces", "aside")},
        "unknown": len(found["unknown"]),
        "phases": {name: round(spent, 1) for name, spent in (found["seconds"] or {}).items()},
    }


def report(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the page."""
    failing = [line for line in lines if line.get("stage")]
    named = [line for line in failing if line["finding"] == Finding.NODE]
    passing = [line for line in lines if "finding" in line and not line["stage"]]
    text = [
        "# `burn-verify locate` on models of the zoo",
        "",
        "Made by `tools/locate_zoo.py`. The load is that of the machine when a model was begun (two cores): with other",
        "work beside it a time is longer than that of `locate` alone. Memory is that of the largest process.",
        "",
        f"Models that fail: {len(failing)}, an obstacle named in {len(named)}.",
        "",
    ]
    ends = ["s", "MiB", "load"]
    rows = [
        [
            *(line["name"], line["nodes"], line["pieces"], line["stage"], line["finding"], _named(line), line["proof"]),
            *(len(line["obstacles"]), line["seconds"], line["mib"], line["load"]),
        ]
        for line in failing
    ]
    heads = ["model", "nodes", "pieces", "stage", "finding", "first node", "without it", "obstacles", *ends]
    text += [tabulate(rows, headers=heads, tablefmt="github"), "", f"Models that pass: {len(passing)}.", ""]
    rows = [
        [
            *(line["name"], line["nodes"], line["pieces"], line["aside"], line["finding"], _named(line)),
            *(line["seconds"], line["mib"], line["load"]),
        ]
        for line in passing
    ]
    heads = ["model", "nodes", "pieces", "fail", "finding", "named", *ends]
    text += [tabulate(rows, headers=heads, tablefmt="github"), ""]
    pieces, aside = (sum(line[name] for line in passing) for name in ("pieces", "aside"))
    if pieces:
        wrong = sum(bool(line["named"]) for line in passing)
        text += [f"Of {pieces} pieces of these, {aside} fail ({aside / pieces:.2%}); named: {wrong}.", ""]
    text += [f"- {line['name']}: {line['error']}" for line in lines if "error" in line]
    return "\n".join(text).rstrip() + "\n"


def _named(line: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} ({cell})" for name, cell in zip(line["named"], line["cells"], strict=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="locate in models")
    run.add_argument("names", help="names of the zoo, separated by commas")
    run.add_argument("--out", type=Path, required=True, help="JSON lines; a run goes on where they end")
    made = commands.add_parser("report", help="write Markdown")
    made.add_argument("file", type=Path)
    made.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
