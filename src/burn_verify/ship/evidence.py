"""The evidence of a failure: the model made small, run once more, with the Rust that burn-onnx made of it."""

import platform
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from burn_verify.core.case import Case
from burn_verify.core.reduced import Reduced
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.target import Target
from burn_verify.graph.shrink import Draft
from burn_verify.reference.engine import infer
from burn_verify.run.models import Model
from burn_verify.run.reduce import reduce
from burn_verify.run.results import Verified
from burn_verify.run.search import Search
from burn_verify.run.steps import Built, Ended
from burn_verify.run.whose import whose
from burn_verify.ship.issue import Evidence
from burn_verify.system.wire import Array

_NAME = "tiny"


def evidence_of(
    case: Case, search: Search, known: Callable[[CaseResult], tuple[str, ...]]
) -> tuple[Reduced, Evidence | None]:
    """Return the evidence of a failure; None where there is no failure that can be kept.

    Arguments:
        known: returns ids of cases that fail for the same reason.

    Raises:
        ToolchainError: nothing could be built.
    """
    reduced, draft = reduce(case, search)
    if draft is None:
        return reduced, None
    wanted = Model(name=_NAME, model=draft.model, inputs=draft.inputs or None)
    with search.batch([wanted]) as batch:
        step = batch.made[_NAME]
        run = isinstance(step, Built)
        verified = (batch.judged if run else batch.built)([_NAME])[_NAME]
        found = evidence_at(case.id, step, verified, draft, search, known)
    if search.instruments is not None:
        found = replace(found, fault=whose(wanted, verified, search, search.instruments))
    return reduced, replace(found, expected=_expected(draft, search) if run else ())


def evidence_at(
    title: str,
    step: Built | Ended,
    verified: Verified,
    draft: Draft,
    search: Search,
    known: Callable[[CaseResult], tuple[str, ...]],
) -> Evidence:
    """Return the evidence of a failure that was run, without what ONNX Runtime answers.

    Arguments:
        step: as far as the model was built.
    """
    result = verified.result
    rust = step.model.rust if isinstance(step, Built) else _rejected(search, result)
    weights = step.model.weights if isinstance(step, Built) else rust and rust.with_suffix(".bpk")
    return Evidence(
        title=title,
        target=search.target,
        result=result,
        draft=draft,
        actual=tuple(next(iter(verified.outputs.values()), ())),
        rust="" if rust is None else rust.read_text(encoding="utf-8"),
        weights=b"" if weights is None else weights.read_bytes(),
        versions=versions_of(search.target),
        known=known(result),
    )


def versions_of(target: Target) -> dict[str, str]:
    """Return the versions that matter to a failure, by the names of the programs."""
    return {
        "burn": f"{target.version}, backend {target.backend}",
        "burn-onnx": target.burn_onnx,
        "onnx": version("onnx"),
        "onnxruntime": version("onnxruntime"),
        "on": f"{platform.system()} {platform.machine()}",
    }


def _rejected(search: Search, result: CaseResult) -> Path | None:
    """Return the generated code that rustc rejects; None where burn-onnx generated none."""
    name = result.details.get("file")
    if result.stage is not Stage.COMPILE or not name:
        return None
    return search.cache.folder("converted") / str(name)


def _expected(draft: Draft, search: Search) -> tuple[Array, ...]:
    settings = search.settings
    engine = search.seams.engine(search.cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        with tempfile.TemporaryDirectory(prefix="burn-verify-") as folder:
            path = Path(folder) / "tiny.onnx"
            path.write_bytes(draft.model.SerializeToString())
            return tuple(infer(engine, path, draft.inputs))
    finally:
        engine.close()
