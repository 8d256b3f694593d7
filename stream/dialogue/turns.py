"""TurnDetector: where an utterance starts, pauses, and ends, counted in samples.

Sans-I/O: 16 kHz chunks in, events out; no clock, no thread, no model of language. Whether a
pause is the end of the turn may be judged outside (see `end_of_turn.py`) and told by
`judge()`; until then, and without a judge, the usual wait applies.

    quiet ─▶ suspected ─▶ speaking ─▶ paused ─▶ quiet
      ▲─────────┘            ▲──────────┘
"""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from selftalk.stream.dialogue.events import SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from selftalk.stream.errors import ConfigError
from selftalk.stream.listening.vad import Vad
from selftalk.stream.sound.audio import AudioChunk, Float32Array, FrameBuffer
from selftalk.stream.sound.io import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnConfig:
    """When speech is speech and a pause is an end."""

    start_threshold: float = 0.5
    """Speech probability at which an utterance starts or resumes."""
    end_threshold: float = 0.35
    """Probability below which a frame is silence; between the two, nothing changes."""
    minimum_speech_ms: int = 120
    """Speech shorter than this is a click or a cough."""
    interrupting_threshold: float = 0.8
    """`start_threshold` while the agent speaks, when its echo may leak into the microphone."""
    interrupting_speech_ms: int = 160
    """`minimum_speech_ms` while the agent speaks."""
    pre_roll_ms: int = 300
    """Audio kept from before the detected start: soft first consonants."""
    pause_ms: int = 96
    """Silence after which the recogniser may start speculatively; also kept after the speech."""
    shortest_wait_ms: int = 200
    """Silence that ends a turn which surely is complete."""
    usual_wait_ms: int = 700
    """Silence that ends a turn when nobody judged it, or the judge is undecided."""
    longest_wait_ms: int = 1500
    """Silence that ends a turn which surely is not complete."""
    sure_probability: float = 0.9
    """End probability from which on the shortest wait applies."""
    longest_speech_ms: int = 60_000
    """An utterance is cut here, so that memory and recognition stay bounded."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other.

        Raises:
            ConfigError: names the settings and the order they must have.
        """
        _check_order(self, "end_threshold", "start_threshold", "interrupting_threshold")
        _check_order(self, "minimum_speech_ms", "interrupting_speech_ms", "longest_speech_ms")
        _check_order(self, "pause_ms", "shortest_wait_ms", "usual_wait_ms", "longest_wait_ms")
        if self.end_threshold < 0 or self.interrupting_threshold > 1:
            raise ConfigError("the thresholds of turn detection must lie between 0 and 1")
        if not 0.5 < self.sure_probability <= 1:
            raise ConfigError("sure_probability must lie above 0.5 and not above 1")
        if min(self.minimum_speech_ms, self.pre_roll_ms, self.pause_ms) < 0:
            raise ConfigError("the times of turn detection must not be negative")


TurnEvent = SpeechStarted | SpeechPaused | SpeechResumed | SpeechEnded


class _State(Enum):
    QUIET = auto()
    SUSPECTED = auto()
    SPEAKING = auto()
    PAUSED = auto()


class TurnDetector:
    """Turns the probabilities of a `Vad` into the events of a conversation."""

    _state: _State
    _voiced_samples: int

    def __init__(self, vad: Vad, config: TurnConfig | None = None) -> None:
        self.config = config or TurnConfig()
        self._vad = vad
        self._frames = FrameBuffer(vad.frame_samples)
        self.reset()

    def reset(self) -> None:
        """Forget the stream and count from 0 again."""
        self._vad.reset()
        self._frames.reset()
        self._position = 0
        self._kept: list[Float32Array] = []
        self._kept_start = 0
        self._enter_quiet()

    def push(self, chunk: AudioChunk, agent_speaking: bool = False) -> list[TurnEvent]:
        """Add 16 kHz audio of any length; return what it decided.

        Args:
            chunk: the next piece of the stream, echo-free as far as possible.
            agent_speaking: whether the loudspeaker is active, so that it takes clearer speech
                to start a turn.
        """
        assert chunk.sample_rate_hz == SAMPLE_RATE_HZ, chunk.sample_rate_hz
        events: list[TurnEvent] = []
        for frame in self._frames.push(chunk.samples):
            events += self._push_frame(frame, agent_speaking)
        return events

    def flush(self) -> list[TurnEvent]:
        """The stream is over: end the utterance under way, and start afresh."""
        events = self._end() if self._state in (_State.SPEAKING, _State.PAUSED) else []
        self.reset()
        return events

    def judge(self, pause: SpeechPaused, end_probability: float) -> None:
        """Say how probably this pause ends the turn; for a pause that is over, does nothing."""
        if self._state is _State.PAUSED and pause.at_samples == self._speech_end:
            self._wait_samples = _samples(self._wait_ms(end_probability))

    @property
    def frame_samples(self) -> int:
        """How many samples are judged at a time; less is not worth a call."""
        return self._frames.frame_samples

    @property
    def position_samples(self) -> int:
        """How much of the stream was judged; behind what was pushed by less than a frame."""
        return self._position

    @property
    def suspects_speech(self) -> bool:
        """Whether speech may just be starting: time to lower one's voice."""
        return self._state is _State.SUSPECTED

    @property
    def speech(self) -> AudioChunk | None:
        """The utterance under way so far, pre-roll included; None while nobody speaks."""
        if self._state not in (_State.SPEAKING, _State.PAUSED):
            return None
        return self._cut(self._position)

    def _push_frame(self, frame: Float32Array, agent_speaking: bool) -> list[TurnEvent]:
        probability = self._vad.push(frame)
        self._kept.append(frame)
        self._position += len(frame)
        match self._state:
            case _State.QUIET | _State.SUSPECTED:
                return self._listen(probability, len(frame), agent_speaking)
            case _State.SPEAKING:
                return self._follow(probability)
            case _State.PAUSED:
                return self._wait(probability)

    def _listen(
        self, probability: float, frame_samples: int, agent_speaking: bool
    ) -> list[TurnEvent]:
        """Quiet or suspected: has somebody spoken for long enough?"""
        config = self.config
        threshold = config.interrupting_threshold if agent_speaking else config.start_threshold
        needed_ms = config.interrupting_speech_ms if agent_speaking else config.minimum_speech_ms
        if probability < config.end_threshold:
            self._enter_quiet()
        elif probability >= threshold:
            if self._state is _State.QUIET:
                self._state = _State.SUSPECTED
                self._start = self._position - frame_samples
            self._voiced_samples += frame_samples
        if self._state is _State.QUIET:
            self._forget_before(self._position - _samples(config.pre_roll_ms))
        if self._voiced_samples < max(1, _samples(needed_ms)):
            return []
        self._state = _State.SPEAKING
        self._speech_end = self._position
        return [SpeechStarted(self._start)]

    def _follow(self, probability: float) -> list[TurnEvent]:
        """Speaking: has a pause begun, or the limit been reached?"""
        if probability >= self.config.end_threshold:
            self._speech_end = self._position
        if self._position - self._start >= _samples(self.config.longest_speech_ms):
            return self._end()
        if self._position - self._speech_end < max(1, _samples(self.config.pause_ms)):
            return []
        self._pause()
        return [SpeechPaused(self._speech_end, self._cut(self._pause_end))]

    def _wait(self, probability: float) -> list[TurnEvent]:
        """Paused: does the speech go on, or is the turn over?"""
        if probability >= self.config.start_threshold:
            self._state = _State.SPEAKING
            self._speech_end = self._position
            return [SpeechResumed(self._position)]
        if self._position - self._speech_end < self._wait_samples:
            return []
        return self._end()

    def _pause(self) -> None:
        self._state = _State.PAUSED
        self._pause_end = self._position
        self._wait_samples = _samples(self.config.usual_wait_ms)

    def _end(self) -> list[TurnEvent]:
        """End the turn; its audio is that of its last pause, so that no work is done twice."""
        if self._state is not _State.PAUSED:
            self._pause()
        ended = SpeechEnded(self._speech_end, self._cut(self._pause_end))
        self._enter_quiet()
        self._forget_before(self._position - _samples(self.config.pre_roll_ms))
        return [ended]

    def _enter_quiet(self) -> None:
        self._state = _State.QUIET
        self._start = self._speech_end = self._pause_end = self._position
        self._voiced_samples = 0
        self._wait_samples = 0

    def _wait_ms(self, end_probability: float) -> float:
        """Longest wait at 0, usual at 0.5, shortest from `sure_probability` on."""
        config = self.config
        return float(
            np.interp(
                end_probability,
                [0.0, 0.5, config.sure_probability],
                [config.longest_wait_ms, config.usual_wait_ms, config.shortest_wait_ms],
            )
        )

    def _cut(self, end: int) -> AudioChunk:
        """The audio from the pre-roll to `end`."""
        start = max(self._kept_start, self._start - _samples(self.config.pre_roll_ms))
        joined = np.concatenate(self._kept)
        return AudioChunk(joined[start - self._kept_start : end - self._kept_start], SAMPLE_RATE_HZ)

    def _forget_before(self, position: int) -> None:
        while self._kept and self._kept_start + len(self._kept[0]) <= position:
            self._kept_start += len(self._kept.pop(0))


def _samples(milliseconds: float) -> int:
    return round(milliseconds * SAMPLE_RATE_HZ / 1000)


def _check_order(config: TurnConfig, *names: str) -> None:
    values = [getattr(config, name) for name in names]
    if values != sorted(values):
        settings = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        raise ConfigError(f"turn detection needs {' <= '.join(names)}, but got {settings}")
