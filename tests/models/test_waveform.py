import numpy as np
import torch

from selftalk.models import waveform
from selftalk.stream.nano import harmonic


def test_spectra_and_overlap_add_agree_with_the_runtime():
    samples = np.random.default_rng(0).standard_normal(20 * 240).astype(np.float32)
    padded = np.pad(samples, harmonic.EDGE_SAMPLES)
    spectra = harmonic.frame_spectra(padded)
    ours = waveform.frame_spectra(torch.from_numpy(samples)[None])[0].numpy()
    np.testing.assert_allclose(ours, spectra, atol=2e-4)
    add = harmonic.OverlapAdd()
    streamed = np.concatenate([add.push(spectra), add.flush()])
    whole = waveform.overlap_add(torch.from_numpy(spectra)[None])[0].numpy()
    np.testing.assert_allclose(streamed, whole, atol=1e-5)
    # Away from the ends, taking spectra and adding them up again changes nothing.
    np.testing.assert_allclose(whole[800:-800], samples[800:-800], atol=1e-4)


def test_loss_is_zero_for_the_same_sound_and_grows_with_noise():
    torch.manual_seed(0)
    sound = torch.randn(1, 12000) * 0.1
    loss = waveform.SpectralLoss()
    mel, linear = loss(sound, sound)
    assert float(mel) == 0
    assert float(linear) == 0
    little = loss(sound + 0.01 * torch.randn_like(sound), sound)
    much = loss(sound + 0.1 * torch.randn_like(sound), sound)
    assert 0 < float(little[0]) < float(much[0])
    voiced = torch.ones(1, 50)
    assert float(waveform.phase_loss(sound, sound, voiced)) == 0
    assert float(waveform.phase_loss(-sound, sound, voiced)) > 1


def test_mel_filters_cover_every_bin_between_the_ends():
    filters = waveform.mel_filters(1024, 80)
    assert filters.shape == (80, 513)
    assert float(filters.min()) >= 0
    assert bool((filters.sum(0)[3:-1] > 0).all())
