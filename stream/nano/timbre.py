"""SpeakerSpace: a voice as nano's networks see it, from what its file holds.

nano is told who speaks by a timbre, a point in the space of its teacher's voices, and by a mean
pitch. Stock voices know their timbre exactly. Of a person only the speaker embedding is known,
from which a small graph guesses the timbre. Knows nothing about text or sound.
"""

import numpy as np

from selftalk.stream.graphs.graph import Graph
from selftalk.stream.listening.log_mel import log_mel
from selftalk.stream.nano.vocoder import Speaker
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice

GRAPH, ENCODER = "timbre", "timbre_encoder"
HEARING_RATE_HZ = 16_000
LONGEST_SECONDS = 60
TIMBRE_SIZE = 128
TIMBRE_SCALE = 7.7  # brings timbres to unit variance
PITCH_CENTRE, PITCH_SPREAD = float(np.log(170.0)), 0.35  # of mean log pitch among speakers
EMBEDDING_SIZE = 256


class SpeakerSpace:
    """Makes speakers of voices; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        has_timbres = GRAPH in bundle.manifest.graphs
        self._guess = Graph(bundle.graph_path(GRAPH)) if has_timbres else None
        hears = ENCODER in bundle.manifest.graphs
        self._encoder = Graph(bundle.graph_path(ENCODER)) if hears else None

    def speaker(self, voice: Voice, pitch_semitones: float = 0.0) -> Speaker:
        """A voice as the networks see it, raised or lowered if wished."""
        pitch = voice.mean_log_pitch + pitch_semitones * np.log(2) / 12
        if self._guess is None:  # such a model is told the embedding itself
            return Speaker(with_pitch(voice.speaker, pitch), pitch)
        timbre = self._timbre(voice)
        return Speaker(speaker_vector(timbre, pitch), pitch)

    def nobody(self) -> Speaker:
        """A speaker to warm up with."""
        embedding = np.full(EMBEDDING_SIZE, 1 / 16, np.float32)
        return self.speaker(Voice("nobody", embedding, PITCH_CENTRE))

    def timbre(self, recording: AudioChunk) -> Float32Array | None:
        """The timbre of a recording of one speaker (128,), if the model can hear it."""
        if self._encoder is None:
            return None
        samples = resample(recording.samples, recording.sample_rate_hz, HEARING_RATE_HZ)
        mel = log_mel(samples[: LONGEST_SECONDS * HEARING_RATE_HZ])
        heard: Float32Array = self._encoder.run(mel=mel[None])["timbre"][0]
        return heard / TIMBRE_SCALE

    def _timbre(self, voice: Voice) -> Float32Array:
        if voice.timbre is not None:
            return voice.timbre
        assert self._guess is not None
        timbre: Float32Array = self._guess.run(embedding=voice.speaker[None])["timbre"][0]
        return timbre


def speaker_vector(timbre: Float32Array, mean_log_pitch: float) -> Float32Array:
    """A timbre (128,) and a mean pitch as the vector (129,) that nano is conditioned on."""
    return with_pitch(TIMBRE_SCALE * timbre, mean_log_pitch)


def with_pitch(values: Float32Array, mean_log_pitch: float) -> Float32Array:
    """(D,) values and a mean pitch brought to unit variance: (D + 1,)."""
    pitch = (mean_log_pitch - PITCH_CENTRE) / PITCH_SPREAD
    return np.append(values, pitch).astype(np.float32)
