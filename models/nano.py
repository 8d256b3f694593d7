"""nano: our own small text-to-speech model, in three modules.

    symbols ──TextEncoder──▶ context, durations ──alignment──▶ what is said in each token
    context ──TokenDecoder, one token after another──▶ 25 Hz semantic tokens
    tokens + aligned symbols + speaker ──NanoVocoder──▶ pitch, then spectra at 100 Hz

What is notable:
- Durations are predicted before the first token, so a word cannot be skipped or said twice, the
  length is known in advance and word times need no attention map.
- The token decoder is autoregressive over tokens only: it is told which symbol it is in and how
  far, and its past is a key/value state, a value that goes in and comes out.
- The vocoder works at frame rate and leaves the waveform to an inverse STFT. Voiced sound is a
  pulse train filtered by the network (source and filter), so that little training suffices.
- The speaker is a vector from a speaker encoder trained on real people, plus a mean pitch.

Dimension letters: B batch, N symbols, T tokens (25 Hz) or frames (100 Hz), C channels, V codes.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.convnext import ConvNeXtStack, ConvState
from selftalk.models.fsq import fsq_values

SAMPLE_RATE_HZ = 24_000
FRAME_SAMPLES = 240  # 100 Hz
FRAMES_PER_TOKEN = 4  # 25 Hz
FFT_SAMPLES = 960
BINS = FFT_SAMPLES // 2 + 1
DURATION_UNITS_HZ = 40  # durations are counted in 25 ms


@dataclass(frozen=True)
class NanoConfig:
    """Sizes of nano; every variant is one of these."""

    symbols: int = 732
    levels: tuple[int, ...] = (8, 5, 5, 5)
    speaker: int = 129  # timbre and one value of mean pitch
    neighbours: int = 5  # symbols the vocoder is told for each frame, the spoken one amidst
    condition: int = 192
    text_width: int = 256
    text_blocks: int = 5
    text_layers: int = 2
    decoder_width: int = 256
    decoder_layers: int = 4
    decoder_heads: int = 4
    vocoder_width: int = 256
    token_blocks: int = 3
    prosody_blocks: int = 2
    filter_blocks: int = 7
    ahead_blocks: int = 3
    kernel: int = 7
    expansion: int = 3
    dropout: float = 0.3
    extras: dict[str, float] = field(default_factory=dict)

    @property
    def codes(self) -> int:
        """Number of semantic tokens."""
        size = 1
        for level in self.levels:
            size *= level
        return size


class SpeakerCondition(nn.Module):
    """Speaker vector (B, speaker) → condition of the FiLM blocks (B, condition)."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(config.speaker, config.condition),
            nn.GELU(approximate="tanh"),
            nn.Linear(config.condition, config.condition),
        )

    def forward(self, speaker: Tensor) -> Tensor:
        """(B, speaker) → (B, condition)."""
        return self.layers(speaker)


class SelfAttention(nn.Module):
    """Multi-head attention with rotary positions (Su et al. 2021) and a key/value state."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x: Tensor, past: Tensor, positions: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Attend from x (B, T, C) to the past (2, B, H, P, D) and x itself.

        Args:
            x: (B, T, C).
            past: keys and values so far (2, B, H, P, D), P may be 0.
            positions: (T,) absolute positions of x.
            mask: True where attention is allowed, broadcastable to (B, H, T, P + T).

        Returns:
            (B, T, C) and keys and values (2, B, H, P + T, D).
        """
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        k = torch.cat([past[0], rotate(k, positions)], dim=2)
        v = torch.cat([past[1], v], dim=2)
        y = F.scaled_dot_product_attention(rotate(q, positions), k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(B, T, C)), torch.stack([k, v])


def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """Turn pairs of channels of x (B, H, T, D) by an angle that grows with the position (T,)."""
    half = x.shape[-1] // 2
    rate = torch.exp(torch.arange(half, device=x.device) * (-9.21034 / half))  # 1 … 1/10000
    angle = positions.to(torch.float32)[:, None] * rate  # (T, D/2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class TransformerLayer(nn.Module):
    """Pre-norm attention and feed-forward with dropout in training."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, past: Tensor, positions: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """(B, T, C) → (B, T, C); see `SelfAttention`."""
        y, present = self.attention(self.norm_attention(x), past, positions, mask)
        x = x + self.dropout(y)
        return x + self.dropout(self.feed(self.norm_feed(x))), present


class TextEncoder(nn.Module):
    """Symbols and speaker → context vectors and durations; sees the whole sentence."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        width = config.text_width
        self.heads = 4
        self.embedding = nn.Embedding(config.symbols, width)
        self.speaker = SpeakerCondition(config)
        self.stack = ConvNeXtStack(
            config.text_blocks, width, config.expansion * width, config.kernel,
            config.text_blocks, config.condition,
        )  # fmt: skip
        self.layers = nn.ModuleList(
            TransformerLayer(width, self.heads, config.dropout) for _ in range(config.text_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.duration = nn.Sequential(
            nn.Linear(width, width), nn.GELU(approximate="tanh"), nn.Linear(width, 1)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, symbols: Tensor, speaker: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Encode symbols (B, N), speaker (B, speaker), mask (B, N) True where a symbol is.

        Returns:
            Context (B, N, C) and the logarithm of each duration in 25 ms units (B, N).
        """
        B, N = symbols.shape
        keep = mask[..., None].float()
        embedded = self.dropout(self.embedding(symbols)) * keep
        x = self.stack.whole(embedded, self.speaker(speaker)) * keep
        positions = torch.arange(N, device=symbols.device)
        past = x.new_zeros(2, B, self.heads, 0, x.shape[-1] // self.heads)
        for layer in self.layers:
            x, _ = layer(x, past, positions, mask[:, None, None])
        context = self.norm(x)
        return context, self.duration(self.dropout(context)).squeeze(-1).float()


class TokenDecoder(nn.Module):
    """Tokens one after another, each told what is being said at its moment."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.heads = config.decoder_heads
        self.layers_count = config.decoder_layers
        self.start = config.codes  # stands before the first token
        self.embedding = nn.Embedding(config.codes + 1, width)
        self.context = nn.Linear(config.text_width, width)
        self.place = nn.Linear(2, width)
        self.layers = nn.ModuleList(
            TransformerLayer(width, self.heads, config.dropout)
            for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.codes)
        self.dropout = nn.Dropout(config.dropout)

    def initial_state(self, batch: int) -> Tensor:
        """Keys and values of no tokens: (L, 2, B, H, 0, D)."""
        width = self.embedding.weight.shape[1]
        return self.embedding.weight.new_zeros(
            self.layers_count, 2, batch, self.heads, 0, width // self.heads
        )

    def forward(
        self, previous: Tensor, context: Tensor, place: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Score the next tokens.

        Args:
            previous: (B, T) the token before each position, `start` before the first.
            context: (B, T, C) context of the symbol that is spoken at each token.
            place: (B, T, 2) how far into the symbol the token is (0 to 1), log of its duration.
            state: (L, 2, B, H, P, D) keys and values of the P tokens before these.

        Returns:
            Logits (B, T, V) and the state with these tokens added (L, 2, B, H, P + T, D).
        """
        T, P = previous.shape[1], state.shape[4]
        x = self.dropout(self.embedding(previous) + self.context(context)) + self.place(place)
        positions = torch.arange(P, P + T, device=x.device)
        # True where the key is not later than the query.
        mask = torch.arange(P + T, device=x.device)[None] <= positions[:, None]
        after = []
        for layer, past in zip(self.layers, state, strict=True):
            x, present = layer(x, past, positions, mask)
            after.append(present)
        return self.out(self.norm(x)), torch.stack(after)


@dataclass
class Spectra:
    """What the vocoder's network says about some frames."""

    prosody: Tensor  # (B, T, 3): relative log pitch, voicing logit, energy
    filters: Tensor  # (B, T', 5, BINS): see `NanoVocoder.forward`


VocoderState = tuple[tuple[ConvState, ...], tuple[ConvState, ...], tuple[ConvState, ...]]


class NanoVocoder(nn.Module):
    """Tokens, aligned symbols and a speaker → pitch and spectral filters at 100 Hz."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        width = config.vocoder_width
        hidden = config.expansion * width
        self.levels = config.levels
        self.no_symbol = config.symbols  # when nothing is known about the text
        self.speaker = SpeakerCondition(config)
        self.token = nn.Embedding(config.codes, width)
        self.level = nn.Linear(len(config.levels), width)
        self.tokens = ConvNeXtStack(
            config.token_blocks, width, hidden, 5, condition=config.condition
        )
        self.upsample = nn.Linear(width, FRAMES_PER_TOKEN * width)
        self.symbol = nn.Embedding(config.symbols + 1, width)
        self.around = nn.Linear((config.neighbours - 1) * width, width, bias=False)
        self.place = nn.Linear(2, width, bias=False)
        self.prosody = ConvNeXtStack(
            config.prosody_blocks, width, hidden, config.kernel, condition=config.condition
        )
        self.prosody_out = nn.Linear(width, 3)
        self.prosody_in = nn.Linear(3, width)
        self.filter = ConvNeXtStack(
            config.filter_blocks, width, hidden, config.kernel,
            config.ahead_blocks, config.condition,
        )  # fmt: skip
        self.norm = nn.LayerNorm(width)
        self.filter_out = nn.Linear(width, 5 * BINS)
        self.lookahead_frames = self.filter.lookahead
        with torch.no_grad():  # start quiet: filter, noise and free part
            bias = self.filter_out.bias.view(5, BINS)
            bias[0], bias[2], bias[3] = -3.0, -4.0, -5.0
        nn.init.zeros_(self.around.weight)  # so that older weights begin with what they know
        nn.init.zeros_(self.place.weight)

    def initial_state(self, batch: int) -> VocoderState:
        """The state before the first token."""
        return (
            self.tokens.initial_state(batch),
            self.prosody.initial_state(batch),
            self.filter.initial_state(batch),
        )

    def forward(
        self,
        tokens: Tensor,
        symbols: Tensor,
        place: Tensor,
        speaker: Tensor,
        state: VocoderState,
        prosody: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, VocoderState]:
        """Predict pitch and filters of some tokens.

        Args:
            tokens: (B, T) semantic tokens.
            symbols: (B, 4 T, neighbours) the symbol of each frame in the midst of its
                neighbours, or `no_symbol`.
            place: (B, 4 T, 2) how far into the symbol a frame is, and the log of its duration.
            speaker: (B, speaker).
            state: from the call before, or `initial_state`.
            prosody: (B, 4 T, 3) to use in place of the predicted one (as in training):
                relative log pitch, voicing in [0, 1], energy.

        Returns:
            Prosody (B, 4 T, 3): relative log pitch, voicing logit, energy; filters
            (B, F, 5 * BINS) for the frames that are now certain: log gain and phase of the
            pulse filter, log gain of the noise, log gain and phase of a free part; the state.
        """
        condition = self.speaker(speaker)
        x = self.token(tokens) + self.level(fsq_values(tokens, self.levels))
        x, token_state = self.tokens(x, state[0], condition)
        B, T, _ = x.shape
        x = self.upsample(x).reshape(B, FRAMES_PER_TOKEN * T, -1) + self._said(symbols, place)
        x, prosody_state = self.prosody(x, state[1], condition)
        predicted = self.prosody_out(x)
        if prosody is None:
            voicing = torch.sigmoid(predicted[..., 1:2])
            prosody = torch.cat(
                [predicted[..., :1] * (voicing > 0.5), voicing, predicted[..., 2:]], -1
            )
        x = x + self.prosody_in(prosody)
        x, filter_state = self.filter(x, state[2], condition)
        return predicted, self.filter_out(self.norm(x)), (token_state, prosody_state, filter_state)

    def _said(self, symbols: Tensor, place: Tensor) -> Tensor:
        """What is said in each frame, and what comes before and after it: (B, F, C)."""
        embedded = self.symbol(symbols)
        middle = symbols.shape[-1] // 2
        spoken, before, after = (
            embedded[..., middle, :], embedded[..., :middle, :], embedded[..., middle + 1 :, :],
        )  # fmt: skip
        return spoken + self.around(torch.cat([before, after], -2).flatten(-2)) + self.place(place)
