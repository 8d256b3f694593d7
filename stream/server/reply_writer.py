"""ReplyWriter: one reply, told to the client as the sequence of events that the protocol wants.

Knows nothing about turns and sockets: it is told what comes, in order, and appends events.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from selftalk.stream.dialogue.conversation import ToolCall
from selftalk.stream.dialogue.reply import join_text
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.codec import ProtocolError
from selftalk.stream.protocol.items import (
    AudioPart,
    FunctionCallItem,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
    Part,
    Status,
    TextPart,
)
from selftalk.stream.protocol.settings import RealtimeSession
from selftalk.stream.server.item_conversation import ItemConversation, Stored, new_id
from selftalk.stream.server.wire_audio import WireEncoder
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.speech import WordTime

Send = Callable[[events.ServerEvent], None]
OUTPUT_MS_PER_TOKEN = 50  # the rate at which OpenAI counts what is spoken


class ReplyWriter:
    """Tells one reply; `finish` must be the last call."""

    def __init__(
        self,
        settings: RealtimeSession,
        conversation: ItemConversation,
        rate_hz: int,
        send: Send,
        *,
        conversation_id: str | None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.response_id = new_id("resp")
        self.message: Stored | None = None
        self.done = False
        self.text_tokens = (0, 0)
        """Read and written by the model, if it tells."""
        self._settings = settings
        self.voiced = settings.output_modalities == ["audio"]
        self._conversation = conversation
        self._rate_hz = rate_hz
        self._send = send
        self._conversation_id = conversation_id
        self._metadata = metadata
        self._encoder = WireEncoder(settings.audio.output.format, rate_hz)
        self._text = ""
        self._output: list[Item] = []
        self._samples = 0
        self._sentence_starts: dict[int, int] = {}
        self._message_index = 0

    def start(self) -> None:
        """The reply is being made."""
        self._send(events.ResponseCreated(response=self._response("in_progress")))

    def write(self, delta: str) -> None:
        """More text of a written reply."""
        if self.voiced or self.done:
            return
        stored = self._opened()
        self._text += delta
        self._send(events.OutputTextDelta(**self._place(stored), delta=delta))

    def say(self, sentence: str) -> None:
        """A sentence that is going to be spoken."""
        if not self.voiced or self.done:
            return
        stored = self._opened()
        text = join_text([self._text, sentence]) if self._text else sentence
        delta, self._text = text[len(self._text) :], text
        self._send(events.OutputAudioTranscriptDelta(**self._place(stored), delta=delta))

    def sound(self, sentence: int, audio: AudioChunk, words: Iterable[WordTime]) -> None:
        """The next audio of the reply."""
        if not self.voiced or self.done:
            return
        stored = self._opened()
        start = self._sentence_starts.setdefault(sentence, self._samples)
        samples = len(audio)
        self._samples += samples
        timed = [
            events.Word(
                text=word.text,
                start_ms=self._ms(start + word.start_samples),
                end_ms=self._ms(start + word.end_samples),
                phones=[
                    (phone.symbol, self._ms(start + phone[1]), self._ms(start + phone[2]))
                    for phone in word.phones
                ],
            )
            for word in words
        ]
        encoded = self._encoder.push(audio.samples)
        if encoded or timed:
            self._send(
                events.OutputAudioDelta(
                    response_id=self.response_id,
                    item_id=stored.item_id,
                    output_index=self._message_index,
                    delta=encoded,
                    words=timed,
                    duration_ms=round(1000 * samples / self._rate_hz, 1),
                )
            )

    def call(self, call: ToolCall) -> None:
        """A function that the client is to call."""
        if self.done:
            return
        item = FunctionCallItem(
            id=new_id("item"),
            name=call.name,
            arguments=call.arguments,
            call_id=call.call_id,
            status="in_progress",
        )
        self._add(self._conversation.add(item), announced=_without_arguments(item))
        at: dict[str, Any] = {
            "response_id": self.response_id,
            "item_id": item.id,
            "output_index": len(self._output) - 1,
            "call_id": call.call_id,
        }
        self._send(events.FunctionCallArgumentsDelta(**at, delta=call.arguments))
        self._send(events.FunctionCallArgumentsDone(**at, name=call.name, arguments=call.arguments))
        item.status = "completed"
        self._item_done(item)

    def finish(
        self, status: str = "completed", details: events.StatusDetails | None = None
    ) -> None:
        """The reply came to its end, whichever."""
        if self.done:
            return
        if self.message is not None:
            self._close(self.message, "completed" if status == "completed" else "incomplete")
        self.done = True
        response = self._response(status)
        response.status_details = details
        response.usage = self._usage()
        self._send(events.ResponseDone(response=response))

    # --- the message -----------------------------------------------------------------------------

    def _opened(self) -> Stored:
        """The message of this reply, announced when its first words come."""
        if self.message is None:
            self.message = self._conversation.take_reply(voiced=self.voiced)
            self.message.rate_hz = self._rate_hz
            item = self.message.item
            assert isinstance(item, MessageItem)
            self._message_index = len(self._output)
            self._add(self.message, announced=msgspec.structs.replace(item, content=[]))
            self._send(events.ContentPartAdded(**self._place(self.message), part=self._part("")))
        return self.message

    def _close(self, stored: Stored, status: Status) -> None:
        item = stored.item
        assert isinstance(item, MessageItem)
        place = self._place(stored)
        if self.voiced:
            if status == "completed" and (rest := self._encoder.flush()):
                self._send(events.OutputAudioDelta(**place, delta=rest))
            self._send(events.OutputAudioDone(**place))
            self._send(events.OutputAudioTranscriptDone(**place, transcript=self._text))
            item.content = [OutputAudio(transcript=self._text)]
        else:
            self._send(events.OutputTextDone(**place, text=self._text))
            item.content = [OutputText(text=self._text)]
        item.status = status
        self._send(events.ContentPartDone(**place, part=self._part(self._text)))
        self._item_done(item)

    def _add(self, stored: Stored, announced: Item) -> None:
        index = len(self._output)
        self._output.append(stored.item)
        before = self._conversation.id_before(stored.item_id)
        self._send(
            events.OutputItemAdded(response_id=self.response_id, output_index=index, item=announced)
        )
        self._send(events.ItemAdded(item=announced, previous_item_id=before))

    def _item_done(self, item: Item) -> None:
        index = self._output.index(item)
        if self._conversation_id is not None:
            self._send(events.ItemDone(item=item, previous_item_id=self._before(item)))
        self._send(
            events.OutputItemDone(response_id=self.response_id, output_index=index, item=item)
        )

    def _before(self, item: Item) -> str | None:
        try:
            return self._conversation.id_before(item.id or "")
        except ProtocolError:  # the client deleted it meanwhile
            return None

    def _part(self, text: str) -> Part:
        return AudioPart(transcript=text) if self.voiced else TextPart(text=text)

    def _place(self, stored: Stored) -> dict[str, Any]:
        return {
            "response_id": self.response_id,
            "item_id": stored.item_id,
            "output_index": self._message_index,
            "content_index": 0,
        }

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self._rate_hz

    def _usage(self) -> events.Usage:
        audio = math.ceil(self._samples * 1000 / (self._rate_hz * OUTPUT_MS_PER_TOKEN))
        read, written = self.text_tokens
        return events.Usage(
            total_tokens=read + written + audio,
            input_tokens=read,
            output_tokens=written + audio,
            input_token_details=events.InputTokens(text_tokens=read),
            output_token_details=events.OutputTokens(text_tokens=written, audio_tokens=audio),
        )

    def _response(self, status: str) -> events.Response:
        settings = self._settings
        output = settings.audio.output
        return events.Response(
            id=self.response_id,
            status=status,  # type: ignore[arg-type]
            conversation_id=self._conversation_id,
            output_modalities=list(settings.output_modalities),
            audio=events.ResponseAudio(
                output=events.ResponseAudioOutput(format=output.format, voice=output.voice_name)
            ),
            max_output_tokens=settings.max_output_tokens,
            output=list(self._output),
            metadata=self._metadata,
        )


def _without_arguments(item: FunctionCallItem) -> FunctionCallItem:
    return msgspec.structs.replace(item, arguments="")
