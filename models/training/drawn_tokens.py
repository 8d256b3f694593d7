"""Drawn tokens: what the token decoder would say, in place of what the teacher was heard to say.

A vocoder that has only ever met the tokenizer's reading of real speech believes every token. Those
it gets in use are drawn one after another and err; one that has met them too learns where to
trust the text instead.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from selftalk.models.training.examples import Example
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.vocoder_task import padded
from selftalk.stream.nano.alignment import Int64Array
from selftalk.stream.nano.semantic import DEFAULT_SAMPLING

BATCH = 32


@torch.no_grad()
def draw_tokens(model: TextToTokens, examples: Sequence[Example], seed: int) -> list[Int64Array]:
    """Tokens (T,) for every example, with the teacher's durations, sampled as in use."""
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    drawn: dict[int, Int64Array] = {}
    by_length = sorted(range(len(examples)), key=lambda index: examples[index].tokens)
    for first in range(0, len(by_length), BATCH):
        indices = by_length[first : first + BATCH]
        together = [examples[index] for index in indices]
        tokens = torch.stack(list(_tokens(model, together, generator)), dim=1).numpy()
        for row, index in enumerate(indices):
            drawn[index] = tokens[row, : examples[index].tokens]
    return [drawn[index] for index in range(len(examples))]


def _tokens(
    model: TextToTokens, examples: Sequence[Example], generator: torch.Generator
) -> Iterator[Tensor]:
    """The next token of each example (B,), as many times as the longest has tokens."""
    symbols, mask, speaker, token_symbol, place = _collate(examples)
    context, _ = model.encoder(symbols, speaker, mask)
    said = context.gather(1, token_symbol[..., None].expand(-1, -1, context.shape[-1]))
    decoder = model.decoder
    state = decoder.initial_state(len(examples))
    previous = torch.full((len(examples), 1), decoder.start)
    for index in range(token_symbol.shape[1]):
        now = slice(index, index + 1)
        logits, state = decoder(previous, said[:, now], place[:, now], state)
        previous = _sampled(logits[:, 0], generator)
        yield previous[:, 0]


def _sampled(logits: Tensor, generator: torch.Generator) -> Tensor:
    """One token of each row (B, V): (B, 1), by the rule that synthesis has."""
    best, codes = logits.topk(DEFAULT_SAMPLING.top_k, dim=-1)
    chances = torch.softmax(best / DEFAULT_SAMPLING.temperature, dim=-1)
    return codes.gather(1, torch.multinomial(chances, 1, generator=generator))


def _collate(examples: Sequence[Example]) -> tuple[Tensor, ...]:
    symbols = max(len(example.symbols) for example in examples)
    length = max(example.tokens for example in examples)
    rows = [
        (
            padded(example.symbols, symbols),
            padded(np.ones(len(example.symbols), bool), symbols),
            example.speaker,
            padded(example.alignment.token_symbol, length),
            padded(example.alignment.token_place, length),
        )
        for example in examples
    ]
    return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))
