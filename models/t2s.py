"""Text2Semantic: phones and a voice prompt → semantic tokens, one after another.

What is notable:
- One decoder-only transformer over [text; audio]. Text sees its whole block in both directions,
  audio sees text and the audio before it; text and audio count their positions separately.
- `prefill` reads a text and the audio tokens that already exist, `step` adds one token. All they
  know of the past is `T2SState`, a value: a cloned voice can be a saved state.
- mask "full" (official weights): prompt text and new text are one block, so every sentence needs
  one prefill over everything. mask "prefix": utterances follow each other, each sees those before
  it, so the state after the voice prompt serves every sentence.

Knows nothing about sampling, stopping, or how phones and tokens are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.attention import KVCache, SelfAttention, SinePositions


@dataclass(frozen=True, slots=True)
class T2SConfig:
    """Sizes and conventions; every variant is one of these."""

    phones: int
    """Rows of the phone table."""
    tokens: int
    """Semantic codes and, as the last one, the end token."""
    width: int
    layers: int
    heads: int
    feed_forward: int
    bert_width: int = 1024
    """Width of the optional text features beside each phone; 0 for a model without."""
    norm: Literal["post", "pre"] = "post"
    mask: Literal["full", "prefix"] = "full"
    positions: int = 4000
    dropout: float = 0.0

    @property
    def end_token(self) -> int:
        """The token that ends an utterance."""
        return self.tokens - 1


class T2SState(NamedTuple):
    """Everything that was read and said so far."""

    layers: tuple[KVCache, ...]
    length: Tensor  # (B,) int64: slots filled, text and audio together
    audio_length: Tensor  # (B,) int64: of these audio; the next token has this audio position


class Utterance(NamedTuple):
    """A text and its speech, padded at the end; for training."""

    phones: Tensor  # (B, N) int64
    phone_lengths: Tensor  # (B,)
    tokens: Tensor  # (B, T) int64
    token_lengths: Tensor  # (B,)
    bert: Tensor | None = None  # (B, N, bert_width)


class T2SLayer(nn.Module):
    """Attention and feed-forward with residual connections."""

    def __init__(self, config: T2SConfig) -> None:
        super().__init__()
        self.pre_norm = config.norm == "pre"
        self.attention = SelfAttention(config.width, config.heads)
        self.attention_norm = nn.LayerNorm(config.width)
        self.expand = nn.Linear(config.width, config.feed_forward)
        self.contract = nn.Linear(config.feed_forward, config.width)
        self.feed_norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, mask: Tensor, cache: KVCache | None, start: Tensor | None
    ) -> tuple[Tensor, KVCache]:
        """(B, T, D) → (B, T, D); see `SelfAttention`."""
        if self.pre_norm:
            y, cache = self.attention(self.attention_norm(x), mask, cache, start)
            x = x + self.dropout(y)
            return x + self._feed(self.feed_norm(x)), cache
        y, cache = self.attention(x, mask, cache, start)
        x = self.attention_norm(x + self.dropout(y))
        return self.feed_norm(x + self._feed(x)), cache

    def _feed(self, x: Tensor) -> Tensor:
        return self.dropout(self.contract(self.dropout(F.relu(self.expand(x)))))


class Text2Semantic(nn.Module):
    """The transformer with its tables and its output layer."""

    def __init__(self, config: T2SConfig) -> None:
        super().__init__()
        self.config = config
        self.phones = nn.Embedding(config.phones, config.width)
        self.tokens = nn.Embedding(config.tokens, config.width)
        self.bert = nn.Linear(config.bert_width, config.width) if config.bert_width else None
        self.text_positions = SinePositions(config.positions, config.width)
        self.audio_positions = SinePositions(config.positions, config.width)
        self.layers = nn.ModuleList(T2SLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width) if config.norm == "pre" else nn.Identity()
        self.head = nn.Linear(config.width, config.tokens, bias=False)

    def prefill(
        self,
        phones: Tensor,
        tokens: Tensor,
        bert: Tensor | None = None,
        state: T2SState | None = None,
    ) -> tuple[Tensor, T2SState]:
        """Read a text and the beginning of its speech.

        Args:
            phones: (B, N); with mask "full" those of the prompt and of the new text.
            tokens: (B, T) of the prompt; T may be 0.
            bert: (B, N, bert_width); without it all zeros.
            state: what came before (only with mask "prefix"), with N + T slots to spare.

        Returns:
            Logits of the next token (B, V), and the state. A state that begins here has just as
            many slots as positions; `with_slots` makes room for `step`.
        """
        assert state is None or self.config.mask == "prefix", "mask 'full' reads all text at once"
        N, T = phones.shape[1], tokens.shape[1]
        before = state or empty_state(phones)
        x = torch.cat(
            [
                self.embed_text(phones, bert, before.length - before.audio_length),
                self.embed_audio(tokens, before.audio_length),
            ],
            dim=1,
        )
        row = torch.arange(N + T, device=x.device)
        visible = before.length[:, None] + (row + 1).clamp(min=N)  # (B, N + T): slots a row sees
        hidden, caches = self._transform(x, visible, state)
        after = T2SState(caches, before.length + (N + T), before.audio_length + T)
        return self.head(hidden[:, -1]), after

    def step(self, token: Tensor, state: T2SState) -> tuple[Tensor, T2SState]:
        """Say one more token (B,): logits of the next one (B, V), and the state."""
        x = self.embed_audio(token[:, None], state.audio_length)
        hidden, caches = self._transform(x, state.length[:, None] + 1, state)
        after = T2SState(caches, state.length + 1, state.audio_length + 1)
        return self.head(hidden[:, 0]), after

    def forward(self, utterances: Sequence[Utterance]) -> Tensor:
        """Score every token of the last utterance: for training.

        Args:
            utterances: one with mask "full"; with "prefix" those before the last are context.

        Returns:
            Logits (B, T + 1, V): for each token of the last utterance and for the one after.
        """
        assert len(utterances) == 1 or self.config.mask == "prefix", "one utterance at a time"
        hidden = self.hidden(utterances)
        last = utterances[-1]
        B, T = last.tokens.shape
        block = hidden[:, -(last.phones.shape[1] + T) :]
        # The first token follows the last phone that is not padding.
        first = block[torch.arange(B, device=hidden.device), last.phone_lengths - 1]
        return self.head(torch.cat([first[:, None], block[:, block.shape[1] - T :]], dim=1))

    def hidden(self, utterances: Sequence[Utterance]) -> Tensor:
        """Transform all positions of all utterances, text before audio each: (B, sum, D)."""
        text_start = torch.zeros_like(utterances[0].phone_lengths)
        audio_start = torch.zeros_like(text_start)
        pieces = []
        for utterance in utterances:
            pieces.append(self.embed_text(utterance.phones, utterance.bert, text_start))
            pieces.append(self.embed_audio(utterance.tokens, audio_start))
            text_start = text_start + utterance.phone_lengths
            audio_start = audio_start + utterance.token_lengths
        x = torch.cat(pieces, dim=1)
        mask = utterance_mask(utterances)
        for layer in self.layers:
            x, _ = layer(x, mask, None, None)
        return self.norm(x)

    def embed_text(self, phones: Tensor, bert: Tensor | None, start: Tensor) -> Tensor:
        """Phones (B, N) from text position start (B,) on → (B, N, D)."""
        x = self.phones(phones)
        if self.bert is not None:
            x = x + (self.bert.bias if bert is None else self.bert(bert))
        return self.text_positions(x, _from(start, phones.shape[1]))

    def embed_audio(self, tokens: Tensor, start: Tensor) -> Tensor:
        """Tokens (B, T) from audio position start (B,) on → (B, T, D)."""
        return self.audio_positions(self.tokens(tokens), _from(start, tokens.shape[1]))

    def _transform(
        self, x: Tensor, visible: Tensor, state: T2SState | None
    ) -> tuple[Tensor, tuple[KVCache, ...]]:
        """Run the layers; row t of x (B, T, D) sees the first visible (B, T) slots."""
        slots = x.shape[1] if state is None else state.layers[0].keys.shape[2]
        mask = (torch.arange(slots, device=x.device) < visible[:, :, None])[:, None]  # (B, 1, T, S)
        caches = []
        for index, layer in enumerate(self.layers):
            before = None if state is None else state.layers[index]
            x, cache = layer(x, mask, before, None if state is None else state.length)
            caches.append(cache)
        return self.norm(x), tuple(caches)


def _from(start: Tensor, count: int) -> Tensor:
    """Positions (B, count) from start (B,) on."""
    return start[:, None] + torch.arange(count, device=start.device)


def empty_state(like: Tensor) -> T2SState:
    """The state before anything was read, for the batch of `like` (B, ...)."""
    zero = torch.zeros(len(like), dtype=torch.int64, device=like.device)
    return T2SState((), zero, zero)


def with_slots(state: T2SState, slots: int) -> T2SState:
    """Give every cache `slots` slots; what is new is zero."""
    spare = slots - state.layers[0].keys.shape[2]
    assert spare >= 0, (slots, state.layers[0].keys.shape)
    grown = (KVCache(*(F.pad(part, (0, 0, 0, spare)) for part in layer)) for layer in state.layers)
    return state._replace(layers=tuple(grown))


def stack_states(states: Sequence[T2SState]) -> T2SState:
    """Join states with equally many slots into one batch, to step them together."""
    layers = zip(*(state.layers for state in states), strict=True)
    return T2SState(
        tuple(
            KVCache(torch.cat([c.keys for c in caches]), torch.cat([c.values for c in caches]))
            for caches in layers
        ),
        torch.cat([state.length for state in states]),
        torch.cat([state.audio_length for state in states]),
    )


def utterance_mask(utterances: Sequence[Utterance]) -> Tensor:
    """Which position sees which: (B, 1, T, T), True where it may.

    A text block sees itself and all blocks before it, an audio block itself up to each position and
    all blocks before it. Nothing sees padding.
    """
    blocks: list[Tensor] = []
    text: list[Tensor] = []
    valid: list[Tensor] = []
    for utterance in utterances:
        for ids, lengths in (
            (utterance.phones, utterance.phone_lengths),
            (utterance.tokens, utterance.token_lengths),
        ):
            here = torch.arange(ids.shape[1], device=ids.device)
            blocks.append(torch.full_like(here, len(blocks)))
            text.append(torch.full_like(here, ids is utterance.phones, dtype=torch.bool))
            valid.append(here < lengths[:, None])
    block, is_text, is_valid = torch.cat(blocks), torch.cat(text), torch.cat(valid, dim=1)
    row = torch.arange(len(block), device=block.device)
    earlier = block < block[:, None]
    same = (block == block[:, None]) & (is_text[:, None] | (row <= row[:, None]))
    return ((earlier | same) & is_valid[:, None])[:, None]
