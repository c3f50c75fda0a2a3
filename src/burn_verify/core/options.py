"""The text of options turned into `Settings`, which every room receives. The options are those of `option_table`.

Reads and writes no file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from burn_verify.core import given, option_values
from burn_verify.core.case import Hints
from burn_verify.core.errors import UsageError
from burn_verify.core.option import Option
from burn_verify.core.option_table import OPTIONS
from burn_verify.core.option_values import LATEST, RELEASE, Sandbox
from burn_verify.core.result import JudgeMode
from burn_verify.core.target import PROCESS
from burn_verify.core.ways import FILE, FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run was asked to do.

    Attributes:
        models: names, paths, globs and folders, as typed.
        inputs, dims: what models are fed, as typed, with absolute paths: see `burn_verify.core.given`.
        data: files and folders of samples that models are fed.
        sample: the only one of them to feed; empty for all.
        draws: number of further draws; None for the usual one.
        evaluate: a labelled data set on which models are evaluated as well; None for none.
        task: what for; empty for what the description of the model says.
        max_drop: metrics with their greatest drops, as typed; empty for what the tiers allow.
        conformance: suites of ONNX's own cases, as typed.
        ops: operators whose generated graphs are verified, as typed.
        ops_profile: how many of them, see `burn_verify.cases.generated.profiles.PROFILES`.
        ops_examples: how many further sets of values are drawn for every graph that agrees.
        ops_seed: the seed of these; no option of its own, since Hypothesis has one.
        several, several_seed: how many graphs of several operators are verified, and which.
        cache_dir: None for the user's cache folder.
        keep_outputs: folder for the inputs and outputs of every case; None to keep none.
        timeout: seconds a model may take to answer, converter and reference included.
        memory_limit: MiB of address space for the converter, the runner and ONNX Runtime, and of inputs that are
            drawn, 0 for no limit.
        sandbox: whether converter and compiled models are confined.
        cache_size: bytes that the cache may hold of models, 0 for no limit.
        shard: I and N of one part of the selection, counted from 1; None for all of it.
        shard_costs: a record with the seconds of each case.
        only_changed: whether only cases are compiled and run that two checkouts may treat differently.
        judge_timeout: seconds that an answer in float64 may take.
        locate: whether to look for the first wrong node of a model that fails, and for how many seconds in all.
        latency: whether to time the cases that answer, as a release build.
        threads: that either side may use while it is timed, 0 for as many as there are processors.
        compile_budget: seconds that rustc may take for a model as a release build.
        burn_backend, burn_version, burn_path, burn_onnx_path, burn_hooks, simplify, partition, prepare, record_type,
            load, weights, via: one or several values each; their product is the targets of the run. A path is absolute,
            with ``@revision`` if one is named; None is the published release, or no hooks. `burn_backend` and
            `record_type` may be empty: the first of each version; with `manifest_path`, the backends of the crate.
        manifest_path: ``Cargo.toml`` of a crate, which decides versions and sources instead.
    """

    models: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    dims: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    sample: str = ""
    draws: int | None = None
    evaluate: Path | None = None
    task: str = ""
    max_drop: tuple[str, ...] = ()
    conformance: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    ops_profile: str = "quick"
    ops_examples: int = 0
    ops_seed: int = 0
    several: int = 0
    several_seed: int = 0
    zoo_mirror: Path | None = None
    cache_dir: Path | None = None
    record: Path | None = None
    keep_outputs: Path | None = None
    timeout: float = 120.0
    memory_limit: int = 16384
    sandbox: Sandbox = Sandbox.AUTO
    cache_size: int = 20 << 30
    judge: JudgeMode = JudgeMode.DEFAULT
    judge_timeout: float = 20.0
    locate: bool = False
    locate_seconds: float = 600.0
    burn_backend: tuple[str, ...] = ()
    burn_version: tuple[str, ...] = (LATEST,)
    burn_path: tuple[str | None, ...] = (None,)
    burn_onnx_path: tuple[str | None, ...] = (None,)
    burn_hooks: tuple[str | None, ...] = (None,)
    manifest_path: Path | None = None
    simplify: tuple[bool, ...] = (True,)
    partition: tuple[bool, ...] = (True,)
    prepare: tuple[bool, ...] = (False,)
    record_type: tuple[str, ...] = ()
    load: tuple[str, ...] = (FILE,)
    weights: tuple[str, ...] = (FULL,)
    via: tuple[str, ...] = (PROCESS,)
    offline: bool = False
    expectations: Path | None = None
    shard: tuple[int, int] | None = None
    shard_costs: Path | None = None
    only_changed: bool = False
    latency: bool = False
    threads: int = 0
    compile_budget: float | None = None

    @property
    def timing_threads(self) -> int:
        """How many threads either side may use while it is timed, by default all that the machine has."""
        return self.threads or os.cpu_count() or 1

    @property
    def hints(self) -> Hints:
        """What the options say about the inputs of every model."""
        return replace(given.hints_of(self.inputs, self.dims, self.data, self.sample), draws=self.draws)

    @property
    def limits(self) -> dict[str, float]:
        """By how much a metric of an evaluation may be worse, by its name in lower case."""
        return dict(map(option_values.drop, self.max_drop))

    @property
    def selects(self) -> bool:
        """Whether the options select any case."""
        return bool(self.models or self.conformance or self.ops or self.several)


_PLACES = (
    option_values.path,
    option_values.folder,
    option_values.new_folder,
    option_values.file,
    option_values.manifest,
    option_values.place,
)


def from_folder(field: str, text: str, folder: Path) -> str:
    """Return the value of an ini file with relative paths resolved against the folder of that file, as pytest does."""
    parse = next(option.parse for option in OPTIONS if option.field == field)
    if text and parse in _PLACES:
        return str(folder / Path(text).expanduser())
    if field == "data":
        return "\n".join(str(folder / Path(line.strip()).expanduser()) for line in text.splitlines() if line.strip())
    if field == "inputs":
        parts = (line.partition("=") for line in text.splitlines())
        return "\n".join(f"{name}={folder / file.strip()}" if equals else name for name, equals, file in parts)
    if field in ("burn_path", "burn_onnx_path", "burn_hooks"):
        places = (place.strip() for place in text.split(","))
        return ",".join(place if place.lower() in ("", RELEASE) else str(folder / place) for place in places)
    if field == "models":
        names = (name.strip() for name in text.split(","))
        return ",".join(str(folder / name) if "/" in name or name.endswith(".onnx") else name for name in names)
    return text


_WITHOUT_EFFECT = (
    "models",
    "conformance",
    "ops",
    "several",
    "several_seed",
    "record",
    "keep_outputs",
    "cache_dir",
    "expectations",
    "shard",
    "shard_costs",
    "only_changed",
    "sandbox",
    "threads",
)


def options_given(settings: Settings) -> list[tuple[str, str]]:
    """Return flag and value of every option that can change a result and is not at its default."""
    different = (
        (option.flag, option.repeat, getattr(settings, option.field))
        for option in OPTIONS
        if option.field not in _WITHOUT_EFFECT and getattr(settings, option.field) != option.default
    )
    return [(flag, _as_text(one)) for flag, repeat, value in different for one in (value if repeat else (value,))]


def _as_text(value: Any) -> str:
    """Return a value in the syntax of the command line."""
    match value:
        case tuple():
            return ",".join(map(_as_text, value))
        case bool():
            return ("off", "on")[value]
        case None:
            return RELEASE
    return f"{value}"


def lines_of(typed: str | list[str] | None) -> str | None:
    """Return the text of an option that may be given several times."""
    return "\n".join(typed) if isinstance(typed, list) else typed


def settings_from(typed: Mapping[str, str | None], ini: Mapping[str, str | None] | None = None) -> Settings:
    """Return the settings: command line, else environment (locations only), else ini file, else default.

    Arguments:
        typed, ini: text by field name, None or empty where it is not given.

    Raises:
        UsageError: a value is not valid; the message names the option.
    """
    values = {option.field: _value(option, typed, ini or {}) for option in OPTIONS}
    if values["manifest_path"] is not None and typed.get("burn_version"):
        message = "--burn-version and --manifest-path both say which Burn: leave one of them out"
        raise UsageError(message)
    return Settings(**values)


def _value(option: Option, typed: Mapping[str, str | None], ini: Mapping[str, str | None]) -> Any:
    places = [
        (option.said, typed.get(option.field)),
        (option.env, os.environ.get(option.env) if option.env else None),
        (f"{option.ini} (ini)", ini.get(option.field)),
    ]
    for place, text in places:
        if text:
            try:
                return option.parse(text)
            except ValueError as error:
                message = f"{place}: {error}"
                raise UsageError(message) from None
    return option.default
