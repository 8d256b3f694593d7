"""From torch models and foreign checkpoints to bundles; joins models and stream."""

import selftalk.stream.graphs.no_reports  # noqa: F401  # before any import of onnxruntime
