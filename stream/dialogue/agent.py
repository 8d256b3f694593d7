"""VoiceAgent: the state machine of a conversation, events in, commands and notices out.

Knows nothing about sockets, devices, threads, clocks and asyncio: time is a number of samples
that somebody tells it. This file is about the user: when to answer, when to fall silent, when
to go on; `speaking.py` is about the reply. The rules:

- The state follows from the turn and the utterances and is never stored, so none can be left
  over. A turn that makes no progress for too long is given up, whatever it waits for.
- A turn has a number. A barge-in drops the turn; what arrives later with its number is dropped
  by comparing.
- A reply may be begun in a pause, before the end of the utterance is certain. It is held back
  until the user has finished, and lives until the transcript changes.
- Speech over a reply is tentative: the voice is lowered at once, but only speech that lasts, or
  that turns out to be words, cuts it. After a false alarm the reply goes on.
"""

from collections.abc import Callable
from typing import Any

from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.conversation import Conversation
from selftalk.stream.dialogue.events import (
    AgentState,
    Failure,
    InputEvent,
    Interrupt,
    Output,
    PartialTranscript,
    PlaybackFinished,
    Say,
    SpeechEnded,
    SpeechIgnored,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechSuspected,
    Stage,
    StageFailed,
    StateChanged,
    TextInput,
    Transcribe,
    TranscriptReady,
    UserSaid,
)
from selftalk.stream.dialogue.leading import Answer, SetManner, SpeechDiscarded, UtteranceGiven
from selftalk.stream.dialogue.speaking import CLOCK_HZ, Speaking, Speculation
from selftalk.stream.dialogue.turn import MakeSplitter, Turn
from selftalk.stream.dialogue.utterance import Phase, Utterance, reason_to_ignore

MAX_RESUMES = 2  # a reply that noise breaks into again and again is let go


class VoiceAgent:
    """Listens, thinks, speaks, and can be interrupted at any moment."""

    def __init__(
        self, conversation: Conversation, config: AgentConfig, make_splitter: MakeSplitter
    ) -> None:
        self.conversation = conversation
        self._config = config
        self._out: list[Output] = []
        self._speaking = Speaking(conversation, config, make_splitter, self._out)
        self._now = 0
        self._utterances: list[Utterance] = []  # only the last may still go on
        self._revision = 0
        self._owed = ""  # what was said and not answered, because the user went on
        self._interrupted: Turn | None = None  # until the user is known to have said something
        self._manner = SetManner()
        self._asked: Answer | None = None  # for a reply, while transcripts are still to come
        self._told_state = AgentState.LISTENING
        self._handlers = self._make_handlers()

    @property
    def state(self) -> AgentState:
        """What the agent is doing."""
        turn = self._speaking.live
        if turn:
            return AgentState.SPEAKING if turn.playing else AgentState.THINKING
        if self._ended():
            return AgentState.THINKING
        return AgentState.LISTENING

    @property
    def idle(self) -> bool:
        """Whether nothing is said, thought, or spoken."""
        return self.state is AgentState.LISTENING and not self._utterances

    @property
    def answer_is_due(self) -> bool:
        """Whether a reply was asked for, and waits for transcripts."""
        return self._asked is not None

    @property
    def turn_id(self) -> int:
        """The number of the turn under way, a guess included; 0 if there is none."""
        return self._speaking.turn.turn_id if self._speaking.turn else 0

    @property
    def speculation(self) -> Speculation:
        """What the replies begun on suspicion were good for."""
        return self._speaking.speculation

    def push(self, event: InputEvent) -> list[Output]:
        """Tell what happened; return what to do and what to tell others, in this order."""
        self._handlers[type(event)](event)
        return self._take_output()

    def advance(self, now_samples: int) -> list[Output]:
        """Tell how late it is, in samples at 16 kHz; return what is due."""
        self._now = self._speaking.now_samples = max(self._now, now_samples)
        self._confirm_lasting_speech()
        self._speaking.give_up_what_stalls()
        self._give_up_transcripts()
        return self._take_output()

    def _take_output(self) -> list[Output]:
        if self.state is not self._told_state:
            self._told_state = self.state
            self._out.append(StateChanged(self.state))
        out = self._out.copy()
        self._out.clear()
        return out

    def _make_handlers(self) -> dict[type, Callable[[Any], None]]:
        return {
            SpeechSuspected: self._on_speech_suspected,
            SpeechStarted: self._on_speech_started,
            SpeechPaused: self._on_speech_paused,
            SpeechResumed: self._on_speech_resumed,
            SpeechEnded: self._on_speech_ended,
            SpeechDiscarded: self._on_speech_discarded,
            UtteranceGiven: self._on_utterance_given,
            TextInput: self._on_text_input,
            Answer: self._on_answer,
            SetManner: self._on_set_manner,
            Interrupt: self._on_interrupt,
            Say: self._on_say,
            TranscriptReady: self._on_transcript,
            StageFailed: self._on_stage_failed,
            PlaybackFinished: self._on_playback_finished,
            **self._speaking.handlers,
        }

    # --- what the user does ----------------------------------------------------------------------

    def _on_speech_suspected(self, event: SpeechSuspected) -> None:
        if event.suspected and self._speaking.live:
            self._lower_voice()
        elif not any(utterance.tentative for utterance in self._utterances):
            self._speaking.set_gain(1.0)

    def _on_speech_started(self, event: SpeechStarted) -> None:
        if self._open_utterance():
            self._on_speech_resumed(SpeechResumed(event.at_samples))
            return
        utterance = Utterance(self._now, answer=self._manner.answer)
        utterance.tentative = self.state is not AgentState.LISTENING
        utterance.overlapped = self.state is AgentState.SPEAKING
        self._utterances.append(utterance)
        self._out.append(event)
        if utterance.tentative:
            self._lower_voice()
            self._confirm_lasting_speech()

    def _on_speech_paused(self, event: SpeechPaused) -> None:
        utterance = self._open_utterance()
        if utterance is None:
            return
        utterance.phase = Phase.PAUSED
        if self._config.speculate_transcript or utterance.tentative:
            self._transcribe(utterance, event)

    def _on_speech_resumed(self, _event: SpeechResumed) -> None:
        utterance = self._open_utterance()
        if utterance is not None and utterance.phase is Phase.PAUSED:
            utterance.phase, utterance.started_at = Phase.ACTIVE, self._now
            if utterance.tentative:
                self._lower_voice()
                self._confirm_lasting_speech()

    def _on_speech_ended(self, event: SpeechEnded) -> None:
        utterance = self._open_utterance()
        if utterance is None:
            return
        covered = utterance.phase is Phase.PAUSED and utterance.revision > 0
        utterance.phase, utterance.ended_at = Phase.ENDED, self._now
        self._out.append(event)
        if not covered:
            self._transcribe(utterance, event)
        elif utterance.transcript is not None:
            self._settle(utterance, utterance.transcript)

    def _on_utterance_given(self, event: UtteranceGiven) -> None:
        utterance = Utterance(self._now, given=True, answer=event.answer)
        utterance.phase, utterance.ended_at = Phase.ENDED, self._now
        self._utterances.insert(len(self._ended()), utterance)
        self._transcribe(utterance, event)

    def _on_speech_discarded(self, _event: SpeechDiscarded) -> None:
        utterance = self._open_utterance()
        if utterance is not None:
            self._utterances.remove(utterance)
            self._go_on_as_before()

    def _on_set_manner(self, event: SetManner) -> None:
        self._manner, self._speaking.voiced = event, event.voiced

    def _on_answer(self, event: Answer) -> None:
        self._speaking.let_finish()
        self._speaking.drop(cut=True)
        self._interrupted = None
        self._asked = event
        self._answer_if_asked()

    def _answer_if_asked(self) -> None:
        """Reply as asked, once every utterance that has ended is understood."""
        if self._asked and not self._ended():
            self._speaking.voiced, self._asked = self._asked.voiced, None
            self._answer("")
            self._speaking.voiced = self._manner.voiced

    def _on_playback_finished(self, event: PlaybackFinished) -> None:
        self._speaking.on_playback_finished(event)
        if self._owed and not self._utterances and not self._speaking.live:
            self._answer(self._owed)

    def _on_text_input(self, event: TextInput) -> None:
        text = event.text.strip()
        if not text:
            return
        self._speaking.drop(cut=True)
        for utterance in self._utterances:  # who goes on speaking interrupts the answer
            utterance.tentative, utterance.started_at = True, self._now
        self._accept(text)
        self._answer(text)

    def _on_interrupt(self, _event: Interrupt) -> None:
        self._asked = None
        self._speaking.drop(cut=True)

    def _on_say(self, event: Say) -> None:
        if self.idle and event.text.strip():
            self._speaking.speak(event.text)

    # --- utterances ------------------------------------------------------------------------------

    def _open_utterance(self) -> Utterance | None:
        last = self._utterances[-1] if self._utterances else None
        return last if last and last.phase is not Phase.ENDED else None

    def _ended(self) -> list[Utterance]:
        return [one for one in self._utterances if one.phase is Phase.ENDED]

    def _utterance_of(self, revision: int) -> Utterance | None:
        return next((one for one in self._utterances if one.revision == revision), None)

    def _transcribe(
        self, utterance: Utterance, event: SpeechPaused | SpeechEnded | UtteranceGiven
    ) -> None:
        self._revision += 1
        self._out.append(Transcribe(self._revision, event.audio, replaces=utterance.revision))
        utterance.revision, utterance.transcript = self._revision, None

    def _on_transcript(self, event: TranscriptReady) -> None:
        utterance = self._utterance_of(event.revision)
        if utterance is None:
            return
        text = utterance.transcript = event.text.strip()
        if utterance.phase is Phase.ENDED:
            self._settle(utterance, text)
            return
        self._out.append(PartialTranscript(text))
        if utterance.phase is Phase.PAUSED:
            self._consider(utterance, text)

    def _consider(self, utterance: Utterance, transcript: str) -> None:
        """In a pause: is it worth interrupting for, is it worth a reply on suspicion."""
        if self._reason_to_ignore(utterance, transcript):
            self._speaking.set_gain(1.0)
            return
        if utterance.tentative:
            self._confirm(utterance)
        older_waits = self._utterances[0] is not utterance or self._asked is not None
        wanted = self._config.speculate_reply and utterance.answer
        if wanted and not older_waits and not self._speaking.live:
            messages = self.conversation.context(pending_user=transcript)
            self._speaking.respond(transcript, messages, guess=True)

    def _settle(self, utterance: Utterance, transcript: str) -> None:
        """The user has finished, and this is what was said."""
        reason = self._reason_to_ignore(utterance, transcript)
        self._utterances.remove(utterance)
        if reason:
            self._out.append(SpeechIgnored(reason, transcript))
            self._answer_if_asked()
            self._go_on_as_before()
            return
        if self._speaking.live and utterance.answer and self._manner.interrupt:
            self._speaking.drop(cut=True)
        self._accept(transcript)
        if self._asked or not utterance.answer:
            self._answer_if_asked()
        elif self._speaking.live:
            self._owed = transcript  # answered when the reply that must not be cut is over
        elif any(not newer.tentative for newer in self._utterances):
            self._owed = transcript  # the user goes on: one answer to both, later
            self._speaking.drop()
        else:
            self._answer(transcript)

    def _reason_to_ignore(self, utterance: Utterance, transcript: str) -> str:
        turn = self._speaking.live or self._interrupted
        spoken = turn.reply.heard() if turn else ""
        speaking = self._speaking.live is not None
        return reason_to_ignore(utterance, transcript, spoken, speaking=speaking)

    # --- interrupting and going on ---------------------------------------------------------------

    def _lower_voice(self) -> None:
        self._speaking.set_gain(10 ** (-self._config.duck_db / 20))

    def _confirm_lasting_speech(self) -> None:
        utterance = self._open_utterance()
        if not (utterance and utterance.tentative and utterance.phase is Phase.ACTIVE):
            return
        lasted_ms = (self._now - utterance.started_at) * 1000 / CLOCK_HZ
        if self.state is AgentState.LISTENING:
            utterance.tentative = False  # the reply came to its end meanwhile
        elif lasted_ms >= self._config.interrupt_after_ms:
            self._confirm(utterance)

    def _confirm(self, utterance: Utterance) -> None:
        """It is a barge-in: silence at once."""
        utterance.tentative = False
        if not self._manner.interrupt:
            self._speaking.set_gain(1.0)
            return
        if self._speaking.live:
            self._interrupted = self._speaking.live
        self._speaking.drop(cut=True)

    def _accept(self, text: str) -> None:
        self._interrupted = None
        self.conversation.add_user(text)
        self._out.append(UserSaid(text))

    def _answer(self, transcript: str) -> None:
        """Reply to what is in the conversation now."""
        self._owed = ""
        self._speaking.respond(transcript, self.conversation.context(), guess=False)
        if not self._utterances:
            self._speaking.set_gain(1.0)
        self._speaking.commit()

    def _go_on_as_before(self) -> None:
        """After a false alarm: nothing that was going on may be lost by it."""
        if self._utterances:
            return
        self._speaking.set_gain(1.0)
        if self._speaking.live:
            return
        self._speaking.drop()
        interrupted, self._interrupted = self._interrupted, None
        if self._owed:
            self._answer(self._owed)
        elif interrupted and not interrupted.playing and interrupted.transcript:
            self._answer(interrupted.transcript)
        elif interrupted and not interrupted.aside and interrupted.resumes < MAX_RESUMES:
            self._speaking.resume(interrupted)

    # --- failures --------------------------------------------------------------------------------

    def _on_stage_failed(self, event: StageFailed) -> None:
        if event.stage is not Stage.RECOGNIZER:
            self._speaking.on_stage_failed(event)
            return
        utterance = self._utterance_of(event.revision)
        if utterance is None:
            return
        if utterance.phase is not Phase.ENDED:
            utterance.revision = 0  # tried again at its end
            return
        self._utterances.remove(utterance)
        self._out.append(Failure(event.stage, event.message))
        self._answer_if_asked()
        self._go_on_as_before()
        if self.idle:
            self._speaking.apologise()

    def _give_up_transcripts(self) -> None:
        for utterance in self._ended():
            waited_ms = (self._now - utterance.ended_at) * 1000 / CLOCK_HZ
            if waited_ms > self._config.thinking_timeout_ms:
                message = f"the recognizer gave nothing for {waited_ms / 1000:.0f} seconds"
                failed = StageFailed(Stage.RECOGNIZER, message, revision=utterance.revision)
                self._on_stage_failed(failed)
