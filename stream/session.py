"""Session: the asyncio shell around a VoiceAgent.

    source ─▶ Hearing ─▶ VoiceAgent ─▶ TurnJobs ─▶ sink
                 ◀───────────┴───────▶ listeners

The only place with concurrency: one task listens, one keeps time, one TaskGroup per turn works.
Nothing here decides anything about the conversation: what happens is told to the agent in
order, and what the agent asks for is done without waiting.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial

import numpy as np

from selftalk.stream.dialogue.agent import VoiceAgent
from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.conversation import Conversation
from selftalk.stream.dialogue.events import (
    AgentState,
    AudioReady,
    CancelTurn,
    EndTurn,
    FinishPlayback,
    InputEvent,
    Interrupt,
    Notice,
    Output,
    Play,
    PlaybackStopped,
    PlayedTo,
    Respond,
    SetGain,
    StopPlayback,
    StopResponding,
    Synthesize,
    Transcribe,
)
from selftalk.stream.dialogue.leading import SpeechDiscarded
from selftalk.stream.dialogue.sentences import SentenceSplitter
from selftalk.stream.dialogue.speaking import Speculation
from selftalk.stream.dialogue.turn import MakeSplitter
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import SelftalkError
from selftalk.stream.hearing import Hearing
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.io import SAMPLE_RATE_HZ, AudioSink, AudioSource, ImmediateSource
from selftalk.stream.stages import Stages
from selftalk.stream.stopwatch import Stopwatch, TurnReport
from selftalk.stream.turn_jobs import TurnJobs

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.02  # without a source; with one, its chunks are the ticks
STALLED_SECONDS = 0.5  # a source that gives nothing for so long no longer keeps the time
LINGER_SAMPLES = SAMPLE_RATE_HZ  # of quiet after the end of the input before a session ends

SessionNotice = Notice | TurnReport
Listener = Callable[[SessionNotice], None]


class Session:
    """One conversation, from `run()` to its end."""

    def __init__(
        self,
        stages: Stages,
        sink: AudioSink,
        source: AudioSource | None = None,
        detector: TurnDetector | None = None,
        *,
        conversation: Conversation | None = None,
        config: AgentConfig | None = None,
        make_splitter: MakeSplitter = SentenceSplitter,
        seconds: Callable[[], float] = time.monotonic,
        tick_seconds: float | None = None,
    ) -> None:
        """Put a session together; nothing starts before `run()`.

        Args:
            stages: the models, which sessions may share.
            sink: where replies are heard; closing it is the caller's affair.
            source: where the user is heard; None if the user only types.
            detector: finds speech in the source.
            conversation: an opening, or a conversation to be taken up again.
            config: how the conversation is held.
            make_splitter: makes one splitter of text for each reply.
            seconds: the clock of the metrics, read from any thread.
            tick_seconds: let the clock of the event loop keep the time, in such steps, for a
                source whose chunks do not come when they were spoken; None leaves it to them.
        """
        assert (source is None) == (detector is None), "a source needs a detector"
        self._config = config or AgentConfig()
        self._stages = stages
        self._sink = sink
        self._source = source
        self._detector = detector
        opening = conversation or Conversation(
            max_context_characters=self._config.max_context_characters
        )
        self._agent = VoiceAgent(opening, self._config, make_splitter)
        self._tick_seconds = TICK_SECONDS if source is None else tick_seconds
        self._stopwatch = Stopwatch(seconds)
        self._listeners: list[Listener] = []
        self._events: deque[InputEvent] = deque()  # emptied before `tell` returns
        self._telling = False
        self._jobs: dict[int, tuple[TurnJobs, asyncio.Task[None]]] = {}
        self._hearing: Hearing | None = None
        self._playing_turn = 0
        self._now_samples = 0.0
        self._last_chunk_at = 0.0
        self._quiet_samples = 0
        self._group: asyncio.TaskGroup | None = None
        self._closing = asyncio.Event()
        self._resting = asyncio.Event()
        self._rest_is_awaited = False

    # --- from outside ------------------------------------------------------------------------

    @property
    def state(self) -> AgentState:
        """What the agent is doing."""
        return self._agent.state

    @property
    def turn_id(self) -> int:
        """The number of the turn under way; 0 if there is none."""
        return self._agent.turn_id

    @property
    def answer_is_due(self) -> bool:
        """Whether a reply was asked for and waits for what was said before."""
        return self._agent.answer_is_due

    @property
    def conversation(self) -> Conversation:
        """What was said and heard so far."""
        return self._agent.conversation

    @property
    def speculation(self) -> Speculation:
        """What the replies begun on suspicion were good for."""
        return self._agent.speculation

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with everything that happens; it must not wait."""
        self._listeners.append(listener)

    def tell(self, event: InputEvent) -> None:
        """Tell the agent something: TextInput, Interrupt, Say.

        What it asks for is done before this returns; it does not wait for anything. What is
        told before `run()` is told when that begins.
        """
        self._events.append(event)
        if self._group is not None and not self._telling:
            self._tell_events()

    def _tell_events(self) -> None:
        """Tell the agent all that waits, also what the telling itself brings about."""
        self._telling = True
        try:
            while self._events:
                event = self._events.popleft()
                self._stopwatch.note(event)
                self._act(self._agent.push(event))
        finally:
            self._telling = False

    def discard_speech(self) -> None:
        """Forget what the user is saying, and listen anew; the detector counts from 0 again."""
        if self._hearing is not None:
            self._hearing.discard()
        self.tell(SpeechDiscarded())

    async def rest(self) -> None:
        """Wait until nothing is said, thought or spoken."""
        while not self._agent.idle:
            self._rest_is_awaited = True
            self._resting.clear()
            await self._resting.wait()

    def close(self) -> None:
        """Let `run()` end soon, in the middle of a word if need be."""
        self._closing.set()
        if self._source is not None:
            self._source.close()

    async def run(self) -> None:
        """Hold the conversation until the source is over or `close()` is called.

        Raises:
            DeviceError: the source failed for good.
        """
        failure: SelftalkError | None = None
        async with asyncio.TaskGroup() as group:
            self._group = group
            if self._detector is not None:
                self._hearing = self._make_hearing(self._detector, group)
            self._tell_events()
            timekeeper = group.create_task(self._keep_time(), name="timekeeper")
            try:
                await self._listen()
            except SelftalkError as error:
                failure = error
            finally:
                timekeeper.cancel()
                self._end()
        if failure is not None:
            raise failure

    def _make_hearing(self, detector: TurnDetector, group: asyncio.TaskGroup) -> Hearing:
        def tell(event: InputEvent) -> None:
            self._stopwatch.listened_to(detector.position_samples)
            self.tell(event)

        return Hearing(self._stages, detector, group, tell=tell, show=self._notify)

    def _end(self) -> None:
        """Leave nothing running, and what was heard correct to the word."""
        self.tell(Interrupt())
        if self._hearing is not None:
            self._hearing.stop()
        for turn_id in list(self._jobs):
            self._stop_jobs(turn_id)
        self._closing.set()

    # --- listening and time ------------------------------------------------------------------

    async def _listen(self) -> None:
        if self._source is None or self._hearing is None:
            await self._closing.wait()
            return
        if isinstance(self._source, ImmediateSource):
            await self._source.hand_over(partial(self._hear, hearing=self._hearing))
            return
        chunks = self._source.chunks()
        try:
            async for chunk in chunks:
                self._hear(chunk, self._hearing)
                suspected = self._hearing.suspects_speech
                if self._closing.is_set() or self._is_over(len(chunk), suspected):
                    return
        finally:
            await _close(chunks)

    def _hear(self, chunk: AudioChunk, hearing: Hearing) -> None:
        self._last_chunk_at = asyncio.get_running_loop().time()
        if self._tick_seconds is None:
            self._tick(len(chunk))
        speaking = self._agent.state is AgentState.SPEAKING
        if speaking and not self._config.barge_in:
            chunk = AudioChunk(np.zeros_like(chunk.samples), chunk.sample_rate_hz)
        hearing.push(chunk, agent_speaking=speaking)

    def _is_over(self, samples: int, suspected: bool) -> bool:
        """Whether the source has ended and nothing is left to be said for a while."""
        assert self._source is not None
        quiet = self._source.ended and self._agent.idle and not suspected
        self._quiet_samples = self._quiet_samples + samples if quiet else 0
        return self._quiet_samples >= LINGER_SAMPLES

    async def _keep_time(self) -> None:
        """Let time pass while no source does."""
        loop = asyncio.get_running_loop()
        self._last_chunk_at = before = loop.time()
        while True:
            await asyncio.sleep(self._tick_seconds or STALLED_SECONDS / 5)
            now = loop.time()
            if self._tick_seconds or now - self._last_chunk_at > STALLED_SECONDS:
                self._tick((now - before) * SAMPLE_RATE_HZ)
            before = now

    def _tick(self, samples: float) -> None:
        """Time has passed: look at the loudspeaker, and let the agent look at its deadlines."""
        if self._playing_turn:
            played = self._sink.played_samples(self._playing_turn)
            rate_hz = self._stages.synthesizer.sample_rate_hz
            self._stopwatch.played(self._playing_turn, played / rate_hz)
            self.tell(PlayedTo(self._playing_turn, played))
        for jobs, _ in self._jobs.values():
            jobs.playback_moved()
        self._now_samples += samples
        self._act(self._agent.advance(int(self._now_samples)))

    # --- what the agent asks for -------------------------------------------------------------

    def _act(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case AudioReady():  # first, because by far the most; it ends no turn
                    self._show(output)
                case Play():
                    self._playing_turn = output.turn_id
                    self._jobs_of(output.turn_id).play(output.audio)
                case Transcribe():
                    assert self._hearing is not None
                    self._hearing.transcribe(output)
                case Respond():
                    self._jobs_of(output.turn_id).respond(output)
                case StopResponding():
                    self._jobs_of(output.turn_id).stop_responding()
                case Synthesize():
                    self._jobs_of(output.turn_id).synthesize(output)
                case FinishPlayback():
                    self._jobs_of(output.turn_id).finish_playback()
                case SetGain():
                    self._sink.set_gain(output.gain)
                case StopPlayback():
                    self._playing_turn = 0
                    heard = self._sink.clear(output.turn_id)
                    self.tell(PlaybackStopped(output.turn_id, heard))
                case CancelTurn() | EndTurn():
                    self._playing_turn = 0
                    self._stop_jobs(output.turn_id)
                case _:
                    self._notify(output)
            self._stopwatch.note(output)
        if self._rest_is_awaited and self._agent.idle:
            self._rest_is_awaited = False
            self._resting.set()

    def _notify(self, notice: Notice) -> None:
        report = self._stopwatch.report(notice)
        self._show(notice)
        if report is not None:
            self._show(report)

    def _show(self, notice: SessionNotice) -> None:
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:
                logger.exception("a listener failed")

    def _jobs_of(self, turn_id: int) -> TurnJobs:
        if turn_id not in self._jobs:
            assert self._group is not None
            jobs = TurnJobs(
                turn_id,
                self._stages,
                self._sink,
                tell=self.tell,
                mark=lambda name: self._stopwatch.mark(turn_id, name),
                lead_ms=self._config.lead_ms,
            )
            task = self._group.create_task(jobs.run(), name=f"turn {turn_id}")
            self._jobs[turn_id] = jobs, task
        return self._jobs[turn_id][0]

    def _stop_jobs(self, turn_id: int) -> None:
        if turn_id in self._jobs:
            jobs, task = self._jobs.pop(turn_id)
            jobs.stop()
            task.cancel()


async def _close(iterator: AsyncIterator[AudioChunk]) -> None:
    """End an iteration that was left early, if it needs that."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
