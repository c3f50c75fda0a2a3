"""Values between nodes, in temporary storage."""

import numpy as np
import pytest
from onnx import helper

from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.graph.cut import graph_of
from burn_verify.run.values import Values
from fakes import Faults
from handmade import model, value
from wrong import Engine

X = np.array([1, -2, 3], np.float32)


def chain(length):
    nodes = [helper.make_node("Neg", [f"v{place}"], [f"v{place + 1}"]) for place in range(length)]
    return model(nodes, [value("v0", shape=[3])], [value(f"v{length}", shape=[3])])


class Refusing(Engine):
    """Refuses models with an output of one name."""

    kind = FailureKind.REFUSED

    def infer_all(self, path, sets, **more):
        import onnx

        if "v7" in {value.name for value in onnx.load(path).graph.output}:
            message = "no tensor"
            raise OracleError(message, kind=self.kind)
        return super().infer_all(path, sets, **more)


@pytest.fixture
def engine(cache):
    return Engine(cache, 1.0, Faults())


def test_values_and_inputs_are_stored_with_their_types(engine):
    with Values(engine) as values:
        graph = graph_of(chain(80))
        found = values.of(graph, {"v0": X})
        assert len(found.specs) == 81
        np.testing.assert_array_equal(found.array("v79"), -X)
        assert found.bytes_of(["v0", "v1"]) == 24
        assert found.specs["v5"].shape == (3,)
        folder = found.files["v0"].parent
    assert not folder.exists()


def test_a_value_that_the_engine_refuses_is_left_out(cache):
    with Values(Refusing(cache, 1.0, Faults())) as values:
        assert set(values.of(graph_of(chain(9)), {"v0": X}).specs) == {f"v{place}" for place in range(10)} - {"v7"}


def test_a_closed_engine_is_an_error(cache):
    engine = Refusing(cache, 1.0, Faults())
    engine.kind = FailureKind.CLOSED
    with Values(engine) as values, pytest.raises(OracleError):
        values.of(graph_of(chain(9)), {"v0": X})


def test_fixed_values_are_known_by_their_numbers(engine):
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Neg", ["x"], ["y"])]
    graph = graph_of(model(nodes, [value("x", shape=[3])], [value("s"), value("y")]))
    with Values(engine) as values:
        known = values.of(graph, {"x": X}).known(graph)
    np.testing.assert_array_equal(known.fixed["s"], [3])
    assert set(known.fixed) == {"s"}
