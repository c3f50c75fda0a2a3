"""Whose fault the first wrong node is, with stand-ins for ONNX Runtime, Burn on two backends and the exporter."""

import numpy as np
import onnx
import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.errors import RunError, ToolchainError
from burn_verify.core.located import Finding, Side
from burn_verify.core.options import Settings
from burn_verify.run.locate import locate
from burn_verify.run.search import Instruments, Search
from handmade import model, value
from wrong import has, seams

BOTH = Instruments(backend="ndarray", round_trip=True)


def proto():
    nodes = [onnx.helper.make_node("Neg", ["x"], ["a"], "first"), onnx.helper.make_node("Exp", ["a"], ["y"], "second")]
    return model(nodes, [value("x", shape=[3])], [value("y", shape=[3])])


def off(array):
    return array * np.float32(1.5)


def with_the_fault(written):
    """Return what the exporter writes of code that asks for 1.5 times an Exp."""
    made = onnx.ModelProto()
    made.CopyFrom(written)
    node = made.graph.node[-1]
    if node.op_type != "Exp":
        return made
    end, node.output[0] = node.output[0], "inner"
    made.graph.initializer.append(onnx.helper.make_tensor("factor", onnx.TensorProto.FLOAT, [], [1.5]))
    made.graph.node.append(onnx.helper.make_node("Mul", ["inner", "factor"], [end]))
    return made


@pytest.fixture
def asked(cache, tmp_path):
    def ask(seams, instruments=BOTH):
        path = tmp_path / "m.onnx"
        onnx.save(proto(), path)
        case = Case(id="file/m", corpus="file", source=ModelFile(path=path))
        return locate(case, Search(settings=Settings(), cache=cache, seams=seams, instruments=instruments))

    return ask


def test_a_kernel_is_wrong_where_another_one_is_right(asked):
    found = asked(seams("Exp", off, right_on="ndarray"))
    assert found.first.nodes[0].name == "second"
    assert (found.fault.side, found.fault.by) == (Side.KERNEL, ("other kernels", "round trip"))
    assert found.seconds["fault"] > 0


def test_the_importer_is_wrong_where_all_are_wrong_alike(asked):
    found = asked(seams("Exp", off, exports=with_the_fault))
    assert (found.fault.side, found.fault.by) == (Side.IMPORTER, ("other kernels", "round trip"))


def test_kernels_may_be_wrong_alike(asked):
    assert asked(seams("Exp", off)).fault.side is Side.KERNEL


def test_an_operation_that_is_not_written_leaves_the_other_kernels(asked):
    found = asked(
        seams(
            "Exp",
            off,
            exports=lambda written: RunError("unsupported operation at index 1: Float(F32, Exp(UnaryOpIr", "no"),
        )
    )
    assert (found.fault.side, found.fault.by) == (Side.IMPORTER, ("other kernels",))
    assert found.fault.facts[-1] == "no round trip: unsupported operation: Exp (Float)"


def test_without_instruments_nothing_is_asked(asked):
    assert asked(seams("Exp", off), None).fault is None


def test_of_a_model_that_passes_nothing_is_asked(asked):
    found = asked(seams())
    assert (found.finding, found.fault) == (Finding.NOTHING_WRONG, None)


def test_a_refusal_is_the_importers(asked):
    assert asked(seams(refuses=has("Exp"))).fault.side is Side.IMPORTER


def test_a_panic_is_asked_too(asked):
    found = asked(seams(panics=has("Exp"), right_on="ndarray"))
    assert found.fault.side is Side.KERNEL


def test_an_exporter_that_cannot_be_built_is_no_error(asked):
    def broken(written):
        raise ToolchainError("no cargo\nat all")

    found = asked(seams("Exp", off, right_on="ndarray", exports=broken))
    assert found.fault.side is Side.KERNEL
    assert found.fault.facts[-1] == "no round trip: no cargo"
