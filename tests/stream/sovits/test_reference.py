import dataclasses

import msgspec
import numpy as np
import pytest
from fakes_sovits import SECOND_STAGES, bundle_of

from selftalk.stream.errors import VoiceError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sovits.reference import HUBERT_ADVICE, ReferenceListener, model_of
from selftalk.stream.synthesis.voices import Voice

PRO = next((stage for stage in SECOND_STAGES if "pro" in stage.lower()), None)


def noise(seconds):
    samples = np.random.default_rng(0).standard_normal(int(seconds * 16_000)) * 0.1
    return AudioChunk(samples.astype(np.float32), 16_000)


def test_without_hubert_the_style_alone_is_heard():
    bundle = bundle_of()
    reference, advice = ReferenceListener(bundle).listen(noise(3), "three words here")
    assert reference.style.shape == (bundle.manifest.numbers["style_width"],)
    assert len(reference.prompt) == len(reference.phones) == 0
    assert reference.model == model_of(bundle)
    assert advice == HUBERT_ADVICE


class FakeListener(ReferenceListener):
    """Hears tokens without HuBERT."""

    def tokens(self, recording):
        return np.arange(int(25 * recording.duration_seconds))


@pytest.fixture
def with_hubert():
    bundle = bundle_of()
    graphs = bundle.manifest.graphs
    graphs = graphs | {"hubert": graphs["style"]}
    manifest = msgspec.structs.replace(bundle.manifest, graphs=graphs)
    return FakeListener(dataclasses.replace(bundle, manifest=manifest))


def test_with_its_words_a_recording_is_a_prompt(with_hubert):
    reference, advice = with_hubert.listen(noise(3), "three words here", "en")
    assert len(reference.prompt) == 75
    assert len(reference.phones) == 11  # a full stop at the end
    assert not advice


@pytest.mark.parametrize(("seconds", "words"), [(3, ""), (12, "three words here")])
def test_no_prompt_without_words_or_of_a_long_recording(with_hubert, seconds, words):
    reference, advice = with_hubert.listen(noise(seconds), words)
    assert not len(reference.prompt)
    assert "style only" in advice


@pytest.mark.parametrize("seconds", [0.5, 301])
def test_lengths_that_tell_nothing_are_refused(seconds):
    with pytest.raises(VoiceError, match="3 to 10 s are best"):
        ReferenceListener(bundle_of()).listen(noise(seconds))


@pytest.mark.skipif(PRO is None, reason="this set has no v2Pro")
def test_a_pro_voice_says_what_it_needs():
    with pytest.raises(VoiceError, match="--speaker-model"):
        ReferenceListener(bundle_of(PRO)).listen(noise(3))


def test_a_reference_is_kept_in_a_voice(with_hubert, tmp_path):
    reference, _ = with_hubert.listen(noise(3), "three words here")
    voice = Voice("me", np.ones(256, np.float32), 5.0, {"origin": "recording"}, reference=reference)
    voice.save(tmp_path / "me.voice")
    loaded = Voice.load(tmp_path / "me.voice").reference
    assert loaded.model == reference.model
    for name, array in reference.arrays().items():
        np.testing.assert_array_equal(loaded.arrays()[name], array)
