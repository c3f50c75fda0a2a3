"""What graphs of several operators show: the page reports/several.md.

    pytest --ops-several 5000 --burn-record=several.jsonl
    python tools/weave.py several.jsonl --count 1000 --out reports/several.md

Counts the graphs of a record by form, the pairs of operators in them and what they cost, lists what fails with the
smallest graph of each cause, and plants faults of the interplay (`interplay.faults`) in the first COUNT graphs: a fault
is told where ONNX Runtime's answers with it differ from those without it, at some data set of the graph.
"""

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from tabulate import tabulate

from burn_verify.core.case import Case, Collected
from burn_verify.core.errors import OracleError
from burn_verify.core.options import settings_from
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.text import counted
from burn_verify.record import store
from burn_verify.reference.engine import infer
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.report.views import failures
from burn_verify.several import collection
from burn_verify.system.cache import Cache
from burn_verify.system.wire import at, decode_named
from interplay.faults import FAULTS, planted

_ID = re.compile(r"several/(?P<seed>\d+)/(?P<place>\d+)-(?P<form>[a-z-]+?)-(?=[A-Z])")
_APART = 1e-3
"""A difference that no rounding makes, relative to the greatest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a fault: in how many graphs it was planted, refused by ONNX Runtime, and told by the answers."""

    planted: int = 0
    refused: int = 0
    told: int = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path)
    parser.add_argument("--count", type=int, default=1000, help="graphs in which faults are planted")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    record = store.read(arguments.record)
    results = [result for result in record.results if result.corpus == "several"]
    if not results:
        sys.exit(f"weave.py: {arguments.record}: no graphs of several operators are in it: pytest --ops-several 5000")
    seed = int(_parts(results[0])["seed"])
    cache = Cache(settings_from({}).cache_dir)
    cases = collection.cases(cache, max(arguments.count, len(results)), seed)
    first = cases[: arguments.count]
    told = measured(first, OnnxRuntime(cache, 60.0))
    text = page(results, pairs_of(cases[: len(results)]), told, len(first), failures.render(record))
    arguments.out.write_text(text, encoding="utf-8")
    return 0


def measured(cases: Sequence[Case], engine: OnnxRuntime) -> Mapping[str, Told]:
    """Plant every fault in every graph that has a place for it, and return what became of it, by fault."""
    counts = {name: Counter[str]() for name in FAULTS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faulty.onnx"
        for case in cases:
            source = case.source
            assert isinstance(source, Collected)
            model = onnx.load(source.model)
            sizes = _first_sizes(model, source)
            for name in FAULTS:
                faulty = planted(name, model, sizes)
                if faulty is not None:
                    path.write_bytes(faulty.SerializeToString())
                    counts[name].update(["planted", _end(path, source, engine)])
    engine.close()
    return {
        name: Told(planted=one["planted"], refused=one["refused"], told=one["told"]) for name, one in counts.items()
    }


def _sets(source: Collected) -> Iterator[tuple[list[npt.NDArray[np.generic]], list[npt.NDArray[np.generic]]]]:
    assert source.data is not None
    named = decode_named(source.data.read_bytes())
    for place in range(len(source.data_sets)):
        yield list(at(named, place, "in")), list(at(named, place, "out"))


def _first_sizes(model: onnx.ModelProto, source: Collected) -> Mapping[str, int]:
    inputs, _ = next(_sets(source))
    return {
        dim.dim_param: size
        for info, array in zip(model.graph.input, inputs, strict=True)
        for dim, size in zip(info.type.tensor_type.shape.dim, array.shape, strict=True)
        if dim.dim_param
    }


def _end(path: Path, source: Collected, engine: OnnxRuntime) -> str:
    """Return ``refused``, ``told`` or ``silent``."""
    try:
        for inputs, expected in _sets(source):
            if not all(map(_alike, infer(engine, path, inputs), expected)):
                return "told"
    except OracleError:
        return "refused"
    return "silent"


def _alike(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind != "f" or not one.size:
        return one.tobytes() == other.tobytes()
    apart = np.abs(one.astype(np.float64) - other.astype(np.float64)).max()
    return bool(apart <= _APART * max(1e-3, float(np.abs(other.astype(np.float64)).max())))


def _parts(result: CaseResult) -> Mapping[str, str]:
    found = _ID.match(result.case_id)
    if found is None:
        sys.exit(f"weave.py: not an id of a graph of several operators: {result.case_id}")
    return found.groupdict()


def pairs_of(cases: Sequence[Case]) -> int:
    """Return how many pairs of operators there are of which the second takes what the first computes."""
    found: set[tuple[str, str]] = set()
    for case in cases:
        assert isinstance(case.source, Collected)
        model = onnx.load(case.source.model)
        makers = {name: node.op_type for node in model.graph.node for name in node.output if node.op_type != "Constant"}
        found.update((makers[name], node.op_type) for node in model.graph.node for name in node.input if name in makers)
    return len(found)


def page(results: Sequence[CaseResult], pairs: int, told: Mapping[str, Told], planted_in: int, failing: str) -> str:
    """Return the page as Markdown."""
    passed = sum(result.outcome is Outcome.PASSED for result in results)
    seconds = sum(second for result in results for second in result.durations.values()) / len(results)
    forms: dict[str, list[CaseResult]] = {}
    for result in results:
        forms.setdefault(_parts(result)["form"], []).append(result)
    rows = [
        (form, len(several), *_ends(several)) for form, several in sorted(forms.items(), key=lambda one: -len(one[1]))
    ]
    total = sum(one.planted for one in told.values())
    caught = sum(one.told + one.refused for one in told.values())
    faults = [
        (name, one.planted, one.refused, one.told, one.planted - one.refused - one.told) for name, one in told.items()
    ]
    return "\n\n".join(
        (
            "# Graphs of several operators",
            "Made by `pytest --ops-several N --burn-record=several.jsonl` and `tools/weave.py several.jsonl` "
            "([what they are](../docs/generated-graphs.md#graphs-of-several-operators)).",
            f"{counted(len(results), 'graph')}, {passed} of which agree. In them, {pairs} pairs of operators "
            f"stand one after the other. They took {1000 * seconds:.0f} ms each in the stages.",
            "## By form",
            tabulate(
                rows, ("form", "graphs", "agree", "refused", "do not compile", "fail at run time", "wrong"), "github"
            ),
            "## Planted faults of the interplay",
            f"In the first {planted_in} graphs, a fault at a time: {caught} of {total} are told by the answers, or the "
            "graph is refused. What is silent leaves the answers as they are, such as a Loop that has come to rest.",
            tabulate(faults, ("fault", "planted", "refused", "told", "silent"), "github"),
            failing.replace("# What fails", "## What fails", 1).replace("\n## ", "\n### "),
        )
    )


def _ends(results: Sequence[CaseResult]) -> tuple[int, ...]:
    counts = Counter("agree" if one.outcome is Outcome.PASSED else str(one.stage) for one in results)
    return tuple(counts[name] for name in ("agree", "convert", "compile", "run", "compare"))


if __name__ == "__main__":
    sys.exit(main())
