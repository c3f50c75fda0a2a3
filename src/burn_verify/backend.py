"""Another name of `burn_verify.onnx_backend`, for test files of ONNX's scoreboard."""

from burn_verify.onnx_backend import Backend, Prepared, node_models

__all__ = ["Backend", "Prepared", "node_models"]
