"""Which cases two checkouts can treat differently: those that become other Rust, or whose Rust reaches changed crates.

Converts, but compiles no model and runs none. What is left out is the same program on both sides: the runner depends on
burn-onnx only through the text and the weights that it wrote.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from burn_verify.burn.program import Builders
from burn_verify.burn.program_text import program_digest
from burn_verify.burn.reach import may_reach
from burn_verify.cases import load
from burn_verify.core.case import Case
from burn_verify.core.errors import ConvertError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, Stage
from burn_verify.core.target import Target
from burn_verify.run.stages import apply, each
from burn_verify.run.steps import Chosen, Converted, Ended, Loaded
from burn_verify.system.cache import Cache

_MISUSED: Final = (
    "--only-changed compares checkouts, each target with one that differs from it in that alone: --burn-onnx-path A,B "
    "or --burn-path A,B; two releases of burn-onnx are two checkouts, --burn-onnx-path DIR@v0.22.0,DIR@v0.23.0"
)

_Made: TypeAlias = tuple[str, ...]
"""What a conversion made: the digest of the program, or the kind and reason of the refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The cases of a selection, divided.

    Attributes:
        cases: that have to be compiled and run.
        alike: ids of those that are the same program with every checkout, or are refused in the same words.
    """

    cases: tuple[Case, ...]
    alike: tuple[str, ...]


def changed(
    cases: Sequence[Case],
    targets: Sequence[Target],
    settings: Settings,
    cache: Cache,
    builder: Builders,
    listen: Listener,
) -> Changed:
    """Return the cases that the targets may treat differently, in their order.

    A case that cannot be loaded stays: nothing is known of it.

    Raises:
        UsageError: no two targets differ in a checkout alone.
        ToolchainError: a converter cannot be built.
    """
    groups = _groups(targets)
    loaded = [one for one in each(listen, "load", map(_chosen, cases), lambda one: _loaded(one, cache))]
    readable = [one for one in loaded if isinstance(one, Loaded)]
    made = {target: _made(readable, target, settings, cache, builder, listen) for target in _converting(targets)}
    alike = {one.case.id for one in readable} - {
        case_id for group in groups for case_id in _different(group, {one: made[_plain(one)] for one in group})
    }
    return Changed(
        cases=tuple(case for case in cases if case.id not in alike),
        alike=tuple(case.id for case in cases if case.id in alike),
    )


def _groups(targets: Sequence[Target]) -> list[list[Target]]:
    """Return the targets that differ only in the checkout of burn-onnx, or only in that of Burn.

    Raises:
        UsageError: one target has no other to be compared with.
    """
    groups: list[list[Target]] = []
    for without in (_without_burn_onnx, _without_burn):
        same: dict[Target, list[Target]] = {}
        for target in targets:
            same.setdefault(without(target), []).append(target)
        groups += [group for group in same.values() if len(group) > 1]
    if {target for group in groups for target in group} != set(targets):
        raise UsageError(_MISUSED)
    return groups


def _without_burn_onnx(target: Target) -> Target:
    # A checkout brings the version of its crates.
    return replace(target, burn_onnx_checkout=None, burn_onnx="")


def _without_burn(target: Target) -> Target:
    return replace(target, burn_checkout=None)


def _converting(targets: Iterable[Target]) -> list[Target]:
    return list(dict.fromkeys(map(_plain, targets)))


def _plain(target: Target) -> Target:
    """Return the target with everything at its default that no conversion depends on."""
    return replace(target, backend=Target().backend, via=Target().via, burn_checkout=None, prepared=False)


def _chosen(case: Case) -> Chosen:
    return Chosen(case=case)


def _loaded(chosen: Chosen, cache: Cache) -> Loaded | Ended:
    return apply(Stage.LOAD, chosen, lambda one: Loaded(case=one.case, prepared=load.prepare(one.case, cache)))


def _made(
    loaded: Sequence[Loaded], target: Target, settings: Settings, cache: Cache, builder: Builders, listen: Listener
) -> Mapping[str, tuple[_Made, ConvertedModel | None]]:
    """Convert every case with one burn-onnx."""
    building = builder(cache, settings, listen, (target,))

    def convert(one: Loaded) -> Converted | Ended:
        return apply(
            Stage.CONVERT, one, lambda step: Converted(loaded=step, model=building.convert(step.prepared, target))
        )

    try:
        return {one.case.id: _of(one) for one in each(listen, "convert", loaded, convert)}
    finally:
        building.close()


def _of(step: Converted | Ended) -> tuple[_Made, ConvertedModel | None]:
    if isinstance(step, Converted):
        return ("", program_digest(step.model)), step.model
    error = step.error
    kind = str(error.details.get("kind", "")) if isinstance(error, ConvertError) else ""
    return ("refused", type(error).__name__, kind, str(getattr(error, "reason", error))), None


def _different(
    group: Sequence[Target], made: Mapping[Target, Mapping[str, tuple[_Made, ConvertedModel | None]]]
) -> set[str]:
    """Return the ids of cases that two targets of a group may treat differently."""
    first, *others = group
    found = set()
    for case_id, (what, model) in made[first].items():
        text = None if model is None else model.rust
        for other in others:
            if made[other][case_id][0] != what:
                found.add(case_id)
            elif text and first.burn_checkout != other.burn_checkout:
                found |= {case_id} if may_reach(text, first.burn_checkout, other.burn_checkout) else set()
    return found
