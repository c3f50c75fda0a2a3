"""The journals of all shards as one record: what one run over the whole list would have written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from burn_verify.core.result import CaseResult
from burn_verify.core.target import Target
from burn_verify.record.codec import difference_line, environment_line, failure_line, result_to_line, selection_line
from burn_verify.record.environment import environment
from burn_verify.record.targets import target_environment, target_to_json
from burn_verify.run.sweep.journal import Journal
from burn_verify.run.sweep.shard import Sweep
from burn_verify.system.files import write_if_changed

RECORD: Final = "record.jsonl"
_MATTERS: Final = ("burn_verify", "rustc", "onnx", "onnxruntime", "numpy", "ml_dtypes", "python", "cpu")
"""Fields of the environment that may decide a result, and so should be the same in all shards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All results of a sweep.

    Attributes:
        record: the file that was written.
        results: by target, in the order of the list.
        missing: the cases without a result, by target.
        mixed: fields of the environment that were not the same in all runs, with their values.
    """

    record: Path
    results: Mapping[Target, tuple[CaseResult, ...]]
    missing: Mapping[Target, tuple[str, ...]]
    mixed: Mapping[str, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether every model has a result on every target."""
        return not any(self.missing.values())

    def of(self, case_ids: Iterable[str]) -> "Gathered":
        """Return the same of some cases only, such as those of a shard."""
        own = set(case_ids)
        return replace(
            self,
            results={
                target: tuple(result for result in some if result.case_id in own)
                for target, some in self.results.items()
            },
            missing={target: tuple(one for one in ids if one in own) for target, ids in self.missing.items()},
        )


def gather(sweep: Sweep) -> Gathered:
    """Write the record of a whole sweep, and return its results; what never came back is missing."""
    found = sweep.read()
    ids = [case.id for case in sweep.cases]
    path = sweep.folder / RECORD
    write_if_changed(path, "".join(f"{line}\n" for line in _lines(sweep, ids, found)))
    has = found.results
    return Gathered(
        record=path,
        results={target: tuple(has[one, target] for one in ids if (one, target) in has) for target in sweep.targets},
        missing={target: tuple(one for one in ids if (one, target) not in has) for target in sweep.targets},
        mixed=_mixed(found),
    )


def _lines(sweep: Sweep, ids: list[str], found: Journal) -> Iterator[str]:
    yield environment_line(_environment(sweep, found))
    yield selection_line(ids)
    known = set(ids)
    for case_id in ids:
        for target in sweep.targets:
            if (result := found.results.get((case_id, target))) is not None:
                yield result_to_line(result, target)
    ran = {target for _, target in found.results}
    for target, why in found.failures.items():
        if target in sweep.targets and target not in ran:
            yield failure_line(target, why)
    for difference in sorted(found.differences, key=lambda one: (one.case_id, one.part)):
        if difference.case_id in known:
            yield difference_line(difference)


def _environment(sweep: Sweep, found: Journal) -> dict[str, Any]:
    """Return the environment of the first run, with all targets, and what was not the same in others."""
    if not found.environments:
        return environment(sweep.targets)
    several = {"targets": [target_to_json(target) for target in sweep.targets]} if len(sweep.targets) > 1 else {}
    mixed = {name: list(values) for name, values in _mixed(found).items()}
    first = min(found.environments, key=lambda one: str(one.get("started")))
    return {**first, **target_environment(sweep.targets[0]), **several, **({"mixed": mixed} if mixed else {})}


def _mixed(found: Journal) -> dict[str, tuple[str, ...]]:
    values = {name: dict.fromkeys(str(one.get(name)) for one in found.environments) for name in _MATTERS}
    return {name: tuple(sorted(some)) for name, some in values.items() if len(some) > 1}
