"""TurnMetrics: where the time between the user's last word and the first word of the reply went.

Marks are moments with a name; the stages between them add up to the whole. Knows nothing about
who sets the marks, and the clock is whatever the caller's seconds are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SPEECH_END = "speech_end"
"""Where a turn begins: the last sound of the user, or the arrival of a typed message."""
SYNTHESIS_MARKS = ("phonemes_ready", "prefill", "first_semantic_token")
"""What a synthesizer marks, each once for a text, when it is done."""
FIRST_PLAYED = "first_sample_played"
PIPELINE = "pipeline"
"""The stage of all time that belongs to no other: queues, threads, the event loop."""


@dataclass(frozen=True, slots=True)
class _StageMarks:
    """A stage lasts from the end of the one before, or from its own begin, to its end."""

    name: str
    ended_by: str
    begun_by: str = ""


STAGES = (
    _StageMarks("endpoint_wait", "endpoint"),
    _StageMarks("final_transcript", "transcript", begun_by="transcript_begun"),
    _StageMarks("first_llm_token", "first_token", begun_by="reply_begun"),
    _StageMarks("first_clause", "first_clause"),
    _StageMarks("phonemes", "phonemes_ready", begun_by="synthesis_begun"),
    _StageMarks("prefill", "prefill"),
    _StageMarks("first_semantic_token", "first_semantic_token"),
    _StageMarks("first_audio_chunk", "first_audio"),
    _StageMarks("first_sample_played", FIRST_PLAYED),
)

BAR_BLOCKS = 32  # of all bars together: the line stays a line however long a turn takes
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(slots=True)
class TurnMetrics:
    """The marks of one turn, in seconds of one clock."""

    marks: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str, seconds: float) -> None:
        """Note that something was reached; only the first time counts."""
        self.marks.setdefault(name, seconds)

    def update(self, marks: Mapping[str, float]) -> None:
        """Take marks over from elsewhere, such as the utterance that the turn answers."""
        self.marks.update(marks)

    @property
    def voice_to_voice_ms(self) -> float | None:
        """From the end of the user's speech to the first sample heard; None if none was."""
        if SPEECH_END not in self.marks or FIRST_PLAYED not in self.marks:
            return None
        return sum(self.stages_ms().values())

    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage, in order; what was done in advance, during another, counts 0.

        Stages that were not marked are left out: their time shows in the next one.
        """
        if SPEECH_END not in self.marks:
            return {}
        reached = self.marks[SPEECH_END]
        stages: dict[str, float] = {}
        pipeline = 0.0
        for stage in STAGES:
            if stage.ended_by not in self.marks:
                continue
            begun = max(reached, self.marks.get(stage.begun_by, reached))
            ended = max(begun, self.marks[stage.ended_by])
            stages[stage.name] = 1000 * (ended - begun)
            pipeline += begun - reached
            reached = ended
        return {**stages, PIPELINE: 1000 * pipeline}

    def waterfall(self) -> str:
        """One line of text: the whole, then each stage with its share of a bar."""
        stages = self.stages_ms()
        longest = max(1.0, sum(stages.values()))
        whole = self.voice_to_voice_ms
        head = "no audio" if whole is None else f"{whole:.0f} ms"
        parts = [
            f"{name.replace('_', ' ')} {milliseconds:.0f} {_bar(milliseconds / longest)}".rstrip()
            for name, milliseconds in stages.items()
            if milliseconds >= 1
        ]
        return " · ".join([head, *parts])


def _bar(share: float) -> str:
    """A bar of this share of all blocks, in steps of an eighth of one."""
    eighths = round(8 * BAR_BLOCKS * share)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()
