"""Models of Keras by tf2onnx, trained on scikit-learn's digits: pip install tensorflow-cpu tf2onnx scikit-learn."""

import numpy as np
import tensorflow as tf
import tf2onnx
from keep import keep
from sklearn.datasets import load_digits

OPSET = 18


def network() -> tf.keras.Model:
    """Return a small network: convolution, normalisation, pooling, two dense layers; channels come last."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            # The exact GELU becomes Erfc, which ONNX does not have: tf2onnx 1.17 writes it all the same.
            layers.Dense(16, activation=lambda values: tf.nn.gelu(values, approximate=True)),
            layers.Dense(10, activation="softmax"),
        ]
    )


def sequence() -> tf.keras.Model:
    """Return a small recurrent network that reads the rows of an image."""
    layers = tf.keras.layers
    return tf.keras.Sequential([tf.keras.Input((8, 8)), layers.LSTM(8, unroll=False), layers.Dense(10)])


def main() -> None:
    """Train each model a little, export it, and keep what it says of four digits."""
    tf.keras.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 8, 8)
    for name, model, shape in (
        ("tensorflow-cnn", network(), (8, 8, 1)),
        ("tensorflow-lstm", sequence(), (8, 8)),
    ):
        inputs = images.reshape(-1, *shape)
        logits = name != "tensorflow-cnn"
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        model.compile("adam", loss)
        model.fit(inputs, labels, epochs=3, verbose=0)

        @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32, name="image")])
        def answer(image: tf.Tensor, model: tf.keras.Model = model) -> tf.Tensor:
            return model(image, training=False)

        made, _ = tf2onnx.convert.from_function(answer, answer.input_signature, opset=OPSET)
        keep(name, made, [inputs[:4]], [np.asarray(model(inputs[:4], training=False))])


if __name__ == "__main__":
    main()
