import warnings

import numpy as np
import pytest

from selftalk.stream.sound.g711 import decode_a_law, decode_mu_law, encode_a_law, encode_mu_law

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop")  # gone from Python 3.13 on

EVERY_BYTE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int16)


def as_float(samples):
    return (samples / 32767).astype(np.float32).clip(-1, 1)


@pytest.mark.parametrize(
    ("decode", "theirs"), [(decode_mu_law, audioop.ulaw2lin), (decode_a_law, audioop.alaw2lin)]
)
def test_decodes_every_byte_as_the_standard_library_did(decode, theirs):
    expected = np.frombuffer(theirs(EVERY_BYTE, 2), np.int16)
    assert np.array_equal(decode(EVERY_BYTE) * 32768, expected)


@pytest.mark.parametrize(
    ("encode", "theirs"), [(encode_mu_law, audioop.lin2ulaw), (encode_a_law, audioop.lin2alaw)]
)
def test_encodes_every_sample_as_the_standard_library_did(encode, theirs):
    samples = EVERY_SAMPLE[1:]  # -32768 has no place in [-1, 1]
    assert encode(as_float(samples)) == theirs(samples.tobytes(), 2)


@pytest.mark.parametrize(
    ("encode", "decode"), [(encode_mu_law, decode_mu_law), (encode_a_law, decode_a_law)]
)
def test_what_comes_back_is_close_and_never_louder_than_full_scale(encode, decode):
    samples = as_float(EVERY_SAMPLE)
    back = decode(encode(samples))
    assert np.abs(back).max() <= 1
    assert (np.abs(back - samples) <= np.maximum(0.001, 0.04 * np.abs(samples))).all()


def test_silence_is_the_byte_the_standard_names():
    silence = np.zeros(2, np.float32)
    assert encode_mu_law(silence) == b"\xff\xff"
    assert encode_a_law(silence) == b"\xd5\xd5"
