"""Recordings with one defect each, and judges that need no weights."""

from pathlib import Path

import numpy as np

from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.studio.take import Take, take_of

ROOT = Path(__file__).parents[1]
RATE = 16_000
CLEAN = ("unless_to_be", "good_or_bad_news_zh")


def clean_take(name):
    return take_of(name, read_audio(ROOT / f"tests/data/{name}.flac"), load_vad("webrtc"))


def with_samples(take, samples):
    """The same speech in another sound."""
    return Take(take.name, AudioChunk(samples.astype(np.float32), RATE), take.regions)


def speech_level(take):
    return 10 ** (take.speech_dbfs / 20)


def clipped(take):
    top = np.abs(take.audio.samples).max() / 2
    return with_samples(take, np.clip(take.audio.samples, -top, top))


def quiet(take):
    return with_samples(take, take.audio.samples * 0.01)


def noisy(take, ratio=0.15):
    noise = np.random.default_rng(0).standard_normal(len(take.audio))
    return with_samples(take, take.audio.samples + ratio * speech_level(take) * noise)


def with_pause(take):
    """Half a second of silence after the last word."""
    return with_samples(take, np.append(take.audio.samples, np.zeros(RATE // 2)))


def telephone(take):
    spectrum = np.fft.rfft(take.audio.samples)
    hz = np.fft.rfftfreq(len(take.audio), 1 / RATE)
    spectrum[(hz > 3400) | (hz < 300)] = 0
    return with_samples(take, np.fft.irfft(spectrum, len(take.audio)))


def reverberant(take, seconds=0.9):
    count = int(seconds * RATE)
    tail = np.random.default_rng(1).standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    room = tail / np.linalg.norm(tail)
    room[0] += 1
    size = len(take.audio) + count
    wet = np.fft.irfft(np.fft.rfft(take.audio.samples, size) * np.fft.rfft(room, size), size)
    return with_samples(take, wet[: len(take.audio)])


def with_music(take):
    """Chords of half a second behind the voice."""
    generator = np.random.default_rng(2)
    time = np.arange(RATE // 2) / RATE
    music = []
    while len(music) * len(time) < len(take.audio):
        notes = 220 * 2 ** (generator.choice([0, 2, 4, 5, 7, 9, 11, 12], 3, replace=False) / 12)
        chord = sum(np.sin(2 * np.pi * n * h * time) / h for n in notes for h in range(1, 6))
        music.append(chord * np.exp(-1.5 * time))
    joined = np.concatenate(music)[: len(take.audio)]
    joined *= 0.25 * speech_level(take) / joined.std()
    return with_samples(take, take.audio.samples + joined)


def with_cough(take):
    """A burst of noise after the last word."""
    generator = np.random.default_rng(3)
    length = RATE // 4
    cough = generator.standard_normal(length) * np.hanning(length) * 2 * speech_level(take)
    gap = generator.standard_normal(RATE // 2) * 1e-4
    samples = np.concatenate([take.audio.samples, gap, cough, gap])
    return with_samples(take, samples)


def with_clicks(take):
    samples = take.audio.samples.copy()
    samples[RATE // 3 :: RATE // 2] += 0.7
    return with_samples(take, samples)


DEFECTS = {
    "clipping": clipped,
    "loudness": quiet,
    "noise": noisy,
    "bandwidth": telephone,
    "reverberation": reverberant,
    "music": with_music,
    "coughs": with_cough,
    "clicks": with_clicks,
}


class PlainRecognizer:
    """Hears the same words everywhere."""

    suits_partials = True

    def __init__(self, text="The quick brown fox jumps over the lazy dog."):
        self.text = text

    def transcribe(self, chunk, language=None, stop=None):
        del chunk, stop
        return Transcript(self.text, language or "en", 0.8)
