"""Speaking to a Wyoming client: one text at once, or one that arrives in pieces.

Text that streams in is spoken sentence by sentence while more of it comes. One utterance at a
time for each connection; a new one ends the one before.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from selftalk.stream.dialogue.sentences import SentenceSplitter
from selftalk.stream.errors import TextError
from selftalk.stream.listening.recognizer import base_language
from selftalk.stream.server.api_errors import ApiError
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.encoder import pcm16
from selftalk.stream.server.narration import narrate, synthesizer_of, voice_for
from selftalk.stream.server.wyoming_events import Event, Line
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.speech import SpeechChunk
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.thread_stream import iterate_in_thread
from selftalk.stream.trust.labels import LabelsConfig

LONGEST_TEXT = 20_000
CHUNKS_AHEAD = 4


class Speaking:
    """The utterances of one connection."""

    def __init__(self, context: ServerContext, line: Line) -> None:
        self._context = context
        self._line = line
        self._task: asyncio.Task[None] | None = None
        self._incoming: _Incoming | None = None
        self.answers = {
            "synthesize": self._synthesize,
            "synthesize-start": self._start,
            "synthesize-chunk": self._chunk,
            "synthesize-stop": self._stop,
        }

    async def close(self) -> None:
        """End what is being spoken."""
        self._incoming = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _synthesize(self, event: Event) -> None:
        if self._incoming is None:  # else: the whole once more, for servers that cannot stream
            await self._begin(event, _only(_text_of(event)), streams=False)

    async def _start(self, event: Event) -> None:
        incoming = _Incoming()
        await self._begin(event, incoming.sentences(), streams=True)
        self._incoming = incoming

    async def _chunk(self, event: Event) -> None:
        if self._incoming is not None:
            self._incoming.push(_text_of(event))

    async def _stop(self, _event: Event) -> None:
        if self._incoming is not None:
            self._incoming.flush()
            self._incoming = None

    async def _begin(self, event: Event, texts: AsyncIterator[str], *, streams: bool) -> None:
        await self.close()
        asked = event.data.get("voice")
        asked = asked if isinstance(asked, dict) else {}
        name, language = asked.get("name"), asked.get("language")
        _, voice = voice_for(self._context, name if isinstance(name, str) else None)
        options = synthesizer_of(self._context).options
        if isinstance(language, str):
            options = replace(options, language=base_language(language))
        self._task = asyncio.create_task(self._told(self._speak(texts, voice, options, streams)))

    async def _told(self, speaking: Coroutine[Any, Any, None]) -> None:
        try:
            await speaking
        except (ConnectionError, TimeoutError):
            self._context.telemetry.count("wyoming_lost_total")
        except Exception as error:
            await self._line.fail(error)

    async def _speak(
        self, texts: AsyncIterator[str], voice: Any, options: SynthesisOptions, streams: bool
    ) -> None:
        sound = {"rate": synthesizer_of(self._context).sample_rate_hz, "width": 2, "channels": 1}
        begun = False
        with self._context.admission.admitted(self._line.peer) as refusal:
            if refusal is not None:
                raise ApiError.refused(refusal)
            async for text in texts:
                labels = None if begun else self._context.config.labels
                async with aclosing(self._chunks(text, voice, options, labels)) as chunks:
                    async for chunk in chunks:
                        if not begun:
                            await self._line.send("audio-start", sound)
                        begun = True
                        encoded = pcm16(chunk.audio.samples)
                        await self._line.send("audio-chunk", sound, encoded)
        if begun:
            await self._line.send("audio-stop")
        if streams:
            await self._line.send("synthesize-stopped")

    def _chunks(
        self, text: str, voice: Any, options: SynthesisOptions, labels: LabelsConfig | None
    ) -> AsyncGenerator[SpeechChunk, None]:
        stop = StopFlag()
        synthesizer = synthesizer_of(self._context)
        speak = partial(narrate, synthesizer, text, voice, options, stop, labels=labels)
        return iterate_in_thread(speak, stop, max_items=CHUNKS_AHEAD)


class _Incoming:
    """Text that arrives in pieces of any length, and its sentences."""

    def __init__(self) -> None:
        self._splitter = SentenceSplitter()
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()  # LONGEST_TEXT bounds it
        self._received = 0

    def push(self, text: str) -> None:
        self._received += len(text)
        if self._received > LONGEST_TEXT:
            raise TextError(f"the text is longer than {LONGEST_TEXT} characters")
        for sentence in self._splitter.push(text):
            self._sentences.put_nowait(sentence)

    def flush(self) -> None:
        for sentence in self._splitter.flush():
            self._sentences.put_nowait(sentence)
        self._sentences.put_nowait(None)

    async def sentences(self) -> AsyncIterator[str]:
        while (sentence := await self._sentences.get()) is not None:
            yield sentence


async def _only(text: str) -> AsyncIterator[str]:
    yield text


def _text_of(event: Event) -> str:
    text = event.data.get("text")
    if not isinstance(text, str):
        raise TextError(f"'{event.type}' holds no text")
    if len(text) > LONGEST_TEXT:
        raise TextError(f"the text is longer than {LONGEST_TEXT} characters")
    return text
