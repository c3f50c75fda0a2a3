"""Build models with cargo: conversion by burn-onnx, compilation in one batch, and release builds.

Implements `burn_verify.burn.program.Builder`.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from burn_verify.burn.batch import BatchCompiler
from burn_verify.burn.convert import Converter
from burn_verify.burn.embedding import embedding_converter
from burn_verify.burn.hooks import hooks_of
from burn_verify.burn.program import Program, Release
from burn_verify.burn.release import ReleaseBuilder
from burn_verify.burn.runner import Runner
from burn_verify.burn.server import HttpProgram, server_binary, spec_of
from burn_verify.burn.wasm import WasmBuilder, host, missing
from burn_verify.burn.ways import of_target
from burn_verify.burn.workspace import Workspace
from burn_verify.core.errors import CompileError, RunError
from burn_verify.core.option_values import Sandbox
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, PreparedCase, RunnerBinary
from burn_verify.core.target import HTTP_BINARY, WASMS, Target
from burn_verify.core.ways import BURNPACK, EMBEDDED, FULL
from burn_verify.system.cache import Cache


class CargoBuilder:
    """Converts and compiles on this machine, for targets of one `Target.build_key`.

    Arguments:
        listen: called for every step of cargo.

    Raises:
        UsageError: the version does not have these backends, or a checkout does not match the version.
    """

    def __init__(self, cache: Cache, settings: Settings, listen: Listener, targets: Sequence[Target]) -> None:
        self._cache = cache
        self._settings = settings
        self._listen = listen
        self._targets = tuple(targets)
        backends = tuple(dict.fromkeys(target.backend for target in targets))
        self._workspace = Workspace.of(cache, listen, targets[0], backends)
        hooks = hooks_of(targets[0])
        self._handed = hooks.operators if hooks else ()
        self._converters: dict[tuple[bool, bool, bool, str, bool], Converter] = {}

    def refusals(self) -> Mapping[Target, str]:
        """Compile Burn, burn-onnx and the probe if they are not compiled yet, and start every backend."""
        self._workspace.converter()
        probe = self._runner(RunnerBinary(path=self._workspace.probe(), modules=frozenset()))
        ways = {via: missing(via) for via in {target.via for target in self._targets} & set(WASMS)}
        found = {target: why for target in self._targets if (why := ways.get(target.via))}
        try:
            for target in self._targets:
                try:
                    probe.start(target.backend)
                except RunError as error:
                    found[target] = " ".join(error.message.split())
        finally:
            probe.close()
        return found

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Convert one model; see `Builder.convert`."""
        halves = target.weights != FULL and target.record != BURNPACK
        options = target.simplify, target.partition, target.load == EMBEDDED, target.record, halves
        if options not in self._converters:
            self._converters[options] = self.converter(*options)
        return of_target(self._converters[options].convert(prepared), target)

    def converter(
        self, simplify: bool, partition: bool, embeds: bool = False, record: str = BURNPACK, halves: bool = False
    ) -> Converter:
        """Return a new converter with these options of burn-onnx or burn-import."""
        binary = self._workspace.converter()
        return Converter(
            self._cache,
            embedding_converter(self._cache, self._workspace) if embeds and record == BURNPACK else binary,
            self._workspace.converter_fingerprint,
            simplify=simplify,
            partition=partition,
            embeds=embeds,
            record=record,
            halves=halves,
            handed=self._handed,
            timeout=self._settings.timeout,
            memory_limit=self._settings.memory_limit,
            sandbox=self._sandbox,
        )

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Compile models to one binary; see `Builder.build`."""
        compiled = BatchCompiler(self._cache, self._workspace).compile(models, doubtful)
        if compiled.binary is None:
            return compiled.errors
        # A program with half weights writes them beside the whole ones when it is first asked.
        written = sorted({model.weights.parent for model in models if model.halves})
        runner = self._runner(compiled.binary, writable=written)
        self._compile_for_wasm([model for model in models if model.module not in compiled.errors])
        return {**dict.fromkeys(compiled.binary.modules, runner), **compiled.errors}

    def reached(self, prepared: PreparedCase, model: ConvertedModel, program: Program, target: Target) -> Program:
        """Return a program that asks a server of the model, or its WebAssembly; see `Builder.reached`."""
        if target.via in WASMS:
            return self._as_wasm(model, target)
        assert isinstance(program, Runner)
        return HttpProgram(
            server_binary(self._cache, self._listen),
            program.binary.path,
            spec_of(prepared, model, target),
            binary=target.via == HTTP_BINARY,
            timeout=self._settings.timeout,
        )

    def _compile_for_wasm(self, models: Sequence[ConvertedModel]) -> None:
        """Compile together what will be asked as WebAssembly, so that `_as_wasm` finds it."""
        asked = [target for target in self._targets if target.via in WASMS and not missing(target.via)]
        if asked:
            ways = {(target.load, target.weights) for target in asked}
            self._wasm.build([model for model in models if (model.load, model.stored) in ways])

    @functools.cached_property
    def _wasm(self) -> WasmBuilder:
        """What compiles to WebAssembly, for the version of Burn that all targets have."""
        return WasmBuilder(self._cache, self._listen, self._targets[0])

    def _as_wasm(self, model: ConvertedModel, target: Target) -> Program:
        module = self._wasm.module(model)
        given = self._settings
        return Runner(
            self._cache,
            RunnerBinary(path=module, modules=frozenset({model.module})),
            timeout=given.timeout,
            memory_limit=0,
            host=host(target.via, model.weights.parent, given.memory_limit),
        )

    def release(self, prepared: PreparedCase, model: ConvertedModel) -> Release:
        """Build one model in the profile *latency*; see `Builder.release`."""
        made = ReleaseBuilder(self._cache, self._workspace).build(prepared, model)
        return Release(program=self._runner(made.binary, self._settings.timing_threads), cost=made.cost)

    def close(self) -> None:
        """Terminate the converters."""
        for converter in self._converters.values():
            converter.close()
        self._converters.clear()

    @property
    def _sandbox(self) -> Sandbox:
        # What is timed is looked for by its process, and nothing stands between.
        return Sandbox.OFF if self._settings.latency else self._settings.sandbox

    def _runner(self, binary: RunnerBinary, threads: int = 0, writable: Sequence[Path] = ()) -> Runner:
        return Runner(
            self._cache,
            binary,
            timeout=self._settings.timeout,
            memory_limit=self._settings.memory_limit,
            threads=threads,
            sandbox=self._sandbox,
            writable=writable,
        )
