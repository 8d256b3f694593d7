"""The runtime: numpy and onnxruntime, never torch."""
