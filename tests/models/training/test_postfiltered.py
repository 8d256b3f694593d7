import numpy as np
import pytest
import torch

from selftalk.models import waveform
from selftalk.models.training.postfiltered import postfiltered
from selftalk.stream.nano import vocoder
from selftalk.stream.nano.postfilter import Postfilter


@pytest.mark.parametrize("postfilter", [Postfilter(), Postfilter(0.45, 8.0, -2.2)])
def test_filters_are_postfiltered_as_in_the_runtime(postfilter):
    generator = np.random.default_rng(0)
    filters = generator.standard_normal((7, 5 * waveform.BINS)).astype(np.float32)
    pulses, noise = (
        (generator.standard_normal((7, waveform.BINS, 2)).astype(np.float32)).view(np.complex64)
        for _ in range(2)
    )
    pulses, noise = pulses[..., 0], noise[..., 0]
    theirs = vocoder.apply_filters(filters, pulses, noise, postfilter)
    ours = waveform.apply_filters(
        postfiltered(torch.from_numpy(filters)[None], postfilter),
        torch.from_numpy(pulses)[None],
        torch.from_numpy(noise)[None],
    )
    np.testing.assert_allclose(ours[0].numpy(), theirs, rtol=1e-3, atol=1e-3)
