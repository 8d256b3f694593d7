"""A small training run that another process can start, and kill."""

from pathlib import Path

import numpy as np
import torch
from fakes_nano import TOKENS, hum

from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.vocoder_task import VocoderTask

TINY = NanoConfig(
    condition=8, vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=2,
    ahead_blocks=1, kernel=3,
)  # fmt: skip
SCHEDULE = Schedule(
    steps=300, learning_rate=1e-3, save_every_seconds=0.05, report_every_steps=1,
    validate_every_steps=5000,
)  # fmt: skip


def train(folder: Path) -> None:
    """Train to the end, from wherever the run in this folder stands."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    examples, tokens = [hum(0)], [np.arange(TOKENS)]
    model = NanoVocoder(TINY)
    task = VocoderTask(model, examples, tokens, examples, tokens, batch=1, crop_tokens=6)
    Run(task, SCHEDULE, folder, watch=lambda step, steps, figures: None).fit()
