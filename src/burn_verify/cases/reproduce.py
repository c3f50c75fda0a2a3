"""The command that runs a case again; the inverse of `cases.select`."""

import shlex

from burn_verify.cases import sized
from burn_verify.cases.conformance.suites import SUITES
from burn_verify.cases.generated.corpus import CORPUS as GENERATED
from burn_verify.cases.generated.corpus import SEVERAL
from burn_verify.core import versions
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.option_values import LATEST
from burn_verify.core.options import Settings, options_given
from burn_verify.core.result import CaseResult
from burn_verify.core.target import PROCESS, VIAS, Target


def reproduce(case: Case, settings: Settings) -> str:
    """Return the command that runs this case, alone or with others whose names begin with its name."""
    # A comma separates names, and a question mark matches any character.
    path = str(case.source.path).replace(",", "?") if isinstance(case.source, ModelFile) else None
    return f"reproduce: {_command(case.id, case.corpus, path, settings)}"


def reproduce_recorded(result: CaseResult, target: Target) -> str:
    """Return the same command from a record, which does not hold the paths of a user's files and checkouts."""
    known = versions.known(target.burn)
    # For a checkout of another version another Burn is the latest.
    other = target.burn_onnx_checkout is not None and target.burn_onnx != known.burn_onnx
    latest = target.burn in ("", versions.LATEST.burn) and not other
    settings = Settings(
        burn_version=(LATEST,) if latest else (target.burn,),
        burn_backend=() if target.backend in ("", known.backends[0]) else (target.backend,),
        burn_path=("PATH/TO/burn" if target.burn_checkout else None,),
        burn_onnx_path=("PATH/TO/burn-onnx" if target.burn_onnx_checkout else None,),
        burn_hooks=("PATH/TO/hooks" if target.hooks else None,),
        simplify=(target.simplify,),
        partition=(target.partition,),
        prepare=(False, True) if target.prepared else (False,),
        record_type=() if target.record == known.records[0] else (target.record,),
        load=(target.load,),
        weights=(target.weights,),
        via=(target.via if target.via in VIAS else PROCESS,),
    )
    return _command(result.case_id, result.corpus, f"PATH/TO/{result.case_id.partition('/')[2]}.onnx", settings)


def selection_of(case_id: str, corpus: str, path: str | None = None) -> tuple[str, str]:
    """Return the field of `Settings` that selects a case, and its value; it may select other cases too.

    Arguments:
        path: of the model of a case of corpus ``file``.
    """
    if corpus in SUITES:
        return "conformance", corpus
    if corpus in (GENERATED, SEVERAL, sized.CORPUS):
        return "ops", case_id
    return "models", path if corpus == "file" and path else case_id.removeprefix("zoo/").removesuffix("@seeded")


def _command(case_id: str, corpus: str, path: str | None, settings: Settings) -> str:
    others = (f"{flag}={shlex.quote(value)}" for flag, value in options_given(settings))
    return " ".join(["pytest", *_selecting(case_id, corpus, path), *others])


def _selecting(case_id: str, corpus: str, path: str | None) -> list[str]:
    field, name = selection_of(case_id, corpus, path)
    among = ["-k", shlex.quote(case_id.partition("/")[2])] if corpus in SUITES else []
    return [f"--{field}={shlex.quote(name)}", *among]
