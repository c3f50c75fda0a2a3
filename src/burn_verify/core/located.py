"""Where a model fails first: the pieces that were tried, the nodes found, and what proves it. Data only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from burn_verify.core.stage import Stage


class PieceKind(StrEnum):
    """What a piece of a model consists of."""

    NODE = "node"
    """One node; the shapes that it takes are constants."""
    GROUP = "group"
    """A node with the nodes that compute its shapes."""
    PAIR = "pair"
    """Two nodes, one of which takes a value of the other."""
    SEGMENT = "segment"
    """Many successive nodes."""
    PREFIX = "prefix"
    """All nodes up to one."""
    BRANCH = "branch"
    """An If: its branches are right where they are not inside of it."""


class Finding(StrEnum):
    """What was found about a model."""

    NOTHING_WRONG = "nothing wrong"
    """The whole model passes."""
    NODE = "a node is wrong"
    """A node, or a few, fail when they are fed right values."""
    HIDDEN = "a node is wrong, and the outputs of the model do not show it"
    """The whole passes; a node fails clearly when it is fed right values."""
    AMPLIFIED = "each node is right within rounding"
    """No piece fails: the model amplifies what rounding explains at each node."""
    UNKNOWN = "cannot say"
    """No piece fails, and some nodes are in no piece; or there is nothing to compare with."""


class Proof(StrEnum):
    """What the model without the found nodes says, their values fed from ONNX Runtime."""

    ALONE = "the rest passes"
    TOGETHER = "the rest passes without all nodes found"
    FURTHER = "the rest fails for another reason"
    REFUTED = "the rest fails as before"
    LAST = "they compute the outputs themselves"
    UNBUILT = "the rest cannot be built or run"
    INLINED = "the model with the chosen branches in place gets further"
    NONE = "not tried"


class Side(StrEnum):
    """Whose fault a failure is."""

    IMPORTER = "importer"
    """The code that burn-onnx generates, or its refusal: it is wrong whatever computes it."""
    KERNEL = "kernel"
    """What computes: the generated code asks for the right thing."""
    UNDECIDED = "not decidable"
    """The instruments say nothing, or contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Whose fault a failure is, and what says so.

    Attributes:
        by: names of the instruments that say it; empty where it is not decidable.
        facts: what each instrument found, a sentence each.
    """

    side: Side
    by: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Whose fault it is, and what says so, in one line."""
        facts = "; ".join(self.facts)
        return f"whose fault: {self.side}" + (f" ({facts})" if facts else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of the user's model.

    Attributes:
        name: in the file; of an inner graph after that of the outer node. Operator and place where it has none.
        cell: the operator's key in the table of operators: ``Conv-22/float32``.
        inputs, outputs: name, dtype and shape of what it takes and gives: ``x: float32[2,3]``.
    """

    name: str
    op_type: str
    cell: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A piece that fails where the whole fails.

    Attributes:
        message: what Burn or the judge says of it.
        same_reason: whether the whole ended for the same reason.
    """

    kind: PieceKind
    nodes: tuple[Node, ...]
    stage: Stage
    message: str
    reason: str
    same_reason: bool
    headroom: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """What a node does alone, or with the nodes that compute its shapes, when it is fed right values.

    Attributes:
        name: in the file.
        value: the first that it gives.
        fails: whether it fails where the whole does, or is clearly wrong where the whole passes.
        known: whether some piece tells anything about it.
        headroom: greatest error in units of its bound, None where there is none.
    """

    name: str
    op_type: str
    value: str
    fails: bool
    known: bool
    headroom: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The error of a value in the whole model: how far roundings of all nodes before have moved it.

    Attributes:
        share: root mean square error in units of what rounding explains; None where that is not known.
        headroom: greatest error in units of the bound.
    """

    node: str
    value: str
    share: float | None
    headroom: float | None
    max_abs: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """What is found about one model on one target.

    Attributes:
        data_set: whose inputs the model and its pieces were fed.
        stage, message, reason: of the whole; stage is None where it passes.
        suspects: the earliest first.
        rest: what the model without the first suspect ends with; empty where it passes or was not run.
        hidden: where the whole passes, single nodes that are clearly wrong.
        later: pieces that fail at a later stage than the whole: further obstacles.
        unknown: names of nodes that are in no piece.
        pieces: how many were tried.
        aside: how many failed where the whole did not: the cut is to blame, not the node.
        growth: values of the whole, in the order of the graph.
        states: every node, in the order of the graph; those of a body after all others.
        fault: whose fault the first suspect is; None where it was not asked.
        seconds: wall time by phase.
    """

    model: str
    target: str
    finding: Finding
    data_set: str = ""
    stage: Stage | None = None
    message: str = ""
    reason: str = ""
    suspects: tuple[Suspect, ...] = ()
    hidden: tuple[Suspect, ...] = ()
    later: tuple[Suspect, ...] = ()
    proof: Proof = Proof.NONE
    rest: str = ""
    nodes: int = 0
    pieces: int = 0
    aside: int = 0
    unknown: tuple[str, ...] = ()
    growth: tuple[Growth, ...] = ()
    states: tuple[NodeState, ...] = ()
    fault: Fault | None = None
    seconds: Mapping[str, float] | None = None

    @property
    def first(self) -> Suspect | None:
        """The piece that fails first, in the order of the graph."""
        return self.suspects[0] if self.suspects else None

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON values."""
        return asdict(self)
