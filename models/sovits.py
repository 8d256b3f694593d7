"""SoVITS: semantic tokens + phones + style of a reference → waveform.

    reference audio ─ SSL features ─▶ semantic_tokens ─▶ the prompt of Text2Semantic
    reference spectrogram ───────────▶ style (mean it over several references)
    tokens, phones, style ─▶ encode ─▶ decode_window, window by window ─▶ waveform

What is notable:
- Nothing random happens inside. `decode_window` is given its noise: draw it once for each absolute
  frame, and overlapping windows agree.
- A window is exact where it is `margin_frames` away from its borders, and at the true beginning and
  end of the utterance; less margin costs a little accuracy.
- The variants v1, v2, v2Pro and v2ProPlus are configurations of this one class.

One token is two frames. Knows nothing about text, sampling, files, or real time.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.convnext import full_precision
from selftalk.models.discriminator import PERIODS
from selftalk.models.flow import Flow
from selftalk.models.generator import Generator, GeneratorConfig
from selftalk.models.posterior import PosteriorEncoder
from selftalk.models.quantizer import Codebook
from selftalk.models.style import StyleEncoder
from selftalk.models.text_encoder import EncoderConfig, TextEncoder

FRAMES_PER_TOKEN = 2


@dataclass(frozen=True, slots=True)
class SovitsConfig:
    """Sizes; every variant is one of these."""

    symbols: int
    """Rows of the phone table: 322 of v1, 732 of v2."""
    style_bins: int = 704
    """Lowest bins of the spectrogram that the style encoder looks at: all 1025 in v1."""
    style_width: int = 512
    speaker_width: int = 0
    """Width of the speaker embedding that v2Pro adds to the style; 0 in v1 and v2."""
    ssl_width: int = 768
    codebook: int = 1024
    width: int = 192
    hidden: int = 768
    heads: int = 2
    layers: int = 6
    kernel: int = 3
    dropout: float = 0.1
    cross_width: int = 512
    latent: int = 192
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator_periods: tuple[int, ...] = PERIODS
    """What it is trained against."""
    sample_rate_hz: int = 32_000
    window_samples: int = 2048
    """Of the spectrogram."""

    @property
    def hop_samples(self) -> int:
        """Samples of one frame."""
        return math.prod(self.generator.rates)

    @property
    def spectrum_bins(self) -> int:
        """Bins of the spectrogram."""
        return self.window_samples // 2 + 1


class Sovits(nn.Module):
    """Everything that inference needs."""

    def __init__(self, config: SovitsConfig) -> None:
        super().__init__()
        sizes = (config.style_width, config.cross_width)
        assert config.speaker_width or sizes[0] == sizes[1], f"the text sees the style: {sizes}"
        self.config = config
        self.ssl_in = nn.Conv1d(
            config.ssl_width, config.ssl_width, FRAMES_PER_TOKEN, stride=FRAMES_PER_TOKEN
        )
        self.codebook = Codebook(config.codebook, config.ssl_width)
        self.style_encoder = StyleEncoder(
            config.style_bins, config.style_width, dropout=config.dropout
        )
        self.speaker = SpeakerStyle(config) if config.speaker_width else None
        self.text_encoder = TextEncoder(_encoder_config(config))
        self.flow = Flow(config.latent, config.width, config.style_width)
        self.generator = Generator(config.generator, config.latent, config.style_width)
        self.margin_frames = self.flow.margin_frames + config.generator.margin_frames

    def semantic_tokens(self, ssl: Tensor) -> Tensor:
        """SSL features at 50 Hz (B, T, ssl_width) → semantic tokens at 25 Hz (B, T // 2)."""
        return self.codebook.encode(self.ssl_in(ssl.transpose(1, 2)).transpose(1, 2))

    def style(
        self, spectrum: Tensor, speaker: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """What a recording sounds like.

        Args:
            spectrum: (B, F, T) linear magnitudes.
            speaker: (B, speaker_width) embedding of the same recording, for v2Pro.
            mask: (B, T) True where a frame is not padding.

        Returns:
            (B, style_width); of several references take the mean.
        """
        style = self.style_encoder(spectrum, mask)
        if self.speaker is None:
            return style
        assert speaker is not None, "this variant needs a speaker embedding"
        return self.speaker(style, speaker)

    def encode(
        self,
        tokens: Tensor,
        phones: Tensor,
        style: Tensor,
        frame_mask: Tensor | None = None,
        phone_mask: Tensor | None = None,
    ) -> Tensor:
        """Tokens (B, T), the phones they say (B, N), style (B, G) → frames (B, 2T, D)."""
        content = self.codebook.decode(tokens).repeat_interleave(FRAMES_PER_TOKEN, dim=1)
        cross_style = style if self.speaker is None else self.speaker.for_text(style)
        return self.text_encoder(content, phones, cross_style, frame_mask, phone_mask)

    def decode_window(
        self, frames: Tensor, noise: Tensor, style: Tensor, kept: Tensor | None = None
    ) -> Tensor:
        """Speak a window of the encoded frames.

        Args:
            frames: (B, T, D) consecutive frames of `encode`, perhaps through `at_speed`.
            noise: (B, C, T) standard normal times its scale (0.5 is usual), for these frames.
            style: (B, G).
            kept: (2,) the first frame that is wanted and the one after the last; by default all.

        Returns:
            Waveform (B, T * hop), T of the frames that are wanted.
        """
        return self.generator(self.window_latent(frames, noise, style), style, kept)

    def window_latent(self, frames: Tensor, noise: Tensor, style: Tensor) -> Tensor:
        """What the generator speaks from (B, C, T); see `decode_window`."""
        mean, log_scale = self.text_encoder.latent(frames)
        return self.flow.reverse(mean + noise * torch.exp(log_scale), style)

    def forward(
        self, tokens: Tensor, phones: Tensor, noise: Tensor, style: Tensor, speed: float = 1.0
    ) -> Tensor:
        """Speak a whole utterance: (B, frames * hop); see `encode` and `decode_window`."""
        frames = at_speed(self.encode(tokens, phones, style), speed)
        return self.decode_window(frames, noise, style)


class SpeakerStyle(nn.Module):
    """Joins the style with a speaker embedding (v2Pro)."""

    def __init__(self, config: SovitsConfig) -> None:
        super().__init__()
        self.enter = nn.Linear(config.speaker_width, config.style_width)
        self.activation = nn.PReLU(config.style_width)
        self.for_text = nn.Linear(config.style_width, config.cross_width)

    def forward(self, style: Tensor, speaker: Tensor) -> Tensor:
        """Style (B, G), embedding (B, speaker_width) → style (B, G)."""
        return self.activation(style + self.enter(speaker))


def _encoder_config(config: SovitsConfig) -> EncoderConfig:
    return EncoderConfig(
        symbols=config.symbols,
        input_width=config.ssl_width,
        width=config.width,
        hidden=config.hidden,
        heads=config.heads,
        layers=config.layers,
        kernel=config.kernel,
        dropout=config.dropout,
        cross_width=config.cross_width,
        latent=config.latent,
    )


def frames_at_speed(frames: int, speed: float) -> int:
    """Number of frames that `at_speed` makes of them."""
    return frames if speed == 1 else int(frames / speed) + 1


def at_speed(frames: Tensor, speed: float) -> Tensor:
    """Stretch encoded frames (B, T, D) in time; 2 is twice as fast."""
    if speed == 1:
        return frames
    size = frames_at_speed(frames.shape[1], speed)
    return F.interpolate(frames.transpose(1, 2), size=size, mode="linear").transpose(1, 2)


class SpeechBatch(NamedTuple):
    """Recordings with what is said in them, padded at the end; masks are True where it is not."""

    ssl: Tensor  # (B, T, ssl_width)
    spectrum: Tensor  # (B, F, T)
    frame_mask: Tensor  # (B, T)
    phones: Tensor  # (B, N)
    phone_mask: Tensor  # (B, N)
    speaker: Tensor | None = None  # (B, speaker_width)


class TrainingPass(NamedTuple):
    """What the losses need."""

    wave: Tensor  # (B, slice * hop)
    z: Tensor  # (B, C, T) posterior sample
    z_p: Tensor  # (B, C, T) the same after the flow
    mean: Tensor  # (B, C, T) of the prior
    log_scale: Tensor
    posterior_mean: Tensor  # (B, C, T)
    posterior_log_scale: Tensor


class TrainableSovits(nn.Module):
    """SoVITS with the posterior encoder that only training needs."""

    def __init__(self, config: SovitsConfig) -> None:
        super().__init__()
        self.sovits = Sovits(config)
        self.posterior = PosteriorEncoder(
            config.spectrum_bins, config.width, config.latent, config.style_width
        )

    def forward(
        self, batch: SpeechBatch, noise: Tensor, starts: Tensor, slice_frames: int
    ) -> TrainingPass:
        """Speak a slice of each recording from its own posterior.

        Args:
            batch: what was recorded.
            noise: (B, C, T) standard normal.
            starts: (B,) first frame of each slice.
            slice_frames: frames of a slice.
        """
        model, mask = self.sovits, batch.frame_mask
        style = model.style(batch.spectrum, batch.speaker, mask)
        # Tokens stay what Text2Semantic has learned; half precision would move some.
        with torch.no_grad(), full_precision(batch.ssl):
            tokens = model.semantic_tokens(batch.ssl)
        frames = model.encode(tokens, batch.phones, style, mask, batch.phone_mask)
        mean, log_scale = model.text_encoder.latent(frames, mask)
        z, posterior_mean, posterior_log_scale = self.posterior(batch.spectrum, style, noise, mask)
        z_p = model.flow(z, style, mask)
        wave = model.generator(slices(z, starts, slice_frames), style)
        return TrainingPass(wave, z, z_p, mean, log_scale, posterior_mean, posterior_log_scale)


def slices(x: Tensor, starts: Tensor, size: int) -> Tensor:
    """Cut x[:, :, start : start + size] of each item of x (B, C, T): (B, C, size)."""
    index = starts[:, None] + torch.arange(size, device=x.device)
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))
