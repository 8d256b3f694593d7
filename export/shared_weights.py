"""SharedWeights: the tensors of several graphs in one file beside them, each once.

Prefill and step of a decoder have most of their tensors in common. Tensors are told apart by their
content, so the same graphs give the same bytes. Knows nothing about what is in the graphs.
"""

import hashlib
from pathlib import Path
from types import TracebackType

import onnx

SMALLEST_BYTES = 1024
"""Less is not worth a lookup, and constants of shapes must stay where the graph is read."""
ALIGNMENT_BYTES = 4096
"""A page: onnxruntime maps the file into memory."""


class SharedWeights:
    """Moves tensors out of graphs; a context manager, because its file is written meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._file = path.open("wb")

    def __enter__(self) -> "SharedWeights":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def take(self, model: onnx.ModelProto) -> None:
        """Move the large tensors of a graph into the file."""
        for tensor in model.graph.initializer:
            content = onnx.numpy_helper.to_array(tensor).tobytes()
            if len(content) < SMALLEST_BYTES:
                continue
            offset, length = self._place(content)
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(field)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            del tensor.external_data[:]
            for key, value in (
                ("location", self.path.name),
                ("offset", offset),
                ("length", length),
            ):
                tensor.external_data.add(key=key, value=str(value))

    def _place(self, content: bytes) -> tuple[int, int]:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._places:
            self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT_BYTES))
            self._places[digest] = (self._file.tell(), len(content))
            self._file.write(content)
        return self._places[digest]
