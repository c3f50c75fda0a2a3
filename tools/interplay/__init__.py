"""Faults of the interplay of nodes, planted in ONNX graphs."""
