"""Partial transcripts: when to decode while somebody still speaks, and what of it is certain.

Sans-I/O: told how long the utterance is by now, it hands out decode jobs; the session runs them
in a thread and tells the text. One job at a time. What a job costs is seen as the samples that
went by while it ran: the next one waits so long that decoding keeps to its share of the core.

A pause makes way for the decode that may be the final one: it stops the job that runs. The
decodes before it are not lost then: moonshine starts from what it wrote last.

Knows nothing about recognisers, threads and clocks.
"""

import re
from dataclasses import dataclass, field

from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stop import StopFlag

# A word, or one character of a script without spaces.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’-]\w+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialsConfig:
    """How often to decode while somebody speaks."""

    first_ms: int = 600
    """Audio before the first partial: of less, recognisers only guess."""
    interval_ms: int = 400
    """New audio between two partials."""
    share: float = 0.4
    """Of one core that partials may take."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be.

        Raises:
            ConfigError: names the setting and what is allowed.
        """
        if not 0 < self.share <= 1:
            raise ConfigError(f"partials.share is {self.share}; above 0 and up to 1 is allowed")
        if min(self.first_ms, self.interval_ms) <= 0:
            raise ConfigError("partials.first_ms and partials.interval_ms must be above 0")


@dataclass(frozen=True, slots=True, eq=False)
class PartialJob:
    """Recognise this in a thread and tell `finish` what came of it."""

    audio: AudioChunk
    """The utterance so far."""
    stop: StopFlag = field(default_factory=StopFlag)
    """Set when the result is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What the user seems to have said so far."""

    text: str
    stable_text: str
    """The beginning of `text` on which the decode before it agreed."""
    revision: int
    """Another number means other words; case and punctuation are no change."""


class PartialTranscriber:
    """Schedules the decodes of one utterance after the other."""

    def __init__(self, config: PartialsConfig | None = None) -> None:
        self.config = config or PartialsConfig()
        self._running: PartialJob | None = None
        self._latest = Partial("", "", revision=0)
        self.reset()

    def reset(self) -> None:
        """Forget the utterance; a job that still runs is stopped. Revisions go on counting."""
        self.make_way()
        self._decoded_ms = 0.0
        self._earliest_ms = float(self.config.first_ms)
        self._latest = Partial("", "", self._latest.revision)

    @property
    def latest(self) -> Partial:
        """The newest partial of this utterance; empty text before the first."""
        return self._latest

    def due(self, utterance_ms: float) -> bool:
        """Whether to `begin` now, the utterance being so long."""
        waited = utterance_ms >= self._decoded_ms + self.config.interval_ms
        return self._running is None and waited and utterance_ms >= self._earliest_ms

    def begin(self, audio: AudioChunk) -> PartialJob:
        """Hand out the decode of the utterance so far."""
        assert self._running is None, "one job at a time"
        self._decoded_ms = audio.duration_ms
        self._running = PartialJob(audio)
        return self._running

    def finish(self, job: PartialJob, text: str | None, utterance_ms: float) -> Partial | None:
        """Take the result of a job.

        Args:
            job: what `begin` gave.
            text: what was recognised; None when the job failed or was stopped.
            utterance_ms: how long the utterance is by now.

        Returns:
            The new partial; None when the job was stopped meanwhile or gave nothing.
        """
        if job is not self._running:
            return None
        self._running = None
        cost_ms = max(0.0, utterance_ms - job.audio.duration_ms)
        self._earliest_ms = utterance_ms + cost_ms * (1 / self.config.share - 1)
        if not text:
            return None
        before = self._latest
        revision = before.revision + (words_of(text) != words_of(before.text))
        self._latest = Partial(text, agreed_beginning(before.text, text), revision)
        return self._latest

    def make_way(self) -> None:
        """Somebody paused, or the utterance is over: stop the job that runs."""
        if self._running is not None:
            self._running.stop.set()
            self._running = None


def agreed_beginning(earlier: str, later: str) -> str:
    """The beginning of `later` whose words stand at the beginning of `earlier` too."""
    end = 0
    for ours, theirs in zip(_WORD.finditer(later), words_of(earlier), strict=False):
        if ours[0].lower() != theirs:
            break
        end = ours.end()
    return later[:end]


def words_of(text: str) -> list[str]:
    """The words of a text in lower case; characters in scripts without spaces."""
    return _WORD.findall(text.lower())
