"""Models of PyTorch by both of its exporters, trained on digits: pip install torch onnxscript scikit-learn."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from keep import keep
from sklearn.datasets import load_digits
from torch import nn

OPSET = 18


def network() -> nn.Module:
    """Return a small network: convolution, normalisation, pooling, two linear layers."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 16),
        nn.GELU(),
        nn.Linear(16, 10),
    )


def main() -> None:
    """Train a model, export it by TorchScript and by dynamo, and keep what it says of four digits."""
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    inputs = torch.tensor((images / 16).astype(np.float32).reshape(-1, 1, 8, 8))
    wanted = torch.tensor(labels)
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(inputs), wanted).backward()
        optimiser.step()
    model.eval()
    few = inputs[:4]
    answers = [model(few).detach().numpy()]
    for name, dynamo in (("pytorch-torchscript", False), ("pytorch-dynamo", True)):
        free = {0: torch.export.Dim("batch")}
        dynamic = {"dynamic_shapes": (free,)} if dynamo else {"dynamic_axes": {"image": {0: "batch"}}}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.onnx"
            names = {"input_names": ["image"], "output_names": ["logits"]}
            torch.onnx.export(model, (few,), str(path), opset_version=OPSET, dynamo=dynamo, **names, **dynamic)
            # Weights that lie beside the file are read with it.
            keep(name, onnx.load(path), [few.numpy()], answers)


if __name__ == "__main__":
    main()
