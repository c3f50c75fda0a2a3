"""Every version of Burn and every backend that is compiled here answers like ONNX Runtime, from one binary a version.

What is not compiled is skipped by name: `tox run -e targets` compiles it all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from burn_verify.burn.batch import BatchCompiler
from burn_verify.burn.lacks import in_words, lacking
from burn_verify.burn.runner import Runner
from burn_verify.burn.ways import of_target
from burn_verify.burn.workspace import Workspace, recipes_built
from burn_verify.cases import load
from burn_verify.core import versions
from burn_verify.core.errors import RunError
from burn_verify.core.progress import silent
from burn_verify.core.stage import ConvertedModel, FailureKind
from burn_verify.core.target import Target
from burn_verify.core.versions import BurnVersion
from burn_verify.core.ways import BURNPACK
from burn_verify.prepare.rewritings.versions import stamped
from burn_verify.reference.oracle import Oracle, read
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.wire import Array
from toolchain.helpers import FIXTURES, NAMES, OwnCache, case, converter_of

ASKED = [(version.burn, backend) for version in versions.VERSIONS for backend in version.backends]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A runner with all models in it, and what they are fed and have to answer."""

    runner: Runner
    models: dict[str, ConvertedModel]
    data: dict[str, tuple[list[Array], list[Array]]]


def greater(folder: Path) -> Path:
    """Write a model that answers booleans, five of them: no multiple of four bytes."""
    kinds = {"X": TensorProto.FLOAT, "Y": TensorProto.FLOAT, "Z": TensorProto.BOOL}
    x, y, z = (helper.make_tensor_value_info(name, kind, [5]) for name, kind in kinds.items())
    graph = helper.make_graph([helper.make_node("Greater", ["X", "Y"], ["Z"])], "greater", [x, y], [z])
    path = folder / "greater.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def newer(path: Path, folder: Path) -> Path:
    """Write a model as one of an opset that burn-import takes; its operators mean the same there."""
    made = folder / "newer" / path.name
    made.parent.mkdir(exist_ok=True)
    onnx.save(stamped(onnx.load(path), 16), made)
    return made


@pytest.fixture(scope="session")
def served(cache: OwnCache, own: Path) -> Iterator[dict[str, Served]]:
    """What was made so far, by version."""
    made: dict[str, Served] = {}
    yield made
    for one in made.values():
        one.runner.close()


def serve(cache: OwnCache, own: Path, version: BurnVersion, backends: tuple[str, ...]) -> Served:
    backend, record = version.backends[0], version.records[0]
    target = Target(burn=version.burn, burn_onnx=version.burn_onnx, backend=backend, record=record)
    toolchain = Workspace.of(cache, silent, target, backends)
    converter = converter_of(cache, toolchain, record)
    engine = OnnxRuntime(cache, timeout=60)
    oracle = Oracle(cache, engine)
    models, data = {}, {}
    try:
        for path in [*(FIXTURES / f"{name}.onnx" for name in NAMES), greater(own)]:
            path = path if record == BURNPACK else newer(path, own)
            prepared = load.prepare(case(path.stem, path), cache)
            models[path.stem] = of_target(converter.convert(prepared), target)
            seeded = read(oracle.answer(prepared)).data_sets["seeded"]
            data[path.stem] = (list(seeded.inputs), list(seeded.desired))
    finally:
        converter.close()
        engine.close()
    compiled = BatchCompiler(cache, toolchain).compile(list(models.values()))
    assert compiled.binary is not None
    assert not compiled.errors
    runner = Runner(cache, compiled.binary, timeout=120, memory_limit=16384)
    return Served(runner=runner, models=models, data=data)


@pytest.mark.parametrize(("burn", "backend"), ASKED, ids=[f"{burn}-{backend}" for burn, backend in ASKED])
def test_answers_are_those_of_onnx_runtime(
    burn: str, backend: str, cache: OwnCache, own: Path, served: dict[str, Served]
) -> None:
    version = versions.resolve(burn)
    with_it = [recipe.backends for recipe in recipes_built(cache, version) if backend in recipe.backends]
    if not with_it:
        pytest.skip(f"Burn {burn} is not compiled for {backend} here: tox run -e targets")
    if burn not in served:
        most = max((recipe.backends for recipe in recipes_built(cache, version)), key=len)
        served[burn] = serve(cache, own, version, most)
    one = served[burn]
    try:
        device = one.runner.start(backend)
    except RunError as error:
        pytest.skip(error.message)
    for name, model in one.models.items():
        inputs, desired = one.data[name]
        if lacking(device, model.rust.read_text(encoding="utf-8"), [array.dtype.name for array in inputs]):
            # What this device lacks says nothing of Burn; it is told before anything runs.
            with pytest.raises(RunError, match=f"^device: {in_words(device.lacks)}") as caught:
                one.runner.infer(model, inputs, backend)
            assert caught.value.kind is FailureKind.DEVICE
            continue
        answer = one.runner.infer(model, inputs, backend)
        assert answer.forward_seconds > 0
        for actual, expected in zip(answer.outputs, desired, strict=True):
            assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6, err_msg=name)
    truth = one.data["greater"][1][0]
    assert truth.any()
    assert not truth.all()
