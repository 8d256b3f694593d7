from dataclasses import replace

import numpy as np
import pytest

from selftalk.models.training.speakers import BLUR, PITCH_BLUR, TimbreMap, blurred, fit_timbres
from selftalk.models.training.vocoder_task import misread


def test_blur_moves_a_speaker_a_little_and_its_pitch_less():
    generator = np.random.default_rng(1)
    moved = np.stack([blurred(np.ones(129, np.float32), generator) - 1 for _ in range(200)])
    assert moved[:, :-1].std() == pytest.approx(BLUR, rel=0.05)
    assert moved[:, -1].std() == pytest.approx(PITCH_BLUR, rel=0.2)


def test_timbres_are_guessed_from_embeddings(tiny_utterances, tmp_path):
    """Where a timbre is a linear function of the embedding, it is found."""
    random = np.random.default_rng(0)
    truth = random.standard_normal((128, 256)) / 16
    spoken = []
    for _ in range(600):
        embedding = random.standard_normal(256).astype(np.float32)
        style = np.zeros(256, np.float16)
        style[:128] = truth @ embedding + 0.5
        known = {"speaker_embedding": embedding, "style": style}
        spoken.append(replace(tiny_utterances[0], **known))
    timbres = fit_timbres(spoken)
    embedding = random.standard_normal(256).astype(np.float32)
    np.testing.assert_allclose(timbres.guess(embedding), truth @ embedding + 0.5, atol=0.05)
    timbres.save(tmp_path / "map.safetensors")
    loaded = TimbreMap.load(tmp_path / "map.safetensors")
    np.testing.assert_array_equal(loaded.weight, timbres.weight)


def test_misread_tokens_stay_tokens_and_are_near():
    levels = (8, 5, 5, 5)
    generator = np.random.default_rng(2)
    tokens = generator.integers(0, 1000, 200)
    changed = 0
    for _ in range(20):
        read = misread(tokens, levels, generator)
        assert read.shape == tokens.shape
        assert ((read >= 0) & (read < 1000)).all()
        places = np.cumprod([1, *levels[:-1]])
        steps = read[:, None] // places % levels - tokens[:, None] // places % levels
        assert np.abs(steps).max() <= 1
        changed += (read != tokens).any()
    assert 3 < changed < 17
