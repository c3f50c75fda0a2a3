"""ONNX Runtime in its worker process, and that process killed, stopped and closed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from burn_verify.core.errors import OracleError
from burn_verify.core.stage import FailureKind
from burn_verify.reference.engine import infer
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.system.cache import Cache

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"
X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_it_says_which_version_answers(engine: OnnxRuntime) -> None:
    import onnxruntime

    assert (engine.name, engine.version) == ("onnxruntime", onnxruntime.__version__)


def test_nothing_is_started_before_the_first_request(engine: OnnxRuntime, identity: Callable[..., Path]) -> None:
    assert engine.pid is None
    infer(engine, identity(), [X])
    assert engine.pid is not None


@pytest.mark.parametrize("optimise", [False, True])
def test_several_sets_are_answered_in_their_order(
    engine: OnnxRuntime, identity: Callable[..., Path], optimise: bool
) -> None:
    answers = engine.infer_all(identity(), [[X], [X + 1]], optimise=optimise, threads=1)
    assert [len(answer) for answer in answers] == [1, 1]
    np.testing.assert_array_equal(answers[0][0], X)
    np.testing.assert_array_equal(answers[1][0], X + 1)


def test_a_measurement_has_float64_and_the_node(engine: OnnxRuntime, identity: Callable[..., Path]) -> None:
    found = engine.measure(identity(), [X], wide=True, shapes=[X.shape], timeout=60.0)
    assert found.arrays["000/wide/000"].dtype == np.float64
    assert (found.evaluator, found.why) == ("onnxruntime", "")
    assert found.node is not None


def test_a_killed_worker_is_replaced(engine: OnnxRuntime, identity: Callable[..., Path]) -> None:
    infer(engine, identity(), [X])
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(OracleError, match="SIGKILL") as caught:
        infer(engine, identity(), [X])
    assert caught.value.reason == "ONNX Runtime: killed"
    assert "log" in caught.value.details
    np.testing.assert_array_equal(infer(engine, identity(), [X])[0], X)
    assert engine.pid != pid


def test_a_worker_that_hangs_is_ended(engine: OnnxRuntime, identity: Callable[..., Path]) -> None:
    infer(engine, identity(), [X])
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
    with pytest.raises(OracleError, match=r"no answer within 0\.1 s") as caught:
        engine.measure(identity(), [X], wide=True, shapes=[X.shape], timeout=0.1)
    assert caught.value.reason == "ONNX Runtime: timeout"
    np.testing.assert_array_equal(infer(engine, identity(), [X])[0], X)


def test_after_a_restart_another_process_answers(engine: OnnxRuntime, identity: Callable[..., Path]) -> None:
    infer(engine, identity(), [X])
    before = engine.pid
    engine.restart()
    assert engine.pid is None
    infer(engine, identity(), [X])
    assert engine.pid not in (None, before)


def test_a_closed_engine_answers_nobody(engine: OnnxRuntime, identity: Callable[..., Path]) -> None:
    engine.close()
    with pytest.raises(OracleError) as caught:
        infer(engine, identity(), [X])
    assert caught.value.reason == "ONNX Runtime: closed"


def test_a_refusal_names_the_model_and_not_its_folder(engine: OnnxRuntime, tmp_path: Path) -> None:
    model = onnx.load(ADD)
    model.graph.node[0].op_type = "NobodyKnowsThis"
    path = tmp_path / "refused.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(OracleError, match="NobodyKnowsThis") as caught:
        infer(engine, path, [X])
    assert str(tmp_path) not in caught.value.message


def test_the_worker_is_under_the_memory_limit(cache: Cache, tmp_path: Path) -> None:
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    sizes = numpy_helper.from_array(np.array([1 << 16, 1 << 16], np.int64), "sizes")
    graph = helper.make_graph([helper.make_node("Expand", ["x", "sizes"], ["y"])], "g", [shape], [answer], [sizes])
    path = tmp_path / "large.onnx"
    onnx.save(helper.make_model(graph, opset_imports=(helper.make_opsetid("", 17),), ir_version=8), path)
    limited = OnnxRuntime(cache, timeout=60.0, memory_limit=8192)
    try:
        with pytest.raises(OracleError, match="ONNX Runtime") as caught:
            limited.infer_all(path, [[np.ones(1, np.float32)]])
        assert caught.value.kind is FailureKind.MEMORY
        assert caught.value.reason == "ONNX Runtime: out of memory (limit 8192 MiB)"
        assert limited.infer_all(ADD, [[X]])
    finally:
        limited.close()
