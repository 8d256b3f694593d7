"""kill -9 at twenty random moments leaves no trace: same weights, same loss of every step."""

import csv
import multiprocessing
import random
import signal
import time
from pathlib import Path

import torch
from fakes_run import SCHEDULE, train

KILLS = 20


def saved(folder: Path) -> dict:
    return torch.load(folder / "last.pt", weights_only=True)


def steps_done(folder: Path) -> int:
    """The last step that was reported, killed runs included."""
    log = folder / "train.csv"
    return max(losses(folder), default=0) if log.exists() else 0


def losses(folder: Path) -> dict[int, set[str]]:
    """What each step has ever reported as its loss."""
    told: dict[int, set[str]] = {}
    with (folder / "train.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            told.setdefault(int(row["step"]), set()).add(row["mel"])
    return told


def test_twenty_kills_leave_no_trace(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fakes_run"])
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(whole)
    for step in sorted(random.Random(7).sample(range(SCHEDULE.steps * 9 // 10), KILLS)):
        process = context.Process(target=train, args=(killed,))
        process.start()
        while process.is_alive() and steps_done(killed) < step:
            time.sleep(0.003)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    train(killed)
    one, other = saved(whole), saved(killed)
    assert one["step"] == other["step"] == SCHEDULE.steps
    for part in ("model", "average"):
        for name, value in one[part].items():
            assert torch.equal(value, other[part][name]), name
    straight = losses(whole)
    assert {step: {*told} for step, told in losses(killed).items()} == straight
