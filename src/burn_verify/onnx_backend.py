"""ONNX's own test backend over compiled Burn, for `onnx.backend.test` and the ONNX Backend Scoreboard.

``Backend`` is ONNX's term; Burn's device is the ``burn_backend`` of the settings. `Backend.ahead` compiles models in
one batch. A refusal is raised as the error of its stage, so that a test runner counts a failure.
"""

import atexit
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import onnx
from onnx.backend.base import Backend as OnnxBackend
from onnx.backend.base import BackendRep, Device, DeviceType

from burn_verify.core.errors import RunError
from burn_verify.core.options import settings_from
from burn_verify.core.stage import FailureKind
from burn_verify.graph.dtypes import burn_kind, dtype_name
from burn_verify.run.models import Model, Models
from burn_verify.run.steps import Built, Ended
from burn_verify.system.files import digest_of


class Prepared(BackendRep):
    """A model that compiled, or the error of the stage at which it ended."""

    def __init__(self, models: Models, step: Built | Ended) -> None:
        self._models = models
        self._step = step

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs for inputs, both in the order of the graph.

        Raises:
            StageError: the model was refused, did not compile, or failed on these inputs.
        """
        del kwargs
        if isinstance(inputs, Mapping):
            prepared = self._step.prepared
            names = [spec.name for spec in prepared.inputs] if prepared else []
            inputs = [inputs[name] for name in names]
        for value in inputs:
            kind = dtype_name(value.dtype) if isinstance(value, np.ndarray | np.generic) else type(value).__name__
            if burn_kind(kind) is None:
                message = f"no Burn value for {kind}"
                raise RunError(message, kind=FailureKind.NO_VALUE)
        return tuple(self._models.infer(self._step, inputs))


class Backend(OnnxBackend):
    """Compiles models with burn-onnx, Burn and cargo, and runs the binary on the processor."""

    _models: ClassVar[Models | None] = None
    _built: ClassVar[dict[str, Built | Ended]] = {}

    @classmethod
    def ahead(cls, models: Iterable[onnx.ModelProto]) -> None:
        """Convert and compile models in one batch: forty times cheaper than one by one.

        Raises:
            ToolchainError: Burn could not be built.
        """
        texts = {f"file/{digest_of(data)}": data for data in (model.SerializeToString() for model in models)}
        fresh = [Model(name=name, model=data) for name, data in texts.items() if name not in cls._built]
        cls._built |= cls._open().build(fresh)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
        """Return a model that can be run; the error of a refused model is raised when it is run.

        Raises:
            ToolchainError: Burn could not be built.
        """
        del device, kwargs
        cls.ahead([model])
        return Prepared(cls._open(), cls._built[f"file/{digest_of(model.SerializeToString())}"])

    @classmethod
    def run_model(cls, model: onnx.ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        """Prepare a model and run it once."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Return True: a model that is skipped is not counted, and a refusal is a failure."""
        del model, device, kwargs
        return True

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Return whether a device, in ONNX's notation, is the CPU."""
        return bool(Device(device).type == DeviceType.CPU)

    @classmethod
    def _open(cls) -> Models:
        if cls._models is None:
            cls._models = Models(settings_from({}))
            atexit.register(cls._models.close)
        return cls._models


def node_models(names: Sequence[str] | None = None) -> list[onnx.ModelProto]:
    """Return the models of ONNX's node tests, all or those of these names, to compile them ahead."""
    from onnx.backend.test.loader import load_model_tests

    cases = load_model_tests(kind="node")
    return [case.model for case in cases if case.model is not None and (names is None or case.name in names)]
