import pytest
from fakes_agent import SPEECH, VOICE_HZ, WORD_SAMPLES, World, speech
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from selftalk.stream.dialogue.agent import MAX_RESUMES
from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.dialogue.events import (
    AgentState,
    AudioReady,
    CancelTurn,
    EndTurn,
    Failure,
    FinishPlayback,
    Interrupt,
    PartialTranscript,
    Play,
    PlaybackFinished,
    PlayedTo,
    ReplyDelta,
    ReplyFinished,
    Respond,
    Say,
    SentenceReady,
    SetGain,
    SpeechEnded,
    SpeechIgnored,
    SpeechStarted,
    SpeechSuspected,
    Stage,
    StageFailed,
    StateChanged,
    StopPlayback,
    StopResponding,
    SynthesisFinished,
    Synthesize,
    TextInput,
    Transcribe,
    TranscriptReady,
    TurnCancelled,
    TurnFinished,
    TurnStarted,
    UserSaid,
)

LISTENING, THINKING, SPEAKING = AgentState.LISTENING, AgentState.THINKING, AgentState.SPEAKING


@pytest.fixture
def world() -> World:
    return World()


def speaking_world(**settings) -> World:
    """The agent speaks "One two three four. Five six." and "One two" was played."""
    world = World(**settings)
    world.say("Count for me")
    world.reply("One two three four. Five six.")
    world.synthesize(0, "One two three four.")
    world.played_samples = 2 * WORD_SAMPLES
    world.push(PlayedTo(world.agent.turn_id, world.played_samples))
    world.out.clear()
    assert world.agent.state is SPEAKING
    return world


def kinds(outputs) -> list[type]:
    return [type(output) for output in outputs]


class TestPlainTurn:
    def test_from_the_first_sound_to_the_last_sample(self, world):
        assert kinds(world.start_speaking()) == [SpeechStarted]
        assert kinds(world.end()) == [SpeechEnded, Transcribe, StateChanged]
        assert world.agent.state is THINKING
        assert world.recognise("Hello?") == [
            UserSaid("Hello?"),
            Respond(1, (Message("user", "Hello?"),)),
            TurnStarted(1, "Hello?"),
        ]
        assert world.push(ReplyDelta(1, "Hi")) == [ReplyDelta(1, "Hi")]
        assert world.push(ReplyDelta(1, " you. I")) == [
            ReplyDelta(1, " you. I"),
            SentenceReady(1, 0, "Hi you."),
            Synthesize(1, 0, "Hi you."),
        ]
        audio = speech(1, 0, "Hi you.")
        assert world.push(audio) == [audio, Play(1, audio.audio), StateChanged(SPEAKING)]
        assert world.push(ReplyDelta(1, " am."), ReplyFinished(1)) == [
            ReplyDelta(1, " am."),
            SentenceReady(1, 1, "I am."),
        ]
        assert world.push(SynthesisFinished(1, 0)) == [Synthesize(1, 1, "I am.")]
        world.push(speech(1, 1, "I am."))
        assert world.push(SynthesisFinished(1, 1)) == [FinishPlayback(1)]
        assert world.push(PlaybackFinished(1)) == [
            TurnFinished(1, "Hello?", "Hi you. I am.", "Hi you. I am."),
            EndTurn(1),
            StateChanged(LISTENING),
        ]
        assert world.agent.idle
        assert world.conversation.messages == (
            Message("user", "Hello?"),
            Message("assistant", "Hi you. I am."),
        )

    def test_the_next_sentence_is_made_while_this_one_plays_but_only_one_at_a_time(self, world):
        world.say("Hello")
        made = world.reply("One. Two. Three.")
        assert [command.text for command in world.all(Synthesize, made)] == ["One."]
        made = world.synthesize(0, "One.")
        assert [command.text for command in world.all(Synthesize, made)] == ["Two."]
        assert world.agent.state is SPEAKING

    def test_the_history_grows_as_the_reply_is_heard(self, world):
        world.say("Hello")
        world.reply("One two three.")
        world.synthesize(0, "One two three.")
        assert world.conversation.messages[-1] == Message("user", "Hello")
        world.push(PlayedTo(1, WORD_SAMPLES))
        assert world.conversation.messages[-1] == Message("assistant", "One")

    def test_a_typed_message_is_answered_like_a_spoken_one(self, world):
        out = world.push(TextInput("  Hello? "))
        assert kinds(out) == [UserSaid, Respond, TurnStarted, StateChanged]
        assert world.push(TextInput("   ")) == []

    def test_a_greeting_is_spoken_without_asking_anybody(self, world):
        out = world.push(Say("Hello, you."))
        assert kinds(out) == [TurnStarted, ReplyDelta, SentenceReady, Synthesize, StateChanged]
        world.synthesize(0, "Hello, you.")
        world.push(PlaybackFinished(1))
        assert world.conversation.messages == (Message("assistant", "Hello, you."),)
        world.start_speaking()
        assert world.push(Say("Too late.")) == []

    def test_an_endless_reply_is_stopped(self):
        world = World(max_reply_characters=100)
        world.say("Hello")
        for _ in range(50):
            world.push(ReplyDelta(1, "On and on. "))
        assert world.all(StopResponding) == [StopResponding(1)]
        assert len(world.all(SentenceReady)) == 10


class TestBargeIn:
    def test_lasting_speech_lowers_the_voice_and_then_cuts_it(self):
        world = speaking_world(interrupt_after_ms=200)
        assert world.all(SetGain, world.start_speaking()) == [
            SetGain(pytest.approx(0.251, abs=1e-3))
        ]
        assert world.wait(190) == []
        assert kinds(world.wait(10)) == [CancelTurn, StopPlayback, StateChanged, TurnCancelled]
        assert world.agent.state is LISTENING
        assert world.last(TurnCancelled).heard == "One two"
        world.end()
        out = world.recognise("Stop it")
        assert world.all(Respond, out)[0].messages == (
            Message("user", "Count for me"),
            Message("assistant", "One two —", cut=True),
            Message("user", "Stop it"),
        )

    def test_what_the_loudspeaker_says_last_counts(self):
        world = speaking_world(interrupt_after_ms=0)
        world.played_samples = 3 * WORD_SAMPLES  # the fade ran on for a while
        world.start_speaking()
        assert world.last(TurnCancelled).heard == "One two three"
        assert world.conversation.messages[-1] == Message("assistant", "One two three", cut=True)

    def test_nothing_with_an_old_number_gets_through(self):
        world = speaking_world(interrupt_after_ms=0)
        world.start_speaking()
        stale = [
            ReplyDelta(1, "More. "),
            ReplyFinished(1),
            speech(1, 1, "Five six."),
            SynthesisFinished(1, 1),
            PlayedTo(1, 99_999),
            PlaybackFinished(1),
            StageFailed(Stage.SYNTHESIZER, "late", turn_id=1),
        ]
        assert world.push(*stale) == []
        assert world.conversation.messages[-1].text == "One two"

    def test_thinking_is_interrupted_as_well_and_both_are_answered(self):
        world = World(interrupt_after_ms=100)
        world.say("I want")
        world.push(ReplyDelta(1, "You want"))
        world.start_speaking()
        assert kinds(world.wait(100)) == [CancelTurn, TurnCancelled, StateChanged]
        world.end()
        out = world.recognise("to go home.")
        assert world.all(Respond, out) == [Respond(2, (Message("user", "I want to go home."),))]

    def test_going_on_before_the_transcript_is_there_loses_nothing(self):
        world = World(interrupt_after_ms=100)
        world.start_speaking()
        world.end()
        first = world.last(Transcribe).revision
        world.start_speaking()
        world.wait(100)
        assert kinds(world.push(TranscriptReady(first, "I want"))) == [UserSaid, StateChanged]
        world.end()
        out = world.recognise("to go home.")
        assert world.all(Respond, out)[0].messages == (Message("user", "I want to go home."),)

    def test_going_on_that_was_nothing_still_gets_the_answer(self):
        world = World(interrupt_after_ms=100)
        world.start_speaking()
        world.end()
        first = world.last(Transcribe).revision
        world.start_speaking()
        world.wait(100)
        world.push(TranscriptReady(first, "I want to go home."))
        world.end()
        out = world.recognise("")
        assert world.all(Respond, out)[0].messages == (Message("user", "I want to go home."),)

    def test_a_short_noise_only_lowers_the_voice_for_a_moment(self):
        world = speaking_world(interrupt_after_ms=200)
        world.start_speaking()
        world.wait(100)
        world.pause()
        out = world.recognise("")
        assert out == [PartialTranscript(""), SetGain(1.0)]
        assert world.end() == [SpeechEnded(1600, SPEECH), SpeechIgnored("nothing understood")]
        assert world.agent.state is SPEAKING
        assert not world.all(CancelTurn)

    def test_the_voice_is_lowered_on_mere_suspicion(self):
        world = speaking_world()
        assert kinds(world.push(SpeechSuspected(True))) == [SetGain]
        assert world.push(SpeechSuspected(False)) == [SetGain(1.0)]
        quiet = World()
        assert quiet.push(SpeechSuspected(True)) == []

    def test_a_short_word_cuts_as_soon_as_it_is_understood(self):
        world = speaking_world(interrupt_after_ms=500)
        world.start_speaking()
        world.wait(100)
        world.pause()
        out = world.recognise("Stop!")
        assert kinds(out)[:3] == [PartialTranscript, CancelTurn, StopPlayback]
        assert world.all(UserSaid, world.end()) == [UserSaid("Stop!")]

    @pytest.mark.parametrize("sound", ["Mhm.", "uh-huh", "Yeah, yeah.", "嗯", "うん"])
    def test_a_listening_sound_does_not_take_the_floor(self, sound):
        world = speaking_world(interrupt_after_ms=500)
        world.start_speaking()
        world.pause()
        world.recognise(sound)
        assert world.all(SpeechIgnored, world.end()) == [SpeechIgnored("backchannel", sound)]
        assert world.agent.state is SPEAKING
        assert world.last(SetGain) == SetGain(1.0)

    def test_yes_is_an_answer_once_the_reply_has_ended(self):
        world = speaking_world(interrupt_after_ms=500)
        world.synthesize(1, "Five six.")
        world.start_speaking()
        world.push(PlaybackFinished(1))
        world.end()
        assert world.all(UserSaid, world.recognise("Yes.")) == [UserSaid("Yes.")]

    def test_its_own_words_coming_back_are_no_interruption(self):
        world = World(interrupt_after_ms=500)
        world.say("Tell me about your cat")
        text = "My old cat sleeps on the warm stove all day."
        world.reply(text)
        world.synthesize(0, text)
        world.push(PlayedTo(1, 7 * WORD_SAMPLES))
        world.start_speaking()
        world.pause()
        world.recognise("old cat sleeps on the")
        out = world.end()
        assert world.all(SpeechIgnored, out) == [SpeechIgnored("echo", "old cat sleeps on the")]
        assert world.agent.state is SPEAKING

    def test_speech_that_begins_as_the_reply_ends_is_not_lost(self):
        world = speaking_world(interrupt_after_ms=300)
        world.synthesize(1, "Five six.")
        world.start_speaking()
        world.wait(100)
        world.push(PlaybackFinished(1))
        assert world.agent.state is LISTENING
        assert not world.agent.idle
        world.wait(500)
        world.end()
        assert world.all(Respond, world.recognise("And then?"))
        assert world.all(TurnFinished)[0].heard == "One two three four. Five six."

    def test_the_next_reply_is_as_loud_as_ever(self):
        world = speaking_world(interrupt_after_ms=0)
        world.start_speaking()
        world.end()
        assert world.last(SetGain).gain < 1
        assert world.all(SetGain, world.recognise("Louder")) == [SetGain(1.0)]

    def test_a_typed_message_and_a_key_interrupt_at_once(self):
        world = speaking_world()
        assert kinds(world.push(TextInput("No.")))[:3] == [CancelTurn, StopPlayback, UserSaid]
        world = speaking_world()
        world.push(Interrupt())
        assert world.agent.idle
        assert world.last(TurnCancelled).heard == "One two"


class TestFalseAlarm:
    def cut(self, world: World) -> None:
        world.start_speaking()
        world.wait(1000)
        assert world.agent.state is LISTENING
        world.end()

    def test_the_reply_goes_on_where_it_was_cut(self):
        world = speaking_world()
        self.cut(world)
        out = world.recognise("")
        assert [ready.text for ready in world.all(SentenceReady, out)] == [
            "three four.",
            "Five six.",
        ]
        assert world.conversation.messages[-1] == Message("assistant", "One two")
        world.synthesize(0, "three four.")
        world.synthesize(1, "Five six.")
        world.push(PlaybackFinished(world.agent.turn_id))
        assert world.conversation.context()[-1].text == "One two three four. Five six."

    def test_thinking_begins_again(self):
        world = World()
        world.say("Hello")
        self.cut(world)
        assert world.all(Respond, world.recognise("")) == [Respond(2, (Message("user", "Hello"),))]

    def test_a_greeting_that_was_not_heard_yet_is_said_again(self):
        world = World()
        world.push(Say("Hello, you."))
        self.cut(world)
        assert world.all(SentenceReady, world.recognise("")) == [SentenceReady(2, 0, "Hello, you.")]

    def test_endless_noise_ends_the_reply(self):
        world = speaking_world()
        for _ in range(MAX_RESUMES):
            self.cut(world)
            world.recognise("")
            world.synthesize(0, "three four.")
            world.played_samples = 0
        self.cut(world)
        world.recognise("")
        assert world.agent.idle

    def test_real_words_do_not_resume_anything(self):
        world = speaking_world()
        self.cut(world)
        world.recognise("Never mind")
        world.reply("Fine.")
        world.synthesize(0, "Fine.")
        world.push(PlaybackFinished(world.agent.turn_id))
        world.start_speaking()
        world.end()
        assert world.all(SentenceReady, world.recognise("")) == []
        assert world.agent.idle


class TestSpeculation:
    def test_everything_is_ready_when_the_end_is_certain_and_nothing_is_heard_before(self, world):
        world.start_speaking()
        world.pause()
        world.recognise("Hello?")
        assert world.all(Respond) == [Respond(1, (Message("user", "Hello?"),))]
        world.reply("Hi you. And more.")
        world.synthesize(0, "Hi you.")
        assert not world.all(Play)
        assert not world.all(ReplyDelta)
        assert world.conversation.messages == ()
        assert len(world.all(Synthesize)) == 1  # no more of a guess than its first sentence
        out = world.end()
        assert kinds(out) == [
            SpeechEnded,
            UserSaid,
            TurnStarted,
            ReplyDelta,
            SentenceReady,
            SentenceReady,
            AudioReady,
            Play,
            Synthesize,
            StateChanged,
        ]
        assert world.agent.state is SPEAKING
        assert world.agent.speculation.hits == world.agent.speculation.begun == 1

    def test_it_is_discarded_when_the_transcript_changes(self, world):
        world.start_speaking()
        world.pause()
        world.recognise("I want")
        world.push(ReplyDelta(1, "What do you want?"))
        world.resume()
        assert not world.all(CancelTurn)
        world.pause()
        out = world.recognise("I want to go home")
        assert world.all(CancelTurn, out) == [CancelTurn(1)]
        assert world.all(Respond, out)[0].turn_id == 2
        assert world.push(ReplyDelta(1, "stale"), speech(1, 0, "stale")) == []
        assert world.agent.speculation.wasted_characters == len("What do you want?")
        world.end()
        assert world.conversation.messages == (Message("user", "I want to go home"),)

    def test_it_survives_a_breath(self, world):
        world.start_speaking()
        world.pause()
        world.recognise("Hello")
        world.resume()
        world.pause()
        world.recognise("hello.")
        world.end()
        assert len(world.all(Respond)) == 1
        assert world.all(TurnStarted)[0].turn_id == 1
        assert not world.all(CancelTurn)

    def test_a_transcript_of_half_the_utterance_is_no_final_one(self, world):
        world.start_speaking()
        world.pause()
        world.resume()
        world.recognise("I want")
        out = world.end()
        assert kinds(out) == [SpeechEnded, Transcribe, StateChanged]
        world.recognise("I want to go home")
        assert world.conversation.messages == (Message("user", "I want to go home"),)

    def test_an_old_revision_is_dropped(self, world):
        world.start_speaking()
        world.pause()
        world.resume()
        world.end()
        assert world.push(TranscriptReady(1, "I want")) == []
        assert world.all(UserSaid, world.recognise("I want to go home"))

    def test_a_failure_on_suspicion_is_silent_and_tried_again(self, world):
        world.start_speaking()
        world.pause()
        world.push(StageFailed(Stage.RECOGNIZER, "hiccup", revision=1))
        world.resume()
        world.pause()
        world.recognise("Hello")
        world.push(StageFailed(Stage.RESPONDER, "hiccup", turn_id=1))
        assert not world.all(Failure)
        assert [respond.turn_id for respond in world.all(Respond, world.end())] == [2]

    def test_each_kind_can_be_switched_off(self):
        world = World(speculate_transcript=False)
        world.start_speaking()
        assert world.pause() == []
        world = World(speculate_reply=False)
        world.start_speaking()
        world.pause()
        assert kinds(world.recognise("Hello")) == [PartialTranscript]
        assert world.all(Respond, world.end())
        world = World(speculate_speech=False)
        world.start_speaking()
        world.pause()
        world.recognise("Hello")
        assert world.reply("Hi.") == []
        assert world.all(Synthesize, world.end())


class TestFailures:
    def spoken_to_the_end(self, world: World, sentence: str) -> None:
        world.synthesize(0, sentence)
        world.push(PlaybackFinished(world.agent.turn_id))
        assert world.agent.idle

    def test_an_empty_transcript_is_no_turn(self, world):
        out = world.say(" ... ")
        assert world.all(SpeechIgnored, out) == [SpeechIgnored("nothing understood", "...")]
        assert world.agent.idle
        assert world.conversation.messages == ()
        assert not world.all(Respond)

    def test_a_failing_recogniser_apologises(self):
        world = World(apology="Sorry.")
        world.start_speaking()
        world.end()
        out = world.push(StageFailed(Stage.RECOGNIZER, "no ears", revision=1))
        assert world.all(Failure, out) == [Failure(Stage.RECOGNIZER, "no ears")]
        self.spoken_to_the_end(world, "Sorry.")

    def test_a_failing_responder_apologises_and_the_llm_is_not_told(self):
        world = World(apology="Sorry.")
        world.say("Hello")
        out = world.push(StageFailed(Stage.RESPONDER, "no brain", turn_id=1))
        assert world.all(Failure, out) == [Failure(Stage.RESPONDER, "no brain")]
        assert world.all(Synthesize, out) == [Synthesize(2, 0, "Sorry.")]
        self.spoken_to_the_end(world, "Sorry.")
        assert world.conversation.context() == [Message("user", "Hello")]

    def test_a_responder_that_breaks_off_is_spoken_as_far_as_it_came(self):
        world = World()
        world.say("Hello")
        world.push(ReplyDelta(1, "Hello there"), StageFailed(Stage.RESPONDER, "gone", turn_id=1))
        assert world.last(Failure).message == "gone"
        self.spoken_to_the_end(world, "Hello there")
        assert world.conversation.messages[-1].text == "Hello there"

    @pytest.mark.parametrize("text", ["", "  ", "\n"])
    def test_an_empty_reply_is_a_failure(self, text):
        world = World(apology="Sorry.")
        world.say("Hello")
        world.reply(text)
        assert world.last(Failure).stage is Stage.RESPONDER
        self.spoken_to_the_end(world, "Sorry.")

    def test_one_sentence_that_cannot_be_spoken_is_skipped(self, world):
        world.say("Hello")
        world.reply("Good. Bad. Fine.")
        world.synthesize(0, "Good.")
        out = world.push(StageFailed(Stage.SYNTHESIZER, "odd", turn_id=1))
        assert world.all(Synthesize, out) == [Synthesize(1, 2, "Fine.")]
        world.synthesize(2, "Fine.")
        world.push(PlaybackFinished(1))
        assert world.conversation.messages[-1].text == "Good. Fine."

    def test_a_synthesizer_that_is_broken_leaves_the_agent_listening(self, world):
        world.say("Hello")
        world.reply("One. Two.")
        world.push(StageFailed(Stage.SYNTHESIZER, "broken", turn_id=1))
        world.push(StageFailed(Stage.SYNTHESIZER, "broken", turn_id=1))
        assert world.agent.idle
        assert world.last(TurnCancelled).heard == ""

    def test_an_apology_that_fails_is_not_apologised_for(self):
        world = World(apology="Sorry.")
        world.say("Hello")
        world.push(StageFailed(Stage.RESPONDER, "no brain", turn_id=1))
        world.push(StageFailed(Stage.SYNTHESIZER, "no voice", turn_id=2))
        assert world.agent.idle

    def test_a_loudspeaker_that_fails_keeps_what_was_heard(self):
        world = speaking_world()
        world.push(StageFailed(Stage.PLAYBACK, "unplugged", turn_id=1))
        assert world.agent.idle
        assert world.conversation.messages[-1] == Message("assistant", "One two")

    @pytest.mark.parametrize("stage", ["recognizer", "responder", "synthesizer", "playback"])
    def test_whatever_stalls_is_given_up(self, stage):
        world = World(thinking_timeout_ms=5000, playback_timeout_ms=3000, apology="")
        world.start_speaking()
        world.end()
        if stage != "recognizer":
            world.recognise("Hello")
        if stage in ("synthesizer", "playback"):
            world.push(ReplyDelta(1, "One. "))
        if stage == "playback":
            world.push(speech(1, 0, "One."))
        world.wait(2900)
        assert world.agent.state is not LISTENING
        assert not world.all(Failure)
        world.wait(2200)
        assert world.last(Failure).stage.value == stage
        assert world.agent.idle

    def test_a_slow_reply_that_goes_on_is_not_given_up(self):
        world = World(thinking_timeout_ms=5000)
        world.say("Hello")
        for _ in range(10):
            world.wait(4000)
            world.push(ReplyDelta(1, "word "))
        assert not world.all(Failure)

    def test_a_recogniser_that_fails_over_a_reply_lets_it_go_on(self):
        world = speaking_world(interrupt_after_ms=500)
        world.start_speaking()
        world.end()
        world.push(
            StageFailed(Stage.RECOGNIZER, "no ears", revision=world.last(Transcribe).revision)
        )
        assert world.agent.state is SPEAKING
        assert world.last(SetGain) == SetGain(1.0)


class AgentMachine(RuleBasedStateMachine):
    """Anything in any order: whatever happens, the agent stays sane and comes to rest."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(
            interrupt_after_ms=100, thinking_timeout_ms=4000, playback_timeout_ms=3000
        )
        self.agent = self.world.agent
        self.jobs: dict[int, str] = {}  # sentence → text, of the current turn, to be synthesised
        self.cancelled = 0
        self.words = 0

    def push(self, *events) -> None:
        self.look_at(self.world.push(*events))

    def look_at(self, outputs) -> None:
        for output in outputs:
            match output:
                case CancelTurn(turn_id) | EndTurn(turn_id):
                    self.cancelled = max(self.cancelled, turn_id)
                    self.jobs.clear()
                    self.world.played_samples = 0
                case Play(turn_id) | FinishPlayback(turn_id) | Respond(turn_id):
                    assert turn_id > self.cancelled, "a command for a turn that is over"
                case Synthesize(turn_id, sentence, text):
                    assert turn_id > self.cancelled
                    self.jobs[sentence] = text

    @rule()
    def start(self):
        self.push(SpeechStarted(0))

    @rule(kind=st.sampled_from(["pause", "resume", "end"]))
    def user(self, kind):
        self.look_at(getattr(self.world, kind)())

    @rule(
        text=st.sampled_from(["", "hello there", "mhm", "one more thing"]), back=st.integers(0, 2)
    )
    def transcript(self, text, back):
        revision = max((command.revision for command in self.world.all(Transcribe)), default=0)
        self.push(TranscriptReady(revision - back, text))

    @rule(text=st.sampled_from(["", "Well. ", "I see", " that now. And "]), back=st.integers(0, 2))
    def delta(self, text, back):
        self.push(ReplyDelta(self.agent.turn_id - back, text))

    @rule(back=st.integers(0, 1))
    def reply_finished(self, back):
        self.push(ReplyFinished(self.agent.turn_id - back))

    @precondition(lambda self: self.jobs)
    @rule()
    def synthesize(self):
        sentence, text = self.jobs.popitem()
        turn_id = self.agent.turn_id
        self.push(speech(turn_id, sentence, text), SynthesisFinished(turn_id, sentence))

    @rule(stage=st.sampled_from(Stage), back=st.integers(0, 1))
    def fail(self, stage, back):
        revision = max((command.revision for command in self.world.all(Transcribe)), default=0)
        if stage is Stage.SYNTHESIZER:
            self.jobs.clear()
        self.push(StageFailed(stage, "oops", self.agent.turn_id - back, revision))

    @rule(words=st.integers(0, 3))
    def play(self, words):
        self.world.played_samples += words * WORD_SAMPLES
        self.push(PlayedTo(self.agent.turn_id, self.world.played_samples))

    @rule(back=st.integers(0, 1))
    def playback_finished(self, back):
        self.push(PlaybackFinished(self.agent.turn_id - back))

    @rule(
        event=st.sampled_from([TextInput("Typed."), Interrupt(), Say("Greeting."), TextInput("")])
    )
    def other(self, event):
        self.push(event)

    @rule(milliseconds=st.integers(1, 2000))
    def wait(self, milliseconds):
        self.look_at(self.world.wait(milliseconds))

    @invariant()
    def state_was_told(self):
        told = self.world.all(StateChanged)
        assert (told[-1].state if told else LISTENING) is self.agent.state

    @invariant()
    def at_most_one_synthesis(self):
        assert len(self.jobs) <= 1

    def teardown(self):
        """However it was left: the user stops, no job ever answers, and it comes to rest."""
        self.look_at(self.world.end())
        for _ in range(20):
            self.look_at(self.world.wait(5000))
        assert self.agent.idle
        assert self.agent.speculation.hits <= self.agent.speculation.begun


AgentMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestAnything = AgentMachine.TestCase


def test_the_fake_voice_runs_at_its_own_rate():
    assert speech(1, 0, "One two.").audio.sample_rate_hz == VOICE_HZ
