"""WhisperEncoder: speech → features of the encoder of Whisper, which say what is said.

They come from a network that heard much real speech, so what is learnt on them carries over to
microphones. Knows nothing about what the features are used for.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import WeightsError
from selftalk.stream.listening.log_mel import log_mel
from selftalk.stream.sound.audio import Float32Array

WEIGHTS = "whisper-base"
SAMPLE_RATE_HZ = 16_000
FEATURES = 512
FRAME_SAMPLES = 320
"""50 frames in a second."""
WINDOW_FRAMES = 1500
"""The longest sound Whisper can place: 30 s."""
TAIL_FRAMES = 25
"""Silence after each utterance, as Whisper expects it: 0.5 s."""


class WhisperEncoder:
    """The encoder of a Whisper model, on one thread.

    Each utterance is heard alone in a window of its own length: the features of the same sound
    differ much between places in Whisper's 30 s, and alone is how a reference is heard later.
    """

    def __init__(self, folder: Path) -> None:
        """Open a CTranslate2 folder; float32, since these features are learnt from.

        Raises:
            WeightsError: the folder holds no model, or ctranslate2 is not installed.
        """
        try:
            import ctranslate2  # only here: an optional package
        except ImportError as error:
            raise WeightsError(
                "hearing what a recording says needs ctranslate2: pip install 'selftalk[local]'"
            ) from error
        if not (folder / "model.bin").is_file():
            raise WeightsError(f"no whisper model ('model.bin') in '{folder}'")
        self._storage: Any = ctranslate2.StorageView
        self._model: Any = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="float32", intra_threads=1
        )

    def encode(self, samples: Float32Array) -> npt.NDArray[np.float16]:
        """(T,) 16 kHz samples → (ceil(T / 320), 512) at 50 Hz; what exceeds 30 s is left out."""
        window = listening_window(samples)
        mel = np.ascontiguousarray(log_mel(window)[None])
        encoded = self._model.encode(self._storage.from_array(mel), to_cpu=True)
        heard = -(-len(samples) // FRAME_SAMPLES)
        return np.array(encoded)[0, :heard].astype(np.float16)


def listening_window(samples: Float32Array) -> Float32Array:
    """Pad (T,) samples to whole frames and a tail of silence, or cut them at 30 s."""
    frames = -(-len(samples) // FRAME_SAMPLES) + TAIL_FRAMES
    size = min(frames, WINDOW_FRAMES) * FRAME_SAMPLES
    return np.pad(samples, (0, max(0, size - len(samples))))[:size]
