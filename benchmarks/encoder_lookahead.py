"""Encoder look-ahead: what it costs an imported voice that tokens to come are not yet known.

    selftalk import tests/data/golden/s1.ckpt tests/data/golden/s2_v2.pth --name NAME
    python benchmarks/encoder_lookahead.py NAME [--tokens 100] [--sentences 2]

The encoder of GPT-SoVITS looks at all tokens of a sentence, in both directions. Here each frame is
taken from the encoding of what was known when it was spoken, then all are decoded at once: so the
error is the encoder's alone, in float32, the same tokens and noise. Rows are how far attention
looks: its weights are made to fall by a factor of e over so many frames of 20 ms, to see what a
trained voice that looks near would lose. Needs `selftalk[export]`.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import torch
from harness import publish
from torch import Tensor

from selftalk.export.sovits import sovits_of
from selftalk.export.voice_model import load_voice_model, models_folder
from selftalk.models import text_encoder
from selftalk.models.sovits import FRAMES_PER_TOKEN, Sovits
from selftalk.stream.home import data_folder
from selftalk.stream.sovits.synthesizer import FIRST_TOKENS, TWICE_AS_FAST
from selftalk.stream.sovits.vocoder import USEFUL_LOOKAHEAD_TOKENS
from selftalk.stream.synthesis.chunks import windows_of
from selftalk.stream.synthesis.schedule import solve

REACHES_FRAMES = (math.inf, 25, 10, 4)
LEAST_LOOKAHEAD = 4
PHONES = 40
NOISE_SCALE = 0.5
Spoken = list[tuple[int, int]]
"""For each chunk: tokens that are known, and tokens that are spoken by then."""
spread = text_encoder.distances_to_positions


def constant(tokens: int, lookahead: int) -> Spoken:
    """Chunks of 16 tokens; so many tokens after each spoken one are known."""
    ends = range(lookahead + 6, tokens, 16)
    return [(end, end - lookahead) for end in ends] + [(tokens, tokens)]


def planned(tokens: int, useful: int) -> Spoken:
    """As a machine that was not measured speaks, waiting for so many tokens where it can."""
    machine = replace(
        TWICE_AS_FAST, lookahead_tokens=LEAST_LOOKAHEAD, useful_lookahead_tokens=useful
    )
    known, spoken = 0, []
    for window in windows_of(iter(range(tokens)), solve(machine, FIRST_TOKENS).begin()):
        known += len(window.tokens)
        spoken.append((known, window.spoken_tokens))
    return spoken


def errors(sovits: Sovits, plans: dict[str, Spoken], tokens: int, seed: int) -> Iterator[Tensor]:
    """Energy of one random sentence at once, and of the error of each plan: (2,)."""
    random = torch.Generator().manual_seed(seed)
    config = sovits.config
    said = torch.randint(config.codebook, (1, tokens), generator=random)
    phones = torch.randint(1, 300, (1, PHONES), generator=random)
    style = torch.randn(1, config.style_width, generator=random)
    shape = (1, config.latent, FRAMES_PER_TOKEN * tokens)
    noise = NOISE_SCALE * torch.randn(shape, generator=random)
    whole = sovits.encode(said, phones, style)
    wave = sovits.decode_window(whole, noise, style)
    for plan in plans.values():
        frames, start = whole.clone(), 0
        for known, end in plan:
            piece = slice(FRAMES_PER_TOKEN * start, FRAMES_PER_TOKEN * end)
            frames[:, piece] = sovits.encode(said[:, :known], phones, style)[:, piece]
            start = end
        error = sovits.decode_window(frames, noise, style) - wave
        yield torch.stack([wave.square().sum(), error.square().sum()])


def near(reach_frames: float, spread_scores: Tensor) -> Tensor:
    """The scores of distances, lower for what is far."""
    place = torch.arange(spread_scores.shape[2])
    return spread(spread_scores) - (place[:, None] - place).abs() / reach_frames


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="name of an imported voice")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--sentences", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(save=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sovits = sovits_of(load_voice_model(models_folder(data_folder()) / options.model)).eval()
    plans = {f"{count} tokens": constant(options.tokens, count) for count in (4, 8, 16, 32)}
    for useful in (LEAST_LOOKAHEAD, USEFUL_LOOKAHEAD_TOKENS):
        plans[f"planned, {useful} at most"] = planned(options.tokens, useful)
    values = {}
    for reach in REACHES_FRAMES:
        shorter = mock.patch.object(
            text_encoder, "distances_to_positions", lambda scores, reach=reach: near(reach, scores)
        )
        with torch.no_grad(), shorter:
            sentences = [
                torch.stack(list(errors(sovits, plans, options.tokens, seed)))
                for seed in range(options.sentences)
            ]
        energies = torch.stack(sentences).sum(dim=0)
        told = 10 * torch.log10(energies[:, 0] / energies[:, 1])
        values[f"reach {reach} frames"] = {
            name: round(float(db), 1) for name, db in zip(plans, told, strict=True)
        }
    method = "dB of the wave against the whole sentence, by how much the encoder knows beyond"
    publish(options, "encoder look-ahead", method, {"model": options.model, **values})


if __name__ == "__main__":
    main()
