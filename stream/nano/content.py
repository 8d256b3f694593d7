"""ContentEncoder: a recording → what is said in it and how, whoever says it.

    recording ─▶ Whisper's features, 50 Hz ──┐
              └▶ pitch, voicing, energy, 100 Hz ─▶ tokenizer ─▶ semantic tokens, 25 Hz

Long recordings are cut in pauses, because Whisper hears 30 s at most. Knows nothing about voices
and does not make sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from selftalk.stream.fetching.weights import resolve
from selftalk.stream.graphs.graph import Graph
from selftalk.stream.listening.whisper_encoder import SAMPLE_RATE_HZ, WEIGHTS, WhisperEncoder
from selftalk.stream.nano.speech_prosody import Prosody, speech_prosody
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import Bundle

TOKEN_SAMPLES = 640  # of 16 kHz, 40 ms
FRAMES_PER_TOKEN = 4
LONGEST_PIECE_SAMPLES = 15 * SAMPLE_RATE_HZ
SHORTEST_PIECE_SAMPLES = 5 * SAMPLE_RATE_HZ
PAUSE_TOKENS = 5  # 200 ms, over which the level is compared


@dataclass(frozen=True, slots=True)
class Content:
    """What is said in T tokens of 40 ms."""

    tokens: npt.NDArray[np.int64]
    """(T,)."""
    prosody: Prosody
    """Its frames are (4 T, 3)."""


class ContentEncoder:
    """Reads recordings; safe to share between threads."""

    def __init__(self, bundle: Bundle, whisper: Path | None = None) -> None:
        """Open a bundle's tokenizer.

        Args:
            bundle: of nano.
            whisper: folder of Whisper's weights, found or fetched if not given.

        Raises:
            BundleError: the bundle has no tokenizer.
            WeightsError: Whisper cannot be had.
        """
        self._tokenizer = Graph(bundle.graph_path("tokenizer"))
        self._whisper = WhisperEncoder(whisper or resolve(WEIGHTS))

    def encode(self, chunk: AudioChunk) -> Content:
        """Speech by one speaker, of any length; what does not fill a token of 40 ms is cut."""
        samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
        T = len(samples) // TOKEN_SAMPLES
        whole = AudioChunk(samples[: T * TOKEN_SAMPLES], SAMPLE_RATE_HZ)
        prosody = fitted(speech_prosody(whole), FRAMES_PER_TOKEN * T)
        pieces = [np.zeros(0, np.int64)]
        first = 0
        for piece in pieces_between_pauses(whole.samples):
            frames = slice(first, first + FRAMES_PER_TOKEN * len(piece) // TOKEN_SAMPLES)
            pieces.append(self.tokens(piece, prosody.frames[frames]))
            first = frames.stop
        return Content(np.concatenate(pieces), prosody)

    def tokens(self, piece: Float32Array, prosody: Float32Array) -> npt.NDArray[np.int64]:
        """The tokens (T,) of at most 30 s: (T * 640,) samples and (4 T, 3) prosody."""
        wanted = len(piece) // TOKEN_SAMPLES * 2
        features = self._whisper.encode(piece)[:wanted].astype(np.float32)
        outputs = self._tokenizer.run(features=features[None], prosody=prosody[None])
        tokens: npt.NDArray[np.int64] = outputs["tokens"][0]
        return tokens


def fitted(prosody: Prosody, frames: int) -> Prosody:
    """The same prosody with exactly so many frames, the last one repeated if need be."""
    missing = max(0, frames - len(prosody.frames))
    padded = np.pad(
        prosody.frames, ((0, missing), (0, 0)), "edge" if len(prosody.frames) else "constant"
    )
    return Prosody(padded[:frames], prosody.mean_log_pitch)


def pieces_between_pauses(samples: Float32Array) -> Iterator[Float32Array]:
    """Cut (T * 640,) samples into pieces of 5 to 15 s, in the quietest places, at whole tokens."""
    start = 0
    while len(samples) - start > LONGEST_PIECE_SAMPLES:
        window = samples[start + SHORTEST_PIECE_SAMPLES : start + LONGEST_PIECE_SAMPLES]
        end = start + SHORTEST_PIECE_SAMPLES + TOKEN_SAMPLES * quietest_token(window)
        yield samples[start:end]
        start = end
    if start < len(samples):
        yield samples[start:]


def quietest_token(samples: Float32Array) -> int:
    """The token of (T * 640,) samples around which 200 ms are quietest."""
    power = np.square(samples.reshape(-1, TOKEN_SAMPLES)).mean(axis=1)
    return int(np.convolve(power, np.ones(PAUSE_TOKENS), "same")[2:-2].argmin()) + 2
