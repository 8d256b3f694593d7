"""In windows or at once: the same sound."""

from dataclasses import replace

import numpy as np
import pytest
from fakes_sovits import bundle_of

from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.graph import Graph
from selftalk.stream.sovits.synthesizer import TWICE_AS_FAST
from selftalk.stream.sovits.vocoder import (
    Noise,
    SentenceVocoder,
    SovitsVocoder,
    WindowSizes,
    at_speed,
    blended,
)
from selftalk.stream.synthesis.chunks import windows_of
from selftalk.stream.synthesis.schedule import PatientPlan, solve

FRAMES = 60


@pytest.fixture(scope="module")
def bundle():
    return bundle_of()


class KnownFrames:
    """An encoder that has seen the whole sentence before the first token."""

    speed = 1.0

    def __init__(self, bundle):
        random = np.random.default_rng(0)
        numbers = bundle.manifest.numbers
        width = Graph(bundle.graph_path("decoder"))._session.get_inputs()[0].shape[2]
        self.frames = random.standard_normal((FRAMES, width)).astype(np.float32)
        self.style = random.standard_normal(int(numbers["style_width"])).astype(np.float32)
        self._count = 0

    def push(self, tokens):
        self._count += 2 * len(tokens)
        return self.frames[: self._count]


def begin(bundle, margin):
    numbers = bundle.manifest.numbers
    sizes = WindowSizes(margin, margin, int(numbers["hop_samples"]), 2)
    noise = Noise(int(numbers["latent"]), 0.5, seed=3)
    return SentenceVocoder(KnownFrames(bundle), Graph(bundle.graph_path("decoder")), noise, sizes)


def speak(bundle, cuts, margin):
    vocoder = begin(bundle, margin)
    pieces = [vocoder.push(np.zeros(count, np.int64)) for count in cuts]
    return np.concatenate([*pieces, vocoder.flush()])


@pytest.mark.parametrize("cuts", [(5, 10, 15), (1,) * 30, (29, 1)])
def test_chunked_equals_whole(bundle, cuts):
    exact = int(bundle.manifest.numbers["exact_margin_frames"])
    whole = speak(bundle, (30,), exact)
    assert len(whole) == FRAMES * bundle.manifest.numbers["hop_samples"]
    np.testing.assert_allclose(speak(bundle, cuts, exact), whole, atol=1e-5)


def test_shipped_margins_are_forty_decibels_from_whole(bundle):
    exact, shipped = (
        int(bundle.manifest.numbers[name])
        for name in ("exact_margin_frames", "right_margin_frames")
    )
    whole, streamed = speak(bundle, (30,), exact), speak(bundle, (10, 10, 10), shipped)
    assert snr_db(whole, streamed) > 40


USUAL = replace(TWICE_AS_FAST, lookahead_tokens=4, useful_lookahead_tokens=20)


@pytest.mark.parametrize("plan", [solve(USUAL, 10).begin(), PatientPlan((3, 10))])
def test_however_long_windows_wait_they_are_forty_decibels_from_whole(bundle, plan):
    numbers = bundle.manifest.numbers
    vocoder = begin(bundle, int(numbers["right_margin_frames"]))
    pieces = []
    for window in windows_of(iter(range(30)), plan):
        speak_on = vocoder.push if window.left is None else vocoder.flush
        pieces.append(speak_on(np.array(window.tokens), window.spoken_tokens))
        assert sum(map(len, pieces)) == 2 * window.spoken_tokens * numbers["hop_samples"]
    assert len(pieces) > 2
    whole = speak(bundle, (30,), int(numbers["exact_margin_frames"]))
    assert snr_db(whole, np.concatenate(pieces)) > 40


def snr_db(whole, streamed):
    return 10 * np.log10(np.square(whole).sum() / np.square(streamed - whole).sum())


def test_the_last_tokens_need_no_window_of_their_own(bundle):
    vocoder = SovitsVocoder(bundle)
    style = np.ones(int(bundle.manifest.numbers["style_width"]), np.float32)
    tokens = np.arange(20)

    def spoken(*, apart):
        stream = vocoder.stream(np.arange(12), style)
        first = stream.push(tokens[:8])
        rest = [stream.push(tokens[8:]), stream.flush()] if apart else [stream.flush(tokens[8:])]
        return np.concatenate([first, *rest])

    apart, together = spoken(apart=True), spoken(apart=False)
    assert snr_db(apart, together) > 40


def test_a_sentence_from_its_tokens(bundle):
    vocoder = SovitsVocoder(bundle)
    random = np.random.default_rng(1)
    style = random.standard_normal(int(bundle.manifest.numbers["style_width"])).astype(np.float32)
    stream = vocoder.stream(np.arange(12), style, speed=1.25)
    sound = [stream.push(random.integers(0, 100, count)) for count in (8, 12)]
    sound.append(stream.flush())
    hop = int(bundle.manifest.numbers["hop_samples"])
    assert sum(map(len, sound)) == int(40 / 1.25) * hop == stream.spoken_samples
    assert stream.alignment.shape == (40, 12)
    assert np.isfinite(np.concatenate(sound)).all()


def test_a_bundle_of_an_older_version_says_so(bundle, monkeypatch):
    class OlderGraph(Graph):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.inputs = [name for name in self.inputs if name != "kept"]

    monkeypatch.setattr("selftalk.stream.sovits.vocoder.Graph", OlderGraph)
    with pytest.raises(BundleError, match=f"selftalk export {bundle.manifest.name}"):
        SovitsVocoder(bundle)


def test_nothing_is_silence(bundle):
    style = np.zeros(int(bundle.manifest.numbers["style_width"]), np.float32)
    stream = SovitsVocoder(bundle).stream(np.arange(5), style)
    assert len(stream.push(np.zeros(0, np.int64))) == len(stream.flush()) == 0


def test_noise_does_not_depend_on_how_it_is_asked_for():
    whole = Noise(4, 0.5, seed=1).between(0, 50)
    pieces = Noise(4, 0.5, seed=1)
    np.testing.assert_array_equal(pieces.between(0, 7), whole[:, :7])
    np.testing.assert_array_equal(pieces.between(3, 50), whole[:, 3:])
    assert 0.3 < whole.std() < 0.7


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5, 2.0])
def test_stretched_frames_do_not_depend_on_what_follows(speed):
    frames = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    whole, beginning = at_speed(frames, speed), at_speed(frames[:20], speed)
    assert len(whole) == int(40 / speed)
    sure = len(beginning) - 1 - int(1 / speed)
    np.testing.assert_array_equal(beginning[:sure], whole[:sure])


def test_blending_equal_sounds_changes_nothing():
    sound = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    np.testing.assert_allclose(blended(sound[:30], sound), sound, atol=1e-6)
    np.testing.assert_array_equal(blended(sound[:0], sound), sound)
