"""Verify that ONNX models still compute the same thing once Burn has turned them into Rust."""

__version__ = "0.2.0"
