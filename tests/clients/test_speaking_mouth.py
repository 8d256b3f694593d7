import pytest

from selftalk.clients.speaking_mouth import SpeakingMouth, interrupts
from selftalk.clients.visemes import CLOSED

VAD = {"audio": {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": True}}}}
WORD = {"text": "ah", "start_ms": 100, "end_ms": 400, "phones": [["AA1", 100, 400]]}
DELTA = {
    "type": "response.output_audio.delta",
    "item_id": "item_1",
    "delta": "",
    "duration_ms": 500,
    "words": [WORD],
}
SPEECH = {"type": "input_audio_buffer.speech_started"}


def speaking(*events):
    mouth = SpeakingMouth(lead_ms=0)
    for event in ({"type": "session.created", "session": VAD}, *events):
        mouth.push(event, now=0.0)
    return mouth


def test_the_mouth_opens_when_the_word_is_heard():
    mouth = speaking(DELTA)  # heard after 100 ms
    assert mouth.at(0.05) is None
    assert mouth.at(0.12) == CLOSED
    assert mouth.at(0.35).openness == pytest.approx(1)
    assert mouth.at(0.7) is None


def test_lips_lead_the_sound():
    late, early = speaking(DELTA), SpeakingMouth(lead_ms=50)
    early.push(DELTA, 0.0)
    assert early.at(0.18).openness > late.at(0.18).openness


@pytest.mark.parametrize(
    "cut",
    [
        SPEECH,
        {"type": "conversation.item.truncated", "item_id": "item_1", "audio_end_ms": 20},
        {"type": "response.done", "response": {"status": "cancelled"}},
    ],
)
def test_a_barge_in_shuts_it(cut):
    mouth = speaking(DELTA)
    mouth.push(cut, now=0.3)
    mouth.push(DELTA, now=0.31)  # was on its way
    assert mouth.at(0.35) is None


def test_speech_does_not_silence_a_session_that_does_not_listen_for_it():
    quiet = {"type": "session.updated", "session": {"audio": {"input": {"turn_detection": None}}}}
    mouth = speaking(quiet, DELTA, SPEECH)
    assert mouth.at(0.35).openness == pytest.approx(1)
    assert interrupts(VAD)
    assert not interrupts(quiet["session"])


def test_an_ended_response_goes_on_being_heard():
    mouth = speaking(DELTA, {"type": "response.done", "response": {"status": "completed"}})
    assert mouth.at(0.35) is not None


def test_words_without_phones_are_guessed():
    word = {key: WORD[key] for key in ("text", "start_ms", "end_ms")}
    assert speaking(DELTA | {"words": [word]}).at(0.45).openness > 0.5
