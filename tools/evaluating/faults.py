"""Faults of one engine of two, planted behind the seams: what it is fed, what it answers, or the graph that it runs.

Non-maximum suppression outside of the model is no engine's: its fault is a description beside a second model.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn.builder import CargoBuilder
from burn_verify.burn.drivers import Device
from burn_verify.burn.program import Builders, Inference, Program, Release
from burn_verify.core.errors import CompileError, OracleError, RunError
from burn_verify.core.latency import Block, BlockPlan
from burn_verify.core.options import Settings
from burn_verify.core.progress import Listener
from burn_verify.core.stage import ConvertedModel, PreparedCase
from burn_verify.core.target import Target
from burn_verify.graph import facts
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache
from burn_verify.system.files import sha256_of
from burn_verify.system.wire import Array

Change: TypeAlias = Callable[[list[Array]], list[Array]]
LAYERS: Final = frozenset({"Conv", "Gemm", "MatMul"})
NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of one engine.

    Attributes:
        fed, answered: change its inputs and its outputs, in the order of the graph.
        graph: changes the model that it runs, in place.
        iou: of suppression outside of the model: a description says it, beside a second model.
    """

    fed: Change = list
    answered: Change = list
    graph: Callable[[onnx.ModelProto], None] | None = None
    iou: float | None = None


def channels(fed: list[Array]) -> list[Array]:
    """Return an image with its channels in the other order."""
    return [np.ascontiguousarray(fed[0][:, ::-1]), *fed[1:]]


def swapped(place: int, axis: int, first: int) -> Change:
    """Return what swaps the scores of two neighbouring classes in an output."""

    def change(outputs: list[Array]) -> list[Array]:
        order = np.arange(outputs[place].shape[axis])
        order[[first, first + 1]] = first + 1, first
        return [np.take(one, order, axis) if at == place else one for at, one in enumerate(outputs)]

    return change


def renumbered(outputs: list[Array]) -> list[Array]:
    """Return decoded boxes in which categories 1 and 2 are each other."""
    location, score, category = outputs
    return [location, score, np.where(category == 1, 2, np.where(category == 2, 1, category)).astype(category.dtype)]


def moved_sides(size: int) -> Change:
    """Return what moves boxes of ``sides`` to the right and down, by half a pixel of an image of a size."""

    def change(outputs: list[Array]) -> list[Array]:
        step = np.float32(0.5 / size)
        return [outputs[0], (outputs[1] + np.array([-step, -step, step, step])[:, None]).astype(outputs[1].dtype)]

    return change


def moved_cells(size: int, strides: Sequence[int]) -> Change:
    """Return what moves boxes of YOLOX in the same way: their centres are in units of a stride."""
    steps = np.concatenate([np.full((size // one) ** 2, 0.5 / one, np.float32) for one in strides])

    def change(outputs: list[Array]) -> list[Array]:
        made = outputs[0].copy()
        made[..., :2] += steps[:, None]
        return [made]

    return change


def moved_boxes(size: int) -> Change:
    """Return what moves decoded boxes in the same way."""
    return lambda outputs: [outputs[0] + np.float32(0.5 / size), *outputs[1:]]


def in_float16(model: onnx.ModelProto) -> None:
    """Give the last layers weights, an input and an output of float16; sums stay in float32, as on most devices.

    Last are the layers from which no other one is reached.
    """
    known = {one.name: one for one in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    last = last_layers(model)
    for node in model.graph.node:
        if node.output[0] not in last:
            nodes.append(node)
            continue
        nodes += _rounded(node.input[0], f"{node.input[0]}_{node.output[0]}")
        node.input[0] = f"{node.input[0]}_{node.output[0]}_rounded"
        for name in node.input[1:]:
            if name in known:
                half = numpy_helper.to_array(known[name]).astype(np.float16).astype(np.float32)
                known[name].CopyFrom(numpy_helper.from_array(half, name))
        output = node.output[0]
        node.output[0] = f"{output}_whole"
        nodes.append(node)
        nodes += _rounded(node.output[0], output, output)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _rounded(name: str, stem: str, made: str = "") -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", [name], [f"{stem}_half"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", [f"{stem}_half"], [made or f"{stem}_rounded"], to=TensorProto.FLOAT),
    ]


def last_layers(model: onnx.ModelProto) -> set[str]:
    """Return the outputs of the layers from which no other layer is reached."""
    before: set[str] = set()
    found = set()
    for node in reversed(model.graph.node):
        behind = bool(before & set(node.output))
        layer = node.op_type in LAYERS
        if layer and not behind:
            found.add(node.output[0])
        if layer or behind:
            before |= _read(node)
    return found


def _read(node: onnx.NodeProto) -> set[str]:
    """Return the names that a node reads, in the bodies of its branches too."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node if attribute.type == onnx.AttributeProto.GRAPH else ():
            names |= _read(inner)
    return names - {""}


def suppressing(iou: float) -> Callable[[onnx.ModelProto], None]:
    """Return what gives every NonMaxSuppression another threshold."""

    def change(model: onnx.ModelProto) -> None:
        # torchvision puts them into branches of an If.
        nodes = list(facts.nodes(model))
        wanted = {node.input[3] for node in nodes if node.op_type == "NonMaxSuppression"}
        tensors = {one.name: one for graph in facts.graphs(model) for one in graph.initializer}
        tensors |= {node.output[0]: node.attribute[0].t for node in nodes if node.op_type == "Constant"}
        for name in wanted:
            shape = list(tensors[name].dims)
            tensors[name].CopyFrom(numpy_helper.from_array(np.full(shape, iou, np.float32), name))

    return change


def planted(fault: Fault, folder: Path, *, standing_in: bool) -> Builders:
    """Return what makes builders with a fault.

    Arguments:
        folder: for changed models.
        standing_in: ONNX Runtime answers for Burn, which does not take the model.
    """
    kind: Any = _Standing if standing_in else _Planting
    return lambda cache, settings, listen, targets: kind(cache, settings, listen, targets, fault, folder)


def _changed(prepared: PreparedCase, fault: Fault, folder: Path) -> PreparedCase:
    if fault.graph is None:
        return prepared
    model = onnx.load(prepared.model)
    fault.graph(model)
    with tempfile.NamedTemporaryFile(suffix=".onnx", dir=folder, delete=False) as file:
        file.write(model.SerializeToString())
    path = Path(file.name)
    return replace(prepared, model=path, digest=sha256_of(path))


class _Planting(CargoBuilder):
    """Burn with a fault."""

    def __init__(
        self,
        cache: Cache,
        settings: Settings,
        listen: Listener,
        targets: Sequence[Target],
        fault: Fault,
        folder: Path,
    ) -> None:
        super().__init__(cache, settings, listen, targets)
        self._fault = fault
        self._folder = folder

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Convert one model; see `Builder.convert`."""
        return super().convert(_changed(prepared, self._fault, self._folder), target)

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Compile models; see `Builder.build`."""
        made = super().build(models, doubtful)
        return {name: one if isinstance(one, CompileError) else _Wrong(one, self._fault) for name, one in made.items()}


class _Wrong:
    """A program with a fault; implements `burn_verify.burn.program.Program`."""

    def __init__(self, program: Program, fault: Fault) -> None:
        self._program = program
        self._fault = fault

    @property
    def pid(self) -> int | None:
        """The process of the program."""
        return self._program.pid

    @property
    def identity(self) -> str:
        """Nothing is kept of answers."""
        return ""

    def start(self, backend: str) -> Device:
        """Start a backend; see `Program.start`."""
        return self._program.start(backend)

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Answer with the fault; see `Program.infer_all`."""
        found = self._program.infer_all(model, [self._fault.fed(list(one)) for one in sets], backend)
        return [replace(one, outputs=self._fault.answered(one.outputs)) for one in found]

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Time a block; see `Program.block`."""
        return self._program.block(model, inputs, backend, plan)

    def close(self) -> None:
        """Terminate the process."""
        self._program.close()


class _Standing:
    """ONNX Runtime in place of Burn, with a fault; implements `burn_verify.burn.program.Builder`."""

    def __init__(
        self,
        cache: Cache,
        settings: Settings,
        listen: Listener,
        targets: Sequence[Target],
        fault: Fault,
        folder: Path,
    ) -> None:
        self._engine = OnnxRuntime(cache, settings.timeout, memory_limit=settings.memory_limit)
        self._fault = fault
        self._folder = folder

    def refusals(self) -> Mapping[Target, str]:
        """Every target works."""
        return {}

    def convert(self, prepared: PreparedCase, target: Target) -> ConvertedModel:
        """Name the file that is run; see `Builder.convert`."""
        path = _changed(prepared, self._fault, self._folder).model
        return ConvertedModel(label=prepared.case.id, module=path.stem, rust=path, weights=path, seconds=0.0)

    def build(
        self, models: Sequence[ConvertedModel], doubtful: Collection[str] = ()
    ) -> Mapping[str, Program | CompileError]:
        """Return a program; see `Builder.build`."""
        program = _Wrong(_Engine(self._engine), self._fault)
        return {one.module: program for one in models}

    def reached(self, prepared: PreparedCase, model: ConvertedModel, program: Program, target: Target) -> Program:
        """Return the program; see `Builder.reached`."""
        return program

    def release(self, prepared: PreparedCase, model: ConvertedModel) -> Release:
        """Nothing is timed here."""
        raise NotImplementedError

    def close(self) -> None:
        """The program has the engine, and outlives its builder."""


class _Engine:
    """ONNX Runtime as a program; implements `burn_verify.burn.program.Program`."""

    def __init__(self, engine: OnnxRuntime) -> None:
        self._engine = engine
        self.identity = ""

    @property
    def pid(self) -> int | None:
        """The process of the engine."""
        return self._engine.pid

    def start(self, backend: str) -> Device:
        """There is nothing to start."""
        return Device(name="")

    def infer_all(self, model: ConvertedModel, sets: Sequence[Sequence[Array]], backend: str) -> list[Inference]:
        """Run the file; see `Program.infer_all`."""
        try:
            found = self._engine.infer_all(model.rust, sets, optimise=True)
        except OracleError as error:
            raise RunError(error.message, error.reason) from error
        return [Inference(outputs=one, load_seconds=0.0, forward_seconds=0.0) for one in found]

    def block(self, model: ConvertedModel, inputs: Sequence[Array], backend: str, plan: BlockPlan) -> Block:
        """Nothing is timed here."""
        raise NotImplementedError

    def close(self) -> None:
        """Terminate the process."""
        self._engine.restart()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A detector on which faults are planted.

    Attributes:
        model: a path below the data, or a name of the zoo.
        faults: by what is wrong, in words.
        standing_in: as for `planted`.
    """

    model: str
    data: str
    faults: Mapping[str, Fault]
    standing_in: bool = False


SHIFT: Final = "boxes shifted by half a pixel of the tensor, to the right and down"
SWAP: Final = "classes 1 and 2 swapped"
HALF: Final = "last layer in float16 (weights, input, output)"
ORDER: Final = "the other order of channels fed"


def _suppression(before: float, after: float) -> str:
    return f"suppression at an overlap of {after:g} instead of {before:g}"


def _faults(shift: Change, swap: Change, suppression: tuple[float, float], *, inside: bool) -> dict[str, Fault]:
    before, after = suppression
    other = Fault(graph=suppressing(after)) if inside else Fault(iou=after)
    return {
        NONE: Fault(),
        SHIFT: Fault(answered=shift),
        SWAP: Fault(answered=swap),
        HALF: Fault(graph=in_float16),
        _suppression(before, after): other,
        ORDER: Fault(fed=channels),
    }


_YOLOX: Final = _faults(moved_cells(416, (8, 16, 32)), swapped(0, 2, 5), (0.65, 0.45), inside=False)
DETECTORS: Final[Mapping[str, Detector]] = {
    "single-stage, triangles": Detector(
        model="fasterrcnn/detector-no-roialign.onnx",
        data="triangles/test",
        faults=_faults(moved_sides(160), swapped(0, 1, 0), (0.5, 0.7), inside=False),
    ),
    "Faster R-CNN, triangles": Detector(
        model="fasterrcnn/model.onnx",
        data="triangles/test",
        faults=_faults(moved_boxes(160), renumbered, (0.5, 0.7), inside=True),
        standing_in=True,
    ),
    "YOLOX nano, tinycoco": Detector(model="yolox", data="tinycoco/train", faults=_YOLOX),
    "YOLOX nano, persons": Detector(model="yolox", data="persons/val", faults=_YOLOX),
}


def fault_of(detector: str, place: int) -> tuple[str, Fault]:
    """Return a fault of a detector by its place."""
    return list(DETECTORS[detector].faults.items())[place]


def all_faults() -> Iterator[tuple[str, int]]:
    """Yield detector and place of every fault."""
    for name, one in DETECTORS.items():
        for place in range(len(one.faults)):
            yield name, place
