"""TeacherSystem: nano's teacher as a system to compare with, in voices like those nano learnt."""

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from selftalk.models.training.render import read_aloud
from selftalk.models.training.styles import WEIGHTS as VOICE_WEIGHTS
from selftalk.models.training.styles import Speaker, StyleBank
from selftalk.models.training.teacher import SAMPLE_RATE_HZ, Teacher
from selftalk.models.training.teacher import WEIGHTS as TEACHER_WEIGHTS
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.systems import Spoken
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.nano.timbre import TIMBRE_SIZE
from selftalk.stream.sound.audio import AudioChunk, Float32Array

HELD_OUT_SEED = 20_260_000
"""Of speakers that no corpus draws, whose seeds are small numbers."""


class TeacherSystem:
    """Says sentences as the teacher would; whole sentences, without streaming."""

    name = "teacher"

    def __init__(self, speakers: int = 10, seed: int = HELD_OUT_SEED) -> None:
        """Load the teacher, with speakers drawn as the corpus draws its own."""
        self._teacher = Teacher(resolve(TEACHER_WEIGHTS))
        self._bank = StyleBank.load(resolve(VOICE_WEIGHTS))
        self.speakers: dict[str, Speaker] = {
            speaker.name: speaker for speaker in self._bank.speakers(speakers, seed)
        }

    @property
    def voices(self) -> Sequence[str]:
        """Names of the speakers."""
        return list(self.speakers)

    def timbre(self, voice: str) -> Float32Array:
        """Where a voice lies in the space of timbres, (128,), as nano is told it."""
        speaker = self.speakers[voice]
        style = self._bank.style(speaker.timbre, next(iter(speaker.prosody.values())), 100)
        timbre: Float32Array = style.reshape(-1)[:TIMBRE_SIZE].astype(np.float32)
        return timbre

    def say(self, sentence: Sentence, voice: str) -> Spoken:
        """See `System.say`."""
        speaker = self.speakers[voice]
        began = perf_counter()
        _, script = read_aloud(sentence.text, sentence.language)
        prosody = speaker.prosody[sentence.language]
        style = self._bank.style(speaker.timbre, prosody, len(script.characters))
        speech = self._teacher.speak(script.characters, style, speaker.speed)
        samples = speech.samples / max(1.0, float(np.abs(speech.samples).max()))
        busy = perf_counter() - began
        return Spoken(AudioChunk(samples.astype(np.float32), SAMPLE_RATE_HZ), busy, busy)
