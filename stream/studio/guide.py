"""Guide: leads a person through the prompts, one take each, with a word on every take.

    prompt ─▶ listen until they have finished ─▶ verdict ─▶ next, or again

Knows nothing about sound cards and terminals: it is given ways to listen, ask and tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selftalk.stream.listening.recognizer import Recognizer
from selftalk.stream.listening.vad import Vad
from selftalk.stream.sound.audio import AudioChunk, Float32Array, FrameBuffer, level_dbfs
from selftalk.stream.sound.resample import LiveResampler
from selftalk.stream.studio.engineer import was_read
from selftalk.stream.studio.level_checks import check_clipping, check_loudness, check_noise
from selftalk.stream.studio.prompts import Prompt
from selftalk.stream.studio.report import Finding
from selftalk.stream.studio.room_checks import check_bursts, check_reverberation
from selftalk.stream.studio.take import NO_SPEECH, SAMPLE_RATE_HZ, SPEECH, Take, take_of

SILENCE_SECONDS = 1.2
"""After speech: the person has finished."""
LONGEST_SECONDS = 25.0
METER_FLOOR_DBFS = -60.0
METER_CHARACTERS = 30
LIVE_CHECKS = (check_loudness, check_clipping, check_noise, check_reverberation, check_bursts)
"""Those that a few seconds are enough for."""

KEEP, AGAIN, STOP = "keep", "again", "stop"


class TakeRecorder:
    """Collects one take and notices when the person has finished; pushed chunk by chunk."""

    def __init__(self, vad: Vad, sample_rate_hz: int) -> None:
        vad.reset()
        self._vad = vad
        self._rate_hz = sample_rate_hz
        self._to_vad = LiveResampler(sample_rate_hz, SAMPLE_RATE_HZ)
        self._frames = FrameBuffer(vad.frame_samples)
        self._pieces: list[Float32Array] = []
        self._samples = self._quiet_samples = 0
        self._heard = False

    @property
    def ended(self) -> bool:
        """Whether the person has finished, or spoke for too long."""
        finished = self._heard and self._quiet_samples >= SILENCE_SECONDS * SAMPLE_RATE_HZ
        return finished or self._samples >= LONGEST_SECONDS * self._rate_hz

    def push(self, chunk: AudioChunk) -> float:
        """Add a chunk; return its level in dBFS for the meter."""
        self._pieces.append(chunk.samples)
        self._samples += len(chunk)
        for frame in self._frames.push(self._to_vad.push(chunk.samples)):
            probability = self._vad.push(frame)
            self._heard |= probability >= SPEECH
            quiet = probability < NO_SPEECH
            self._quiet_samples = self._quiet_samples + len(frame) if quiet else 0
        return level_dbfs(chunk.samples)

    def audio(self) -> AudioChunk:
        """The take so far."""
        return AudioChunk(np.concatenate([np.zeros(0, np.float32), *self._pieces]), self._rate_hz)


@dataclass(frozen=True)
class Guide:
    """Everything a guided recording needs."""

    vad: Vad
    recognizer: Recognizer
    language: str
    listen: Callable[[], AudioChunk]
    """Waits for the person to speak and to finish."""
    ask: Callable[[Sequence[Finding]], str]
    """Shows what was found about a take; returns keep, again or stop."""
    show: Callable[[int, int, Prompt], None]
    """Shows the number, the count and the prompt."""

    def record(self, prompts: Sequence[Prompt]) -> tuple[list[Take], dict[str, str]]:
        """Lead through prompts; return the takes and the prompt of each, by its name."""
        takes: list[Take] = []
        read: dict[str, str] = {}
        for number, prompt in enumerate(prompts, start=1):
            answer = AGAIN
            while answer == AGAIN:
                self.show(number, len(prompts), prompt)
                take = take_of(f"prompt {number}", self.listen(), self.vad)
                answer = self.ask(self.judge(take, prompt))
            if answer == STOP:
                break
            takes.append(take)
            read[take.name] = prompt.text
        return takes, read

    def judge(self, take: Take, prompt: Prompt) -> list[Finding]:
        """What is wrong with a take; nothing when all is well."""
        if not take.regions:
            return [_NOBODY]
        findings = [finding for check in LIVE_CHECKS if (finding := check(take)).verdict != "good"]
        heard = self.recognizer.transcribe(take.audio, self.language).text
        if not was_read(prompt.text, heard, self.language):
            findings.append(_misread(heard))
        return findings


def meter(dbfs: float) -> str:
    """A bar for a level: the fuller, the louder."""
    share = 1 - min(max(dbfs / METER_FLOOR_DBFS, 0.0), 1.0)
    filled = round(share * METER_CHARACTERS)
    return f"[{'|' * filled:{METER_CHARACTERS}}] {dbfs:4.0f} dB"


_NOBODY = Finding(
    "speech", "bad", 0.0, "s", "Nobody was heard.", "Check that the right microphone is chosen."
)


def _misread(heard: str) -> Finding:
    return Finding(
        "text", "usable", 0.0, "", f"It was understood as «{heard}».", "Read it once more, clearly."
    )
