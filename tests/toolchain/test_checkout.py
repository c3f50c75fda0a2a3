"""A local copy of burn-onnx that generates wrong code is used instead of the registry's, and caught.

Costs burn-onnx and the converter once more, and nothing of Burn.
"""

import numpy as np
from rooms import FIXTURES, Rooms, Tiny, case

from burn_verify import load, reference
from burn_verify.build import Builder
from burn_verify.convert import Converter
from burn_verify.progress import silent
from burn_verify.runner import Runner
from burn_verify.toolchain import Toolchain
from burn_verify.types import Checkout, ConvertedModel, Target


def converted(cache: Rooms, toolchain: Toolchain, name: str) -> ConvertedModel:
    prepared = load.prepare(case(name, FIXTURES / f"{name}.onnx"), cache)
    converter = Converter(
        cache,
        toolchain.converter(),
        toolchain.converter_fingerprint,
        simplify=True,
        partition=True,
        timeout=60,
        memory_limit=0,
    )
    try:
        return converter.convert(prepared)
    finally:
        converter.close()


def test_a_broken_checkout_of_burn_onnx_is_used_and_caught(cache: Rooms, tiny: Tiny, broken: Checkout) -> None:
    plain, local = Toolchain(cache, silent, Target()), Toolchain(cache, silent, Target(burn_onnx_checkout=broken))
    # Models are compiled where they always are: the runner knows nothing of burn-onnx.
    assert local.fingerprint == plain.fingerprint
    assert local.converter_fingerprint != plain.converter_fingerprint

    before = plain.converter().stat().st_mtime_ns
    spoilt = {name: converted(cache, local, name) for name in ("add", "matmul")}
    assert plain.converter().stat().st_mtime_ns == before
    assert spoilt["add"].rust.read_text() != tiny.model("add").rust.read_text()
    assert spoilt["matmul"].rust.read_text() == tiny.model("matmul").rust.read_text()

    compiled = Builder(cache, local).compile(list(spoilt.values()))
    assert compiled.binary is not None
    runner = Runner(cache, compiled.binary, timeout=60, memory_limit=0)
    try:
        right = {}
        for name, model in spoilt.items():
            known = tiny.plan.cases[f"file/{name}"].reference
            assert known is not None
            data = reference.read(known).data_sets["seeded"]
            (actual,) = runner.infer(model, data.inputs, "flex").outputs
            right[name] = np.allclose(actual, data.desired[0])
            if name == "add":
                np.testing.assert_allclose(actual, data.inputs[0] - data.inputs[1])
    finally:
        runner.close()
    assert right == {"add": False, "matmul": True}


def test_the_plain_converter_is_still_there(cache: Rooms, tiny: Tiny, broken: Checkout) -> None:
    # Built before the checkout or after it, neither evicts the other.
    assert Toolchain(cache, silent, Target(burn_onnx_checkout=broken)).ready
    assert Toolchain(cache, silent, Target()).ready
    assert converted(cache, Toolchain(cache, silent, Target()), "add").rust == tiny.model("add").rust
