"""A failed case, told so that nobody needs a traceback: what happened, the evidence, the line to paste.

Pure: values in, text out.
"""

import shlex
from collections.abc import Iterator

from burn_verify import versions
from burn_verify.cases import generated, sized
from burn_verify.cases.conformance import SUITES
from burn_verify.errors import StageError
from burn_verify.expectations import Expectation, xfail_reason
from burn_verify.option_values import LATEST
from burn_verify.options import Settings, said
from burn_verify.types import Case, CaseResult, ModelFile, Target


def failure_text(
    case: Case, error: StageError, settings: Settings, expected: Expectation | None = None, target: str = ""
) -> str:
    """Return what to show of a case that failed, though perhaps it was expected to fail elsewhere.

    Args:
        target: what to call the target where there are several.
    """
    head = f"{case.id}{f' on {target}' if target else ''} stopped at {error.stage.upper()}: {error.message}"
    elsewhere = [f"{xfail_reason(expected)}, but it stopped elsewhere"] if expected else []
    return "\n".join([head, *_evidence(error), *elsewhere, reproduce(case, settings)])


def reproduce(case: Case, settings: Settings) -> str:
    """Return the command that runs this case alone, or with those whose names begin like it."""
    # A comma parts names, and a question mark matches any character.
    path = str(case.source.path).replace(",", "?") if isinstance(case.source, ModelFile) else None
    return f"reproduce: {_command(case.id, case.corpus, path, settings)}"


def reproduce_recorded(result: CaseResult, target: Target) -> str:
    """Return the same command from what a record says; it does not know where a user's own file or checkout was."""
    settings = Settings(
        burn_version=(LATEST,) if target.burn in ("", versions.LATEST.burn) else (target.burn,),
        burn_backend=(target.backend or "flex",),
        burn_path=("PATH/TO/burn" if target.burn_checkout else None,),
        burn_onnx_path=("PATH/TO/burn-onnx" if target.burn_onnx_checkout else None,),
        simplify=(target.simplify,),
        partition=(target.partition,),
    )
    return _command(result.case_id, result.corpus, f"PATH/TO/{result.case_id.partition('/')[2]}.onnx", settings)


def selection_of(case_id: str, corpus: str, path: str | None = None) -> tuple[str, str]:
    """Return the field of `Settings` that selects a case, and the name it needs; other cases may come along.

    Arguments:
        path: where the model of a case of the user's own is.
    """
    if corpus in SUITES:
        return "conformance", corpus
    if corpus in (generated.CORPUS, sized.CORPUS):
        return "ops", case_id
    return "models", path if corpus == "file" and path else case_id.removeprefix("zoo/").removesuffix("@seeded")


def _command(case_id: str, corpus: str, path: str | None, settings: Settings) -> str:
    others = (f"{flag}={shlex.quote(value)}" for flag, value in said(settings))
    return " ".join(["pytest", *_selecting(case_id, corpus, path), *others])


def _selecting(case_id: str, corpus: str, path: str | None) -> list[str]:
    field, name = selection_of(case_id, corpus, path)
    among = ["-k", shlex.quote(case_id.partition("/")[2])] if corpus in SUITES else []
    return [f"--{field}={shlex.quote(name)}", *among]


def _evidence(error: StageError) -> Iterator[str]:
    details = error.details
    if details.get("rust"):
        node = f" (node {details['node']})" if details.get("node") else ""
        yield f"generated line {details.get('line')}{node}: {details['rust']}"
    if details.get("file"):
        yield f"file: converted/{details['file']} in the cache; burn-verify doctor says where that is"
    if details.get("location"):
        yield f"location: {details['location']}"
    if details.get("example"):
        yield "the smallest example found, as a program:"
        yield str(details["example"]).rstrip()
    if details.get("log"):
        yield "the process said last:"
        yield from (f"  {line}" for line in str(details["log"]).splitlines()[-12:])
