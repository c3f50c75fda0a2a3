"""Models as sources of samples see them."""

import pytest

from burn_verify.cases.samples.sample import Model
from burn_verify.core.case import Hints, ImageHint, TensorSpec, TextHint


def specs(given):
    return tuple(TensorSpec(name=name, dtype=dtype, shape=tuple(shape)) for name, (dtype, shape) in given.items())


@pytest.fixture
def model():
    """Return a function that describes a model: dtype and shape by the name of an input or output."""

    def make(inputs, outputs=None, images=None, texts=None, **hints):
        outputs = {"y": ("float32", ["batch", 2])} if outputs is None else outputs
        said = Hints(images=images or ImageHint(), texts=texts or TextHint(), **hints)
        return Model(inputs=specs(inputs), outputs=specs(outputs), hints=said)

    return make
