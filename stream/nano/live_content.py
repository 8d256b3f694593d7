"""LiveContent: what somebody is saying, token by token, while they say it.

Whisper wants to hear some context, so for every few new tokens it is given the last two seconds
again, and a little of what comes after them. Pitch and level are relative to what was heard of
the speaker so far. How the sound is cut before `push` makes no difference.

    ├──── past, heard again ────┤├─ new tokens ─┤├ ahead ┤

Knows nothing about voices and does not make sound.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.listening.whisper_encoder import SAMPLE_RATE_HZ
from selftalk.stream.nano.content import FRAMES_PER_TOKEN, TOKEN_SAMPLES, ContentEncoder
from selftalk.stream.nano.speech_prosody import USUAL_LOG_PITCH, VOICED_ENERGY, melody, scaled
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.pitch import mean_log_pitch

Int64Array = npt.NDArray[np.int64]

PAST_TOKENS = 50
NEW_TOKENS = 8
AHEAD_TOKENS = 4
REMEMBERED_FRAMES = 3000
"""Voiced frames that tell a speaker's pitch and level: 30 s."""


class LiveContent:
    """One speaker's stream of 16 kHz samples as semantic tokens."""

    def __init__(
        self,
        encoder: ContentEncoder,
        *,
        new_tokens: int = NEW_TOKENS,
        ahead_tokens: int = AHEAD_TOKENS,
        past_tokens: int = PAST_TOKENS,
    ) -> None:
        """Begin.

        Args:
            encoder: shared by all streams.
            new_tokens: how many are waited for before they are heard together.
            ahead_tokens: how many more have to follow.
            past_tokens: how many come before them.
        """
        self._encoder = encoder
        self._new, self._ahead, self._past = new_tokens, ahead_tokens, past_tokens
        self._speaker = _Habits()
        self._samples = np.zeros(0, np.float32)  # the past, then what waits
        self._heard_tokens = 0  # of them, those that were given out

    @property
    def delay_samples(self) -> int:
        """How long the first sample of a token waits at most."""
        return (self._new + self._ahead) * TOKEN_SAMPLES

    def push(self, samples: Float32Array) -> Int64Array:
        """Add (N,) samples; return the tokens (T,) that are certain by now."""
        self._samples = np.concatenate([self._samples, samples])
        wanted = (self._new + self._ahead) * TOKEN_SAMPLES
        tokens = [np.zeros(0, np.int64)]
        while len(self._samples) - self._heard_tokens * TOKEN_SAMPLES >= wanted:
            end = self._heard_tokens * TOKEN_SAMPLES + wanted
            tokens.append(self._hear(self._samples[:end], self._new))
        return np.concatenate(tokens)

    def flush(self) -> Int64Array:
        """The rest, as if silence followed; what does not fill a token is cut."""
        whole = len(self._samples) // TOKEN_SAMPLES
        rest = whole - self._heard_tokens
        if not rest:
            return np.zeros(0, np.int64)
        return self._hear(self._samples[: whole * TOKEN_SAMPLES], rest)

    def _hear(self, window: Float32Array, count: int) -> Int64Array:
        """The next tokens of a window that begins with the past and ends with what is ahead."""
        first = self._heard_tokens
        prosody = self._speaker.prosody(window, first, count)
        tokens = self._encoder.tokens(window, prosody)[first : first + count]
        forgotten = max(0, first + count - self._past)
        self._samples = self._samples[forgotten * TOKEN_SAMPLES :]
        self._heard_tokens = first + count - forgotten
        return tokens


class _Habits:
    """Mean pitch and level of a speaker, as far as they were heard."""

    def __init__(self) -> None:
        self._pitch_hz = np.zeros(0, np.float32)  # of voiced frames
        self._energy = np.zeros(0, np.float32)

    def prosody(self, window: Float32Array, first: int, count: int) -> Float32Array:
        """The prosody of a window of T tokens, (4 T, 3), of which `count` from `first` are new."""
        pitch_hz, energy = melody(AudioChunk(window, SAMPLE_RATE_HZ))
        new = slice(FRAMES_PER_TOKEN * first, FRAMES_PER_TOKEN * (first + count))
        voiced = pitch_hz[new] > 0
        self._pitch_hz = np.append(self._pitch_hz, pitch_hz[new][voiced])[-REMEMBERED_FRAMES:]
        self._energy = np.append(self._energy, energy[new][voiced])[-REMEMBERED_FRAMES:]
        if not len(self._pitch_hz):
            return scaled(pitch_hz, energy, USUAL_LOG_PITCH, VOICED_ENERGY)
        level = float(self._energy.mean())
        return scaled(pitch_hz, energy, mean_log_pitch(self._pitch_hz), level)
