import copy

import numpy as np
import pytest
import torch

from selftalk.models.ge2e import Ge2e
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.likeness import Likeness
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.person import (
    PERSON,
    PersonReader,
    at_level,
    fitted,
    root_mean_square,
    tracked_pulses,
    with_energy_of,
)
from selftalk.models.training.replay import replayed
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.voice_task import (
    RHYTHM,
    VoiceTask,
    rhythm_task,
    train_only,
)
from selftalk.stream.nano.postfilter import Postfilter
from selftalk.stream.nano.speech_prosody import speech_prosody
from selftalk.stream.nano.timbre import speaker_vector
from selftalk.stream.nano.vocoder import Speaker
from selftalk.stream.sound.audio import AudioChunk

TINY = NanoConfig(
    condition=8, text_width=16, text_blocks=1, text_layers=1, decoder_width=16, decoder_layers=2,
    vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=4, ahead_blocks=2, kernel=3,
)  # fmt: skip
RATE = 16_000
COLOUR = np.full(128, 0.1, np.float32)
LEVEL = 0.1


def voiced(seconds=1.5, hz=150, amplitude=0.2):
    """A buzz with a melody."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * (hz * time + 8 * np.sin(3 * time))
    buzz = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    return AudioChunk((amplitude * buzz).astype(np.float32), RATE)


def listen(samples):
    frames = -(-len(samples) // 320)
    return np.random.default_rng(len(samples)).standard_normal((frames, 512)).astype(np.float16)


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return PersonReader(Tokenizer(TINY, width=16), listen, LEVEL)


@pytest.fixture(scope="module")
def learnt(reader):
    return [
        reader.read(voiced(seconds, hz), text, "en", COLOUR)
        for seconds, hz, text in ((1.5, 150, "Hello."), (1.3, 170, "Yes."), (1.7, 140, ""))
    ]


@pytest.fixture(scope="module")
def base():
    torch.manual_seed(1)
    vocoder = NanoVocoder(TINY)
    for parameter in vocoder.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return TextToTokens(TINY), vocoder


def test_a_slice_becomes_whole_tokens(learnt):
    first = learnt[0]
    T = len(first.tokens)
    assert int(1.5 * 25) == T
    assert len(first.example.wave) == len(first.example.pulses) == 960 * T
    assert first.example.prosody.shape == (4 * T, 3)
    assert first.example.durations.sum() == pytest.approx(T * 1.6, abs=1)
    assert len(first.example.alignment.frame_symbol) == 4 * T
    assert first.example.speaker_name == PERSON


def test_a_slice_without_text_has_no_symbols(learnt):
    assert not learnt[2].aligned
    assert len(learnt[2].example.symbols) == 1


@pytest.mark.parametrize("amplitude", [0.02, 0.2])
def test_a_recording_is_as_loud_as_the_model_speaks(reader, amplitude):
    """Else the voice that learns from it speaks more quietly, or louder."""
    example = reader.read(voiced(amplitude=amplitude), "", "en", COLOUR).example
    assert root_mean_square(example.wave) == pytest.approx(LEVEL, rel=0.02)


def test_a_recording_is_not_clipped():
    wave = np.zeros(1000, np.float32)
    wave[500] = 0.5
    assert at_level(wave, LEVEL).max() == pytest.approx(0.99)


def test_the_melody_tells_how_loud_a_recording_is():
    wave = np.repeat(voiced().samples, 3)[::2].copy()  # 24 kHz, roughly
    prosody = speech_prosody(AudioChunk(wave, 24_000)).frames
    near, far = (with_energy_of(gain * wave, prosody) for gain in (1.0, 0.1))
    assert (near[:, :2] == far[:, :2]).all()
    louder = near[:, 2] - far[:, 2]
    assert np.median(louder) == pytest.approx(0.25 * np.log(100), abs=0.02)


def test_pulses_follow_the_melody():
    prosody = np.zeros((100, 3), np.float32)
    prosody[20:80, 1] = 1
    pulses = tracked_pulses(prosody, float(np.log(200)), 24_000)
    assert not pulses[:4000].any()
    spectrum = np.abs(np.fft.rfft(pulses[6000:18_000]))
    assert np.argmax(spectrum[50:150]) + 50 == pytest.approx(100, abs=1)  # 200 Hz in 0.5 s


def test_fitted():
    assert fitted(np.array([1, 2]), 4).tolist() == [1, 2, 2, 2]
    assert fitted(np.array([1, 2]), 1).tolist() == [1]


@pytest.fixture(scope="module")
def said(base):
    speaker = Speaker(speaker_vector(COLOUR, float(np.log(120))), float(np.log(120)))
    return replayed(*base, speaker, [("Hi there.", "en")], Postfilter())


def test_replay_is_what_the_model_says(said):
    (spoken,) = said
    assert len(spoken.example.wave) == 960 * len(spoken.tokens)
    assert np.isfinite(spoken.example.wave).all()
    assert spoken.example.wave.any()


def voice_task(base, learnt, said, **more):
    torch.manual_seed(3)
    likeness = Likeness(Ge2e(), torch.full((256,), 1 / 16))
    vocoder = copy.deepcopy(base[1])
    return VoiceTask(vocoder, learnt[:2], learnt[:1], said, likeness, crop_tokens=16, **more)


def test_what_is_learnt_and_said_is_heard_behind_the_postfilter(base, learnt, said):
    louder = Postfilter(level_db=6.0)
    speaker = Speaker(speaker_vector(COLOUR, float(np.log(120))), float(np.log(120)))
    (spoken,) = replayed(*base, speaker, [("Hi there.", "en")], louder)
    np.testing.assert_allclose(
        root_mean_square(spoken.example.wave),
        10 ** (6 / 20) * root_mean_square(said[0].example.wave),
        rtol=1e-3,
    )
    plain, behind = (
        voice_task(base, learnt, said),
        voice_task(base, learnt, said, postfilter=louder),
    )
    assert plain.loss(0)[1]["mel"] != behind.loss(0)[1]["mel"]
    assert plain.validate(plain.model)["mel"] != behind.validate(behind.model)["mel"]


def changed(model, before):
    return {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }


def test_some_parts_change_alone(base, learnt, said, tmp_path):
    task = voice_task(base, learnt, said)
    Run(task, Schedule(steps=2, learning_rate=1e-3), tmp_path).fit()
    names = changed(task.model, base[1].state_dict())
    assert "filter.blocks.3.expand.weight" in names
    assert "filter.blocks.0.film.bias" in names
    assert not {"filter.blocks.0.expand.weight", "symbol.weight", "token.weight"} & names


def test_the_loss_falls(base, learnt, said, tmp_path):
    task = voice_task(base, learnt, said)
    before = task.validate(task.model)
    Run(task, Schedule(steps=20, learning_rate=3e-2, warmup_steps=1), tmp_path).fit()
    after = task.validate(task.model)
    assert after["mel"] < 0.97 * before["mel"]


def test_likeness_can_be_learnt(base, learnt, said, tmp_path, monkeypatch):
    monkeypatch.setattr("selftalk.models.training.voice_task.LIKENESS", 1000.0)
    task = voice_task(base, learnt, said)
    before = task.validate(task.model)["likeness"]
    Run(task, Schedule(steps=20, learning_rate=3e-2, warmup_steps=1), tmp_path).fit()
    assert task.validate(task.model)["likeness"] < 0.99 * before


def test_another_colour_says_the_same_words(base, learnt, said):
    task = voice_task(base, learnt, said)
    speech = torch.randn(1, 24_000) * torch.linspace(0, 1, 24_000)
    louder, other = 3 * speech, torch.randn(1, 24_000)
    with torch.no_grad():
        assert task._articulation(louder, speech) < 0.01
        assert task._articulation(other, speech) > 0.3


def test_rhythm_needs_texts(base, learnt):
    assert rhythm_task(base[0], learnt[2:], learnt[2:]) is None


def test_rhythm_trains_the_last_layer_alone():
    model = TextToTokens(TINY)
    train_only(model, RHYTHM.replace("{last}", "1"))
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert any(name.startswith("decoder.layers.1.") for name in trained)
    assert not any(name.startswith("decoder.layers.0.") for name in trained)
    assert "encoder.duration.0.weight" in trained
