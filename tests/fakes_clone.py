"""A tiny nano, and a person who hums, for whom it can be learnt in seconds."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from selftalk.export import cloning
from selftalk.export.cloning import Base, Cloner, Lengths
from selftalk.export.nano import NanoModules
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training import person
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.stream.studio.recording import Slice
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.voices import Voice

TINY = NanoConfig(
    speaker=257, condition=8, text_width=16, text_blocks=1, text_layers=1, decoder_width=16,
    decoder_layers=2, vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=3,
    ahead_blocks=2, kernel=3,
)  # fmt: skip
BUNDLE = Path(__file__).parent / "data" / "bundle_tiny"
RATE = 16_000

cloning.SAID_LINES = 1  # to say more of them takes longer than to learn


class TinyBundle(Bundle):
    """With the real speaker encoder, which the tiny one lacks."""

    def graph_path(self, name):
        return default_bundle().graph_path(name) if name == "speaker" else super().graph_path(name)


def tiny_base():
    torch.manual_seed(0)
    modules = NanoModules(TINY, TextToTokens(TINY), NanoVocoder(TINY), Tokenizer(TINY, width=16))
    for module in (modules.text_to_tokens, modules.vocoder, modules.tokenizer):
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        module.eval()
    tiny = Bundle.load(BUNDLE)
    return Base(modules, TinyBundle(tiny.folder, tiny.manifest))


def slices(count=6, seconds=3.0):
    time = np.arange(int(seconds * RATE)) / RATE
    return [
        Slice(
            (0.2 * np.sin(2 * np.pi * (120 + 5 * index) * time)).astype(np.float32),
            RATE,
            text="Hello.",
        )
        for index in range(count)
    ]


def listen(samples):
    frames = -(-len(samples) // 320)
    return np.random.default_rng(len(samples)).standard_normal((frames, 512)).astype(np.float16)


def enrolled(receipt="r"):
    return Voice("me", np.full(256, 1 / 16, np.float32), float(np.log(130)), {"receipt": receipt})


def learn(work, steps, killed_at=0):
    """Learn sound and rhythm, from wherever it was stopped; dies at a step, if asked to."""

    def watch(step, _steps, _figures):
        if step == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    person.LEAST_CONFIDENCE = -100.0  # a hum has no words, yet its rhythm is to be learnt
    for name in ("SOUND_SCHEDULE", "RHYTHM_SCHEDULE"):  # a checkpoint after every step
        setattr(cloning, name, replace(getattr(cloning, name), save_every_seconds=0.0))
    cloner = Cloner(tiny_base(), listen, work, Lengths(steps, steps), watch)
    return [each.what for each in cloner.learn(enrolled(), slices(7, 5.0), "en")]
