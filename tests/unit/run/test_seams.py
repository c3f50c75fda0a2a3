"""What a run is made of, unless somebody says otherwise."""

from burn_verify.burn.builder import CargoBuilder
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.seams import Seams


def test_by_default_onnx_runtime_answers_and_cargo_builds():
    assert (Seams().engine, Seams().builder) == (OnnxRuntime, CargoBuilder)
