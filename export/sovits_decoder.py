"""The vocoder of an imported voice in 8 bits, if that is near enough to what it is in float.

Three quarters of the work of speaking are the convolutions of the generator. In 8 bits they take a
third of the time where the processor has VNNI. Their scales are found on sentences of random tokens
in random styles, so the same voice gives the same bytes. Whether it is near enough is measured on
another sentence: mel spectra may not change by more than other noise changes them, and noise is
drawn anew for every sentence anyway.
"""

import math
from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from selftalk.export.quantize import Feed, to_static_int8
from selftalk.models.sovits import FRAMES_PER_TOKEN, Sovits
from selftalk.models.spectral import mel_spectrogram
from selftalk.stream.sound.audio import Float32Array

NARROWEST_CHANNELS = 32
"""Narrower layers come last, are a twentieth of the work, and lose most by rounding."""
ROUNDED_LAYERS = "generator.blocks"
SENTENCES, TOKENS, PHONES = 4, 20, 12
MEL_BANDS = 80
DECIBEL = 20 / math.log(10)


def eight_bit_decoder(
    exact: onnx.ModelProto, sovits: Sovits, noise_scale: float
) -> tuple[onnx.ModelProto, bool]:
    """The decoder with wide convolutions in 8 bits, and whether it is near enough.

    Args:
        exact: the graph in float.
        sovits: the modules it was made of.
        noise_scale: of the noise in the graph's input.
    """
    random = np.random.default_rng(0)
    feeds = list(sentences(sovits, random, noise_scale))
    sizes = {tensor.name: tensor.dims for tensor in exact.graph.initializer}

    def is_wide(node: onnx.NodeProto) -> bool:
        weight = node.input[1] if node.op_type == "Conv" else ""
        return ROUNDED_LAYERS in weight and min(sizes[weight][:2]) >= NARROWEST_CHANNELS

    if not any(is_wide(node) for node in exact.graph.node):
        return exact, False
    rounded = to_static_int8(exact, feeds[1:], is_wide)
    other = feeds[0] | {"noise": drawn_noise(random, feeds[0]["noise"].shape, noise_scale)}
    said, changed = (log_mel_db(spoken(graph, feeds[0]), sovits) for graph in (exact, rounded))
    varied = log_mel_db(spoken(exact, other), sovits)
    return rounded, float((changed - said).abs().mean()) <= float((varied - said).abs().mean())


def sentences(sovits: Sovits, random: np.random.Generator, noise_scale: float) -> Iterator[Feed]:
    """Inputs of the decoder: random tokens as the encoder reads them, each in its own style."""
    config = sovits.config
    frames = FRAMES_PER_TOKEN * TOKENS
    for _ in range(SENTENCES):
        spectrum = random.random((1, config.spectrum_bins, frames), np.float32)
        speaker = random.standard_normal((1, config.speaker_width), np.float32)
        with torch.no_grad():
            style = sovits.style(
                torch.from_numpy(spectrum),
                torch.from_numpy(speaker) if config.speaker_width else None,
            )
            encoded = sovits.encode(
                torch.from_numpy(random.integers(0, config.codebook, (1, TOKENS))),
                torch.from_numpy(random.integers(0, config.symbols, (1, PHONES))),
                style,
            )
        yield {
            "frames": encoded.numpy(),
            "noise": drawn_noise(random, (1, config.latent, frames), noise_scale),
            "style": style.numpy(),
            "kept": np.array([0, frames], np.int64),
        }


def drawn_noise(random: np.random.Generator, shape: tuple[int, ...], scale: float) -> Float32Array:
    """Normal noise."""
    return np.asarray(scale * random.standard_normal(shape), np.float32)


def spoken(graph: onnx.ModelProto, feed: Feed) -> Tensor:
    """What a decoder says: (1, T)."""
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    samples: Float32Array = session.run(None, feed)[0]
    return torch.from_numpy(samples)


def log_mel_db(wave: Tensor, sovits: Sovits) -> Tensor:
    """The mel spectrum of a sound (1, T)."""
    config = sovits.config
    return DECIBEL * mel_spectrogram(
        wave, MEL_BANDS, config.sample_rate_hz, config.window_samples, config.hop_samples
    )
