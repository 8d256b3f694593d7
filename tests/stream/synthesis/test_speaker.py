import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from selftalk.stream.errors import VoiceError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.speaker import (
    HOP_SAMPLES,
    MEL_BANDS,
    SAMPLE_RATE_HZ,
    STEP_FRAMES,
    WINDOW_FRAMES,
    SpeakerEncoder,
    mel_power,
    mel_windows,
)


def tone(frequency_hz, seconds, rate_hz=SAMPLE_RATE_HZ, level=0.5):
    time = np.arange(int(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


@pytest.fixture
def encoder(tmp_path):
    """An "embedding" that is the mean mel spectrum, of length 1."""
    nodes = [
        helper.make_node("ReduceMean", ["windows"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("LpNormalization", ["mean"], ["embeddings"], axis=1),
    ]
    windows = helper.make_tensor_value_info("windows", TensorProto.FLOAT, [None, 160, 40])
    embeddings = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [None, 40])
    graph = helper.make_graph(nodes, "speaker", [windows], [embeddings])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(tmp_path / "speaker.onnx"))
    return SpeakerEncoder(tmp_path / "speaker.onnx")


@pytest.mark.parametrize("frequency_hz", [300, 1000, 3000, 6000])
def test_a_tone_lies_in_the_band_of_its_frequency(frequency_hz):
    bands = mel_power(tone(frequency_hz, 1)).mean(axis=0)
    # Slaney's scale up to 8 kHz is 45.2 mel: 15 for the first kHz, then a logarithm.
    mel = frequency_hz * 15 / 1000
    if frequency_hz > 1000:
        mel = 15 + 27 * np.log(frequency_hz / 1000) / np.log(6.4)
    expected = mel / (15 + 27 * np.log(8) / np.log(6.4)) * (MEL_BANDS + 1) - 1
    assert bands.argmax() == pytest.approx(expected, abs=1)
    assert bands.max() > 3 * np.sort(bands)[-4]


def test_frames_are_centred_every_ten_milliseconds():
    click = np.zeros(1600, np.float32)
    click[800] = 1
    power = mel_power(click).sum(axis=1)
    assert len(power) == 1 + 1600 // HOP_SAMPLES
    assert power.argmax() == 800 // HOP_SAMPLES


@pytest.mark.parametrize(
    ("seconds", "windows"),
    [(0.5, 1), (1.6, 1), (1.9, 1), (2.0, 2), (2.37, 2), (5.0, 5), (5.2, 6)],
)
def test_windows_cover_the_speech(seconds, windows):
    cut = mel_windows(tone(400, seconds))
    assert cut.shape == (windows, WINDOW_FRAMES, MEL_BANDS)
    assert cut.dtype == np.float32


def test_windows_overlap_by_half():
    random = np.random.default_rng(0)
    first, second, *_ = mel_windows(random.standard_normal(48_000).astype(np.float32))
    np.testing.assert_array_equal(first[STEP_FRAMES:], second[: WINDOW_FRAMES - STEP_FRAMES])


def test_embeddings_have_length_one_at_any_sample_rate(encoder):
    at_16 = encoder.embed(AudioChunk(tone(500, 3), SAMPLE_RATE_HZ))
    at_24 = encoder.embed(AudioChunk(tone(500, 3, 24_000), 24_000))
    assert np.linalg.norm(at_16) == pytest.approx(1, abs=1e-5)
    assert at_16 @ at_24 > 0.999


def test_different_sounds_have_different_embeddings(encoder):
    low = encoder.embed(AudioChunk(tone(200, 3), SAMPLE_RATE_HZ))
    high = encoder.embed(AudioChunk(tone(4000, 3), SAMPLE_RATE_HZ))
    assert low @ high < 0.1


@pytest.mark.parametrize("samples", [np.zeros(32_000, np.float32), tone(300, 0.1)])
def test_hardly_any_sound_is_refused(encoder, samples):
    with pytest.raises(VoiceError, match="a few seconds"):
        encoder.embed(AudioChunk(samples, SAMPLE_RATE_HZ))
