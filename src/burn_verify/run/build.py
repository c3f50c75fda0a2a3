"""Preparation of targets: converts models, compiles them in one batch per build, and starts backends.

A failure of one target is an outcome of that target; the others are built nevertheless. Runs no model.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from burn_verify.burn.program import Builder, Builders, Program
from burn_verify.core.case import Case
from burn_verify.core.errors import BurnVerifyError, StageError, ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, Stage
from burn_verify.core.target import PROCESS, Target
from burn_verify.core.targets import refusal
from burn_verify.run.stages import apply, clocked, each, summed, unexpected
from burn_verify.run.steps import Built, Converted, Ended, Loaded
from burn_verify.system.cache import Cache
from burn_verify.system.storage import storage_fault

Wanted: TypeAlias = Mapping[Target, Sequence[Case]]

Made: TypeAlias = Mapping[str, Built | Ended]
"""Cases by id: built, or ended where the build failed."""

_Options: TypeAlias = tuple[bool, bool, str, str, str]
_Conversions: TypeAlias = Mapping[str, Converted | Ended]
_Compiled: TypeAlias = Mapping[str, Program | Exception]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """The outcomes of building targets.

    Attributes:
        made: by target, its cases, or one line with the reason why the target could not be built or started.
        phases: seconds of wall time by phase.
        broken: the exceptions of failed builds.
    """

    made: Mapping[Target, Made | str] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    broken: tuple[BurnVerifyError, ...] = ()

    def __or__(self, other: "Builds") -> "Builds":
        return Builds(
            made={**self.made, **other.made},
            phases=summed(self.phases, other.phases),
            broken=(*self.broken, *other.broken),
        )


class TargetBuilder:
    """Converts and compiles for targets.

    Arguments:
        builder: creates the builder of targets that share a build.
        listen: receives the progress events.
    """

    def __init__(self, settings: Settings, cache: Cache, listen: Listener, builder: Builders) -> None:
        self._settings = settings
        self._cache = cache
        self._listen = listen
        self._builder = builder

    def build_all(self, wanted: Wanted, loaded: Sequence[Loaded], doubtful: Collection[str] = ()) -> Builds:
        """Build every target that can be built.

        Arguments:
            wanted: cases by target.
            loaded: the cases among them that were loaded.
            doubtful: ids of cases that most likely do not compile, see `Builder.build`.

        Raises:
            ToolchainError: no target could be built and started.
            UsageError: there is a single target, and it is invalid.
        """
        found = Builds(made={target: why for target in wanted if (why := refusal(target))})
        groups: dict[tuple[str, ...], list[Target]] = {}
        for target in wanted:
            if target not in found.made:
                groups.setdefault(target.build_key, []).append(target)
        for targets in groups.values():
            found |= self._tried(targets, wanted, loaded, doubtful)
        if found.made and all(isinstance(made, str) for made in found.made.values()):
            if len(found.made) == 1 and found.broken:
                raise found.broken[0]
            raise ToolchainError("; ".join(f"{target.label}: {found.made[target]}" for target in wanted))
        return found

    def _tried(
        self, targets: Sequence[Target], wanted: Wanted, loaded: Sequence[Loaded], doubtful: Collection[str]
    ) -> Builds:
        """Build targets together; where that fails, build each backend separately, to isolate the failure."""
        try:
            return self._build(targets, wanted, loaded, doubtful)
        except (ToolchainError, UsageError) as error:
            backends = dict.fromkeys(target.backend for target in targets)
            broken = Builds(made=dict.fromkeys(targets, str(error)), broken=(error,))
            if len(backends) == 1:
                return broken
        for name in backends:
            broken |= self._tried([one for one in targets if one.backend == name], wanted, loaded, doubtful)
        return broken

    def _build(
        self, targets: Sequence[Target], wanted: Wanted, loaded: Sequence[Loaded], doubtful: Collection[str]
    ) -> Builds:
        """Convert for targets that share a build, and compile the result."""
        if not loaded:
            return Builds(made={target: {} for target in targets})
        builder = self._builder(self._cache, self._settings, self._listen, targets)
        try:
            refused, toolchain = clocked("toolchain", builder.refusals)
            ids = {target: {case.id for case in wanted[target]} for target in targets if target not in refused}
            asked = {target: [one for one in loaded if one.case.id in own] for target, own in ids.items()}
            converted, converting = clocked("convert", lambda: self._convert(builder, asked))
            compiled, compiling = clocked("compile", lambda: _compile(builder, converted.values(), doubtful))
            made, releasing = clocked("release", lambda: self._finish(builder, asked, converted, compiled))
        finally:
            builder.close()
        phases = summed(toolchain, converting, compiling, releasing if self._settings.latency else {})
        return Builds(made={**refused, **made}, phases=phases)

    def _convert(self, builder: Builder, asked: Mapping[Target, Sequence[Loaded]]) -> Mapping[_Options, _Conversions]:
        """Convert each case once for all targets with the same conversion options."""
        found: dict[_Options, _Conversions] = {}
        for options in dict.fromkeys(map(_options, asked)):
            alike = [target for target in asked if _options(target) == options]
            cases = {one.case.id: one for target in alike for one in asked[target]}
            function = partial(_converted, builder, alike[0])
            step = partial(apply, Stage.CONVERT, function=function)
            made = each(self._listen, "convert", cases.values(), step)
            found[options] = {one.case.id: one for one in made}
        return found

    def _finish(
        self,
        builder: Builder,
        asked: Mapping[Target, Sequence[Loaded]],
        converted: Mapping[_Options, _Conversions],
        compiled: _Compiled,
    ) -> dict[Target, Made]:
        """Return the cases of each target with their programs; timed cases also have a release program."""
        made: dict[Target, Made] = {}
        for target, cases in asked.items():
            own = converted[_options(target)]
            built = [_built(own[one.case.id], target, compiled) for one in cases]
            if target.via != PROCESS:
                built = [_reached(builder, one) for one in built]
            if self._settings.latency:
                built = each(self._listen, "release", built, partial(_released, builder))
            made[target] = {one.case.id: one for one in built}
        return made


def _options(target: Target) -> _Options:
    return target.simplify, target.partition, target.record, target.load, target.weights


def _converted(builder: Builder, target: Target, loaded: Loaded) -> Converted:
    return Converted(loaded=loaded, model=builder.convert(loaded.prepared, target))


def _compile(builder: Builder, conversions: Iterable[_Conversions], doubtful: Collection[str]) -> _Compiled:
    """Compile every module once."""
    steps = (one for own in conversions for one in own.values() if isinstance(one, Converted))
    unique = {one.model.module: one.model for one in steps}
    return _compiled(builder, list(unique.values()), doubtful) if unique else {}


def _compiled(builder: Builder, models: Sequence[ConvertedModel], doubtful: Collection[str]) -> _Compiled:
    """Compile modules together; on an unexpected failure, bisect them until only the failing modules fail."""
    try:
        return builder.build(models, doubtful)
    except (ToolchainError, UsageError):
        raise
    except Exception as error:  # attributed to one model by bisection
        if (fault := storage_fault(error)) is not None:
            raise fault from error
        if len(models) == 1:
            return {models[0].module: error}
    middle = len(models) // 2
    halves = (_compiled(builder, half, doubtful) for half in (models[:middle], models[middle:]))
    return {module: made for half in halves for module, made in half.items()}


def _built(converted: Converted | Ended, target: Target, compiled: _Compiled) -> Built | Ended:
    if isinstance(converted, Ended):
        return converted
    made = compiled.get(converted.model.module)
    if made is None:
        made = KeyError(f"the builder says nothing of {converted.model.module}")
    if isinstance(made, Exception):
        return converted.ended(made if isinstance(made, StageError) else unexpected(Stage.COMPILE, made))
    return Built(
        loaded=converted.loaded, target=target, model=converted.model, program=made, durations=converted.durations
    )


def _reached(builder: Builder, built: Built | Ended) -> Built | Ended:
    """Return a built case whose program is asked in the way of its target."""
    if isinstance(built, Ended):
        return built

    def function(one: Built) -> Built:
        return replace(one, program=builder.reached(one.prepared, one.model, one.program, one.target))

    return apply(Stage.COMPILE, built, function)


def _released(builder: Builder, built: Built | Ended) -> Built | Ended:
    """Compile a built case again in release mode, for timing; return its end where that fails."""
    if isinstance(built, Ended):
        return built
    return apply(Stage.COMPILE, built, lambda one: replace(one, release=builder.release(one.prepared, one.model)))
