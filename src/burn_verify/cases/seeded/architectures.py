"""Known architectures with random weights: stand-ins where the trained model is not available.

Does not train, download or write anything. The graph is the architecture's own, with the same operators; its outputs
depend on the input and can be compared.
"""

from collections.abc import Callable

import numpy as np
import onnx

from burn_verify.cases.seeded import built, light
from burn_verify.core.errors import UsageError

_BUILDERS: dict[str, Callable[[np.random.Generator], onnx.ModelProto]] = {
    "mnist": built.mnist,
    "resnet18": built.resnet18,
    "mobilenetv2": built.mobilenetv2,
}

ARCHITECTURES: tuple[str, ...] = (*_BUILDERS, *light.FILES)
"""The names that `build` accepts."""


def build(architecture: str, seed: int = 0) -> onnx.ModelProto:
    """Return the architecture with weights drawn from `seed`; equal arguments give equal bytes.

    Parameters
    ----------
    architecture:
        one of `ARCHITECTURES`.
    seed:
        of the ``numpy.random.default_rng`` that draws all weights, in the order of the graph.

    Returns
    -------
    A float32 model with one input of one image and one output of class scores. The largest, ``vgg19``,
    holds 575 MB.

    Raises
    ------
    UsageError
        if there is no such architecture.
    """
    if architecture not in ARCHITECTURES:
        message = f"no seeded architecture is called {architecture!r}: choose from {', '.join(ARCHITECTURES)}"
        raise UsageError(message)
    rng = np.random.default_rng(seed)
    model = _BUILDERS[architecture](rng) if architecture in _BUILDERS else light.reweight(architecture, rng)
    model.doc_string = f"{architecture} with untrained random weights, numpy default_rng({seed})"
    return model
