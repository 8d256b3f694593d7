"""Hearing: the asyncio side of listening, from chunks of the source to events for the agent.

Runs the turn detector in the loop, for it costs next to nothing, and in threads what costs
more: the judge of pauses, partial transcripts, and the transcripts the agent asks for.
Knows nothing about replies.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from selftalk.stream.dialogue.events import (
    InputEvent,
    PartialTranscript,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    SpeechSuspected,
    Stage,
    StageFailed,
    Transcribe,
    TranscriptReady,
)
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import SelftalkError
from selftalk.stream.listening.partials import PartialJob, PartialTranscriber
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.stages import Stages
from selftalk.stream.stop import StopFlag
from selftalk.stream.thread_stream import iterate_in_thread

if TYPE_CHECKING:
    from selftalk.stream.listening.end_of_turn import EndOfTurn

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class Hearing:
    """Listens for one session, inside its TaskGroup."""

    def __init__(
        self,
        stages: Stages,
        detector: TurnDetector,
        group: asyncio.TaskGroup,
        *,
        tell: Callable[[InputEvent], None],
        show: Callable[[PartialTranscript], None],
    ) -> None:
        """Take what it needs.

        Args:
            stages: the recogniser and the judge of pauses.
            detector: finds utterances.
            group: where jobs run.
            tell: takes what the agent must know.
            show: takes what is only to be seen.
        """
        self._stages = stages
        self._detector = detector
        self._group = group
        self._tell = tell
        self._show = show
        self._suspected = False
        self._speech_start = 0
        self._partials = PartialTranscriber() if stages.recognizer.suits_partials else None
        self._jobs: set[asyncio.Task[None]] = set()
        self._transcribing: dict[int, StopFlag] = {}
        self._judging = StopFlag()
        self._judge_lock = threading.Lock()  # a slow machine must not judge two pauses at once

    @property
    def position_samples(self) -> int:
        """How much of the source was listened to."""
        return self._detector.position_samples

    @property
    def suspects_speech(self) -> bool:
        """Whether speech may just be starting."""
        return self._suspected

    def push(self, chunk: AudioChunk, *, agent_speaking: bool) -> None:
        """Listen to the next chunk of the source."""
        for event in self._detector.push(chunk, agent_speaking):
            self._note(event)
            self._tell(event)
        if self._detector.suspects_speech is not self._suspected:
            self._suspected = self._detector.suspects_speech
            self._tell(SpeechSuspected(self._suspected))
        self._transcribe_partially()

    def transcribe(self, command: Transcribe) -> None:
        """Begin a transcription, in place of the one that it replaces."""
        replaced = self._transcribing.pop(command.replaces, None)
        if replaced is not None:
            replaced.set()
        stop = self._transcribing[command.revision] = StopFlag()
        self._start(self._transcribe(command, stop))

    def discard(self) -> None:
        """Forget the utterance under way, and count from 0 again."""
        self._judging.set()
        if self._partials is not None:
            self._partials.reset()
        self._detector.reset()
        self._suspected, self._speech_start = False, 0

    def stop(self) -> None:
        """Leave nothing running."""
        for stop in [self._judging, *self._transcribing.values()]:
            stop.set()
        if self._partials is not None:
            self._partials.reset()
        for job in self._jobs:
            job.cancel()

    def _note(self, event: InputEvent) -> None:
        """Start and stop what depends on where the utterance is."""
        if isinstance(event, SpeechStarted):
            self._speech_start = event.at_samples
        self._judging.set()  # whatever happens, the pause before it is over
        if isinstance(event, SpeechPaused):
            self._judging = StopFlag()
            if self._partials is not None:
                self._partials.make_way()
            if self._stages.end_of_turn is not None:
                self._start(self._judge(event, self._stages.end_of_turn, self._judging))
        if isinstance(event, SpeechEnded) and self._partials is not None:
            self._partials.reset()

    def _start(self, job: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    # --- jobs --------------------------------------------------------------------------------

    async def _transcribe(self, command: Transcribe, stop: StopFlag) -> None:
        try:
            text = await self._recognize(command.audio, stop)
        except SelftalkError as error:
            self._transcription_failed(command, str(error))
        except Exception as error:
            logger.exception("the recogniser failed")
            message = f"the recogniser failed unexpectedly ({type(error).__name__})"
            self._transcription_failed(command, message)
        else:
            if text is not None:
                self._tell(TranscriptReady(command.revision, text))
        self._transcribing.pop(command.revision, None)

    def _transcription_failed(self, command: Transcribe, message: str) -> None:
        self._tell(StageFailed(Stage.RECOGNIZER, message, revision=command.revision))

    def _transcribe_partially(self) -> None:
        """Begin to transcribe what was said so far, if that is due."""
        partials = self._partials
        if partials is None or not partials.due(self._utterance_ms):
            return
        speech = self._detector.speech
        if speech is not None:
            self._start(self._partial(partials, partials.begin(speech)))

    @property
    def _utterance_ms(self) -> float:
        return (self._detector.position_samples - self._speech_start) * 1000 / SAMPLE_RATE_HZ

    async def _partial(self, partials: PartialTranscriber, job: PartialJob) -> None:
        text = None
        try:
            text = await self._recognize(job.audio, job.stop)
        except Exception:
            logger.exception("a partial transcript failed")  # the final one will tell the user
        partial = partials.finish(job, text, self._utterance_ms)
        if partial is not None:
            self._show(PartialTranscript(partial.text))

    async def _recognize(self, audio: AudioChunk, stop: StopFlag) -> str | None:
        stages = self._stages

        def recognize() -> str:
            with stages.recognizing:
                stop.raise_if_set()
                return stages.recognizer.transcribe(audio, stages.language, stop).text

        return await self._compute(recognize, stop, "recogniser")

    async def _judge(self, pause: SpeechPaused, end_of_turn: "EndOfTurn", stop: StopFlag) -> None:
        """Ask whether this pause is an end; without an answer it lasts as long as usual."""

        def judge() -> float:
            with self._judge_lock:
                stop.raise_if_set()
                return end_of_turn.probability(pause.audio)

        try:
            probability = await self._compute(judge, stop, "end of turn")
        except Exception:
            logger.exception("the judge of pauses failed")
            return
        if probability is not None:
            self._detector.judge(pause, probability)

    async def _compute(
        self, function: Callable[[], Result], stop: StopFlag, name: str
    ) -> Result | None:
        """Call a function in a thread; None if it was stopped."""

        def once() -> Iterator[Result]:
            yield function()

        results = iterate_in_thread(once, stop, max_items=1, name=name)
        async with aclosing(results):
            with self._stages.busy():
                return await anext(results, None)
