"""The column of prepared models beside the one as is: plans in which rewritten models answer for those that fail."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import Settings
from burn_verify.core.prepared import Prepared, Status
from burn_verify.core.progress import Listener
from burn_verify.core.target import Target
from burn_verify.run.pipeline import Pipeline
from burn_verify.run.prepare.preparing import preparation
from burn_verify.run.seams import Seams
from burn_verify.run.steps import Built, Ended, Plan, Ready, Referred
from burn_verify.system.cache import Cache
from burn_verify.system.files import digest_of


def prepared_plan(
    plan: Plan,
    target: Target,
    pipeline: Pipeline,
    *,
    settings: Settings,
    cache: Cache,
    listen: Listener,
    seams: Seams,
    folder: Path,
) -> Plan:
    """Return a plan in which every case that fails is answered by its rewritten model, where there is one.

    Arguments:
        target: that of the plan.
        folder: for the rewritten models, kept as long as the run.

    Raises:
        ToolchainError: nothing could be built, for a reason outside the models.
    """
    if plan.failure or not plan.cases:
        return plan
    cases = {name: step.case for name, step in plan.cases.items()}
    with preparation(settings, replace(target, prepared=False), cache=cache, listen=listen, seams=seams) as one:
        found = one.prepare(list(cases.values()))
        known = one.referred
    lifted = {name: each for name, each in found.items() if each.status is Status.LIFTED}
    built = _built(lifted, target, pipeline, folder)
    steps = {name: _ready(built[name], known[name], target) for name in lifted}
    notes = {name: _note(each) for name, each in found.items() if each.status is not Status.AGREED}
    return replace(plan, cases={**plan.cases, **steps}, notes=notes)


def _built(
    lifted: Mapping[str, Prepared], target: Target, pipeline: Pipeline, folder: Path
) -> Mapping[str, Built | Ended]:
    folder.mkdir(exist_ok=True)
    wanted: dict[Target, list[Case]] = {}
    for name, each in lifted.items():
        assert each.model is not None
        path = folder / f"{digest_of(name)[:24]}.onnx"
        path.write_bytes(each.model)
        options: dict[str, Any] = dict(each.options)
        case = Case(id=name, corpus="file", source=ModelFile(path=path))
        wanted.setdefault(replace(target, **options), []).append(case)
    return pipeline.build_all(wanted) if wanted else {}


def _ready(built: Built | Ended, referred: Referred, target: Target) -> Ready | Ended:
    """Return the rewritten model in the place of the one as is."""
    if isinstance(built, Ended):
        return replace(built, case=referred.case, prepared=referred.prepared, built=None)
    own = replace(built, loaded=referred.loaded, target=target)
    return Ready(built=own, reference=referred.reference, durations=referred.durations)


def _note(found: Prepared) -> Mapping[str, Any]:
    """Return what the record says of the rewritings of a case."""
    return {
        "status": found.status.value,
        "rewritings": list(found.rewritings),
        "proofs": [proof.grade.value for proof in found.proofs],
        "tried": found.tried,
        "in_the_way": found.in_the_way,
    }
