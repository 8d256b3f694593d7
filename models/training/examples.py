"""Examples: an utterance of the teacher as the arrays that nano's stages train on.

All times are multiples of a token (40 ms, 4 frames, 960 samples). The teacher counts durations in
25 ms and pitch at 80 Hz; nothing here knows about networks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.models.training.corpus import Utterance
from selftalk.stream.nano.alignment import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    TOKEN_SAMPLES,
    UNIT_SAMPLES,
    Alignment,
    Durations,
    Int64Array,
    align,
)
from selftalk.stream.nano.harmonic import pulse_train
from selftalk.stream.nano.speech_prosody import ENERGY_SCALE, PITCH_SCALE
from selftalk.stream.nano.timbre import TIMBRE_SIZE, speaker_vector
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.text.symbols import SYMBOLS_V2

PITCH_SAMPLES = 300  # the teacher's step of pitch and energy
UNVOICED_BELOW_HZ = 10.0
LOWEST_PITCH_HZ = 40.0
KEPT_LEAD_UNITS = 2  # silence kept before speech: what is longer only delays the first sound
KEPT_TAIL_UNITS = 5
SILENCE = "SP"  # stands before and after every sentence
WHISPER_RATE_HZ = 50


@dataclass(frozen=True, slots=True)
class Example:
    """One utterance, ready for training; T tokens, N symbols."""

    text: str
    language: str
    symbols: Int64Array  # (N,)
    durations: Durations  # (N,) in 25 ms units
    alignment: Alignment
    wave: Float32Array  # (T * 960,)
    pulses: Float32Array  # (T * 960,) excitation with the teacher's own phase
    prosody: Float32Array  # (4 T, 3) the teacher's scaled relative log pitch, voicing, energy
    heard_prosody: npt.NDArray[np.float16]  # (4 T, 3) the same as a tracker hears it
    speaker: Float32Array  # (129,) timbre and mean pitch
    speaker_name: str
    pair: int  # examples of one pair differ in timbre alone; -1 if there is no other
    first_sample: int  # where the wave begins in the teacher's utterance

    @property
    def tokens(self) -> int:
        """Number of tokens T."""
        return len(self.wave) // TOKEN_SAMPLES


def excitation(pitch_hz: npt.NDArray[np.float32], samples: int) -> Float32Array:
    """The teacher's pulse train: its phase integrates pitch even where that is unvoiced.

    Args:
        pitch_hz: (P,) raw pitch at 80 Hz, small values in unvoiced frames kept.
        samples: length of the result.
    """
    steps = np.arange(len(pitch_hz))
    cycles = np.cumsum(pitch_hz.astype(np.float64) / SAMPLE_RATE_HZ) * PITCH_SAMPLES
    at = (np.arange(samples) + 0.5) / PITCH_SAMPLES - 0.5
    voiced_hz = np.where(pitch_hz > UNVOICED_BELOW_HZ, pitch_hz, 0).astype(np.float64)
    held = voiced_hz[np.minimum(np.arange(samples) // PITCH_SAMPLES, len(pitch_hz) - 1)]
    return pulse_train(np.interp(at, steps, cycles), held)


def prosody_frames(
    pitch_hz: npt.NDArray[np.float32],
    energy: npt.NDArray[np.float32],
    frames: int,
    mean_log_pitch: float,
) -> Float32Array:
    """Pitch and energy at 80 Hz → (frames, 3) at 100 Hz, pitch relative to the mean."""
    voiced = pitch_hz > UNVOICED_BELOW_HZ
    log_pitch = np.log(np.maximum(pitch_hz, LOWEST_PITCH_HZ))
    relative = np.where(voiced, PITCH_SCALE * (log_pitch - mean_log_pitch), 0.0)
    at = (np.arange(frames) + 0.5) * FRAME_SAMPLES / PITCH_SAMPLES - 0.5
    steps = np.arange(len(pitch_hz))
    columns = [relative, voiced.astype(np.float32), ENERGY_SCALE * energy]
    stacked = np.stack([np.interp(at, steps, column) for column in columns], axis=1)
    return stacked.astype(np.float32)


def kept_units(utterance: Utterance) -> tuple[int, int]:
    """The first unit and the end of what is kept of an utterance: little silence around it."""
    units = utterance.durations.astype(np.int64)
    lead, tail = int(units[0]), int(units[-1])
    kept_lead, kept_tail = min(lead, KEPT_LEAD_UNITS), min(tail, KEPT_TAIL_UNITS)
    return lead - kept_lead, int(units.sum()) - (tail - kept_tail)


def kept_samples(utterance: Utterance) -> slice:
    """The samples of those units, cut to whole tokens."""
    first, last = kept_units(utterance)
    tokens = (last - first) * UNIT_SAMPLES // TOKEN_SAMPLES
    return slice(first * UNIT_SAMPLES, first * UNIT_SAMPLES + tokens * TOKEN_SAMPLES)


def example_of(utterance: Utterance) -> Example:
    """Cut an utterance to whole tokens, with little silence before and after."""
    assert utterance.heard_prosody is not None, "the features come first"
    assert utterance.heard_mean_log_pitch is not None, "the features come first"
    units = utterance.durations.astype(np.int64)
    first, last = kept_units(utterance)
    span = kept_samples(utterance)
    tokens = (span.stop - span.start) // TOKEN_SAMPLES
    pulses = excitation(utterance.pitch_hz, len(utterance.audio))
    steps = slice(2 * first, 2 * last)
    mean = utterance.heard_mean_log_pitch
    prosody = prosody_frames(
        utterance.pitch_hz[steps], utterance.energy[steps].astype(np.float32), 4 * tokens, mean
    )
    silence = SYMBOLS_V2.index(SILENCE)
    kept_lead, kept_tail = int(units[0]) - first, last - int(units[:-1].sum())
    durations = np.concatenate([[kept_lead], units[1:-1], [kept_tail]])
    return Example(
        text=utterance.line.text,
        language=utterance.line.language,
        symbols=np.concatenate([[silence], utterance.symbols, [silence]]).astype(np.int64),
        durations=durations,
        alignment=align(durations, tokens),
        wave=utterance.samples[span],
        pulses=pulses[span],
        prosody=prosody,
        heard_prosody=utterance.heard_prosody,
        speaker=speaker_vector(utterance.style[:TIMBRE_SIZE].astype(np.float32), mean),
        speaker_name=utterance.line.speaker,
        pair=utterance.line.pair,
        first_sample=span.start,
    )


def whisper_features(utterance: Utterance, example: Example) -> npt.NDArray[np.float16]:
    """The example's share of the utterance's features: (2 T, 512)."""
    assert utterance.whisper is not None, "the Whisper features come first"
    first = round(example.first_sample / (SAMPLE_RATE_HZ / WHISPER_RATE_HZ))
    return utterance.whisper[first : first + 2 * example.tokens]
