"""The name under which ONNX's scoreboard looks for `burn_verify.onnx_backend`."""

from burn_verify.onnx_backend import Backend, Prepared, node_models

__all__ = ["Backend", "Prepared", "node_models"]
