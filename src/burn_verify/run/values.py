"""The values between the nodes of a graph, computed by an engine and kept in temporary storage.

Holds types in memory, arrays on disk.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from burn_verify.core.case import TensorSpec
from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.graph.control import spec_of
from burn_verify.graph.cut import Graph, Known, computing
from burn_verify.graph.dtypes import numpy_dtype
from burn_verify.reference.engine import Engine, infer
from burn_verify.system.wire import Array

_AT_ONCE: Final = 32
_MOST_AT_ONCE: Final = 512
_BYTES_AT_ONCE: Final = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The values of one graph.

    Attributes:
        specs: dtype and shape by name, of the inputs too.
        files: the bytes of each array.
    """

    specs: Mapping[str, TensorSpec]
    files: Mapping[str, Path]

    def array(self, name: str) -> Array:
        """Return a value."""
        spec = self.specs[name]
        return np.frombuffer(self.files[name].read_bytes(), dtype=numpy_dtype(spec.dtype)).reshape(
            [int(size or 0) for size in spec.shape]
        )

    def bytes_of(self, names: Sequence[str]) -> int:
        """Return how many bytes some values take."""
        return sum(self.files[name].stat().st_size for name in names if name in self.files)

    def known(self, graph: Graph) -> Known:
        """Return what cuts of the graph have to know."""
        fixed = [name for place in graph.fixed for name in graph.nodes[place].output if name in self.specs]
        return Known(specs=self.specs, fixed={name: self.array(name) for name in fixed})


class Values:
    """Temporary storage for the values of graphs, open until it is closed.

    Arguments:
        engine: computes them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._folder = tempfile.TemporaryDirectory(prefix="burn-verify-values-")
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def of(self, graph: Graph, inputs: Mapping[str, Array], names: Sequence[str] | None = None) -> Stored:
        """Compute and store the tensors between the nodes of a graph; values of other kinds are left out.

        Arguments:
            inputs: by name, in the order of the graph.
            names: the values wanted, None for all.

        Raises:
            OracleError: the engine was closed.
        """
        self._count += 1
        folder = Path(self._folder.name) / str(self._count)
        folder.mkdir()
        files = {name: _kept(folder / f"{place}", value) for place, (name, value) in enumerate(inputs.items())}
        specs = {name: spec_of(name, value) for name, value in inputs.items()}
        wanted = [name for name in graph.maker if graph.readers.get(name) or name in graph.outputs]
        waiting, count = wanted if names is None else list(names), _AT_ONCE
        while waiting:
            some, waiting = waiting[:count], waiting[count:]
            found = self._computed(graph, some, list(inputs.values()))
            for name, value in found.items():
                files[name] = _kept(folder / f"{len(files)}", value)
                specs[name] = spec_of(name, value)
            size = sum(value.nbytes for value in found.values()) // max(1, len(found))
            count = max(1, min(_MOST_AT_ONCE, 2 * count, _BYTES_AT_ONCE // max(1, size)))
        return Stored(specs=specs, files=files)

    def _computed(self, graph: Graph, names: Sequence[str], inputs: Sequence[Array]) -> dict[str, Array]:
        """Compute some values together; where the engine refuses, find out by halves which ones it is."""
        path = Path(self._folder.name) / "values.onnx"
        try:
            path.write_bytes(computing(graph, names).SerializeToString())
            return dict(zip(names, infer(self._engine, path, inputs), strict=True))
        except OracleError as error:
            if error.kind is FailureKind.CLOSED:
                raise
        if len(names) == 1:
            return {}
        middle = len(names) // 2
        return self._computed(graph, names[:middle], inputs) | self._computed(graph, names[middle:], inputs)


def _kept(path: Path, value: Array) -> Path:
    path.write_bytes(np.ascontiguousarray(value).tobytes())
    return path
