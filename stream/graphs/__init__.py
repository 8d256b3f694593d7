"""ONNX graphs: how they are opened, run with state, and patched."""
