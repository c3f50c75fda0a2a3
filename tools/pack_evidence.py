"""Make the packaged evidence of a target from a record: what `burn-verify explain` knows.

usage: python tools/pack_evidence.py RECORD [--out src/burn_verify/data/evidence]

`make report` runs it. The models of the cases are those that the run left in the cache; those that are not there any
more are collected and generated again.
"""

import argparse
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import onnx

from burn_verify.cases.load import prepare
from burn_verify.cases.select import Selection
from burn_verify.core.case import Case
from burn_verify.core.errors import LoadError
from burn_verify.core.options import settings_from
from burn_verify.core.progress import Progress
from burn_verify.core.result import CaseResult
from burn_verify.forecast.cells import cells
from burn_verify.forecast.evidence import encoded, file_name
from burn_verify.forecast.fingerprint import fingerprint
from burn_verify.forecast.gather import Example, evidence_of
from burn_verify.forecast.typed import typed
from burn_verify.record import store
from burn_verify.record.codec import Record
from burn_verify.report.summary.declared import load_packaged
from burn_verify.system.cache import Cache
from burn_verify.system.console import LongWork

_FOLDER = Path(__file__).parents[1] / "src" / "burn_verify" / "data" / "evidence"
_VERSIONS = ("burn_verify", "burn", "burn_onnx", "burn_backend", "onnx", "onnxruntime", "rustc", "commit", "started")


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("record", type=Path, metavar="RECORD", help="a run on one target")
    parser.add_argument("--out", type=Path, default=_FOLDER, metavar="DIR", help="where to write the file")
    arguments = parser.parse_args()
    (record,) = store.read_run(arguments.record)
    examples, declared = examples_of(record)
    made = {name: record.environment[name] for name in _VERSIONS if name in record.environment}
    evidence = evidence_of(examples, record.target, made | {"cases": len(record.results)}, declared)
    path = arguments.out / file_name(record.target.burn, record.target.backend)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = encoded(evidence)
    path.write_bytes(content)
    print(f"wrote {path}: {sum(map(len, evidence.entries.values()))} cells, {len(content)} bytes")


def examples_of(record: Record) -> tuple[list[Example], frozenset[str]]:
    """Return the cases of a record with the cells of their models, and the operators that burn-onnx declares."""
    results = {result.case_id: result for result in record.results}
    settings = settings_from({})
    cache = Cache(settings.cache_dir)
    with LongWork(sys.stderr) as work:
        selection = Selection(cache, mirror=settings.zoo_mirror, offline=True, listen=work.listen)
        chosen = [case for case in selection.choose(["all"], ["all"], ["all"]).cases if case.id in results]
        lost = sorted(results.keys() - {case.id for case in chosen})
        if lost:
            sys.exit(f"{len(lost)} cases of the record have no model here, such as {lost[0]}: say --zoo-mirror")
        examples: list[Example] = []
        for place, case in enumerate(chosen):
            work.listen(Progress(phase="read models", done=place, total=len(chosen), text=case.id))
            examples += _example(case, results[case.id], cache)
    declarations = load_packaged(record.target.burn_onnx)
    return _in_groups(examples), frozenset(declarations.operators if declarations else ())


def _example(case: Case, result: CaseResult, cache: Cache) -> Iterator[Example]:
    try:
        prepared = prepare(case, cache)
        model = onnx.load(prepared.model, load_external_data=False)
        placed = cells(typed(model))
    except (LoadError, ValueError):
        return  # a case that ends at LOAD has no cells
    yield Example(result=result, cells=tuple(one.cell for one in placed), group=fingerprint(model))


def _in_groups(examples: Sequence[Example]) -> list[Example]:
    """Return examples whose groups hold cases of equal graphs, and a test with its expanded twin."""
    leaders: dict[str, str] = {}

    def leader(name: str) -> str:
        while leaders.setdefault(name, name) != name:
            name = leaders[name]
        return name

    for example in examples:
        leaders[leader(example.group)] = leader(base_of(example.result.case_id))
    return [replace(example, group=leader(example.group)) for example in examples]


def base_of(case_id: str) -> str:
    """Return the id of a case without what marks it as the expanded twin of another."""
    return re.sub(r"_expanded(_ver\d+)?$|,?/?twin=expanded$", "", case_id)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
