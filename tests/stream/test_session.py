import asyncio
import random
import time

import numpy as np
import pytest
from fakes_session import (
    VOICE_HZ,
    WORD_SAMPLES,
    FakeRecognizer,
    FakeResponder,
    FakeSynthesizer,
    LoudnessVad,
    User,
    World,
    threads_in_virtual_time,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import run_in_virtual_time

from selftalk.stream import hearing, turn_jobs
from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.dialogue.events import (
    AgentState,
    AudioReady,
    Failure,
    PartialTranscript,
    PlayedTo,
    Say,
    SpeechIgnored,
    Stage,
    StateChanged,
    TextInput,
    TurnCancelled,
    TurnFinished,
    UserSaid,
)
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import DeviceError, RecognizerError, ResponderError, SynthesisError
from selftalk.stream.session import Session
from selftalk.stream.sound.audio import AudioChunk, read_audio, write_wav
from selftalk.stream.sound.clock import SampleClock
from selftalk.stream.sound.files import FileMicrophone, FileSpeaker
from selftalk.stream.stages import Stages
from selftalk.stream.stopwatch import TurnReport
from selftalk.stream.thread_stream import iterate_in_thread, live_generations

TURN_MS = 4500  # from the first sound of the user to the last of the reply, in these fakes
ORPHAN_SECONDS = 1.0


@pytest.fixture(autouse=True, scope="module")
def _thread_speed():
    with pytest.MonkeyPatch.context() as monkeypatch:
        threads_in_virtual_time(monkeypatch, lambda name: 0.06)
        yield


def held(user: User, *, prepare=lambda world: None, **parts) -> World:
    """A conversation that was held to its end."""

    async def main() -> World:
        world = World(user, **parts)
        prepare(world)
        await asyncio.wait_for(world.run(), timeout=120)
        return world

    return run_in_virtual_time(main)


def orphans() -> int:
    """How many threads still generate after the time they have to end."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while live_generations() and time.monotonic() < deadline:
        time.sleep(0.002)
    return live_generations()


def check_that_all_was_heard_as_remembered(world: World) -> None:
    """Nothing stale was played, and the history is what was played, word by word."""
    reports = world.all(TurnReport)
    cleared = {turn_id: samples for _, turn_id, samples in world.loudspeaker.clear_calls}
    heard_samples = []
    for report in reports:
        words = report.reply.split()
        spoken = len(words) * WORD_SAMPLES
        samples = cleared.get(report.turn_id, 0) if report.interrupted else spoken
        heard_samples.append(samples)
        expected = [word.strip(".") for word in words[: samples // WORD_SAMPLES]]
        assert [word.strip(".") for word in report.heard.split()] == expected
    rendered = int(np.count_nonzero(world.heard))
    assert abs(rendered - sum(heard_samples)) <= len(reports)  # a fade ends in one zero
    history = [said.text for said in world.session.conversation.messages if said.role != "user"]
    assert " ".join(history) == " ".join(report.heard for report in reports if report.heard)
    assert world.session.state is AgentState.LISTENING
    assert world.responder.running == 0
    assert orphans() == 0


class TestTurn:
    def test_a_question_is_answered_and_the_session_ends_by_itself(self):
        world = held(User((500, 1000)))
        [report] = world.all(TurnReport)
        assert report.transcript == "Hello there."
        assert not report.interrupted
        assert report.heard.split() == report.reply.split()
        assert [notice.state for notice in world.all(StateChanged)] == [
            AgentState.SPEAKING,  # the reply was ready before the end was certain
            AgentState.LISTENING,
        ]
        check_that_all_was_heard_as_remembered(world)

    def test_without_speculation_every_stage_shows_its_time(self):
        config = AgentConfig(speculate_transcript=False)
        world = held(User((500, 1000)), config=config)
        report = world.all(TurnReport)[0].as_dict()
        stages = report["stages"]
        assert list(stages) == [
            "endpoint_wait",
            "final_transcript",
            "first_llm_token",
            "first_clause",
            "phonemes",
            "prefill",
            "first_semantic_token",
            "first_audio_chunk",
            "first_sample_played",
            "pipeline",
        ]
        assert stages["endpoint_wait"] == pytest.approx(700, abs=30)
        assert stages["final_transcript"] == pytest.approx(60, abs=1)
        assert stages["first_llm_token"] == pytest.approx(100, abs=1)
        assert stages["first_audio_chunk"] == pytest.approx(60, abs=1)
        assert sum(stages.values()) == pytest.approx(report["voice_to_voice_ms"], abs=1)

    def test_with_speculation_only_the_wait_is_left(self):
        world = held(User((500, 1000)))
        metrics = world.all(TurnReport)[0].metrics
        assert metrics.voice_to_voice_ms == pytest.approx(700, abs=40)

    def test_a_judge_of_pauses_shortens_the_wait(self):
        class SureJudge:
            def probability(self, speech: AudioChunk) -> float:
                return 0.99

        def judged(world: World) -> None:
            object.__setattr__(world.stages, "end_of_turn", SureJudge())

        world = held(User((500, 1000)), prepare=judged)
        stages = world.all(TurnReport)[0].metrics.stages_ms()
        assert stages["endpoint_wait"] == pytest.approx(200, abs=30)

    def test_speech_flows_without_gaps_and_each_sentence_is_made_while_the_last_plays(self):
        world = held(User((500, 1000)))
        sounding = np.flatnonzero(world.heard)
        assert sounding[-1] - sounding[0] + 1 == len(sounding)
        assert world.loudspeaker.starved_ms == 0
        made = {notice.sentence: at for at, notice in world.notices if type(notice) is AudioReady}
        sentence_seconds = 6 * WORD_SAMPLES / VOICE_HZ
        assert made[1] < made[0] + sentence_seconds
        assert made[3] < made[0] + 3 * sentence_seconds

    def test_no_more_is_made_ahead_than_the_lead(self):
        config = AgentConfig(lead_ms=600)
        world = held(User((500, 1000)), config=config, responder=FakeResponder(words=60))
        made = played = most = 0
        for _, notice in world.notices:
            if isinstance(notice, AudioReady):
                made += len(notice.audio)
            elif isinstance(notice, PlayedTo):
                played = notice.played_samples
            most = max(most, made - played)
        assert most <= (0.6 + 0.2 + 0.02) * VOICE_HZ  # a chunk more, a tick late
        assert world.loudspeaker.starved_ms == 0

    def test_two_questions_two_answers(self):
        world = held(User((500, 1000), (6000, 1000)))
        assert [report.transcript for report in world.all(TurnReport)] == [
            "Hello there.",
            "Wait a moment.",
        ]
        assert len(world.responder.asked[1]) == 3
        check_that_all_was_heard_as_remembered(world)

    def test_what_is_said_is_seen_while_it_is_said(self):
        def partial(world: World) -> None:
            world.recognizer.suits_partials = True

        world = held(User((500, 2000)), prepare=partial)
        shown = [at for at in world.when(PartialTranscript) if at < 2.5]
        assert len(shown) >= 2
        assert len(world.all(TurnFinished)) == 1

    def test_silence_ends_without_a_turn(self):
        world = held(User())
        assert world.notices == []


class TestFiles:
    @pytest.fixture
    def question(self, tmp_path):
        quiet, loud = np.zeros(8000, np.float32), np.full(16_000, 0.5, np.float32)
        write_wav(tmp_path / "question.wav", AudioChunk(np.concatenate([quiet, loud]), 16_000))
        return tmp_path / "question.wav"

    def test_a_fast_session_from_and_to_files_waits_for_nothing(self, question, tmp_path):
        async def main() -> list:
            clock = SampleClock(fast=True)
            speaker = FileSpeaker(tmp_path / "reply.wav", clock, VOICE_HZ)
            stages = Stages(
                recognizer=FakeRecognizer(["Hello there."]),
                responder=FakeResponder(first_delta_seconds=0, delta_seconds=0),
                synthesizer=FakeSynthesizer(),
                voice="anybody",
                busy=clock.busy,
            )
            session = Session(
                stages,
                speaker,
                FileMicrophone(question, clock),
                TurnDetector(LoudnessVad()),
                seconds=clock.seconds,
            )
            notices = []
            session.subscribe(notices.append)
            await session.run()
            speaker.close()
            return notices

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(turn_jobs, "iterate_in_thread", iterate_in_thread)
            monkeypatch.setattr(hearing, "iterate_in_thread", iterate_in_thread)
            notices = asyncio.run(main())
        [report] = [notice for notice in notices if isinstance(notice, TurnReport)]
        assert report.heard.split() == report.reply.split()
        stages = report.metrics.stages_ms()
        assert stages["endpoint_wait"] >= 650  # time of the file, and of what was computed in it
        assert report.metrics.voice_to_voice_ms == pytest.approx(sum(stages.values()))
        assert read_audio(tmp_path / "reply.wav").duration_seconds == pytest.approx(2.4, abs=0.01)


class Moody:
    """A voice that knows styles."""

    def in_style(self, style):
        return f"anybody, {style}"


def test_the_mind_chooses_how_a_sentence_sounds():
    class Mind(FakeResponder):
        async def reply(self, messages):
            for delta in ("Ah. ", "[tir", "ed] What ", "a day. [neutral] Never mind. [odd] Bye."):
                yield delta

    me = Moody()
    world = held(User((500, 1000)), responder=Mind(), voice=me)
    assert world.synthesizer.texts == ["Ah.", "What a day.", "Never mind.", "Bye."]
    assert world.synthesizer.voices == [
        me,
        "anybody, tired",
        "anybody, neutral",
        "anybody, neutral",
    ]
    (finished,) = world.all(TurnFinished)
    assert finished.reply == "Ah. What a day. Never mind. Bye."


class TestBargeIn:
    @pytest.mark.parametrize("seed", range(24))
    def test_at_a_random_point_of_the_turn(self, seed):
        start_ms = random.Random(seed).uniform(1500, 500 + TURN_MS)
        self.interrupted_at(start_ms)

    @settings(max_examples=10, deadline=None)
    @given(st.floats(1500, 500 + TURN_MS), st.floats(100, 1500))
    def test_anywhere_for_any_time(self, start_ms, length_ms):
        self.interrupted_at(start_ms, length_ms)

    def interrupted_at(self, start_ms: float, length_ms: float = 900) -> World:
        world = held(User((500, 1000), (start_ms, length_ms)))
        check_that_all_was_heard_as_remembered(world)
        assert world.all(TurnReport)[-1].heard.split() == world.all(TurnReport)[-1].reply.split()
        return world

    def test_the_voice_stops_within_400_ms_and_what_was_cut_is_known(self):
        world = self.interrupted_at(2800)
        [(cleared_at, turn_id, _)] = world.loudspeaker.clear_calls
        assert turn_id == 1
        assert cleared_at - 2.8 <= 0.4
        first, second = world.all(TurnReport)
        assert first.interrupted
        assert first.heard == "a0 a1 a2 a3 a4 a5. a6 a7"[: len(first.heard)]
        assert world.responder.asked[1] == [
            Message("user", "Hello there."),
            Message("assistant", f"{first.heard} —", cut=True),
            Message("user", "Wait a moment."),
        ]
        assert second.transcript == "Wait a moment."

    def test_while_thinking(self):
        slow = FakeResponder(first_delta_seconds=3.0)
        world = held(User((500, 1000), (3500, 900)), responder=slow)
        first, second = world.all(TurnReport)
        assert first.heard == ""
        assert second.transcript == "Wait a moment."
        assert world.responder.asked[1] == [Message("user", "Hello there. Wait a moment.")]
        check_that_all_was_heard_as_remembered(world)

    def test_a_noise_only_lowers_the_voice(self):
        world = held(User((500, 1000), (3000, 120)))
        [report] = world.all(TurnReport)
        assert not report.interrupted
        assert world.loudspeaker.gains == [pytest.approx(0.251, abs=1e-3), 1.0]
        check_that_all_was_heard_as_remembered(world)

    def test_after_a_false_alarm_the_rest_is_said(self):
        world = held(User((500, 1000), (3000, 600)), texts=["Hello there.", ""])
        assert world.all(SpeechIgnored) == [SpeechIgnored("nothing understood")]
        assert len(world.responder.asked) == 1
        history = [said.text for said in world.session.conversation.messages]
        assert " ".join(history[1:]).replace(".", "").split() == [f"a{n}" for n in range(24)]
        assert orphans() == 0

    def test_can_be_forbidden(self):
        config = AgentConfig(barge_in=False)
        world = held(User((500, 1000), (2800, 900)), config=config)
        [report] = world.all(TurnReport)
        assert not report.interrupted
        assert world.loudspeaker.gains == []

    def test_many_in_a_row_leave_nothing_behind(self):
        utterances = [(500 + 2500 * number, 900) for number in range(20)]
        world = held(User(*utterances), texts=["Again."] * 20)
        assert len(world.all(UserSaid)) == 20
        check_that_all_was_heard_as_remembered(world)


class TestFailures:
    APOLOGY = "sorry sorry."

    @pytest.mark.parametrize("error", [RecognizerError("no ears"), ValueError("a bug")])
    def test_of_the_recogniser(self, error, caplog):
        def fail(world: World) -> None:
            world.recognizer.error = error

        config = AgentConfig(apology=self.APOLOGY)
        world = held(User((500, 1000)), prepare=fail, config=config)
        [failure] = world.all(Failure)
        assert failure.stage is Stage.RECOGNIZER
        assert ("a bug" in caplog.text) is isinstance(error, ValueError)
        assert "a bug" not in failure.message
        assert world.all(TurnFinished)[0].heard == self.APOLOGY

    @pytest.mark.parametrize("error", [ResponderError("no brain"), ValueError("a bug")])
    def test_of_the_responder(self, error):
        responder = FakeResponder(error=error)
        config = AgentConfig(apology=self.APOLOGY)
        world = held(User((500, 1000)), responder=responder, config=config)
        assert world.all(Failure)[0].stage is Stage.RESPONDER
        assert world.all(TurnFinished)[0].heard == self.APOLOGY
        assert responder.running == 0

    @pytest.mark.parametrize("error", [SynthesisError("no voice"), ValueError("a bug")])
    def test_of_the_synthesizer(self, error):
        world = held(User((500, 1000)), synthesizer=FakeSynthesizer(error=error))
        assert {failure.stage for failure in world.all(Failure)} == {Stage.SYNTHESIZER}
        assert world.session.state is AgentState.LISTENING
        assert orphans() == 0

    def test_of_the_loudspeaker(self):
        def break_down(world: World) -> None:
            asyncio.get_running_loop().call_later(
                2.6, lambda: setattr(world.loudspeaker, "broken", True)
            )

        world = held(User((500, 1000)), prepare=break_down)
        assert world.all(Failure)[0].stage is Stage.PLAYBACK
        assert world.session.state is AgentState.LISTENING
        assert world.session.conversation.messages[-1].text.startswith("a0 a1")
        assert orphans() == 0

    def test_of_the_sound_card(self):
        def unplug(world: World) -> None:
            world.loudspeaker.error = DeviceError("the loudspeaker went away")

        world = held(User((500, 1000)), prepare=unplug)
        assert world.all(Failure) == [Failure(Stage.PLAYBACK, "the loudspeaker went away")]
        assert world.session.state is AgentState.LISTENING

    def test_a_responder_that_hangs_is_given_up(self):
        responder = FakeResponder(first_delta_seconds=1e6)
        config = AgentConfig(thinking_timeout_ms=5000, apology=self.APOLOGY)
        world = held(User((500, 1000)), responder=responder, config=config)
        assert world.all(Failure)[0].stage is Stage.RESPONDER
        assert world.all(TurnFinished)[0].heard == self.APOLOGY
        assert responder.running == 0

    def test_a_listener_that_fails_disturbs_nobody(self, caplog):
        def listener(notice):
            raise RuntimeError("listener broke")

        world = held(User((500, 1000)), prepare=lambda world: world.session.subscribe(listener))
        assert world.all(TurnFinished)
        assert "listener broke" in caplog.text

    def test_a_microphone_that_goes_away_ends_the_session_with_its_sentence(self):
        class Unplugged(User):
            async def chunks(self):
                async for chunk in super().chunks():
                    if self._position_ms > 2600:
                        raise DeviceError("the microphone went away")
                    yield chunk

        async def main() -> World:
            world = World(Unplugged((500, 1000)))
            with pytest.raises(DeviceError, match="went away"):
                await world.run()
            return world

        world = run_in_virtual_time(main)
        assert world.all(TurnCancelled)
        check_that_all_was_heard_as_remembered(world)


class TestWithoutVoice:
    def typed(self, *texts: str) -> tuple[Session, list]:
        async def main() -> tuple[Session, list]:
            world = World(User())
            session = Session(world.stages, world.loudspeaker)
            notices = []
            session.subscribe(notices.append)
            playing = asyncio.create_task(world.loudspeaker.run())
            running = asyncio.create_task(session.run())
            await asyncio.sleep(0)
            for text in texts:
                session.tell(TextInput(text))
                await session.rest()
            session.close()
            await running
            playing.cancel()
            return session, notices

        return run_in_virtual_time(main)

    def test_typed_messages_are_answered_one_after_the_other(self):
        session, notices = self.typed("Hello?", "And now?")
        reports = [notice for notice in notices if isinstance(notice, TurnReport)]
        assert [report.transcript for report in reports] == ["Hello?", "And now?"]
        assert all(not report.interrupted for report in reports)
        assert len(session.conversation.messages) == 4

    def test_closing_in_the_middle_of_a_word_keeps_what_was_heard(self):
        async def main() -> World:
            world = World(User((500, 1000), stays=True))
            asyncio.get_running_loop().call_later(3.0, world.session.close)
            await world.run()
            return world

        world = run_in_virtual_time(main)
        assert world.all(TurnCancelled)
        check_that_all_was_heard_as_remembered(world)

    def test_a_greeting_comes_first(self):
        def greet(world: World) -> None:
            world.session.tell(Say("g0 g1."))  # before it runs

        world = held(User((2000, 1000)), prepare=greet)
        assert world.session.conversation.messages[0].text == "g0 g1."
        assert len(world.all(TurnFinished)) == 2
