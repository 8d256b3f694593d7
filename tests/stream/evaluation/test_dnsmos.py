import numpy as np

from selftalk.stream.evaluation import dnsmos
from selftalk.stream.evaluation.dnsmos import WINDOW_SAMPLES, Dnsmos
from selftalk.stream.sound.audio import AudioChunk


class FakeNetwork:
    """Scores a window by its loudness."""

    def __init__(self):
        self.lengths = []

    def get_inputs(self):
        return [type("Port", (), {"name": "input_1"})]

    def run(self, names, feed):
        window = feed["input_1"][0]
        self.lengths.append(len(window))
        score = float(np.abs(window).mean())
        return [np.array([[score, 9.0, score]], np.float32)]


def rated(monkeypatch, seconds):
    network = FakeNetwork()
    monkeypatch.setattr(dnsmos, "open_session", lambda path, threads: network)
    samples = np.full(int(16_000 * seconds), 0.5, np.float32)
    return network, Dnsmos("graph.onnx").rate(AudioChunk(samples, 16_000))


def test_short_speech_is_repeated_to_fill_the_window(monkeypatch):
    network, quality = rated(monkeypatch, 1)
    assert network.lengths == [WINDOW_SAMPLES]
    assert 0.4 < quality.signal < 0.7  # the polynomial of 0.5


def test_long_speech_is_rated_every_second(monkeypatch):
    network, _ = rated(monkeypatch, 12)
    assert network.lengths == [WINDOW_SAMPLES] * 3
