"""The same as in torch."""

import numpy as np
import torch

from selftalk.models import spectral
from selftalk.stream.sovits import spectra

WAVE = np.random.default_rng(0).standard_normal(20_000).astype(np.float32) * 0.1


def test_spectrogram():
    expected = spectral.spectrogram(torch.from_numpy(WAVE)[None], 2048, 640)[0]
    np.testing.assert_allclose(spectra.spectrogram(WAVE, 2048, 640), expected, atol=1e-4)


def test_kaldi_filter_banks():
    expected = spectral.kaldi_fbank(torch.from_numpy(WAVE))
    np.testing.assert_allclose(spectra.kaldi_fbank(WAVE), expected, atol=1e-3)
