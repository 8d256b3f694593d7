import numpy as np
import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.sound.resample import resample
from selftalk.stream.trust.detection import find_watermark
from selftalk.stream.trust.watermark import Watermarker, is_marked, presence, spectrogram

RATE_HZ = 24_000


@pytest.fixture(scope="module")
def speech(speech_path):
    chunk = read_audio(speech_path)
    return resample(chunk.samples, chunk.sample_rate_hz, RATE_HZ)[: 4 * RATE_HZ]


@pytest.fixture(scope="module")
def speech_path():
    from importlib import resources

    return resources.files("selftalk.configs") / "recordings" / "go_somewhere.flac"


def marked(samples, rate_hz=RATE_HZ, piece=10**9):
    watermarker = Watermarker(rate_hz)
    pieces = [watermarker.push(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    return np.concatenate([*pieces, watermarker.flush()])


@pytest.fixture(scope="module")
def marked_speech(speech):
    return marked(speech)


@pytest.mark.parametrize("piece", [1, 239, 240, 241, 5_000])
def test_chunked_equals_whole(speech, piece):
    short = speech[: 3 * piece + 3_000 if piece > 1 else 1_000]
    whole = marked(short)
    assert len(whole) == len(short)
    np.testing.assert_allclose(marked(short, piece=piece), whole, atol=1e-6)


def test_little_is_held_back(speech):
    watermarker = Watermarker(RATE_HZ)
    pushed = returned = 0
    for piece in np.array_split(speech[:RATE_HZ], 37):
        pushed += len(piece)
        returned += len(watermarker.push(piece))
        assert pushed - returned < watermarker.delay_samples == 0.02 * RATE_HZ


def test_a_stream_begins_anew_after_its_end(speech):
    watermarker = Watermarker(RATE_HZ)
    first = [watermarker.push(speech[:5_000]), watermarker.flush()]
    again = [watermarker.push(speech[:5_000]), watermarker.flush()]
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))
    watermarker.push(speech[5_000:9_000])
    watermarker.reset()
    again = [watermarker.push(speech[:5_000]), watermarker.flush()]
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))


def test_speech_stays_what_it_was(speech, marked_speech):
    noise = marked_speech - speech
    assert 10 * np.log10((speech**2).sum() / (noise**2).sum()) > 8
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    above = int(2_300 * len(noise) / RATE_HZ)
    assert spectrum[above:].sum() < 1e-3 * spectrum.sum()


def test_silence_stays_silent():
    assert np.abs(marked(np.zeros(RATE_HZ, np.float32))).max() < 1e-6


@pytest.mark.parametrize("samples", [0, 1, 239, 240, 480])
def test_shortest_streams_keep_their_length(samples):
    assert len(marked(np.full(samples, 0.1, np.float32))) == samples


def test_the_mark_is_found_and_not_imagined(speech, marked_speech):
    assert presence(spectrogram(AudioChunk(marked_speech, RATE_HZ))) > 0.9
    assert presence(spectrogram(AudioChunk(speech, RATE_HZ))) < 0.2
    assert is_marked(AudioChunk(marked_speech, RATE_HZ))
    assert not is_marked(AudioChunk(speech, RATE_HZ))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 32_000, 48_000])
def test_other_rates(speech, rate_hz):
    samples = marked(resample(speech, RATE_HZ, rate_hz), rate_hz)
    assert is_marked(AudioChunk(samples, rate_hz))


@pytest.mark.parametrize("rate_hz", [11_025, 22_050, 44_100])
def test_rates_that_cannot_be_marked(rate_hz):
    with pytest.raises(ConfigError, match=f"speech at {rate_hz} Hz cannot be marked"):
        Watermarker(rate_hz)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_loudness_does_not_matter(marked_speech, factor):
    changed = np.clip(marked_speech * factor, -1, 1).astype(np.float32)
    assert is_marked(AudioChunk(changed, RATE_HZ))


def test_a_marked_part_of_a_long_sound_is_found(speech, marked_speech):
    joined = np.concatenate([speech, speech, marked_speech, speech])
    finding = find_watermark(AudioChunk(joined, RATE_HZ))
    assert finding.found
    assert 0 < finding.share < 0.7
    assert finding.speed == 1.0


def test_another_speed_is_searched_for(marked_speech):
    faster = AudioChunk(resample(marked_speech, RATE_HZ, int(RATE_HZ / 1.05)), RATE_HZ)
    assert not find_watermark(faster, search_speeds=False).found
    finding = find_watermark(faster)
    assert finding.found
    assert finding.speed == pytest.approx(1.05, abs=0.011)


def test_digital_silence_and_nothing_are_not_marked():
    for samples in (0, 10, RATE_HZ):
        chunk = AudioChunk(np.zeros(samples, np.float32), RATE_HZ)
        assert not find_watermark(chunk, search_speeds=False).found


def without(samples, low_hz, high_hz):
    """Nothing between two frequencies."""
    spectrum = np.fft.rfft(samples)
    frequencies_hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    spectrum[(frequencies_hz >= low_hz) & (frequencies_hz < high_hz)] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def read_alone(samples):
    return presence(spectrogram(AudioChunk(samples, RATE_HZ)))


@pytest.mark.parametrize(("low_hz", "high_hz"), [(0, 400), (0, 1_000), (0, 2_000)])
def test_of_speech_without_low_bands_nobody_can_tell(speech, marked_speech, low_hz, high_hz):
    """Whatever the decoder alone may take it for."""
    for samples in (speech, marked_speech):
        cut = AudioChunk(without(samples, low_hz, high_hz), RATE_HZ)
        finding = find_watermark(cut)
        assert (finding.found, finding.judged, finding.confidence) == (False, 0.0, 0.0)
        assert is_marked(cut) is None


def test_what_a_filter_emptied_is_no_mark(speech, marked_speech):
    """The decoder never saw bands without any sound, and is not shown them."""
    assert read_alone(without(speech, 0, 100)) < 0.3
    assert read_alone(without(marked_speech, 0, 100)) > 0.8


TIME = np.arange(4 * RATE_HZ) / RATE_HZ
CHORD = sum(np.sin(2 * np.pi * f * k * TIME) / k for f in (262, 330, 392) for k in (1, 2, 3, 4))
NOISE = 0.1 * np.random.default_rng(0).standard_normal(len(TIME))
NO_SPEECH = {
    "silence": 0 * TIME,
    "constant": 0 * TIME + 0.3,
    "noise": NOISE,
    "noise above 2 kHz": without(NOISE, 0, 2_000),
    "tone of 100 Hz": 0.3 * np.sin(2 * np.pi * 100 * TIME),
    "tone of 440 Hz": 0.3 * np.sin(2 * np.pi * 440 * TIME),
    "chord": 0.1 * CHORD * np.exp(-3 * (TIME % 0.5)),
    "sweep": 0.3 * np.sin(2 * np.pi * (50 * TIME + 300 * TIME**2)),
}


@pytest.mark.parametrize("sound", NO_SPEECH)
def test_no_mark_is_heard_in_what_is_no_speech(sound):
    assert not find_watermark(AudioChunk(np.float32(NO_SPEECH[sound]), RATE_HZ)).found


@pytest.mark.parametrize("sound", ["silence", "tone of 100 Hz", "chord", "noise above 2 kHz"])
def test_what_is_no_speech_is_not_judged(sound):
    assert find_watermark(AudioChunk(np.float32(NO_SPEECH[sound]), RATE_HZ)).judged == 0


CHANNELS = {
    "telephone": lambda x: without(without(x, 0, 300), 3_400, RATE_HZ),
    "8 kHz": lambda x: resample(resample(x, RATE_HZ, 8_000), 8_000, RATE_HZ),
    "below 4 kHz": lambda x: without(x, 4_000, RATE_HZ),
    "clipped": lambda x: np.clip(3 * x, -0.3, 0.3),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_through_usual_channels_the_mark_is_judged_as_before(speech, marked_speech, channel):
    through = CHANNELS[channel]
    for samples, expected in ((speech, False), (marked_speech, True)):
        finding = find_watermark(AudioChunk(through(samples), RATE_HZ), search_speeds=False)
        assert (finding.found, finding.judged) == (expected, 1.0)


def test_only_the_part_without_low_bands_is_not_judged(speech, marked_speech):
    joined = np.concatenate([without(speech, 0, 1_000), marked_speech])
    finding = find_watermark(AudioChunk(joined, RATE_HZ))
    assert finding.found
    assert 0 < finding.judged < 1
