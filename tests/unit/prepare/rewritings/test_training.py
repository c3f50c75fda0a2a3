"""Steps of optimisers and batch normalisation answer as onnx's evaluator and ONNX Runtime do."""

import numpy as np
import pytest

from rewriting import put_differently

RANDOM = np.random.default_rng(0)
X, G, V, H = (RANDOM.uniform(0.1, 1, 3).astype(np.float32) for _ in range(4))
RATE = np.array(0.1, np.float32)
TRAINING = {"domain": "ai.onnx.preview.training"}


@pytest.mark.parametrize("step", [0, 3])
def test_a_step(step):
    step = np.array(step, np.int64)
    decay = {"norm_coefficient": 0.01}
    put_differently("Adagrad", [RATE, step, X, G, H], outputs=2, decay_factor=0.1, **decay, **TRAINING)
    adam = {"alpha": 0.9, "beta": 0.99, "precise": True}
    put_differently("Adam", [RATE, step, X, G, V, H], outputs=3, **adam, **decay, **TRAINING)
    for mode in ("standard", "nesterov"):
        given = {"alpha": 0.9, "beta": 0.5, "mode": mode}
        put_differently("Momentum", [RATE, step, X, G, V], outputs=2, **given, **decay, **TRAINING)


def test_several_tensors_at_once():
    wide = [np.tile(one, 2) for one in (X, G, V)]
    tensors = [X, wide[0], G, wide[1], V, wide[2]]
    given = {"alpha": 0.9, "beta": 0.5, "mode": "standard", "norm_coefficient": 0.01}
    put_differently("Momentum", [RATE, np.array(1, np.int64), *tensors], outputs=4, **given, **TRAINING)


@pytest.mark.parametrize("training", [0, 1])
def test_batch_normalisation(training):
    image = RANDOM.standard_normal((2, 3, 4, 5)).astype(np.float32)
    outputs = 3 if training else 1
    put_differently("BatchNormalization", [image, X, G, V, H], outputs=outputs, training_mode=training, opset=15)
