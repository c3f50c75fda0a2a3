"""A failed case, told so that nobody needs a traceback: what happened, the evidence, the line to paste.

Pure: values in, text out.
"""

import shlex
from collections.abc import Iterator

from burn_verify.errors import StageError
from burn_verify.types import Case, ModelFile


def failure_text(case: Case, error: StageError) -> str:
    """Return what to show of a case that failed."""
    return "\n".join(
        [f"{case.id} stopped at {error.stage.upper()}: {error.message}", *_evidence(error), reproduce(case)]
    )


def reproduce(case: Case) -> str:
    """Return the command that runs this case alone."""
    if case.corpus == "file" and isinstance(case.source, ModelFile):
        name = str(case.source.path)
    else:
        name = case.id.removeprefix("zoo/").removesuffix("@seeded")
    return f"reproduce: pytest --models {shlex.quote(name)}"


def _evidence(error: StageError) -> Iterator[str]:
    details = error.details
    if details.get("rust"):
        node = f" (node {details['node']})" if details.get("node") else ""
        yield f"generated line {details.get('line')}{node}: {details['rust']}"
    for name in ("file", "location"):
        if details.get(name):
            yield f"{name}: {details[name]}"
    if details.get("log"):
        yield "the process said last:"
        yield from (f"  {line}" for line in str(details["log"]).splitlines()[-12:])
