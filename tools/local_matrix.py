"""Run the nightly matrix on this machine: every shard by itself, their reports as one, and the same without shards.

Usage, from the root of the repository::

    python tools/local_matrix.py --shards 4 --out matrix -- --models all --conformance
    python tools/local_matrix.py --shards 4 --out matrix --lose 3 -- --conformance=simple

What follows ``--`` selects the cases, as for pytest. Exits with 1 where the shards, put together, are not the run
without shards, result for result, or where a shard is missing; ``--lose`` leaves one out, to see that.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from burn_verify.core.result import CaseResult
from burn_verify.record import store
from burn_verify.report.summary.columns import Matrix, merge


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and compare; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shards", type=int, default=4, metavar="N", help="how many (default: 4)")
    parser.add_argument("--costs", type=Path, metavar="RECORD", help="balance the shards by this record")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for records and report")
    parser.add_argument("--lose", type=int, metavar="I", help="leave out this shard, as if its machine had died")
    parser.add_argument("--whole", type=Path, metavar="RECORD", help="a run without shards, made before")
    parser.add_argument("selection", nargs="+", help="what to run, after --")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    records = []
    for index in range(1, options.shards + 1):
        if index != options.lose:
            costs = [f"--burn-shard-costs={options.costs}"] if options.costs else []
            shard = [f"--shard={index}/{options.shards}", *costs]
            records.append(_run(options.out / f"shard-{index}.jsonl", [*options.selection, *shard]))
    whole = options.whole or _run(options.out / "whole.jsonl", options.selection)
    report = subprocess.run(_command("report", *map(str, records), f"--out={options.out / 'site'}"), check=False)
    different = list(
        differences(
            merge([record for path in records for record in store.read_run(path)]), merge(store.read_run(whole))
        )
    )
    for line in different:
        print(line)
    print(f"{len(different)} differences between {len(records)} shards and the run without shards")
    return 1 if different else report.returncode


def differences(parts: Matrix, whole: Matrix) -> Iterator[str]:
    """Yield a line for each case whose result is not the same; how long it took is none of it."""
    for case_id in dict.fromkeys([*whole.rows, *parts.rows]):
        one, other = _result(parts, case_id), _result(whole, case_id)
        if one != other:
            names = [name for name in CaseResult.__slots__ if getattr(one, name, None) != getattr(other, name, None)]
            yield f"{case_id}: {'missing' if one is None or other is None else ', '.join(names)}"


def _result(matrix: Matrix, case_id: str) -> CaseResult | None:
    result = matrix.rows.get(case_id, (None,))[0]
    if result is None:
        return None
    # A random answer is as far from the stored one as chance will have it.
    return replace(result, durations={}, metrics=() if result.verdict == "nondeterministic" else result.metrics)


def _run(record: Path, selection: Sequence[str]) -> Path:
    record.unlink(missing_ok=True)
    print(f"running {record.stem}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", *selection, f"--burn-record={record}"], check=False
    )
    if done.returncode not in (0, 1, 5):
        sys.exit(f"{record.stem} ended with {done.returncode}")
    return record


def _command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from burn_verify.cli.main import main; main()", *words]


if __name__ == "__main__":
    sys.exit(main())
