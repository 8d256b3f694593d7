"""kill -9 while a voice is learnt, in either stage and between them, leaves no trace."""

import multiprocessing
import signal

import torch
from fakes_clone import learn

STEPS = 4
KILLED_AT = (2, 4, 7)  # in the sound, at its end, in the rhythm


def weights(work):
    """Every averaged weight of both stages."""
    return {
        (path.parent.name, name): value
        for path in sorted(work.rglob("last.pt"))
        for name, value in torch.load(path, weights_only=True)["average"].items()
    }


def test_a_killed_clone_ends_as_if_it_had_not_been(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fakes_clone"])
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for step in KILLED_AT:
        process = context.Process(target=learn, args=(killed, STEPS, step))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    for work in (whole, killed):
        process = context.Process(target=learn, args=(work, STEPS))
        process.start()
        process.join()
        assert process.exitcode == 0
    one, other = weights(whole), weights(killed)
    assert {stage for stage, _ in one} == {"sound", "rhythm"}
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
