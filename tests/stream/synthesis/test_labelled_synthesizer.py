import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream.errors import ConsentError, LabelError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.labelled_synthesizer import LabelledSynthesizer
from selftalk.stream.synthesis.speech import SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.trust.audit import AuditLog
from selftalk.stream.trust.labels import LabelsConfig
from selftalk.stream.trust.receipts import end_receipt

RATE_HZ = 24_000
STOCK = Voice("mila", np.full(256, 1 / 16, np.float32), 5.0, {"origin": "stock"})
ME = Voice("me", np.full(256, 1 / 16, np.float32), 5.0)
WORDS = (WordTime("a", 0, 100), WordTime("b", 100, 9_000))
TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"


class Humming:
    """A synthesizer that hums: pieces of the given lengths, a word in each of the first two."""

    bundle, options, sample_rate_hz = None, None, RATE_HZ

    def __init__(self, *lengths):
        self.lengths = lengths

    def stream(self, text, voice, *, stop=None, marks=None, options=None):
        rng = np.random.default_rng(0)
        for place, length in enumerate(self.lengths):
            samples = (0.1 * rng.standard_normal(length)).astype(np.float32)
            yield SpeechChunk(AudioChunk(samples, RATE_HZ), WORDS[place : place + 1])


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))


def labelled(*lengths, **settings):
    return LabelledSynthesizer(Humming(*lengths), LabelsConfig(**settings))


def test_nothing_is_shifted_or_lost():
    chunks = list(labelled(6_000, 9_000).stream("hum", STOCK))
    heard = np.concatenate([chunk.audio.samples for chunk in chunks])
    plain = [chunk.audio.samples for chunk in Humming(6_000, 9_000).stream("", STOCK)]
    assert len(heard) == 15_000
    assert np.corrcoef(heard, np.concatenate(plain))[0, 1] > 0.95
    assert not np.array_equal(heard, np.concatenate(plain))
    assert len(chunks[0].audio) >= 6_000 - 480  # at most 20 ms are held back
    assert tuple(word for chunk in chunks for word in chunk.words) == WORDS


def test_words_of_a_piece_too_short_to_be_marked_wait_for_the_next():
    chunks = list(labelled(100, 100).stream("hum", STOCK))
    assert [len(chunk.audio) for chunk in chunks] == [200]
    assert chunks[0].words == WORDS


def test_a_stopped_stream_ends_without_its_tail():
    stop = StopFlag()
    stream = labelled(6_000, 9_000).stream("hum", STOCK, stop=stop)
    next(stream)
    stop.set()
    assert sum(len(chunk.audio) for chunk in stream) <= 9_000


def test_without_a_watermark_the_sound_stays_as_it_is_and_the_log_tells():
    (chunk,) = labelled(6_000, watermark=False).stream("hum", STOCK)
    plain = next(Humming(6_000).stream("", STOCK))
    np.testing.assert_array_equal(chunk.audio.samples, plain.audio.samples)
    (line,) = AuditLog().path.read_text().splitlines()
    assert json.loads(line)["left_out"] == "watermark"


def test_the_log_tells_of_a_persons_voice_but_not_what_it_said():
    voice = agreed(ME)
    list(labelled(6_000).stream("a secret", voice))
    (line,) = AuditLog().path.read_text().splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["voice"], entry["characters"]) == ("spoken", "me", 8)
    assert entry["receipt"] == voice.about["receipt"]
    assert "secret" not in line


def test_stock_voices_with_all_labels_leave_no_trace():
    list(labelled(6_000).stream("hum", STOCK))
    assert not AuditLog().path.exists()


@pytest.mark.parametrize(
    ("voice", "reason"),
    [
        (lambda: ME, "without a receipt"),
        (lambda: replace(ME, about={"receipt": "0" * 32}), "cannot be read"),
        (lambda: agreed(ME, expires_at=datetime(2026, 1, 1, tzinfo=UTC)), "expired"),
        (lambda: agreed(ME, "somebody"), "that of voice 'somebody'"),
    ],
)
def test_in_python_too_a_voice_without_consent_is_refused(voice, reason):
    with pytest.raises(ConsentError, match=f"'me' may not speak: .*{reason}"):
        open_synthesizer(Bundle.load(TINY)).synthesize("Hello.", voice())


def test_consent_that_ends_ends_the_next_sentence():
    synthesizer, voice = labelled(6_000), agreed(ME)
    list(synthesizer.stream("one", voice))
    end_receipt(voice.about["receipt"], "me", "withdrawn")
    with pytest.raises(ConsentError, match="withdrawn"):
        synthesizer.stream("two", voice)


def test_what_cannot_be_logged_is_not_spoken(tmp_path):
    voice = agreed(ME)
    AuditLog().path.mkdir()
    with pytest.raises(LabelError, match="cannot be written"):
        labelled(6_000).stream("one", voice)
    assert not list(tmp_path.glob("*.wav"))


def test_nothing_to_say_stays_nothing():
    assert list(labelled().stream("", STOCK)) == []
