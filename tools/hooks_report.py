"""Write a page about operators that Burn computes by a hook: how many cases agree without and with it.

usage: python tools/hooks_report.py RECORD [--onnx RECORD] > reports/hooks.md

The records of the committed page are made by::

    pytest --ops RoiAlign --conformance=node -k roialign --burn-hooks release,examples/hooks/roi-align \\
        --burn-record=hooks.jsonl
    pytest --conformance=node -k roialign --burn-hooks examples/hooks/roi-align --judge onnx --burn-record=onnx.jsonl
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, Stage
from burn_verify.record import store
from burn_verify.record.codec import Record
from burn_verify.report.views.markdown import escape, table

_CORPORA = {"node": "ONNX's cases", "op": "generated graphs"}


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("record", type=Path, metavar="RECORD", help="by the default judge")
    parser.add_argument("--onnx", type=Path, metavar="RECORD", help="by ONNX's own tolerance")
    arguments = parser.parse_args()
    judged = [(one, "default") for one in store.read_run(arguments.record)]
    judged += [(one, "onnx") for one in (store.read_run(arguments.onnx) if arguments.onnx else ())]
    print("\n\n".join(_page(judged)))


def _page(judged: Sequence[tuple[Record, str]]) -> Iterator[str]:
    yield "# Operators by hooks"
    yield (
        "What [hooks](../docs/hooks.md) make of the cases of their operators. `tools/hooks_report.py` says by which "
        "commands the records were made. *No reference*: neither ONNX Runtime nor onnx's evaluator answers, so that "
        "nobody can judge."
    )
    heads = ["target", "judge", "cases", "agree", "all", "no reference"]
    yield "\n".join(table(heads, [row for record, judge in judged for row in _counts(record, judge)]))
    yield "## Case by case"
    rows = [_case(record, judge, result) for record, judge in judged for result in record.results]
    yield "\n".join(table(["case", "target", "judge", "ends at", "outcome", "max abs", "reason"], rows))


def _counts(record: Record, judge: str) -> Iterator[list[str]]:
    for corpus, name in _CORPORA.items():
        results = [one for one in record.results if one.corpus == corpus]
        judged = [one for one in results if one.stage is not Stage.REFERENCE]
        agree = sum(one.outcome is Outcome.PASSED for one in judged)
        if results:
            apart = len(results) - len(judged)
            yield [_target(record), judge, name, str(agree), str(len(judged)), str(apart)]


def _case(record: Record, judge: str, result: CaseResult) -> list[str]:
    apart = max((one.max_abs for one in result.metrics if one.max_abs is not None), default=None)
    return [
        f"`{result.case_id}`",
        _target(record),
        judge,
        result.stage.value,
        result.outcome.value,
        "" if apart is None else f"{apart:.2g}",
        escape(result.reason),
    ]


def _target(record: Record) -> str:
    return "with the hook" if record.target.hooks else "without"


if __name__ == "__main__":
    main()
