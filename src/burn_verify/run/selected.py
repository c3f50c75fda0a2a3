"""What a run is about: cases, targets, settings and expectations, fixed before anything is built."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

from burn_verify.cases import shards
from burn_verify.cases.shards import Shard
from burn_verify.core import versions
from burn_verify.core.case import Case
from burn_verify.core.errors import UsageError
from burn_verify.core.options import Settings
from burn_verify.core.target import Checkout, Target, Trial
from burn_verify.core.targets import names, refusal
from burn_verify.expectations import match, packaged
from burn_verify.expectations.match import Expectation, Expectations
from burn_verify.record import store
from burn_verify.record.costs import costs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A target and the settings that mean it alone."""

    target: Target
    settings: Settings


def asked(settings: Settings, opened: Callable[[str, str], Checkout]) -> tuple[Asked, ...]:
    """Return every target that the settings mean, each once, in the order in which the values were typed.

    Arguments:
        opened: a checkout from what was typed, and ``burn`` or ``burn-onnx``.

    Raises:
        UsageError: a version is not supported; or the only target cannot be meant. One of several that cannot be
            meant is told as its outcome, see `refusal`.
    """
    found: dict[Target, Asked] = {}
    for version, burn, burn_onnx, simplify, partition, backend in product(
        settings.burn_version,
        settings.burn_path,
        settings.burn_onnx_path,
        settings.simplify,
        settings.partition,
        settings.burn_backend,
    ):
        pinned = versions.resolve(version)
        target = Target(
            burn=pinned.burn,
            burn_onnx=pinned.burn_onnx,
            backend=backend,
            simplify=simplify,
            partition=partition,
            burn_checkout=None if burn is None else opened(burn, "burn"),
            burn_onnx_checkout=None if burn_onnx is None else opened(burn_onnx, "burn-onnx"),
        )
        own = replace(
            settings,
            burn_version=(version,),
            burn_path=(burn,),
            burn_onnx_path=(burn_onnx,),
            simplify=(simplify,),
            partition=(partition,),
            burn_backend=(backend,),
        )
        found.setdefault(target, Asked(target=target, settings=own))
    if len(found) == 1 and (why := refusal(next(iter(found)))):
        raise UsageError(why)
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a run is about; fixed before anything is built, and the same in every process of the run.

    Attributes:
        targets: what every case is run on, at least one.
        left_out: see `selection.Choice`.
        expected: what is expected of the cases, for each target.
        shard: which part of a larger selection the cases are; None where they are all of it.
        elsewhere: ids of the cases in other shards.
    """

    settings: Settings
    cases: tuple[Case, ...]
    targets: tuple[Asked, ...]
    left_out: tuple[str, ...]
    expected: tuple[Expectations, ...]
    select_seconds: float
    shard: Shard | None = None
    elsewhere: tuple[str, ...] = ()

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every case on every target, those of a case together."""
        return tuple(Trial(case=case, target=asked.target) for case in self.cases for asked in self.targets)

    @property
    def names(self) -> dict[Target, str]:
        """What to call the targets among themselves, see `targets.names`."""
        return names(asked.target for asked in self.targets)

    @property
    def by_test_id(self) -> dict[str, Trial]:
        """Every case on every target by the id of its test: the case's, and what the target is called if not alone."""
        tails = {target: f"@{name}" if name else "" for target, name in self.names.items()}
        return {f"{trial.case.id}{tails[trial.target]}": trial for trial in self.trials}

    def settings_of(self, target: Target) -> Settings:
        """Return the settings that mean one target alone."""
        return self.targets[self._place(target)].settings

    def expectations_of(self, target: Target) -> Expectations:
        """Return what is expected of a target."""
        return self.expected[self._place(target)]

    def expectation(self, trial: Trial) -> Expectation | None:
        """Return the failure that is expected of a case on a target."""
        return self.expectations_of(trial.target).of(trial.case.id)

    def _place(self, target: Target) -> int:
        return next(place for place, asked in enumerate(self.targets) if asked.target == target)


def part_of(cases: tuple[Case, ...], settings: Settings) -> tuple[tuple[Case, ...], Shard | None]:
    """Return the cases of the shard that was asked for, and the shard; all of them where none was."""
    if settings.shard is None:
        return cases, None
    index, count = settings.shard
    costs = costs_of(store.read_run(settings.shard_costs)) if settings.shard_costs else None
    return shards.divide(cases, index, count, costs)


def expected_of(settings: Settings, target: Target) -> Expectations:
    """Return the packaged expectations of a target, then those of the user's file.

    Raises:
        UsageError: the file cannot be read, or is wrong.
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
    return Expectations(entry for entry in entries if entry.holds_on(target))
