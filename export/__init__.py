"""From torch models and foreign checkpoints to bundles; joins models and stream."""

import selftalk.stream.onnx  # noqa: F401  # before onnxruntime: it switches its reports off
