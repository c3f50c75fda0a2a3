"""A local copy of burn-onnx that generates wrong code is used instead of the registry's, and caught.

Costs burn-onnx and the converter once more, and nothing of Burn.
"""

import numpy as np

from burn_verify.burn.batch import BatchCompiler
from burn_verify.burn.runner import Runner
from burn_verify.burn.workspace import Workspace
from burn_verify.cases import load
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel
from burn_verify.core.target import Checkout, Target
from burn_verify.reference import oracle
from toolchain.helpers import FIXTURES, OwnCache, Tiny, case, converter_of


def converted(cache: OwnCache, toolchain: Workspace, name: str) -> ConvertedModel:
    prepared = load.prepare(case(name, FIXTURES / f"{name}.onnx"), cache)
    converter = converter_of(cache, toolchain)
    try:
        return converter.convert(prepared)
    finally:
        converter.close()


def without_folder(model: ConvertedModel) -> str:
    """Return the generated text without the place of the weights, which is in it."""
    return model.rust.read_text().replace(str(model.rust.parent.name), "")


def test_a_broken_checkout_of_burn_onnx_is_used_and_caught(cache: OwnCache, tiny: Tiny, broken: Checkout) -> None:
    plain, local = Workspace.of(cache, silent, Target()), Workspace.of(cache, silent, Target(burn_onnx_checkout=broken))
    # Models are compiled where they always are: the runner knows nothing of burn-onnx.
    assert local.fingerprint == plain.fingerprint
    assert local.converter_fingerprint != plain.converter_fingerprint

    before = plain.converter().stat().st_mtime_ns
    spoilt = {name: converted(cache, local, name) for name in ("add", "matmul")}
    assert plain.converter().stat().st_mtime_ns == before
    same = {name: without_folder(model) == without_folder(tiny.model(name)) for name, model in spoilt.items()}
    assert same == {"add": False, "matmul": True}

    compiled = BatchCompiler(cache, local).compile(list(spoilt.values()))
    assert compiled.binary is not None
    runner = Runner(cache, compiled.binary, timeout=60, memory_limit=0)
    try:
        right = {}
        for name, model in spoilt.items():
            data = oracle.read(tiny.step(name).reference).data_sets["seeded"]
            (actual,) = runner.infer(model, data.inputs, "flex").outputs
            right[name] = np.allclose(actual, data.desired[0])
    finally:
        runner.close()
    assert right == {"add": False, "matmul": True}

    # Neither evicts the other.
    assert local.ready
    assert plain.ready
    assert converted(cache, plain, "add").rust == tiny.model("add").rust
