"""Latency as data: times, costs of the build, and both as JSON.

Holds data only: `run.latency.samples` computes it from samples, `report.views.latency` shows it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

CONFIDENCE: Final = 0.99
"""Confidence level of the interval of a ratio.

In one of a hundred comparisons of a program with itself, 1.00 may lie outside.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Steady calls of one program, in seconds.

    Attributes:
        calls: how many were timed.
        iqr: distance from the 25th to the 75th percentile.
    """

    calls: int
    minimum: float
    median: float
    p95: float
    iqr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Median of Burn's calls over that of ONNX Runtime's, round by round, with its interval.

    Attributes:
        noisy: the interval is too wide for the ratio to be shown, or the machine was too busy.
    """

    value: float
    low: float
    high: float
    noisy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two programs: the times it took, in seconds, and the memory, in bytes.

    Attributes:
        load: reading the model, weights included; median over the starts.
        first: the first call after that; likewise.
        prepare: median time to make the inputs of one call, which is not part of the call; 0 where they stay bound.
        resident: memory of the process before the model was loaded, after that, and after the first call, at the first
            start; None where the system does not report it.
        warm_calls: uncounted calls before the first counted one; the largest number over the starts.
        stable: whether the calls had stopped getting faster by then, at every start.
        others: processors that other programs used while the calls were timed; None where the system does not say.
        starts_ns: every counted call, in nanoseconds, by start of the program and by round.
    """

    load: float
    first: float
    steady: Summary
    prepare: float
    resident: tuple[int | None, int | None, int | None]
    warm_calls: int
    stable: bool
    others: float | None
    starts_ns: tuple[tuple[tuple[int, ...], ...], ...]

    @property
    def grown(self) -> int | None:
        """Bytes of resident memory that loading and the first call added; None where the system does not report it."""
        before, _, called = self.resident
        return None if before is None or called is None else max(called - before, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of building a program, in seconds and bytes.

    Attributes:
        codegen: seconds of burn-onnx.
        rustc: wall time of compiling the generated code, in seconds; without dependencies and linking.
        rustc_peak: memory of that rustc at its peak.
        link: seconds of linking the program.
        lines: of generated Rust.
        nodes: of the ONNX graph, bodies of control flow included.
        binary: size of a program with this model alone.
        weights: size of the weights' file.
    """

    codegen: float
    rustc: float
    rustc_peak: int
    link: float
    lines: int
    nodes: int
    binary: int
    weights: int

    @property
    def lines_per_node(self) -> float:
        """Generated lines over nodes; an empty graph counts as one node."""
        return self.lines / max(self.nodes, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The times and costs of one case.

    Attributes:
        profile: name of the cargo profile of the program that was timed.
        threads: that either side could use.
        data_set: the inputs.
        load_average: of the machine, over the minute before; None where the system does not report it.
        burn: None where it could not be timed.
        onnxruntime: None where it could not be timed.
        ratio: None unless both were timed.
        why: what is missing, or why the times are not valid; empty where they are.
    """

    profile: str
    threads: int
    data_set: str
    cost: Cost
    load_average: float | None = None
    burn: Side | None = None
    onnxruntime: Side | None = None
    ratio: Ratio | None = None
    why: str = ""


def to_json(latency: Latency) -> dict[str, Any]:
    """Return the JSON value that `from_json` reads."""
    return asdict(latency)


def from_json(data: Mapping[str, Any]) -> Latency:
    """Return the latency of a JSON value written by `to_json`.

    Raises:
        KeyError, TypeError, ValueError: the value has another form.
    """
    ratio = data["ratio"]
    return Latency(
        profile=str(data["profile"]),
        threads=int(data["threads"]),
        data_set=str(data["data_set"]),
        cost=Cost(**data["cost"]),
        load_average=data["load_average"],
        burn=_side(data["burn"]),
        onnxruntime=_side(data["onnxruntime"]),
        ratio=None if ratio is None else Ratio(**ratio),
        why=str(data["why"]),
    )


def _side(data: Mapping[str, Any] | None) -> Side | None:
    if data is None:
        return None
    before, loaded, called = data["resident"]
    rest = {
        "steady": Summary(**data["steady"]),
        "resident": (before, loaded, called),
        "starts_ns": tuple(tuple(tuple(map(int, block)) for block in start) for start in data["starts_ns"]),
    }
    return Side(**{**data, **rest})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """One block that a contestant has to run; `calls` and `seconds` are limits, at least one call is made.

    Attributes:
        fresh: load the model again first.
        settle: seconds of calls that are not counted.
    """

    fresh: bool
    settle: float
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The times of one block.

    Attributes:
        load: seconds it took to load the model; about 0 unless it was loaded again.
        calls_ns, prepare_ns: of each counted call, and of making its inputs.
        resident: bytes before and after loading, and after the block.
        others: processor time that other programs used meanwhile, and the wall time, in seconds; None where the system
            does not report it.
    """

    load: float
    calls_ns: tuple[int, ...]
    prepare_ns: tuple[int, ...]
    resident: tuple[int | None, int | None, int | None]
    others: tuple[float, float] | None = None


def bench_request(plan: BlockPlan) -> dict[str, Any]:
    """Return the field ``bench`` of a request."""
    return {"fresh": plan.fresh, "settle_seconds": plan.settle, "calls": plan.calls, "seconds": plan.seconds}


def block_of(answer: Mapping[str, Any]) -> Block:
    """Return the block that an answer describes.

    Raises:
        KeyError, TypeError, ValueError: the answer has another form, or no call.
    """
    before, loaded, called = answer["resident_bytes"]
    calls = tuple(map(int, answer["forward_ns"]))
    if not calls:
        msg = "a block without a call"
        raise ValueError(msg)
    return Block(
        load=float(answer["load_seconds"]),
        calls_ns=calls,
        prepare_ns=tuple(map(int, answer["prepare_ns"])),
        resident=(before, loaded, called),
    )
