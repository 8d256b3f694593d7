"""The graphs of an official voice: what the runtime calls, as modules made of the trained ones.

    once for a voice    hubert ─▶ quantizer ─▶ the prompt's tokens;  style (v2Pro: and eres2net)
    once for a sentence t2s_prefill, text_encoder;  for Chinese before it bert
    for each token      t2s_step
    for each chunk      content_encoder, decoder

The modules here change only where a value is computed, never which: keys and values of the text are
projected once for a sentence, and the key/value cache of Text2Semantic is read and written where it
lies. So a step copies nothing. Knows nothing about files.
"""

import math

import torch
from torch import Tensor, nn

from selftalk.export.cached_attention import attend_in_place
from selftalk.export.images import generator_of_images
from selftalk.export.onnx import GraphSource
from selftalk.models.attention import SelfAttention
from selftalk.models.bert import Bert
from selftalk.models.eres2net import ERes2Net
from selftalk.models.hubert import SAMPLE_RATE_HZ, Hubert
from selftalk.models.sovits import FRAMES_PER_TOKEN, Sovits
from selftalk.models.t2s import T2SLayer, Text2Semantic
from selftalk.stream.graphs.graph import AFTER, BEFORE


class T2SPrefill(nn.Module):
    """Reads all phones and the prompt; like `Text2Semantic.prefill`."""

    def __init__(self, model: Text2Semantic) -> None:
        super().__init__()
        self.model = model

    def forward(self, phones: Tensor, prompt: Tensor, bert: Tensor) -> tuple[Tensor, ...]:
        """Phones (1, N), prompt (1, T), bert (1, N, W) → logits (1, V) and the cache's slots.

        Keys and values are (L, 1, H, N + T, D/H).
        """
        model, start = self.model, torch.zeros(1, dtype=torch.int64)
        text = model.embed_text(phones, bert, start)
        x = torch.cat([text, model.embed_audio(prompt, start)], dim=1)
        slot = torch.arange(x.shape[1])
        hidden_from = (slot + 1).clamp(min=text.shape[1])  # text sees all text, audio its past
        mask = torch.zeros(1).masked_fill(slot >= hidden_from[:, None], -math.inf)
        keys, values = [], []
        for layer in model.layers:
            assert isinstance(layer, T2SLayer)
            query, key, value = heads_of(layer.attention, x)
            if layer is model.layers[-1]:  # only what the last row says is asked for
                x, query, mask = x[:, -1:], query[:, :, -1:], mask[-1:]
            weights = (query @ key.transpose(2, 3) + mask).softmax(dim=-1)
            found = weights @ value  # (1, H, T, D/H)
            x = after_attention(layer, x, found.transpose(1, 2).reshape(1, -1, model.config.width))
            keys.append(key)
            values.append(value)
        return model.head(x[:, 0]), torch.stack(keys), torch.stack(values)


class T2SStep(nn.Module):
    """Says one more token; like `Text2Semantic.step`, for several sentences at once."""

    def __init__(self, model: Text2Semantic) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, token: Tensor, position: Tensor, filled: Tensor, *cache: Tensor
    ) -> tuple[Tensor, ...]:
        """Read the cache, and add a slot to it.

        Args:
            token: (B,) said last.
            position: (B,) of this token in the speech.
            filled: (B,) int32, slots of the cache that are.
            cache: keys (B, H, S, D/H) of all layers, then values of all layers.

        Returns:
            Logits (B, V), and the cache with one more slot filled.
        """
        model = self.model
        past_keys, past_values = cache[: len(model.layers)], cache[len(model.layers) :]
        x = model.audio_positions(model.tokens(token[:, None]), position[:, None])
        keys, values = [], []
        for layer, past_key, past_value in zip(model.layers, past_keys, past_values, strict=True):
            assert isinstance(layer, T2SLayer)
            attention = layer.attention
            found, key, value = attend_in_place(
                attention.qkv(x), past_key, past_value, filled, attention.heads
            )
            x = after_attention(layer, x, found)
            keys.append(key)
            values.append(value)
        return model.head(x[:, 0]), *keys, *values


def heads_of(attention: SelfAttention, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Scaled query, key and value of x (1, T, D), each (1, H, T, D/H)."""
    width = attention.out.in_features
    query, key, value = (
        part.reshape(1, -1, attention.heads, width // attention.heads).transpose(1, 2)
        for part in attention.qkv(x).split(width, dim=-1)
    )
    return query * math.sqrt(attention.heads / width), key, value


def after_attention(layer: T2SLayer, x: Tensor, found: Tensor) -> Tensor:
    """The rest of a layer, given what its heads have found, of the shape of x (B, T, D)."""
    assert not layer.pre_norm, "official models normalise after the sum"
    x = layer.attention_norm(x + layer.attention.out(found))
    fed = layer.contract(layer.expand(x).relu())
    return layer.feed_norm(x + fed)


class SentenceText(nn.Module):
    """The text of a sentence as `SentenceContent` looks it up."""

    def __init__(self, sovits: Sovits) -> None:
        super().__init__()
        self.encoder = sovits.text_encoder

    def forward(self, phones: Tensor) -> tuple[Tensor, Tensor]:
        """Phones (1, N) → keys (1, H, D/H, N) and values (1, H, N, D/H)."""
        mrte = self.encoder.mrte
        text = mrte.phones_in(self.encoder.encode_phones(phones))
        B, N, D = text.shape
        size = (B, N, mrte.attention.heads, D // mrte.attention.heads)
        keys = mrte.attention.key(text).reshape(size).permute(0, 2, 3, 1)
        return keys, mrte.attention.value(text).reshape(size).transpose(1, 2)


class SentenceContent(nn.Module):
    """All tokens of a sentence so far → frames; like `Sovits.encode`."""

    def __init__(self, sovits: Sovits) -> None:
        super().__init__()
        self.sovits = sovits

    def forward(
        self, tokens: Tensor, keys: Tensor, values: Tensor, style: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens (1, T), what `SentenceText` gave, style (1, G).

        Returns:
            Frames (1, 2T, D), and how much each looks at each phone (1, 2T, N).
        """
        encoder, speaker = self.sovits.text_encoder, self.sovits.speaker
        mrte, attention = encoder.mrte, encoder.mrte.attention
        vectors = self.sovits.codebook.decode(tokens)
        B, T, W = vectors.shape
        vectors = vectors[:, :, None].expand(B, T, FRAMES_PER_TOKEN, W)
        content = encoder.encode_content(vectors.reshape(B, FRAMES_PER_TOKEN * T, W))
        x = mrte.content_in(content)
        size = (B, FRAMES_PER_TOKEN * T, attention.heads, x.shape[2] // attention.heads)
        query = attention.query(x).reshape(size).transpose(1, 2) * (1 / math.sqrt(size[3]))
        weights = (query @ keys).softmax(dim=-1)
        found = attention.out((weights @ values).transpose(1, 2).reshape(x.shape))
        cross_style = style if speaker is None else speaker.for_text(style)
        joint = encoder.encode_joint(mrte.out(x + found + cross_style[:, None]))
        return joint, weights.mean(dim=1)


class WindowDecoder(nn.Module):
    """`Sovits.decode_window` as a module."""

    def __init__(self, sovits: Sovits) -> None:
        super().__init__()
        self.sovits = sovits
        self.generator = generator_of_images(sovits.generator)

    def forward(self, frames: Tensor, noise: Tensor, style: Tensor, kept: Tensor) -> Tensor:
        """Frames (1, T, D), noise (1, C, T), style (1, G), kept (2,) → samples (1, kept * hop)."""
        latent = self.sovits.window_latent(frames, noise, style)
        wave: Tensor = self.generator(latent[:, :, None], style, kept)
        return wave.squeeze(1)


class Style(nn.Module):
    """`Sovits.style` as a module; v2Pro has a second input."""

    def __init__(self, sovits: Sovits) -> None:
        super().__init__()
        self.sovits = sovits

    def forward(self, spectrum: Tensor, speaker: Tensor | None = None) -> Tensor:
        """Spectrum (1, F, T) and perhaps an embedding (1, E) → style (1, G)."""
        return self.sovits.style(spectrum, speaker)


class Quantizer(nn.Module):
    """`Sovits.semantic_tokens` as a module."""

    def __init__(self, sovits: Sovits) -> None:
        super().__init__()
        self.sovits = sovits

    def forward(self, features: Tensor) -> Tensor:
        """Features (1, T, W) → tokens (1, T // 2)."""
        return self.sovits.semantic_tokens(features)


def listener_sources(
    hubert: Hubert | None, speaker: ERes2Net | None, bert: Bert | None = None
) -> dict[str, GraphSource]:
    """The graphs that are the same for all voices: two listen to a recording, one reads Chinese."""
    sources = {}
    if bert is not None:
        ids = torch.zeros(1, 9, dtype=torch.int64)
        axes: dict[str, tuple[int, ...]] = {"characters": (1,), "rows": (1,)}
        sources["bert"] = GraphSource(bert, (ids,), ["characters"], ["rows"], axes)
    if hubert is not None:
        wave = torch.randn(1, SAMPLE_RATE_HZ)
        dynamic: dict[str, tuple[int, ...]] = {"wave": (1,), "features": (1,)}
        sources["hubert"] = GraphSource(hubert, (wave,), ["wave"], ["features"], dynamic)
    if speaker is not None:
        fbank = torch.randn(1, 98, speaker.config.bands)
        dynamic = {"fbank": (1,)}
        sources["eres2net"] = GraphSource(speaker, (fbank,), ["fbank"], ["embedding"], dynamic)
    return sources


def cache_ports(layers: int) -> list[str]:
    """Names of the cache's parts, keys before values."""
    return [f"{part}.{layer}" for part in ("keys", "values") for layer in range(layers)]


def t2s_sources(t2s: Text2Semantic) -> dict[str, GraphSource]:
    """Both graphs of Text2Semantic."""
    config = t2s.config
    B, N, T, S = 2, 9, 5, 16  # any sizes but 1 will do
    width = config.width // config.heads
    cache = [torch.zeros(B, config.heads, S, width) for _ in range(2 * config.layers)]
    ports = cache_ports(config.layers)
    before, after = [BEFORE + name for name in ports], [AFTER + name for name in ports]
    ids = torch.zeros(B, dtype=torch.int64)
    return {
        "t2s_prefill": GraphSource(
            T2SPrefill(t2s),
            (
                torch.zeros(1, N, dtype=torch.int64),
                torch.zeros(1, T, dtype=torch.int64),
                torch.zeros(1, N, config.bert_width),
            ),
            ["phones", "prompt", "bert"],
            ["logits", "keys", "values"],
            {"phones": (1,), "prompt": (1,), "bert": (1,), "keys": (3,), "values": (3,)},
        ),
        "t2s_step": GraphSource(
            T2SStep(t2s),
            (ids, ids, ids.int(), *cache),
            ["token", "position", "filled", *before],
            ["logits", *after],
            {
                **dict.fromkeys(("token", "position", "filled", "logits"), (0,)),
                **dict.fromkeys((*before, *after), (0, 2)),
            },
        ),
    }


def sentence_sources(sovits: Sovits) -> dict[str, GraphSource]:
    """The graphs that turn the tokens of a sentence into sound."""
    config = sovits.config
    N, T = 7, 11
    phones, tokens = (torch.zeros(1, size, dtype=torch.int64) for size in (N, T))
    style = torch.randn(1, config.style_width)
    with torch.no_grad():
        keys, values = SentenceText(sovits)(phones)
    return {
        "text_encoder": GraphSource(
            SentenceText(sovits),
            (phones,),
            ["phones"],
            ["keys", "values"],
            {"phones": (1,), "keys": (3,), "values": (2,)},
        ),
        "content_encoder": GraphSource(
            SentenceContent(sovits),
            (tokens, keys, values, style),
            ["tokens", "keys", "values", "style"],
            ["frames", "alignment"],
            {
                "tokens": (1,),
                "keys": (3,),
                "values": (2,),
                "frames": (1,),
                "alignment": (1, 2),
            },
        ),
        "decoder": GraphSource(
            WindowDecoder(sovits),
            (
                torch.randn(1, FRAMES_PER_TOKEN * T, config.width),
                torch.randn(1, config.latent, FRAMES_PER_TOKEN * T),
                style,
                torch.tensor([2, FRAMES_PER_TOKEN * T - 3]),
            ),
            ["frames", "noise", "style", "kept"],
            ["samples"],
            {"frames": (1,), "noise": (2,), "samples": (1,)},
        ),
    }


def reference_sources(sovits: Sovits) -> dict[str, GraphSource]:
    """The graphs that listen to a reference recording and come with every checkpoint."""
    config = sovits.config
    spectrum = torch.rand(1, config.spectrum_bins, 50)
    inputs: tuple[Tensor, ...] = (spectrum,)
    if config.speaker_width:
        inputs = (spectrum, torch.randn(1, config.speaker_width))
    return {
        "style": GraphSource(
            Style(sovits), inputs, ["spectrum", "speaker"][: len(inputs)], ["style"],
            {"spectrum": (2,)},
        ),
        "quantizer": GraphSource(
            Quantizer(sovits),
            (torch.randn(1, 50, config.ssl_width),),
            ["features"],
            ["tokens"],
            {"features": (1,), "tokens": (1,)},
        ),
    }  # fmt: skip
