"""The faults, as data: what is damaged, filled, interrupted or limited, and what has to follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class End(StrEnum):
    """What has to follow a fault."""

    HEALED = "healed"
    """Made again: the results are those of an undisturbed run."""
    MACHINE = "machine"
    """The run ends with one line and exit code 3, and blames no model."""
    WARNED = "warned"
    """The results are those of an undisturbed run, and a line says what could not be written."""
    USAGE = "usage"
    """One line about a file that the user named, exit code 4."""
    LEFT_OUT = "left out"
    """One case ends at LOAD; the others are as undisturbed."""
    ENDED = "ended"
    """The run ends with the signal's exit code; finished results stay, no process is left."""
    LIMITED = "limited"
    """The case that is too large ends at a known stage, and memory is named; the others are as undisturbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault and the run it is injected into.

    Attributes:
        kind: ``damage``, ``disk``, ``signal`` or ``memory``.
        place: a glob below the work folder; for signals a phase, for memory the process.
        how: ``flip``, ``truncate``, ``delete``; ``full``, ``small``, ``read-only``; a signal; a limit in MiB.
        end: what has to follow.
        command: ``verify``, ``pytest`` or ``report``.
        options: further arguments of the command.
        cold: kinds of the cache that are removed before, so that the run has to make them.
        stage: the stages at which the case may end.
    """

    kind: str
    place: str
    how: str
    end: End
    command: str = "verify"
    options: tuple[str, ...] = ()
    cold: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()

    @property
    def selection(self) -> tuple[str, ...]:
        """The options that select more than the usual models."""
        return tuple(option for option in self.options if option.startswith(("--conformance", "--ops", STAND_IN)))

    @property
    def turn(self) -> int:
        """When it is injected: first one of each place, so that a part of the faults is of all kinds."""
        return next((hows.index(self.how) for hows in (DAMAGES, DISKS, SIGNALS) if self.how in hows), 0)

    @property
    def name(self) -> str:
        """``damage converted/*/model.rs flip``."""
        under = f" ({self.command})" if self.kind == "signal" else ""
        return f"{self.kind} {self.place} {self.how}{under}"


DAMAGES: Final = ("flip", "truncate", "delete")
DISKS: Final = ("full", "small", "read-only")
SIGNALS: Final = ("SIGINT", "SIGTERM")
PHASES: Final = ("load", "reference", "convert", "compile", "run", "compare", "report")
BURN: Final = "cache/burn-*"

STAND_IN: Final = "resnet18"
"""A model with random weights, built where the trained one cannot be had."""

_SIMPLE: Final = ("--conformance=simple",)
_OPS: Final = ("--ops=Celu",)
_RELINK: Final = ("binaries",)

KEPT: Final[tuple[tuple[str, End, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("cache/reference/*/*.safetensors", End.HEALED, (), ()),
    ("cache/reference/*/*.json", End.HEALED, (), ()),
    ("cache/measured/*/*.safetensors", End.HEALED, (), ()),
    ("cache/measured/*/*.json", End.HEALED, (), ()),
    ("cache/converted/*/model.rs", End.HEALED, (), ()),
    ("cache/converted/*/model.bpk", End.HEALED, (), ()),
    ("cache/converted/*/done.json", End.HEALED, (), ()),
    ("cache/binaries/*/runner", End.HEALED, (), ()),
    ("cache/binaries/*/note.json", End.HEALED, (), ()),
    ("cache/seeded/*/*.onnx", End.HEALED, (STAND_IN,), ()),
    ("cache/seeded/*/*.json", End.HEALED, (STAND_IN,), ()),
    ("cache/zoo/*/*.onnx", End.LEFT_OUT, ("mnist-8",), ()),
    ("cache/conformance/**/*.onnx", End.HEALED, _SIMPLE, ()),
    ("cache/conformance/**/*.json", End.HEALED, _SIMPLE, ()),
    ("cache/conformance/**/*.safetensors", End.HEALED, _SIMPLE, ()),
    ("cache/generated/**/*.onnx", End.HEALED, _OPS, ()),
    ("cache/generated/**/*.json", End.HEALED, _OPS, ()),
    ("cache/generated/**/*.safetensors", End.HEALED, _OPS, ()),
    ("cache/runs/*/selected.pickle", End.HEALED, (), ()),
    ("cache/runs/*/record.jsonl", End.HEALED, (), ()),
    ("cache/locks/*.json", End.HEALED, (), ()),
    (f"{BURN}/flex/converter", End.HEALED, (), ("converted",)),
    (f"{BURN}/flex/probe", End.HEALED, (), ()),
    (f"{BURN}/flex/ready.json", End.HEALED, (), ()),
    (f"{BURN}/flex/units.json", End.HEALED, (), ()),
    (f"{BURN}/flex/groups.json", End.HEALED, (), _RELINK),
    (f"{BURN}/flex/lock.sha256", End.HEALED, (), _RELINK),
    (f"{BURN}/flex/workspace/Cargo.toml", End.HEALED, (), _RELINK),
    (f"{BURN}/flex/workspace/generated/g_*/src/lib.rs", End.HEALED, (), _RELINK),
    (f"{BURN}/target/correctness/deps/libg_*.rlib", End.HEALED, (), _RELINK),
    (f"{BURN}/target/correctness/deps/libg_*.rmeta", End.HEALED, (), _RELINK),
)
"""Files that are kept, by glob: what has to follow when one is damaged, options, and what is removed before."""

OF_THE_USER: Final = (
    ("record.jsonl", "report", ("record.jsonl",)),
    ("history/0001_*.jsonl", "report", ("record.jsonl", "--history=history")),
    ("cache/last-run.jsonl", "report", ("--last",)),
    ("expected.toml", "verify", ("--burn-expectations=expected.toml",)),
)
"""Files that a user names or reads, with the command that reads them."""

WRITERS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("cache/reference", ("reference",), ()),
    ("cache/measured", ("measured",), ()),
    ("cache/converted", ("converted", "binaries"), ()),
    ("cache/binaries", (), ()),
    ("cache/seeded", (), (STAND_IN,)),
    ("cache/conformance", (), _SIMPLE),
    ("cache/generated", (), _OPS),
    ("cache/runs", (), ()),
    ("cache/logs", (), ()),
    ("cache/locks", ("converted",), ()),
    (f"{BURN}/flex/workspace/generated", _RELINK, ()),
    (f"{BURN}/target/correctness", _RELINK, ()),
)
"""Folders that a run writes to, and what is removed so that it has to."""


def faults() -> Iterator[Fault]:
    """Yield every fault."""
    yield from _signals()
    yield from _memory()
    for place, cold, options in WRITERS:
        for how in DISKS:
            yield Fault(kind="disk", place=place, how=how, end=End.MACHINE, options=options, cold=cold)
    for how in DISKS:
        yield Fault(kind="disk", place="kept", how=how, end=End.WARNED, options=("--burn-record=kept/record.jsonl",))
    for place, command, options in OF_THE_USER:
        for how in DAMAGES:
            yield Fault(kind="damage", place=place, how=how, end=End.USAGE, command=command, options=options)
    for place, end, options, cold in KEPT:
        stage = ("load",) if end is End.LEFT_OUT else ()
        for how in DAMAGES:
            yield Fault(kind="damage", place=place, how=how, end=end, options=options, cold=cold, stage=stage)


def _signals() -> Iterator[Fault]:
    made_by = {"reference": ("reference", "measured"), "convert": ("converted",), "compile": ("binaries",)}
    for command in ("verify", "pytest"):
        for phase in PHASES:
            for how in SIGNALS:
                cold = made_by.get(phase, ())
                yield Fault(kind="signal", place=phase, how=how, end=End.ENDED, command=command, cold=cold)


def _memory() -> Iterator[Fault]:
    huge, wide = ("huge.onnx",), ("wide.onnx",)
    yield Fault(kind="memory", place="inputs", how="16384", end=End.LIMITED, options=huge, stage=("reference",))
    yield Fault(kind="memory", place="worker", how="4096", end=End.LIMITED, options=wide, stage=("reference",))
    yield Fault(kind="memory", place="runner", how="4096", end=End.LIMITED, stage=("run",))
    for how in ("16", "128", "512"):
        cold = ("reference", "measured", "converted")
        every = ("reference", "convert", "run")
        yield Fault(kind="memory", place="every process", how=how, end=End.LIMITED, cold=cold, stage=every)
