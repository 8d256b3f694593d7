import numpy as np
import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.listening import recognizer
from selftalk.stream.listening.recognizer import (
    RecognizerConfig,
    base_language,
    load_recognizer,
    speech_samples,
)
from selftalk.stream.listening.remote_recognizer import RemoteRecognizer
from selftalk.stream.sound.audio import AudioChunk


@pytest.mark.parametrize(
    ("settings", "engine"),
    [
        ({}, "moonshine"),
        ({"language": "zh"}, "whisper"),
        ({"engine": "whisper"}, "whisper"),
        ({"language": "en-US"}, "moonshine"),
    ],
)
def test_auto_takes_moonshine_for_english_only(monkeypatch, settings, engine):
    asked = []
    for name in ("moonshine", "whisper"):
        monkeypatch.setitem(
            recognizer._LOADERS, name, lambda config, progress, name=name: asked.append(name)
        )
    load_recognizer(RecognizerConfig(**settings))
    assert asked == [engine]


def test_remote_needs_nothing_local():
    config = RecognizerConfig(engine="remote", base_url="http://127.0.0.1:9/v1")
    remote = load_recognizer(config)
    assert isinstance(remote, RemoteRecognizer)
    remote.close()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"engine": "moonshine", "language": "zh"}, "English only"),
        ({"threads": 0}, "at least 1"),
        ({"engine": "remote"}, "is not a URL"),
    ],
)
def test_settings_that_contradict_each_other(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        load_recognizer(RecognizerConfig(**settings))


def test_speech_samples_at_16_khz_and_nothing_of_silence():
    tone = np.sin(np.arange(24_000) / 9).astype(np.float32) * 0.1
    assert len(speech_samples(AudioChunk(tone, 24_000))) == pytest.approx(16_000, abs=200)
    assert speech_samples(AudioChunk(tone, 16_000)) is tone
    for quiet in (tone * 1e-3, tone[:0]):
        assert len(speech_samples(AudioChunk(quiet.astype(np.float32), 16_000))) == 0
    short_word = np.concatenate([tone * 1e-4, tone[:1000], tone * 1e-4]).astype(np.float32)
    assert len(speech_samples(AudioChunk(short_word, 16_000))) == len(short_word)


def test_base_language():
    assert [base_language(code) for code in ("en", "en-US", "ZH_cn")] == ["en", "en", "zh"]
