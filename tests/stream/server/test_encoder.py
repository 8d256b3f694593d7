import io
import wave

import numpy as np
import pytest
import soundfile

from selftalk.stream.server.encoder import FORMATS
from selftalk.stream.trust.labels import DEFAULT_LABELS, read_label

RATE = 24_000
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)
# What an encoder adds before or after, in seconds.
PADDING = {"mp3": 0.15, "opus": 0.05, "ogg": 0.05}


def encode(name, piece_samples, from_hz=RATE, to_hz=None, labels=None):
    encoder = FORMATS[name].open(from_hz, to_hz, labels)
    pieces = [
        encoder.push(TONE[start : start + piece_samples])
        for start in range(0, len(TONE), piece_samples)
    ]
    return [*pieces, encoder.flush()], encoder.sample_rate_hz


def decode(name, encoded, rate_hz):
    if name == "pcm":
        return np.frombuffer(encoded, "<i2") / 32767
    samples, found_hz = soundfile.read(io.BytesIO(encoded))
    assert found_hz == rate_hz
    return samples


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("from_hz", [24_000, 32_000])
@pytest.mark.parametrize("labels", [None, DEFAULT_LABELS], ids=["plain", "labelled"])
def test_what_is_decoded_is_what_was_encoded(name, from_hz, labels):
    pieces, rate_hz = encode(name, 2400, from_hz, labels=labels)
    labelled = labels is not None and name != "pcm"
    assert (read_label(b"".join(pieces)) is not None) == labelled
    decoded = decode(name, b"".join(pieces), rate_hz)
    seconds = len(TONE) / from_hz
    assert len(decoded) / rate_hz == pytest.approx(seconds, abs=PADDING.get(name, 0.001))
    spectrum = np.abs(np.fft.rfft(decoded[rate_hz // 2 : rate_hz]))
    heard_hz = np.argmax(spectrum) * rate_hz / (rate_hz // 2)
    assert heard_hz == pytest.approx(440 * from_hz / RATE, abs=2)


@pytest.mark.parametrize("name", ["wav", "wav file", "pcm", "flac"])
def test_chunked_equals_whole(name):
    small, _ = encode(name, 777, 32_000)
    whole, _ = encode(name, len(TONE), 32_000)
    assert b"".join(small) == b"".join(whole)


@pytest.mark.parametrize("name", ["wav", "pcm", "mp3", "opus"])
@pytest.mark.parametrize("labels", [None, DEFAULT_LABELS], ids=["plain", "labelled"])
def test_sound_leaves_while_it_is_spoken(name, labels):
    pieces, _ = encode(name, RATE // 5, labels=labels)
    assert pieces[0]
    sizes = np.cumsum([len(piece) for piece in pieces])
    assert sizes[4] > 0.3 * sizes[-1]  # half of it was spoken


def test_flac_comes_whole_and_knows_its_length():
    pieces, _ = encode("flac", 2400)
    assert not b"".join(pieces[:-1])
    assert soundfile.info(io.BytesIO(pieces[-1])).frames == len(TONE)


def test_a_wav_file_tells_its_length_and_a_wav_stream_can_be_read_without():
    pieces, _ = encode("wav file", 2400)
    assert not b"".join(pieces[:-1])
    with wave.open(io.BytesIO(pieces[-1])) as file:
        assert (file.getnframes(), file.getframerate()) == (len(TONE), RATE)
    pieces, _ = encode("wav", 2400)
    with wave.open(io.BytesIO(b"".join(pieces))) as file:
        assert len(file.readframes(file.getnframes())) == 2 * len(TONE)


def test_loud_samples_do_not_wrap():
    encoder = FORMATS["pcm"].open(RATE, None)
    encoded = encoder.push(np.array([1.5, -1.5, np.nan], np.float32)) + encoder.flush()
    assert np.frombuffer(encoded, "<i2").tolist() == [32767, -32767, 0]


def test_a_rate_can_be_asked_for():
    encoder = FORMATS["wav"].open(RATE, 32_000)
    assert encoder.sample_rate_hz == 32_000
