"""Tests and cases: which test belongs to which case, and how a result gets from a test to its report."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from burn_verify.core.case import Case
from burn_verify.core.errors import StageError
from burn_verify.core.target import Target, Trial

if TYPE_CHECKING:
    from burn_verify.run.selected import Selected


RESULT: Final = "burn_result"
"""Name of the property of a report with the line of the result."""

_PARAMETER: Final = re.compile(r"\[(.*)\]$", re.DOTALL)


def parameters_of(names: Collection[str], selected: "Selected | None") -> tuple[str, list[Any], list[str]]:
    """Return the parameters of a test that takes ``burn_case``: names, values and ids.

    With one target, and in a test that takes neither ``burn_target`` nor ``burn_verify``, the id is that of the case.
    """
    cases = selected.cases if selected else ()
    if selected is None or len(selected.targets) == 1 or "burn_target" not in names:
        return "burn_case", list(cases), [case.id for case in cases]
    trials = selected.by_test_id
    return "burn_case, burn_target", [(trial.case, trial.target) for trial in trials.values()], list(trials)


def trial_of(item: pytest.Item, selected: "Selected") -> Trial | None:
    """Return case and target of a collected test; the first target where it takes none."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    case = parameters.get("burn_case")
    target = parameters.get("burn_target", selected.targets[0].target)
    return Trial(case=case, target=target) if isinstance(case, Case) and isinstance(target, Target) else None


def trial_in(node_id: str, trials: Mapping[str, Trial]) -> Trial | None:
    """Return the case and target of a test of which only the node id is known, as it ran in another process.

    Usually the brackets hold the id alone. Otherwise the longest id that matches counts, since one may be the beginning
    of another. pytest escapes characters that are not ASCII.
    """
    found = _PARAMETER.search(node_id)
    if found and found[1] in trials:
        return trials[found[1]]
    text = found[1] if found else ""
    fitting = [test_id for test_id in trials if test_id.encode("unicode_escape").decode("ascii") in text]
    return trials[max(fitting, key=len)] if fitting else None


def show_evidence(item: pytest.Item, trial: Trial, selected: "Selected") -> None:
    """Show a failed case by its evidence instead of a traceback through the plugin.

    A traceback would also take a millisecond for each of many expected failures.
    """
    as_usual = item.repr_failure

    def repr_failure(excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any) -> Any:
        if not isinstance(excinfo.value, StageError):
            return as_usual(excinfo, *arguments)
        from burn_verify.report.views.failure import failure_text

        settings, expected = selected.settings_of(trial.target), selected.expectation(trial)
        return failure_text(trial.case, excinfo.value, settings, expected, selected.names[trial.target])

    item.repr_failure = repr_failure  # type: ignore[assignment,method-assign]


def result_line(report: pytest.TestReport) -> str | None:
    """Return the line of the result in a report."""
    lines = [value for name, value in report.user_properties if name == RESULT and isinstance(value, str)]
    return lines[-1] if report.when == "call" and lines else None
