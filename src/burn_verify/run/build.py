"""Targets made ready: models converted, compiled in one batch a build, and backends started.

What one target cannot do is its own outcome: the others are made all the same. Runs no model.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from burn_verify.burn.batch import Builder
from burn_verify.burn.convert import Converter
from burn_verify.burn.release import ReleaseBuilder
from burn_verify.burn.runner import Runner
from burn_verify.burn.workspace import Workspace
from burn_verify.core.case import Case
from burn_verify.core.errors import BurnVerifyError, RunError, ToolchainError, UsageError
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import RunnerBinary, Stage
from burn_verify.core.target import Target
from burn_verify.core.targets import refusal
from burn_verify.run.compare import timed
from burn_verify.run.state import Planned, attempt, each, sure, with_binary
from burn_verify.system.cache import Cache

Built: TypeAlias = dict[str, Planned]
"""Cases by id, converted and compiled as far as they could be."""


class Maker:
    """Converts and compiles for targets.

    Arguments:
        listen: told of every step.
    """

    def __init__(self, settings: Settings, cache: Cache, listen: Listener) -> None:
        self._settings = settings
        self._cache = cache
        self._listen = listen

    def build_all(
        self,
        wanted: Mapping[Target, Sequence[Case]],
        good: Sequence[Planned],
        phases: dict[str, float],
        doubtful: Collection[str],
    ) -> dict[Target, Built | str]:
        """Return, by target, the cases that were built, or in one line why it could not be built or started.

        Arguments:
            wanted: cases by target.
            good: those of them that were loaded, without a target.
            phases: gets seconds of wall time by phase.
            doubtful: see `Builder.compile`.

        Raises:
            ToolchainError: not one target could be built and started.
            UsageError: the only target cannot be meant.
        """
        found: dict[Target, Built | str] = {target: why for target in wanted if (why := refusal(target))}
        groups: dict[tuple[str, ...], list[Target]] = {}
        for target in wanted:
            if target not in found:
                groups.setdefault(target.build_key, []).append(target)
        broken: list[BurnVerifyError] = []

        def build(targets: Sequence[Target]) -> dict[Target, Built | str] | BurnVerifyError:
            try:
                return self._build(targets, wanted, good, phases, doubtful)
            except (ToolchainError, UsageError) as error:
                broken.append(error)
                return error

        for targets in groups.values():
            made = build(targets)
            if isinstance(made, BurnVerifyError):
                # One backend that cannot be compiled must not take the others with it.
                by_backend = [[one for one in targets if one.backend == name] for name in _backends(targets)]
                for some in by_backend:
                    again = build(some) if len(by_backend) > 1 else made
                    found |= dict.fromkeys(some, str(again)) if isinstance(again, BurnVerifyError) else again
            else:
                found |= made
        if found and all(isinstance(built, str) for built in found.values()):
            if len(found) == 1 and broken:
                raise broken[0]
            raise ToolchainError("; ".join(f"{target.label}: {found[target]}" for target in wanted))
        return found

    def _build(
        self,
        targets: Sequence[Target],
        wanted: Mapping[Target, Sequence[Case]],
        good: Sequence[Planned],
        phases: dict[str, float],
        doubtful: Collection[str],
    ) -> dict[Target, Built | str]:
        """Convert for targets that share a binary, and compile it."""
        if not good:
            return {target: {} for target in targets}
        toolchain = Workspace.of(self._cache, self._listen, targets[0], _backends(targets))
        with timed(phases, "toolchain"):
            binary = toolchain.converter()
            found: dict[Target, Built | str] = dict(self._not_started(toolchain, targets))
        living = [target for target in targets if target not in found]
        converted: dict[tuple[bool, bool], Built] = {}
        for options in dict.fromkeys((target.simplify, target.partition) for target in living):
            alike = [target for target in living if (target.simplify, target.partition) == options]
            ids = {case.id for target in alike for case in wanted[target]}
            cases = [one for one in good if one.case.id in ids]
            with timed(phases, "convert"):
                converted[options] = self._convert(toolchain, binary, cases, *options)
        with timed(phases, "compile"):
            models = [one.model for built in converted.values() for one in built.values() if one.model is not None]
            compiled = Builder(self._cache, toolchain).compile(models, doubtful)
        for target in living:
            own = converted[target.simplify, target.partition]
            found[target] = {
                case.id: with_binary(replace(own[case.id], target=target), compiled)
                for case in wanted[target]
                if case.id in own
            }
        if self._settings.latency:
            self._release(toolchain, [found[target] for target in living], phases)
        return found

    def _release(self, toolchain: Workspace, several: Iterable[Built | str], phases: dict[str, float]) -> None:
        """Build what compiled once more, to be timed; one that does not compile then ends there."""
        builder = ReleaseBuilder(self._cache, toolchain)

        def step(one: Planned) -> Planned:
            if one.binary is None:
                return one
            return attempt(one, Stage.COMPILE, lambda: {"release": builder.build(sure(one.prepared), sure(one.model))})

        with timed(phases, "release"):
            for built in several:
                if not isinstance(built, str):
                    built |= {one.case.id: one for one in each(self._listen, "release", list(built.values()), step)}

    def _not_started(self, toolchain: Workspace, targets: Sequence[Target]) -> dict[Target, str]:
        """Return, by target, why a backend does not start here, in one line; nothing of those that do."""
        probe = RunnerBinary(path=toolchain.probe(), modules=frozenset())
        runner = Runner(self._cache, probe, timeout=self._settings.timeout, memory_limit=self._settings.memory_limit)
        found = {}
        try:
            for target in targets:
                try:
                    runner.start(target.backend)
                except RunError as error:
                    found[target] = " ".join(error.message.split())
        finally:
            runner.close()
        return found

    def _convert(
        self, toolchain: Workspace, binary: Path, cases: Sequence[Planned], simplify: bool, partition: bool
    ) -> Built:
        converter = Converter(
            self._cache,
            binary,
            toolchain.converter_fingerprint,
            simplify=simplify,
            partition=partition,
            timeout=self._settings.timeout,
            memory_limit=self._settings.memory_limit,
        )

        def step(one: Planned) -> Planned:
            return attempt(one, Stage.CONVERT, lambda: {"model": converter.convert(sure(one.prepared))})

        try:
            return {one.case.id: one for one in each(self._listen, "convert", cases, step)}
        finally:
            converter.close()


def _backends(targets: Iterable[Target]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(target.backend for target in targets))
