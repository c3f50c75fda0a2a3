"""Results of records of schema 1, read as those of today: what is a field now was only said in words then.

The words are those that burn-verify 0.1 wrote and no version writes any more: this is the only place where they are
taken apart. What cannot be read from them is left empty.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from burn_verify.core.stage import FailureKind, Outcome, Stage

_TASK_METRICS: Final = ("top1", "top5", "iou")
_MACHINE: Final = frozenset(
    {
        "cannot be read",
        "download failed",
        "no such file",
        "not available here",
        "reference cache damaged",
        "wrong sha256",
    }
)
_SAID: Final = (
    (re.compile(r"no result\b"), FailureKind.NO_RESULT),
    (re.compile(r"no Burn value\b"), FailureKind.NO_VALUE),
    (re.compile(r"no reference runs this graph$"), FailureKind.NO_REFERENCE),
    (re.compile(r"over the compile budget$"), FailureKind.BUDGET),
)
_ENDED_FROM_OUTSIDE: Final = re.compile(r"was ended by SIG(KILL|TERM|INT|HUP)\b")
_NOT_STARTED: Final = re.compile(r"is not started again$|cannot be started: ")
_HOW: Final = {
    kind.how: kind
    for kind in (
        FailureKind.PANIC,
        FailureKind.ERROR,
        FailureKind.EXITED,
        FailureKind.KILLED,
        FailureKind.PROTOCOL,
        FailureKind.TIMEOUT,
        FailureKind.MEMORY,
        FailureKind.CLOSED,
    )
}
_UNSUPPORTED: Final = re.compile(r"unsupported operators?: (\S.*)$")
_HEAD: Final = re.compile(r"(\w+): ")


def upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result as a line of today would have it; nothing is taken away.

    Raises:
        AttributeError: it is not a result.
    """
    details = dict(data.get("details", {}))
    failed = data.get("outcome") == Outcome.FAILED
    return {
        **data,
        "failure": failure_of(data) if failed else None,
        "details": {**details, **dict(_named(data))} if failed else details,
        "metrics": [_with_metrics(output) for output in data.get("metrics", ())],
    }


def failure_of(data: Mapping[str, Any]) -> FailureKind:
    """Return what ended a case that failed."""
    reason, message = str(data.get("reason", "")), str(data.get("message", ""))
    if reason in _MACHINE:
        return FailureKind.MACHINE
    if kind := next((kind for words, kind in _SAID if words.match(reason)), None):
        return kind
    if _ENDED_FROM_OUTSIDE.search(message):
        return FailureKind.ENDED_FROM_OUTSIDE
    if _NOT_STARTED.search(message):
        return FailureKind.NOT_STARTED
    if data.get("stage") == Stage.COMPARE:
        return FailureKind.MISMATCH
    # The reference has it in the reason only.
    how = str(data.get("details", {}).get("how") or reason.removeprefix("ONNX Runtime: "))
    kind = _HOW.get(how, FailureKind.REFUSED)
    # burn-onnx panics on everything that it refuses.
    return FailureKind.REFUSED if data.get("stage") == Stage.CONVERT and kind is FailureKind.PANIC else kind


def _named(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield which operators burn-onnx named in a refusal, as `burn_verify.burn.reasons.Refusal` has it."""
    reason = str(data.get("reason", ""))
    if found := _UNSUPPORTED.match(reason):
        yield "unsupported", found[1].split(", ")
    elif data.get("stage") == Stage.CONVERT and (head := _HEAD.match(reason)):
        yield "operator", head[1]


def _with_metrics(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of an output with those of the task under names of their own."""
    found = {name: output[name] for name in _TASK_METRICS if output.get(name) is not None}
    return {**output, "metrics": found}
