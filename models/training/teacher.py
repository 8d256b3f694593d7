"""Teacher: Kokoro-82M (int8 ONNX) with its durations, pitch and energy tapped.

The graph has no random nodes, so one line of a manifest always gives the same sound. The
style vector splits: its first half colours the decoder (timbre), its second half drives the
prosody predictor. Knows nothing about text, languages or how styles are made.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from selftalk.stream.errors import WeightsError
from selftalk.stream.sound.audio import Float32Array, write_atomically

SAMPLE_RATE_HZ = 24_000
UNIT_SAMPLES = 600
"""Durations are counted in units of 25 ms."""
PROSODY_RATE_HZ = 80
"""Frames of pitch and energy in a second: two in each unit."""
MAX_CHARACTERS = 508
STYLE_SIZE = 256
TIMBRE_SIZE = 128

WEIGHTS = "kokoro-82m-int8"
GRAPH_FILE = "kokoro-v1.0.int8.onnx"
TAPPED_FILE = "tapped.onnx"
PLANNING_FILE = "durations.onnx"
CHARACTERS_FILE = "vocab.json"

_DURATIONS = "/encoder/Clip_output_0"
_PITCH = "/encoder/F0_proj/Conv_output_0"
_ENERGY = "/encoder/N_proj/Conv_output_0"
_TAPS = (_DURATIONS, _PITCH, _ENERGY)
_PLANNED = "/encoder/Div_output_0"
"""The durations before they are rounded to whole units, and to at least one."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """What the teacher decided before it made any sound; N characters, T units in all."""

    durations: npt.NDArray[np.int64]
    """(N + 2,) units of 25 ms; the first and the last are the silent padding."""
    pitch_hz: Float32Array
    """(2T,) raw pitch: values below 10 Hz are unvoiced but still drive the phase."""
    energy: Float32Array
    """(2T,) the teacher's own loudness curve."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One spoken line."""

    samples: Float32Array
    """(T * 600,) at 24 kHz."""
    prosody: Prosody


class Teacher:
    """Speaks strings of its own phonetic characters, on one thread."""

    def __init__(self, folder: Path, *, silent: bool = False) -> None:
        """Open the graph, deriving the tapped copy beside it the first time.

        Args:
            folder: holds the graph and its character table.
            silent: it will only be asked for durations, which cost a fiftieth of `speak`.
        """
        for name in (GRAPH_FILE, CHARACTERS_FILE):
            if not (folder / name).is_file():
                raise WeightsError(f"the teacher needs '{name}' in '{folder}'")
        path = folder / (PLANNING_FILE if silent else TAPPED_FILE)
        if not path.is_file():
            _write_tapped_graph(folder / GRAPH_FILE, path, silent=silent)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._audio = [] if silent else [self._session.get_outputs()[0].name]
        vocabulary = json.loads((folder / CHARACTERS_FILE).read_text(encoding="utf-8"))
        self._ids: dict[str, int] = vocabulary["vocab"]

    def speak(self, characters: str, style: Float32Array, speed: float = 1.0) -> Speech:
        """Speak (N,) characters in a (256,) style; a higher speed is shorter."""
        assert self._audio, "this teacher was opened silent"
        samples, *taps = self._run([*self._audio, *_TAPS], characters, style, speed)
        prosody = _prosody(*taps)
        audio = np.asarray(samples, np.float32).ravel()
        expected = int(prosody.durations.sum()) * UNIT_SAMPLES
        assert len(audio) == expected, (len(audio), expected)
        return Speech(audio, prosody)

    def durations(self, characters: str, style: Float32Array, speed: float = 1.0) -> Float32Array:
        """Plan (N + 2,) durations in units, not rounded, without making sound."""
        assert not self._audio, "this teacher was not opened silent"
        (units,) = self._run([_PLANNED], characters, style, speed)
        return np.asarray(units, np.float32).ravel()

    def _run(self, outputs: list[str], characters: str, style: Float32Array, speed: float) -> Any:
        assert style.shape == (STYLE_SIZE,), style.shape
        assert 0 < len(characters) <= MAX_CHARACTERS, len(characters)
        tokens = [0, *(self._ids[character] for character in characters), 0]
        inputs = {
            "tokens": np.array([tokens], np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        return self._session.run(outputs, inputs)


def _prosody(durations: Any, pitch: Any, energy: Any) -> Prosody:
    units = np.asarray(durations).ravel().round().astype(np.int64)
    pitch_hz = np.asarray(pitch, np.float32).ravel()
    curve = np.asarray(energy, np.float32).ravel()
    assert len(pitch_hz) == len(curve) == 2 * units.sum(), (len(pitch_hz), units.sum())
    return Prosody(units, pitch_hz, curve)


def _write_tapped_graph(source: Path, target: Path, *, silent: bool) -> None:
    """Copy the graph with the taps as outputs; or with the planned durations alone."""
    import onnx  # only here: rendering itself needs the runtime alone

    model = onnx.load(str(source))
    graph = model.graph
    if silent:
        del graph.output[:]
    for name in [_PLANNED] if silent else _TAPS:
        graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    if silent:
        _drop_dead_nodes(graph)
    write_atomically(target, model.SerializeToString())


def _drop_dead_nodes(graph: Any) -> None:
    """Keep what the outputs need; nodes are stored in the order of execution."""
    live = {output.name for output in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if live.intersection(node.output):
            nodes.append(node)
            live.update(node.input)
    tensors = [tensor for tensor in graph.initializer if tensor.name in live]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(tensors)
