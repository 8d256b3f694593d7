"""TurnJobs: the work of one turn, in one TaskGroup that ends with it.

Three jobs: the responder's text, the synthesizer's audio, the audio's way to the loudspeaker.
They report by `tell` and know nothing about each other or about why they are started.

    Respond ───▶ responder ─────────▶ ReplyDelta …
    Synthesize ▶ synthesizer thread ▶ (room to play?) ▶ AudioReady …
    Play ──────▶ sink ──────────────▶ PlaybackFinished
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

from selftalk.stream.dialogue.conversation import ToolCall
from selftalk.stream.dialogue.events import (
    AudioReady,
    InputEvent,
    PlaybackFinished,
    ReplyDelta,
    ReplyFinished,
    Respond,
    Stage,
    StageFailed,
    SynthesisFinished,
    Synthesize,
    ToolCalled,
)
from selftalk.stream.errors import SelftalkError
from selftalk.stream.minds.style_directions import Directed, StyleDirections
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.io import AudioSink, ImmediateSink
from selftalk.stream.stages import Stages
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.speech import Marks, SpeechChunk
from selftalk.stream.thread_stream import iterate_in_thread

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

MAX_CHUNKS_AHEAD = 64
"""Generated and not with the sink yet. The lead in milliseconds is reached long before; this
only bounds a synthesizer whose chunks are tiny."""
CHUNKS_IN_THREAD = 8
"""Waiting to be handed over: little beside the lead, and a thread need not be woken for each."""


class TurnJobs:
    """Does what the agent asks for in one turn."""

    def __init__(
        self,
        turn_id: int,
        stages: Stages,
        sink: AudioSink,
        *,
        tell: Callable[[InputEvent], None],
        mark: Marks,
        lead_ms: int,
    ) -> None:
        self.turn_id = turn_id
        self._stages = stages
        self._sink = sink
        self._play_now = sink.play_now if isinstance(sink, ImmediateSink) else None
        self._tell = tell
        self._mark = mark
        self._lead_ms = lead_ms
        self._stop = StopFlag()
        # The agent asks for one reply, and for the next sentence when the last is done.
        self._to_respond: asyncio.Queue[Respond] = asyncio.Queue(maxsize=1)
        self._to_synthesize: asyncio.Queue[Synthesize] = asyncio.Queue(maxsize=1)
        self._to_play: asyncio.Queue[AudioChunk | None] = asyncio.Queue(MAX_CHUNKS_AHEAD + 1)
        self._responding: asyncio.Task[None] | None = None
        self._chunks_ahead = 0
        self._generated_samples = self._wanted_samples = 0
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._responding = group.create_task(self._respond())
                group.create_task(self._synthesize_sentences())
                group.create_task(self._play())
        finally:
            self._stop.set()

    def stop(self) -> None:
        """Let the inference threads end at their next step, even before `run` is cancelled."""
        self._stop.set()

    # --- what the agent asks for; none of these waits --------------------------------------------

    def respond(self, command: Respond) -> None:
        """Ask the responder."""
        self._to_respond.put_nowait(command)

    def stop_responding(self) -> None:
        """The reply is long enough."""
        if self._responding is not None:
            self._responding.cancel()

    def synthesize(self, command: Synthesize) -> None:
        """Make the audio of a sentence."""
        self._to_synthesize.put_nowait(command)

    def play(self, audio: AudioChunk) -> None:
        """Send audio to the loudspeaker."""
        if self._play_now is None:
            self._to_play.put_nowait(audio)
        elif self._play_now(audio, self.turn_id):
            self._played()

    def finish_playback(self) -> None:
        """No more audio follows."""
        self._to_play.put_nowait(None)

    def playback_moved(self) -> None:
        """More was heard, so that there may be room for more audio."""
        self._moved.set()

    # --- the jobs --------------------------------------------------------------------------------

    async def _respond(self) -> None:
        command = await self._to_respond.get()
        async with self._failures_told(Stage.RESPONDER):
            self._mark("reply_begun")
            deltas = self._stages.responder.reply(command.messages)
            directions = StyleDirections()
            async with aclosing(deltas):
                while (delta := await self._next(deltas)) is not None:
                    self._mark("first_token")
                    if isinstance(delta, ToolCall):
                        self._tell(ToolCalled(self.turn_id, delta))
                    else:
                        self._tell_text(directions.push(delta))
            self._tell_text(directions.flush())
            self._tell(ReplyFinished(self.turn_id))

    def _tell_text(self, parts: Iterable[Directed]) -> None:
        for part in parts:
            self._tell(ReplyDelta(self.turn_id, *part))

    async def _synthesize_sentences(self) -> None:
        while True:
            command = await self._to_synthesize.get()
            async with self._failures_told(Stage.SYNTHESIZER):
                await self._synthesize(command)
                self._tell(SynthesisFinished(self.turn_id, command.sentence))

    async def _synthesize(self, command: Synthesize) -> None:
        stages = self._stages
        style = command.style
        voice = stages.voice if style is None else stages.voice.in_style(style)

        def speech() -> Iterator[SpeechChunk]:
            self._mark("synthesis_begun")
            return stages.synthesizer.stream(command.text, voice, stop=self._stop, marks=self._mark)

        chunks = iterate_in_thread(
            speech, self._stop, max_items=CHUNKS_IN_THREAD, name=f"turn {self.turn_id} speech"
        )
        async with aclosing(chunks):
            while (chunk := await self._next(chunks)) is not None:
                while self._is_far_ahead():
                    self._moved.clear()
                    await self._moved.wait()
                if not self._generated_samples:
                    self._mark("first_audio")
                self._chunks_ahead += 1
                self._generated_samples += len(chunk.audio)
                self._tell(AudioReady(self.turn_id, command.sentence, chunk.audio, chunk.words))

    async def _next(self, items: AsyncIterator[Item]) -> Item | None:
        """The next item, or None at the end; time may stand still while it is computed."""
        with self._stages.busy():
            return await anext(items, None)

    def _is_far_ahead(self) -> bool:
        """Whether so much was generated ahead that a barge-in would waste too much."""
        if self._generated_samples >= self._wanted_samples:
            lead = self._lead_ms * self._stages.synthesizer.sample_rate_hz // 1000
            self._wanted_samples = self._sink.played_samples(self.turn_id) + lead
        generated_enough = self._generated_samples >= self._wanted_samples
        return generated_enough or self._chunks_ahead >= MAX_CHUNKS_AHEAD

    async def _play(self) -> None:
        async with self._failures_told(Stage.PLAYBACK):
            while (audio := await self._to_play.get()) is not None:
                if not await self._sink.play(audio, self.turn_id):
                    return
                self._played()
            if await self._sink.finish(self.turn_id):
                self._tell(PlaybackFinished(self.turn_id))

    def _played(self) -> None:
        self._chunks_ahead -= 1
        self.playback_moved()

    @asynccontextmanager
    async def _failures_told(self, stage: Stage) -> AsyncIterator[None]:
        """Turn an error into an event: no failure of a job ends the conversation."""
        try:
            yield
        except SelftalkError as error:
            self._tell(StageFailed(stage, str(error), turn_id=self.turn_id))
        except Exception as error:
            logger.exception("the %s failed", stage.value)
            message = f"the {stage.value} failed unexpectedly ({type(error).__name__})"
            self._tell(StageFailed(stage, message, turn_id=self.turn_id))
