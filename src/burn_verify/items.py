"""pytest's side of a case: which test is about which case, and how a result travels from a test to its report."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from burn_verify.errors import StageError
from burn_verify.types import Case

if TYPE_CHECKING:
    from burn_verify.session import Selected

RESULT: Final = "burn_result"
"""Name of the property of a report under which a test hands over the line of its result."""

_PARAMETER: Final = re.compile(r"\[(.*)\]$", re.DOTALL)


def case_of(item: pytest.Item) -> Case | None:
    """Return the case that a collected test is about."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    case = parameters.get("burn_case")
    return case if isinstance(case, Case) else None


def case_in(node_id: str, cases: Mapping[str, Case]) -> Case | None:
    """Return the case of a test of which only the node id is known, as it ran in another process.

    Usually the id is all that stands in the brackets. Else, of several that fit, the longest: one may begin like
    another. pytest escapes what is not ASCII.
    """
    found = _PARAMETER.search(node_id)
    if found and found[1] in cases:
        return cases[found[1]]
    text = found[1] if found else ""
    fitting = [case for case in cases.values() if case.id.encode("unicode_escape").decode("ascii") in text]
    return max(fitting, key=lambda case: len(case.id), default=None)


def show_evidence(item: pytest.Item, case: Case, selected: "Selected") -> None:
    """Let a failed case be shown by its evidence: a traceback through the plugin would say nothing about the model.

    It would also take a millisecond to write, for each of the many failures that are expected.
    """
    as_usual = item.repr_failure

    def repr_failure(excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any) -> Any:
        if not isinstance(excinfo.value, StageError):
            return as_usual(excinfo, *arguments)
        from burn_verify.report.failure import failure_text

        return failure_text(case, excinfo.value, selected.settings, selected.expected.of(case.id))

    item.repr_failure = repr_failure  # type: ignore[assignment,method-assign]


def result_line(report: pytest.TestReport) -> str | None:
    """Return the result that a test handed over."""
    lines = [value for name, value in report.user_properties if name == RESULT and isinstance(value, str)]
    return lines[-1] if report.when == "call" and lines else None
