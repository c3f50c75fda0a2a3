"""How the cost of a program grows with the depth of its model: a block of ResNet's repeated 1, 2, 4 … 64 times.

usage: python tools/compile_growth.py [--most N]

Prints Markdown for reports/compile-growth.md. The block is Conv, BatchNormalization, Relu, Conv, BatchNormalization,
Add with what went in, Relu, on 16 channels of 32x32; every repetition has weights of its own. The exponent is that of
the last doubling: 1 is linear, 2 quadratic.
"""

import argparse
import math
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from burn_verify.burn.cargo import rustc_version
from burn_verify.core.latency import Cost
from burn_verify.core.options import settings_from
from burn_verify.core.versions import DEFAULT
from burn_verify.report.views.latency import seconds, size
from burn_verify.run.models import Model, Models
from burn_verify.run.steps import Ended

CHANNELS = 16
COLUMNS = (
    "blocks",
    "nodes",
    "lines",
    "codegen",
    "rustc",
    "rustc / node",
    "exponent",
    "rustc peak",
    "binary",
    "weights",
)


def repeated(blocks: int) -> onnx.ModelProto:
    """Return a model of so many blocks."""
    rng = np.random.default_rng(blocks)
    shape = [1, CHANNELS, 32, 32]
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def weight(name: str, *dims: int, scale: float = 1.0, shift: float = 0.0) -> str:
        values = (scale * rng.standard_normal(dims) + shift).astype("f4")
        weights.append(numpy_helper.from_array(np.abs(values) if shift else values, name))
        return name

    def convolved(x: str, name: str) -> str:
        kernel = weight(f"{name}_w", CHANNELS, CHANNELS, 3, 3, scale=0.05)
        nodes.append(helper.make_node("Conv", [x, kernel], [f"{name}_c"], pads=[1, 1, 1, 1]))
        statistics = [weight(f"{name}_{part}", CHANNELS, scale=0.1, shift=1.0) for part in ("s", "b", "m", "v")]
        nodes.append(helper.make_node("BatchNormalization", [f"{name}_c", *statistics], [f"{name}_n"]))
        return f"{name}_n"

    x = "x"
    for block in range(blocks):
        inner = convolved(x, f"b{block}_1")
        nodes.append(helper.make_node("Relu", [inner], [f"b{block}_r"]))
        inner = convolved(f"b{block}_r", f"b{block}_2")
        nodes.append(helper.make_node("Add", [inner, x], [f"b{block}_a"]))
        x = f"b{block}_y" if block + 1 < blocks else "y"
        nodes.append(helper.make_node("Relu", [f"b{block}_a"], [x]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "blocks", [value("x", TensorProto.FLOAT, shape)], [value("y", TensorProto.FLOAT, shape)], weights
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def costs(most: int) -> dict[int, Cost]:
    """Return the cost by number of blocks."""
    settings = settings_from({"latency": "on"})
    names = {f"file/blocks{count}": count for count in (1 << power for power in range(int(math.log2(most)) + 1))}
    made = {}
    with Models(settings) as models:
        for name, step in models.build(Model(name=name, model=repeated(names[name])) for name in names).items():
            if isinstance(step, Ended) or step.release is None:
                sys.exit(f"{name}: {step.error if isinstance(step, Ended) else 'not built to be timed'}")
            made[names[name]] = step.release.cost
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--most", type=int, default=64, help="repetitions at the end (default: 64)")
    arguments = parser.parse_args()
    before = os.getloadavg()[0]
    found = costs(arguments.most)
    print("# What depth costs\n")
    print("Made by `python tools/compile_growth.py`, which says what the block is.\n")
    print(
        f"Burn {DEFAULT.burn}, {rustc_version()}, profile latency, {os.cpu_count()} processors, load average "
        f"{before:.1f} before and {os.getloadavg()[0]:.1f} after.\n"
    )
    print(f"| {' | '.join(COLUMNS)} |\n|{'---:|' * len(COLUMNS)}")
    previous: Cost | None = None
    for count, cost in found.items():
        exponent = f"{math.log2(cost.rustc / previous.rustc):.2f}" if previous else ""
        cells = (
            *(count, cost.nodes, cost.lines, seconds(cost.codegen), seconds(cost.rustc)),
            *(seconds(cost.rustc / cost.nodes), exponent, size(cost.rustc_peak), size(cost.binary), size(cost.weights)),
        )
        print(f"| {' | '.join(map(str, cells))} |")
        previous = cost


if __name__ == "__main__":
    main()
