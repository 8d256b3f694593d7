"""A person's recording as the examples that nano learns their voice from.

    slice ─▶ Whisper's features ─▶ tokenizer ─▶ tokens, and which symbol is heard when
          └▶ pitch, voicing, energy ──────────▶ the melody
    text ─▶ symbols ─ forced alignment ─▶ durations

A recording has no known excitation as the teacher's speech has; its pulses follow the tracked
pitch. It is brought to the level at which nano speaks: a voice that learns from quieter speech
becomes quieter. Knows nothing about training.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.examples import Example
from selftalk.models.training.forced_alignment import align_text, units_of
from selftalk.stream.nano.alignment import (
    FRAMES_PER_TOKEN,
    SAMPLE_RATE_HZ,
    TOKEN_SAMPLES,
    UNIT_SAMPLES,
    Int64Array,
    align,
)
from selftalk.stream.nano.speech_prosody import ENERGY_SCALE, mel_energy, speech_prosody
from selftalk.stream.nano.synthesizer import symbols_of
from selftalk.stream.nano.timbre import with_pitch
from selftalk.stream.nano.vocoder import PulseSource
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.text import phonemize

WHISPER_RATE_HZ = 16_000
PERSON = "person"
LEAST_CONFIDENCE = -3.5
"""Mean log probability of an alignment below which the text is not believed."""
LOUDEST = 0.99

Listen = Callable[[Float32Array], np.ndarray]
"""(S,) samples at 16 kHz → Whisper's features (T, 512) at 50 Hz."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """An example with its tokens."""

    example: Example
    tokens: Int64Array  # (T,)
    aligned: bool
    """Whether its symbols can be believed; if not they are unknown and its rhythm is not used."""


@dataclass(frozen=True)
class PersonReader:
    """Reads slices of recordings."""

    tokenizer: Tokenizer
    listen: Listen
    level: float
    """Root mean square of what the model says."""

    @torch.no_grad()
    def read(self, audio: AudioChunk, text: str, language: str, colour: Float32Array) -> Learnt:
        """Read a slice of at most 30 s.

        Args:
            audio: the slice.
            text: what it says; empty if that is not known.
            language: of the text.
            colour: (D,) what nano is told of the speaker, without the pitch.
        """
        T = len(audio) * SAMPLE_RATE_HZ // audio.sample_rate_hz // TOKEN_SAMPLES
        wave = resample(audio.samples, audio.sample_rate_hz, SAMPLE_RATE_HZ)
        wave = fitted(wave, T * TOKEN_SAMPLES)
        melody = speech_prosody(AudioChunk(wave, SAMPLE_RATE_HZ))
        prosody = fitted(melody.frames, FRAMES_PER_TOKEN * T)
        heard = resample(wave, SAMPLE_RATE_HZ, WHISPER_RATE_HZ)
        features = fitted(self.listen(heard).astype(np.float32), 2 * T)
        logits, _, tokens, _ = self.tokenizer.eval()(
            torch.from_numpy(features)[None], torch.from_numpy(prosody)[None]
        )
        wave = at_level(wave, self.level)
        symbols = text_symbols(text, language)
        found = align_text(torch.log_softmax(logits[0], -1).numpy(), symbols) if text else None
        aligned = found is not None and found.mean_log_probability > LEAST_CONFIDENCE
        if found is None or not aligned:
            symbols = np.array([symbols[0]])
            durations = np.array([T * TOKEN_SAMPLES // UNIT_SAMPLES])
        else:
            durations = units_of(found.frames)
        return Learnt(
            Example(
                text=text,
                language=language,
                symbols=symbols,
                durations=durations,
                alignment=align(durations, T),
                wave=wave,
                pulses=tracked_pulses(prosody, melody.mean_log_pitch, len(wave)),
                prosody=with_energy_of(wave, prosody),
                heard_prosody=prosody.astype(np.float16),
                speaker=with_pitch(colour, melody.mean_log_pitch),
                speaker_name=PERSON,
                pair=-1,
                first_sample=0,
            ),
            tokens[0].numpy(),
            aligned,
        )


def text_symbols(text: str, language: str) -> Int64Array:
    """Ids of a text's symbols with silence before and after."""
    return symbols_of(phonemize(text, language))


def fitted(values: np.ndarray, length: int) -> np.ndarray:
    """Exactly `length` rows: cut, or the last one repeated."""
    missing = max(0, length - len(values))
    return np.pad(values, [(0, missing)] + [(0, 0)] * (values.ndim - 1), "edge")[:length]


def at_level(wave: Float32Array, level: float) -> Float32Array:
    """As loud as a root mean square, or as its peaks allow."""
    peak = max(float(np.abs(wave).max()), 1e-6)
    gain = min(level / max(root_mean_square(wave), 1e-6), LOUDEST / peak)
    return np.asarray(wave * gain, np.float32)


def root_mean_square(wave: Float32Array) -> float:
    """Of samples."""
    return float(np.sqrt(np.mean(np.square(wave))))


def with_energy_of(wave: Float32Array, prosody: Float32Array) -> Float32Array:
    """A melody (T, 3) with the energy of these samples; the tokenizer hears a relative one."""
    energy = fitted(ENERGY_SCALE * mel_energy(wave), len(prosody))
    return np.column_stack([prosody[:, :2], energy]).astype(np.float32)


def tracked_pulses(prosody: Float32Array, mean_log_pitch: float, samples: int) -> Float32Array:
    """The excitation that the runtime would use for this melody: (samples,)."""
    source = PulseSource(mean_log_pitch)
    as_predicted = prosody.copy()
    as_predicted[:, 1] = prosody[:, 1] - 0.5  # the network gives a logit
    pulses = source.push(as_predicted)  # up to the last frame's centre
    return np.pad(pulses, (0, max(0, samples - len(pulses))))[:samples].astype(np.float32)
