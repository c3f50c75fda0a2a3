"""The text of a failed case: the error, the evidence, and the command to reproduce it; no traceback.

Pure: values in, text out.
"""

from collections.abc import Iterator

from burn_verify.cases.reproduce import reproduce
from burn_verify.core.case import Case
from burn_verify.core.errors import StageError
from burn_verify.core.options import Settings
from burn_verify.core.text import harmless
from burn_verify.expectations.match import Expectation, xfail_reason


def failure_text(
    case: Case, error: StageError, settings: Settings, expected: Expectation | None = None, target: str = ""
) -> str:
    """Return the text of a case that failed, or failed at another stage than expected.

    Args:
        target: name of the target where there are several.
    """
    head = f"{case.id}{f' on {target}' if target else ''} stopped at {error.stage.upper()}: {error.message.rstrip()}"
    elsewhere = [f"{xfail_reason(expected)}, but it stopped elsewhere"] if expected else []
    return harmless("\n".join([head, *_evidence(error), *elsewhere, reproduce(case, settings)]))


def _evidence(error: StageError) -> Iterator[str]:
    details = error.details
    if details.get("rust"):
        node = f" (node {details['node']})" if details.get("node") else ""
        yield f"generated line {details.get('line')}{node}: {details['rust']}"
    if details.get("file"):
        yield f"file: converted/{details['file']} in the cache; burn-verify doctor says where that is"
    if details.get("location"):
        yield f"location: {details['location']}"
    if located := details.get("located"):
        yield f"located: {located['line']}"
    yield from (f"of the model: {advice}" for advice in details.get("advice") or ())
    yield from (f"fed: {line}" for line in details.get("fed") or ())
    if details.get("example"):
        yield "the smallest example found, as a program:"
        yield str(details["example"]).rstrip()
    if details.get("log"):
        yield "the process said last:"
        yield from (f"  {line}" for line in str(details["log"]).splitlines()[-12:])
