"""What was typed, and what it means: the settings that every room is handed.

The options are those of `option_table`. Touches no file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burn_verify.core import option_values
from burn_verify.core.errors import UsageError
from burn_verify.core.option_table import OPTIONS, Option
from burn_verify.core.option_values import LATEST, RELEASE
from burn_verify.core.result import JudgeMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run was asked to do.

    Attributes:
        models: names, paths, globs and folders, as typed.
        conformance: suites of ONNX's own cases, as typed.
        ops: operators whose generated graphs are verified, as typed.
        ops_profile: how many of them, see `burn_verify.cases.generated.profiles.PROFILES`.
        ops_examples: further sets of values that every graph which agrees is fed.
        ops_seed: what those are drawn from; no option of ours, since Hypothesis has one.
        cache_dir: None for the user's cache folder.
        timeout: seconds a model may take to answer, converter and reference included.
        memory_limit: MiB of address space for the converter and the runner, 0 for no limit.
        shard: which of how many parts of the selection to run, from 1; None for all of it.
        shard_costs: a record that says what each case costs.
        judge_timeout: seconds that an answer in float64 may take.
        latency: whether to time the cases that answer, as a release build.
        threads: that either side may use while it is timed, 0 for as many as there are processors.
        compile_budget: seconds that rustc may take for a model as a release build.
        burn_backend, burn_version, burn_path, burn_onnx_path, simplify, partition: of each of these one or several;
            their product is the targets of the run. A path is absolute, ``@revision`` behind it where one was named,
            and None stands for what was published.
    """

    models: tuple[str, ...] = ()
    conformance: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    ops_profile: str = "quick"
    ops_examples: int = 0
    ops_seed: int = 0
    zoo_mirror: Path | None = None
    cache_dir: Path | None = None
    record: Path | None = None
    timeout: float = 120.0
    memory_limit: int = 16384
    judge: JudgeMode = JudgeMode.DEFAULT
    judge_timeout: float = 20.0
    burn_backend: tuple[str, ...] = ("flex",)
    burn_version: tuple[str, ...] = (LATEST,)
    burn_path: tuple[str | None, ...] = (None,)
    burn_onnx_path: tuple[str | None, ...] = (None,)
    simplify: tuple[bool, ...] = (True,)
    partition: tuple[bool, ...] = (True,)
    offline: bool = False
    expectations: Path | None = None
    shard: tuple[int, int] | None = None
    shard_costs: Path | None = None
    latency: bool = False
    threads: int = 0
    compile_budget: float | None = None

    @property
    def selects(self) -> bool:
        """Whether anything was selected."""
        return bool(self.models or self.conformance or self.ops)


def from_folder(field: str, text: str, folder: Path) -> str:
    """Return the value of an ini file with its relative paths seen from the folder of that file, as pytest does."""
    parse = next(option.parse for option in OPTIONS if option.field == field)
    if text and parse in (option_values.path, option_values.folder, option_values.file):
        return str(folder / Path(text).expanduser())
    if field in ("burn_path", "burn_onnx_path"):
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
    "record",
    "cache_dir",
    "expectations",
    "shard",
    "shard_costs",
    "threads",
)


def said(settings: Settings) -> list[tuple[str, str]]:
    """Return flag and value of every option that a result may depend on and that is not at its default."""
    different = (
        (option.flag, getattr(settings, option.field))
        for option in OPTIONS
        if option.field not in _WITHOUT_EFFECT and getattr(settings, option.field) != option.default
    )
    return [(flag, _typed(value)) for flag, value in different]


def _typed(value: Any) -> str:
    """Return a value as a user would type it."""
    match value:
        case tuple():
            return ",".join(map(_typed, value))
        case bool():
            return ("off", "on")[value]
        case None:
            return RELEASE
    return f"{value}"


def settings_from(typed: Mapping[str, str | None], ini: Mapping[str, str | None] | None = None) -> Settings:
    """Return the settings: what was typed, else the environment (locations only), else the ini file, else the default.

    Arguments:
        typed, ini: text by field name, None or empty where nothing was said.

    Raises:
        UsageError: a value cannot be meant; the message names the option.
    """
    values = {option.field: _value(option, typed, ini or {}) for option in OPTIONS}
    return Settings(**values)


def _value(option: Option, typed: Mapping[str, str | None], ini: Mapping[str, str | None]) -> Any:
    said = [
        (option.flag, typed.get(option.field)),
        (option.env, os.environ.get(option.env) if option.env else None),
        (f"{option.ini} (ini)", ini.get(option.field)),
    ]
    for place, text in said:
        if text:
            try:
                return option.parse(text)
            except ValueError as error:
                message = f"{place}: {error}"
                raise UsageError(message) from None
    return option.default
