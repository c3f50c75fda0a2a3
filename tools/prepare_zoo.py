"""Prepare models, refused ones with the options that they need, and write what became of them.

    python tools/prepare_zoo.py --out reports
    python tools/prepare_zoo.py --out reports candy minilm-dynamic /path/to/model.onnx

Runs ``burn-verify explain MODEL`` and ``burn-verify prepare MODEL OPTIONS --json`` for each and notes the time of both;
each model is written down as soon as it is done, and the others in ``prepare-models.json`` stay. ``tools/lift.py``
shows them in ``prepare.md``, too. Without names: the refused models, the files that this tool makes (quantised models
and one of 1,200 nodes), and all other models of the zoo that are on this machine.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx

from burn_verify.cases.load import prepare
from burn_verify.cases.select import Selection
from burn_verify.cases.zoo import CORPUS
from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import LoadError
from burn_verify.core.options import settings_from
from burn_verify.report.summary.lifted import from_text as lifted_of
from burn_verify.report.summary.prepared_models import PreparedModel, from_text, prepared_model, to_text
from burn_verify.report.views.lifted import lifted_page
from burn_verify.system.cache import Cache

NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "candy": (),
    "micro_kws_m_qdq": (),
    "mobilenetv2-12-int8": (),
    "magika_v2_1": ("--pin", "unk__132=1"),
    "silero_vad_16k_op15": ("--pin", "batch=1", "--pin", "sequence=576"),
    "silero_vad_v6": ("--pin", "input=1x576", "--pin", "state=2x1x128", "--freeze", "sr=16000"),
    "rf_iris-skl": ("--drop-zipmap",),
    "logreg_iris-ortwheel": ("--drop-zipmap",),
    "supres-webjs": ("--cut",),
}
SEED: Final = 20261201
SAMPLES: Final = 16
OPSET: Final = 13
"""From it on, scales by channel exist."""
BLOCKS: Final = 300


@dataclass(frozen=True, kw_only=True)
class Made:
    """A file that is made here.

    Attributes:
        make: writes it.
    """

    how: str
    make: Callable[[Path], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare the models that are named, else all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--out", type=Path, required=True, help="the folder of prepare.json and prepare.md")
    arguments = parser.parse_args(argv)
    file = arguments.out / "prepare-models.json"
    others = [name for name in present() if name not in NEEDED]
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.models or [*NEEDED, *MADE, *others]:
            found = prepared(name, Path(folder))
            known = {one.model: one for one in from_text(file.read_text(encoding="utf-8"))} if file.exists() else {}
            known[found.model] = found
            file.write_text(to_text(ordered(known)), encoding="utf-8")
            told = "agrees" if found.agrees else found.in_the_way
            print(f"{found.model}: {told} ({found.seconds:.0f} s)", flush=True)
    lifted = lifted_of((arguments.out / "prepare.json").read_text(encoding="utf-8"))
    (arguments.out / "prepare.md").write_text(lifted_page(lifted, ordered(known)), encoding="utf-8")
    return 0


def ordered(known: Mapping[str, PreparedModel]) -> tuple[PreparedModel, ...]:
    """Return the models in the order of the lists above, the others by name."""
    names = [*NEEDED, *MADE]
    first = [known[name] for name in names if name in known]
    return (*first, *(known[name] for name in sorted(known) if name not in names))


def selection() -> Selection:
    """Return what is on this machine, as the command finds it."""
    settings = settings_from({})
    return Selection(Cache(settings.cache_dir), mirror=settings.zoo_mirror, offline=True)


def present() -> list[str]:
    """Return the names of the models of the zoo whose files are here."""
    cases = selection().choose(["all"]).cases
    return [one.id.partition("/")[2] for one in cases if one.corpus == CORPUS and isinstance(one.source, ModelFile)]


def located(name: str) -> Path:
    """Return the file of a model of the zoo, or the file that is named."""
    (case,) = selection().choose([name]).cases
    return of_case(case)


def of_case(case: Case) -> Path:
    """Return the file of a case."""
    try:
        return prepare(case, Cache(settings_from({}).cache_dir)).model
    except LoadError as error:
        sys.exit(f"prepare_zoo.py: {error}")


def prepared(name: str, folder: Path) -> PreparedModel:
    """Run both commands on a model."""
    options, how, asked = NEEDED.get(name, ()), "", name
    if (made := MADE.get(name)) is not None:
        how, path = made.how, folder / f"{name}.onnx"
        made.make(path)
        asked = str(path)
    nodes = len(onnx.load(located(asked), load_external_data=False).graph.node)
    load = os.getloadavg()[0]
    told, explained, processor = timed(["explain", asked, "--json"], (0, 1, 3))
    found, seconds, _ = timed(["prepare", asked, *options, "--json"], (0, 1))
    return prepared_model(
        Path(name).stem,
        options,
        found,
        seconds,
        how=how,
        nodes=nodes,
        load=round(load, 1),
        explained=round(explained, 2),
        processor=round(processor, 2),
        forecast=told[0]["forecast"] if told else "cannot say",
        cpu=cpu(),
    )


def timed(words: Sequence[str], codes: Sequence[int]) -> tuple[Any, float, float]:
    """Run the command; return its JSON, how many seconds it took, and how many of a processor."""
    started, used = time.monotonic(), _used()
    done = subprocess.run(["burn-verify", *words], capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        sys.exit(f"prepare_zoo.py: burn-verify {' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout), time.monotonic() - started, _used() - used


def cpu() -> str:
    """Return the name of the processor, and whether ONNX Runtime adds products of 8 bits exactly on it."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    known = {name.strip(): value.strip() for name, value in fields.items()}
    vnni = "with VNNI" if any("vnni" in flag for flag in known.get("flags", "").split()) else "without VNNI"
    return f"{known.get('model name', 'unknown')}, {vnni}"


def _used() -> float:
    """Return the seconds that finished child processes took of a processor."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Drawn:
    """Drawn samples for the calibration of a model with one input."""

    def __init__(self, path: Path) -> None:
        (value,) = onnx.load(path).graph.input
        shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
        draw = np.random.default_rng(SEED)
        samples = (draw.standard_normal(shape).astype(np.float32) for _ in range(SAMPLES))
        self._samples = iter([{value.name: one} for one in samples])

    def get_next(self) -> dict[str, Any] | None:
        """Return the next sample."""
        return next(self._samples, None)


def static(source: str, *, per_channel: bool) -> Made:
    """Return a model quantised with QuantizeLinear and DequantizeLinear."""

    def make(path: Path) -> None:
        from onnxruntime import quantization

        float_model = path.with_suffix(".float.onnx")
        model = onnx.load(located(source))
        if model.opset_import[0].version < OPSET:
            model = onnx.version_converter.convert_version(model, OPSET)
        onnx.save(model, float_model)
        quantization.quantize_static(
            float_model,
            path,
            Drawn(float_model),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=per_channel,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )

    kind = "a scale for each channel" if per_channel else "a scale for each tensor"
    how = (
        f"{source}, raised to opset {OPSET} where it is older, by `onnxruntime.quantization.quantize_static`: QDQ, "
        f"{kind}, unsigned activations and signed weights, {SAMPLES} drawn samples"
    )
    return Made(how=how, make=make)


def dynamic(source: str) -> Made:
    """Return a model whose weights are quantised, and whose activations are when it runs."""

    def make(path: Path) -> None:
        from onnxruntime import quantization

        quantization.quantize_dynamic(located(source), path)

    return Made(how=f"{source} by `onnxruntime.quantization.quantize_dynamic` with its defaults", make=make)


def long(path: Path) -> None:
    """Write a model of four nodes a block, of which one in the middle is refused."""
    helper = onnx.helper
    draw = np.random.default_rng(SEED)
    weights = [(draw.standard_normal((8, 8)) / 4).astype(np.float32) for _ in range(BLOCKS)]
    tensors = [onnx.numpy_helper.from_array(one, f"w{place}") for place, one in enumerate(weights)]
    tensors.append(onnx.numpy_helper.from_array(np.ones(8, np.float32), "ones"))
    nodes = []
    for place in range(BLOCKS):
        middle = place == BLOCKS // 2
        nodes += [
            helper.make_node("MatMul", [f"x{place}", f"w{place}"], [f"m{place}"]),
            helper.make_node(
                "RMSNormalization" if middle else "Tanh", [f"m{place}", *["ones"] * middle], [f"b{place}"]
            ),
            helper.make_node("Add", [f"b{place}", f"x{place}"], [f"a{place}"]),
            helper.make_node("Sigmoid", [f"a{place}"], [f"x{place + 1}"]),
        ]
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2, 8]) for name in ("x0", f"x{BLOCKS}")]
    graph = helper.make_graph(nodes, "long", values[:1], values[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11), path)


MADE: Final[Mapping[str, Made]] = {
    "resnet20-qdq": static("resnet20_cifar10", per_channel=False),
    "resnet20-qdq-per-channel": static("resnet20_cifar10", per_channel=True),
    "micro-kws-qdq": static("micro_kws_m_static_fp32", per_channel=False),
    "minilm-dynamic": dynamic("all-MiniLM-L6-v2"),
    "long-1200": Made(
        how=f"{4 * BLOCKS:,} nodes, one of them an RMSNormalization, which burn-onnx does not have", make=long
    ),
}


if __name__ == "__main__":
    sys.exit(main())
