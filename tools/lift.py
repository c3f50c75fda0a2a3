"""Run `prepare` over all cases of a record that do not agree, in common batches, and write what became of them.

    python tools/lift.py reports/record.jsonl --corpus node --out reports
    python tools/lift.py reports/record.jsonl --corpus op -k Conv

Writes ``prepare.json`` and ``prepare.md``; cases of other corpora that ``prepare.json`` holds already stay in it. The
record decides which cases are tried; how they end as they are is found again.
"""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from burn_verify.cases.select import Selection
from burn_verify.core.case import Case
from burn_verify.core.errors import BurnVerifyError
from burn_verify.core.options import Settings, settings_from
from burn_verify.core.prepared import Prepared
from burn_verify.core.stage import Outcome
from burn_verify.core.target import Target
from burn_verify.record import store
from burn_verify.report.summary.lifted import Lifted, from_text, lifted_case, to_text, together
from burn_verify.report.summary.prepared_models import from_text as models_of
from burn_verify.report.views.lifted import lifted_page
from burn_verify.run.prepare.preparing import preparation
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

NAMES = ("prepare.json", "prepare.md")
MODELS = "prepare-models.json"
"""What ``tools/prepare_zoo.py`` writes; the page shows it, too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare, write, and say how many agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path)
    parser.add_argument("--corpus", default="node", help="node, simple, op, zoo …")
    parser.add_argument("-k", default="", metavar="PATTERN", help="only ids in which this regular expression is found")
    parser.add_argument("--out", type=Path, help="the folder of the two files; without it, nothing is written")
    parser.add_argument("--cache-dir", type=Path)
    parser.add_argument("--zoo-mirror", type=Path)
    arguments = parser.parse_args(argv)
    started = time.monotonic()
    # The environment says where cache and mirror are, as it does for the command.
    settings = settings_from({})
    cache = Cache(arguments.cache_dir or settings.cache_dir)
    cases = failing(arguments, cache, arguments.zoo_mirror or settings.zoo_mirror)
    with LongWork(sys.stderr) as work, preparation(Settings(), cache=cache, listen=work.listen, thrifty=True) as one:
        found = one.prepare(cases)
    target = Target()
    versions = {"burn": target.burn, "burn_onnx": target.burn_onnx}
    versions |= {name: version(name) for name in ("onnx", "onnxruntime")}
    # A rewritten model is a file to the pipeline; the case stays one of its corpus.
    made = (lifted_case(each, constant=is_constant(each)) for each in found.values())
    rows = tuple(replace(one, corpus=arguments.corpus) for one in made)
    lifted = Lifted(versions=versions, seconds=time.monotonic() - started, cases=rows)
    for status in dict.fromkeys(row.status for row in rows):
        print(f"{sum(row.status is status for row in rows):6} {status}")
    if arguments.out is not None:
        write(arguments.out, lifted)
    return 0


def failing(arguments: argparse.Namespace, cache: Cache, mirror: Path | None) -> list[Case]:
    """Return the cases of a corpus that do not agree by the record."""
    (record, *_) = store.read_run(arguments.record)
    wanted = {
        result.case_id
        for result in record.results
        if result.corpus == arguments.corpus
        and result.outcome is not Outcome.PASSED
        and re.search(arguments.k, result.case_id)
    }
    selection = Selection(cache, mirror=mirror, offline=True)
    match arguments.corpus:
        case "zoo":
            choice = selection.choose(["all"])
        case "op":
            choice = selection.choose([], ops=["all"])
        case suite:
            choice = selection.choose([], [suite])
    return [case for case in choice.cases if case.id in wanted]


def is_constant(found: Prepared) -> bool:
    """Return whether a rewritten model computes nothing any more."""
    import onnx

    if found.model is None:
        return False
    nodes = onnx.ModelProto.FromString(found.model).graph.node
    return all(node.op_type == "Constant" for node in nodes)


def write(folder: Path, lifted: Lifted) -> None:
    """Write both files, with what the folder holds already."""
    data, page = (folder / name for name in NAMES)
    try:
        before = [from_text(data.read_text(encoding="utf-8"))]
        whole = together([*before, lifted])
    except (OSError, ValueError):
        whole = lifted
    data.write_text(to_text(whole), encoding="utf-8")
    models = folder / MODELS
    known = models_of(models.read_text(encoding="utf-8")) if models.exists() else ()
    page.write_text(lifted_page(whole, known), encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BurnVerifyError as error:
        sys.exit(f"lift.py: {error}")
