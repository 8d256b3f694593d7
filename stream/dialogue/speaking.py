"""Speaking: the agent's own side of the conversation, one reply at a time.

Text comes in and sentences go to the synthesizer one by one; audio comes back and goes to the
loudspeaker, or is held while the reply is only a guess. Knows nothing about the user and about
why a reply is begun or dropped. Sans-I/O: what is to be done is appended to `out`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.conversation import Conversation, Message
from selftalk.stream.dialogue.events import (
    AudioReady,
    CancelTurn,
    EndTurn,
    Failure,
    FinishPlayback,
    Output,
    Play,
    PlaybackFinished,
    PlaybackStopped,
    PlayedTo,
    ReplyDelta,
    ReplyFinished,
    Respond,
    SentenceReady,
    SetGain,
    Stage,
    StageFailed,
    StopPlayback,
    StopResponding,
    SynthesisFinished,
    Synthesize,
    ToolCalled,
    TurnCancelled,
    TurnFinished,
    TurnStarted,
)
from selftalk.stream.dialogue.reply import join_text
from selftalk.stream.dialogue.turn import MakeSplitter, Turn
from selftalk.stream.dialogue.utterance import same_words

CLOCK_HZ = 16_000  # time is counted in samples of the microphone


@dataclass(slots=True)
class Speculation:
    """How often a reply was begun before the user had finished, and what came of it."""

    begun: int = 0
    hits: int = 0
    wasted_characters: int = 0


class Speaking:
    """Makes one reply at a time audible, and forgets it at once when it is dropped."""

    def __init__(
        self,
        conversation: Conversation,
        config: AgentConfig,
        make_splitter: MakeSplitter,
        out: list[Output],
    ) -> None:
        self.turn: Turn | None = None
        self.now_samples = 0
        self.voiced = True  # the next replies
        self.speculation = Speculation()
        self._conversation = conversation
        self._config = config
        self._make_splitter = make_splitter
        self._out = out
        self._turn_count = 0
        self._stopped: Turn | None = None  # how much of it was heard is about to be told
        self._gain = 1.0

    @property
    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Who takes which event."""
        return {
            ReplyDelta: self.on_reply_delta,
            ToolCalled: self.on_tool_called,
            ReplyFinished: self.on_reply_finished,
            AudioReady: self.on_audio,
            SynthesisFinished: self.on_synthesis_finished,
            PlayedTo: self.on_played_to,
            PlaybackStopped: self.on_playback_stopped,
        }

    @property
    def live(self) -> Turn | None:
        """The turn whose reply may be heard, as opposed to a guess."""
        return self.turn if self.turn and self.turn.committed else None

    # --- begin, commit, drop -------------------------------------------------------------------

    def respond(self, transcript: str, messages: Sequence[Message], *, guess: bool) -> None:
        """Have a reply made; a guess to the same words that is under way is kept."""
        if self.turn and not self.turn.committed and same_words(self.turn.transcript, transcript):
            return
        self.drop()
        turn = self._begin(transcript)
        turn.speculative = guess
        self.speculation.begun += guess
        self._out.append(Respond(turn.turn_id, tuple(messages)))

    def speak(self, text: str, *, aside: bool = False) -> None:
        """Speak a ready text as a turn of its own."""
        turn = self._begin("")
        turn.aside = aside
        turn.push_text(text)
        turn.finish_text()
        self.commit()

    def resume(self, cut: Turn) -> None:
        """Speak what was not heard of a turn that was cut, if there is anything."""
        rest = cut.reply.unheard()
        if not rest:
            return
        self._conversation.heard(cut.reply.played_samples)  # not cut after all
        turn = self._begin(cut.transcript)
        turn.resumes = cut.resumes + 1
        turn.text = join_text(rest.values())
        for index, sentence in rest.items():
            turn.style = cut.style_of(index)
            turn.add_sentences([sentence])
        turn.finish_text()
        self.commit()

    def _begin(self, transcript: str) -> Turn:
        self._turn_count += 1
        self.turn = Turn(self._turn_count, transcript, self._make_splitter())
        self.turn.voiced = self.voiced
        return self.turn

    def commit(self) -> None:
        """Let the reply be heard, with all that was made of it so far."""
        turn = self.turn
        assert turn is not None
        turn.committed, turn.progress_at = True, self.now_samples
        self.speculation.hits += turn.speculative
        self._out.append(TurnStarted(turn.turn_id, turn.transcript))
        if turn.text:
            self._out.append(ReplyDelta(turn.turn_id, turn.text))
        self._tell_sentences(turn, range(len(turn.sentences)))
        self._out.extend(turn.calls)
        held, turn.held = turn.held, []
        for event in held:
            self._play(turn, event)
        self._go_on(turn)

    def drop(self, *, cut: bool = False) -> Turn | None:
        """End the turn now and return it; whatever of it still arrives has an old number.

        Args:
            cut: whether the listener broke in.
        """
        turn, self.turn = self.turn, None
        if turn is None:
            return None
        turn.cut = cut
        self._out.append(CancelTurn(turn.turn_id))
        if not turn.committed:
            self.speculation.wasted_characters += len(turn.text)
        elif turn.playing:
            self._conversation.heard(turn.reply.played_samples, cut=cut)
            self._stopped = turn
            self._out.append(StopPlayback(turn.turn_id))
        else:
            self._out.append(TurnCancelled(turn.turn_id, turn.transcript, turn.text, ""))
        return turn

    def _current(self, turn_id: int) -> Turn | None:
        """Return the turn of this number, or None if the number is old."""
        return self.turn if self.turn and self.turn.turn_id == turn_id else None

    # --- text ------------------------------------------------------------------------------------

    def on_reply_delta(self, event: ReplyDelta) -> None:
        """Add text to the reply."""
        turn = self._current(event.turn_id)
        if turn is None or turn.text_finished:
            return
        turn.progress_at = self.now_samples
        sentences = turn.push_text(event.text, event.style)
        if turn.committed:
            self._out.append(event)
            self._tell_sentences(turn, sentences)
        if len(turn.text) >= self._config.max_reply_characters:
            self._out.append(StopResponding(turn.turn_id))
            self._finish_text(turn)
        self._go_on(turn)

    def on_tool_called(self, event: ToolCalled) -> None:
        """Note that the reply asks for a function, and pass it on once it counts."""
        turn = self._current(event.turn_id)
        if turn is not None and not turn.text_finished:
            turn.progress_at = self.now_samples
            turn.calls.append(event)
            if turn.committed:
                self._out.append(event)

    def on_reply_finished(self, event: ReplyFinished) -> None:
        """Close the text of the reply."""
        turn = self._current(event.turn_id)
        if turn and not turn.text_finished:
            turn.progress_at = self.now_samples
            self._finish_text(turn)
            self._go_on(turn)

    def _finish_text(self, turn: Turn) -> None:
        sentences = turn.finish_text()
        if turn.committed:
            self._tell_sentences(turn, sentences)

    def _tell_sentences(self, turn: Turn, indices: Iterable[int]) -> None:
        self._out.extend(
            SentenceReady(turn.turn_id, index, turn.sentences[index]) for index in indices
        )

    # --- audio -----------------------------------------------------------------------------------

    def _go_on(self, turn: Turn) -> None:
        """Ask for the next sentence; or see that there is none left.

        One sentence is synthesised at a time: the next begins when this one has all its audio,
        long before it was heard. Of a guess only the first is made.
        """
        if turn is not self.turn:
            return
        held_back = not turn.committed and (bool(turn.held) or not self._config.speculate_speech)
        sentence = None if held_back else turn.take_sentence()
        if sentence:
            self._out.append(Synthesize(turn.turn_id, *sentence))
        if turn.committed and turn.spoken_out and not turn.playback_closed:
            turn.playback_closed = True
            self._close(turn)

    def _close(self, turn: Turn) -> None:
        if turn.playing:
            self._out.append(FinishPlayback(turn.turn_id))
        elif turn.failed:
            self.drop()
        elif turn.calls or (turn.text.strip() and not turn.voiced):
            self._finish_unspoken(turn)
        else:
            self.give_up(Stage.RESPONDER, "the reply holds nothing that can be spoken")

    def _finish_unspoken(self, turn: Turn) -> None:
        """End a turn that was written, or that only calls functions."""
        self.turn = None
        if turn.text.strip():
            self._conversation.add_reply(turn.text)
        self._out.append(TurnFinished(turn.turn_id, turn.transcript, turn.text, turn.text))
        self._out.append(EndTurn(turn.turn_id))

    def on_audio(self, event: AudioReady) -> None:
        """Play audio of the reply, or hold it."""
        turn = self._current(event.turn_id)
        if turn is None:
            return
        turn.progress_at = self.now_samples
        turn.reply.add_speech(event.sentence, len(event.audio), event.words)
        if turn.committed:
            self._play(turn, event)
        else:
            turn.held.append(event)

    def on_synthesis_finished(self, event: SynthesisFinished) -> None:
        """Go on to the next sentence."""
        turn = self._current(event.turn_id)
        if turn is not None:
            turn.progress_at = self.now_samples
            turn.finish_sentence(event.sentence)
            self._go_on(turn)

    def _play(self, turn: Turn, event: AudioReady) -> None:
        if not turn.playing:
            turn.playing = True
            self._conversation.open_reply(turn.reply, aside=turn.aside)
        self._out.append(event)
        self._out.append(Play(turn.turn_id, event.audio))

    def set_gain(self, gain: float) -> None:
        """Speak lower or as usual."""
        if gain != self._gain:
            self._gain = gain
            self._out.append(SetGain(gain))

    def on_played_to(self, event: PlayedTo) -> None:
        """Note how much was heard."""
        turn = self._current(event.turn_id)
        if turn and turn.playing and event.played_samples > turn.reply.played_samples:
            turn.progress_at = self.now_samples
            self._conversation.heard(event.played_samples)
            self._out.append(event)

    def on_playback_finished(self, event: PlaybackFinished) -> None:
        """End the turn: all of the reply was heard."""
        turn = self._current(event.turn_id)
        if turn is None or not turn.playback_closed:
            return
        heard = self._conversation.heard(turn.reply.samples)
        self.turn = None
        self._out.append(TurnFinished(turn.turn_id, turn.transcript, turn.text, heard))
        self._out.append(EndTurn(turn.turn_id))

    def let_finish(self) -> None:
        """Count a reply whose audio is all there as heard: it plays on, and another may follow."""
        turn = self.live
        if turn and turn.playing and turn.playback_closed:
            self.on_playback_finished(PlaybackFinished(turn.turn_id))

    def on_playback_stopped(self, event: PlaybackStopped) -> None:
        """Note what exactly was heard of the turn that was dropped."""
        turn = self._stopped
        if turn is None or turn.turn_id != event.turn_id:
            return
        self._stopped = None
        heard = self._conversation.heard(event.played_samples, cut=turn.cut)
        self._out.append(TurnCancelled(turn.turn_id, turn.transcript, turn.text, heard))

    # --- failures --------------------------------------------------------------------------------

    def on_stage_failed(self, event: StageFailed) -> None:
        """Save of the reply what can be saved."""
        turn = self._current(event.turn_id)
        if turn is None:
            return
        if not turn.committed:
            self.drop()  # only a guess: tried again once the user has finished
        elif event.stage is Stage.SYNTHESIZER:
            self._out.append(Failure(event.stage, event.message))
            self._skip_sentence(turn)
        elif event.stage is Stage.RESPONDER and turn.text.strip():
            self._out.append(Failure(event.stage, event.message))
            self.on_reply_finished(ReplyFinished(turn.turn_id))
        else:
            self.give_up(event.stage, event.message)

    def _skip_sentence(self, turn: Turn) -> None:
        turn.failed = True
        if turn.in_synthesis is not None:
            turn.finish_sentence(turn.in_synthesis)
        self._go_on(turn)

    def give_up(self, stage: Stage, message: str) -> None:
        """End the turn because of a failure, and say sorry if that can be said."""
        self._out.append(Failure(stage, message))
        turn = self.drop()
        if stage is Stage.RESPONDER and turn and not turn.aside and not turn.playing:
            self.apologise()

    def apologise(self) -> None:
        """Say that something went wrong; the LLM will not be told of it."""
        if self._config.apology:
            self.speak(self._config.apology, aside=True)

    def give_up_what_stalls(self) -> None:
        """End a turn that waits too long for whatever it is."""
        turn = self.live
        if turn is None:
            return
        waited_ms = (self.now_samples - turn.progress_at) * 1000 / CLOCK_HZ
        if turn.waits_for_playback or turn.playback_closed:
            stage, limit_ms = Stage.PLAYBACK, self._config.playback_timeout_ms
        elif turn.in_synthesis is not None:
            stage, limit_ms = Stage.SYNTHESIZER, self._config.thinking_timeout_ms
        else:
            stage, limit_ms = Stage.RESPONDER, self._config.thinking_timeout_ms
        if waited_ms > limit_ms:
            self.give_up(stage, f"the {stage.value} gave nothing for {limit_ms / 1000:g} seconds")
