"""What rewritings ask for: the engine of the reference, and onnx's version converter in a process of its own."""

import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from burn_verify.core.errors import CommandFailed, OracleError, StageError
from burn_verify.prepare.known import opset_of
from burn_verify.prepare.rewritings.versions import lowered_unchanged
from burn_verify.reference.engine import Engine
from burn_verify.system.process import output_of
from burn_verify.system.wire import Array

if TYPE_CHECKING:
    from onnx import ModelProto

_LIFT_TIMEOUT: Final = 60.0
_NEWEST: Final = 26
"""The newest opset that every supported ONNX Runtime knows; a model of a newer one is shown to it as one of this."""


class EngineTools:
    """Implements `burn_verify.prepare.rewriting.Tools`.

    Arguments:
        folder: for the files of models; of the caller, who removes it.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._numbers = count()

    def run(self, model: "ModelProto", inputs: Sequence[Array]) -> list[Array]:
        """Run a model once; see `Tools.run`."""
        return self.run_all(model, [inputs])[0]

    def run_all(self, model: "ModelProto", sets: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """Run a model on several sets of inputs.

        Raises:
            StageError: the engine refused the model, died or hung.
        """
        try:
            return self._answers(model, sets)
        except StageError:
            older = lowered_unchanged(model, _NEWEST) if opset_of(model) > _NEWEST else None
            if older is None:
                raise
        return self._answers(older, sets)

    def lifted(self, model: "ModelProto", opset: int) -> "ModelProto | None":
        """Return a model of a newer opset; see `Tools.lifted`."""
        from google.protobuf.message import DecodeError
        from onnx import ModelProto

        source, made = self._written(model), self._folder / f"lifted-{next(self._numbers)}.onnx"
        module = "burn_verify.prepare.lift"
        try:
            output_of([sys.executable, "-m", module, str(source), str(made), str(opset)], timeout=_LIFT_TIMEOUT)
            return ModelProto.FromString(made.read_bytes())
        except (CommandFailed, OSError, DecodeError):
            return None
        finally:
            source.unlink(missing_ok=True)
            made.unlink(missing_ok=True)

    def _answers(self, model: "ModelProto", sets: Sequence[Sequence[Array]]) -> list[list[Array]]:
        path = self._written(model)
        try:
            return self._engine.infer_all(path, sets)
        finally:
            path.unlink(missing_ok=True)

    def _written(self, model: "ModelProto") -> Path:
        path = self._folder / f"tool-{next(self._numbers)}.onnx"
        try:
            path.write_bytes(model.SerializeToString())
        except ValueError as error:
            message = f"the model is too large for one file: {error}"
            raise OracleError(message, "model too large") from error
        return path
