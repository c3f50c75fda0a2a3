"""The selection of a run: cases, targets, settings and expectations, fixed before anything is built."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product

from burn_verify.burn.shipped import Shipped, shipped
from burn_verify.cases import shards
from burn_verify.cases.shards import Shard
from burn_verify.core import versions
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.option_values import LATEST
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.target import Checkout, Target, Trial
from burn_verify.core.targets import names, refusal
from burn_verify.expectations import match, packaged
from burn_verify.expectations.match import Expectation, Expectations
from burn_verify.record import store
from burn_verify.record.costs import costs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A target and the settings that select only this target."""

    target: Target
    settings: Settings


def asked(
    settings: Settings, opened: Callable[[str, str], Checkout], crate: Shipped | None = None
) -> tuple[Asked, ...]:
    """Return every target that the settings select, without duplicates, in the order of the option values.

    Arguments:
        opened: returns a checkout for the text of the option and ``burn``, ``burn-onnx`` or ``hooks``.
        crate: what the user's own crate ships; its versions, sources and backends, unless the settings name sources
            or backends themselves.

    Raises:
        UsageError: a version is not supported; or there is a single target, and it is invalid. Where there are several
            targets, an invalid one is reported as its outcome, see `refusal`.
    """
    found: dict[Target, Asked] = {}
    chosen = settings if crate is None else _as_shipped(settings, crate)
    sources = product(chosen.burn_path, chosen.burn_onnx_path, chosen.burn_hooks)
    converters = {text: opened(text, "burn-onnx") for text in chosen.burn_onnx_path if text is not None}
    newest = _newest(converters.values())
    # Each version has a backend and a kind of weights of its own, where none is named.
    kinds = product(chosen.burn_backend or (None,), chosen.record_type or (None,))
    every = product(
        chosen.burn_version,
        sources,
        chosen.simplify,
        chosen.partition,
        chosen.prepare,
        kinds,
        chosen.load,
        chosen.weights,
        chosen.via,
    )
    for version, source, simplify, partition, prepared, kind, load, weights, via in every:
        (burn, burn_onnx, hooks), (backend, record) = source, kind
        pinned = newest if newest and version == LATEST else versions.resolve(version)
        converter = None if burn_onnx is None else converters[burn_onnx]
        released = pinned.burn_onnx if crate is None else crate.burn_onnx
        target = Target(
            burn=pinned.burn,
            burn_onnx=released if converter is None else converter.version or released,
            backend=backend or pinned.backends[0],
            simplify=simplify,
            partition=partition,
            prepared=prepared,
            record=record or pinned.records[0],
            load=load,
            weights=weights,
            via=via,
            burn_checkout=None if burn is None else opened(burn, "burn"),
            burn_onnx_checkout=converter,
            hooks=None if hooks is None else opened(hooks, "hooks"),
        )
        own = replace(
            settings,
            simplify=(simplify,),
            partition=(partition,),
            prepare=(prepared,),
            burn_backend=() if backend is None else (backend,),
            record_type=() if record is None else (record,),
            load=(load,),
            weights=(weights,),
            burn_hooks=(hooks,),
            via=(via,),
        )
        if crate is None:
            said = version if pinned == versions.resolve(version) else pinned.burn
            own = replace(own, burn_version=(said,), burn_path=(burn,), burn_onnx_path=(burn_onnx,))
        found.setdefault(target, Asked(target=target, settings=own))
    if len(found) == 1 and (why := refusal(next(iter(found)))):
        raise UsageError(why)
    return tuple(found.values())


def _newest(converters: Iterable[Checkout]) -> versions.BurnVersion | None:
    """Return the newest Burn that checkouts of burn-onnx are built with, which is the latest one for them.

    None where there is none, or a checkout is of no version that is known: it is refused when it is built.
    """
    try:
        found = [versions.built_with(one.version) for one in converters if one.version]
    except UsageError:
        return None
    return max(found, key=versions.VERSIONS.index, default=None)


def _as_shipped(settings: Settings, crate: Shipped) -> Settings:
    """Return settings with the versions, and where nothing else is named the sources and backends, of a crate."""
    return replace(
        settings,
        burn_version=(crate.burn,),
        burn_backend=settings.burn_backend or crate.backends,
        burn_path=(crate.burn_path,) if settings.burn_path == (None,) else settings.burn_path,
        burn_onnx_path=(crate.burn_onnx_path,) if settings.burn_onnx_path == (None,) else settings.burn_onnx_path,
    )


def shipped_by(settings: Settings, listen: Listener) -> Shipped | None:
    """Return what the user's own crate ships, and tell it; None where no crate is named.

    Raises:
        UsageError: it cannot be told, or is not supported.
    """
    if settings.manifest_path is None:
        return None
    found = shipped(settings.manifest_path)
    if not (found.backends or settings.burn_backend):
        message = f"--manifest-path {settings.manifest_path}: {'; '.join(found.notes)}: say one with --burn-backend"
        raise UsageError(message)
    for text in (found.title, *found.notes):
        listen(Progress(phase="shipped", done=1, total=1, text=text, whole=True))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The selection of a run; fixed before anything is built, and the same in every process of the run.

    Attributes:
        targets: the targets that run every case, at least one.
        left_out: see `selection.Choice`.
        expected: the expectations of the cases, for each target.
        shard: the part of the selection that the cases are; None where they are all of it.
        elsewhere: ids of the cases in other shards.
        alike: ids of cases that are left out since every checkout makes the same program of them, see `run.changed`.
    """

    settings: Settings
    cases: tuple[Case, ...]
    targets: tuple[Asked, ...]
    left_out: tuple[str, ...]
    expected: tuple[Expectations, ...]
    select_seconds: float
    shard: Shard | None = None
    elsewhere: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every case on every target, grouped by case."""
        return tuple(Trial(case=case, target=asked.target) for case in self.cases for asked in self.targets)

    @property
    def names(self) -> dict[Target, str]:
        """The names that distinguish the targets, see `targets.names`."""
        return names(asked.target for asked in self.targets)

    @property
    def by_test_id(self) -> dict[str, Trial]:
        """Every case on every target by test id: the id of the case and, for several targets, the target's name."""
        tails = {target: f"@{name}" if name else "" for target, name in self.names.items()}
        return {f"{trial.case.id}{tails[trial.target]}": trial for trial in self.trials}

    def settings_of(self, target: Target) -> Settings:
        """Return the settings that select only one target."""
        return self.targets[self._place(target)].settings

    def expectations_of(self, target: Target) -> Expectations:
        """Return the expectations of a target."""
        return self.expected[self._place(target)]

    def expectation(self, trial: Trial) -> Expectation | None:
        """Return the expected failure of a case on a target."""
        return self.expectations_of(trial.target).of(trial.case.id)

    def _place(self, target: Target) -> int:
        return next(place for place, asked in enumerate(self.targets) if asked.target == target)


def part_of(cases: tuple[Case, ...], settings: Settings) -> tuple[tuple[Case, ...], Shard | None]:
    """Return the cases of the shard in the settings, and the shard; all cases where the settings have none."""
    if settings.shard is None:
        return cases, None
    index, count = settings.shard
    costs = costs_of(store.read_run(settings.shard_costs)) if settings.shard_costs else None
    return shards.divide(cases, index, count, costs)


def expected_of(settings: Settings, target: Target) -> Expectations:
    """Return the packaged expectations of a target, then those of the user's file.

    Raises:
        UsageError: the file cannot be read, or is invalid.
    """
    entries = packaged.load(target)
    if settings.expectations is not None:
        name = settings.expectations.name
        try:
            text = settings.expectations.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"--burn-expectations: {settings.expectations} cannot be read: {error}"
            raise UsageError(message) from None
        entries += (*packaged.inherited(text, name), *match.parse(text, name))
    return Expectations(entry for entry in entries if entry.holds_on(target, examples=settings.ops_examples > 0))
