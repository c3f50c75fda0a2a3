"""ONNX's own tests over compiled Burn: see docs/scoreboard.md."""

from onnx.backend.test import BackendTest

from burn_verify.onnx_backend import Backend, node_models

Backend.ahead(node_models())
globals().update(BackendTest(Backend, __name__).test_cases)
