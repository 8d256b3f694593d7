import io

import numpy as np
import pytest
import soundfile

from selftalk.stream.trust.label_stream import StreamLabel
from selftalk.stream.trust.labels import LabelsConfig, read_label

RATE_HZ = 24_000


def encoded(container, subtype):
    file = io.BytesIO()
    samples = 0.1 * np.random.default_rng(0).standard_normal(3 * RATE_HZ)
    soundfile.write(file, samples, RATE_HZ, format=container, subtype=subtype)
    return file.getvalue()


def pushed(content, size, **settings):
    stream = StreamLabel(LabelsConfig(**settings))
    pieces = [stream.push(content[at : at + size]) for at in range(0, len(content), size)]
    return b"".join(pieces) + stream.flush()


@pytest.mark.parametrize("size", [7, 1_000, 10**9])
@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "OPUS"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_however_it_is_cut_the_label_is_in_it_and_the_sound_stays(container, subtype, size):
    content = encoded(container, subtype)
    sent = pushed(content, size)
    assert read_label(sent).Label == "1"
    before, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    after, _ = soundfile.read(io.BytesIO(sent), dtype="float32")
    np.testing.assert_array_equal(before, after)


def test_a_wav_without_a_length_keeps_none():
    content = bytearray(encoded("WAV", "PCM_16"))
    content[4:8] = b"\xff" * 4
    assert pushed(bytes(content), 100)[4:8] == b"\xff" * 4


@pytest.mark.parametrize("content", [b"", b"\x01", bytes(range(200)) * 5])
def test_raw_samples_pass_unchanged(content):
    assert pushed(content, 50) == content


def test_no_label_where_none_is_wanted():
    content = encoded("WAV", "PCM_16")
    assert pushed(content, 100, file_label=False) == content
