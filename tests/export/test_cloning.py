"""A voice is learnt by tiny modules, and speaks without torch as its modules say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes_clone import enrolled, listen, slices, tiny_base
from msgspec import structs

from selftalk.export import cli_clone
from selftalk.export.clone_check import Score
from selftalk.export.cloning import Candidate, Cloner, Lengths, split, work_name
from selftalk.models.training.loop import Run
from selftalk.stream.errors import AudioFileError, BundleError
from selftalk.stream.graphs.graph_patch import GraphPatch
from selftalk.stream.listening.wer import ErrorRate
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.synthesis.voices import Voice, learnt_folder

LENGTHS = Lengths(sound=2, rhythm=2)
ERRORS = [ErrorRate(1, 0, 0, 10)]


@pytest.fixture(scope="module")
def base():
    return tiny_base()


@pytest.fixture(scope="module")
def learnt(base, tmp_path_factory):
    told = []
    cloner = Cloner(
        base,
        listen,
        tmp_path_factory.mktemp("work"),
        LENGTHS,
        watch=lambda step, steps, _: told.append((step, steps)),
    )
    return cloner.learn(enrolled(), slices(), "en"), told, cloner


def test_candidates_go_from_most_to_nothing(learnt):
    candidates, told, _ = learnt
    assert [each.what for each in candidates[-4:]] == [
        "sound",
        "three quarters of the sound",
        "half of the sound",
        "nothing",
    ]
    assert told[0] == (1, 4)
    assert told[1] == (2, 4)
    assert not candidates[-1].patches
    assert all(each.voice.about == {"receipt": "r"} for each in candidates)


def test_what_was_learnt_speaks_without_torch(learnt, base, tmp_path):
    sound = learnt[0][-4]
    assert sound.patches["vocoder"].result_sha256 != learnt[0][-3].patches["vocoder"].result_sha256
    path = cli_clone.keep(
        sound, {"before": Score({"en": ERRORS}, 0.5), "after": Score({"en": ERRORS}, 0.8)}, tmp_path
    )
    voice = Voice.load(path)
    assert voice.about["learnt"] == "sound"
    synthesizer = NanoSynthesizer(base.bundle)
    spoken = synthesizer.synthesize("Hello there.", voice).samples
    unlearnt = synthesizer.synthesize("Hello there.", replace(voice, patches={})).samples
    assert len(spoken) == len(unlearnt)
    assert not np.allclose(spoken, unlearnt)
    assert '"similarity": 0.8' in (learnt_folder(path) / "clone.json").read_text()


def test_a_run_that_was_killed_goes_on(learnt, monkeypatch):
    """Finished stages are not trained again; within a stage the loop's own test shows it."""
    candidates, _, cloner = learnt
    monkeypatch.setattr(Run, "_one_step", lambda run: pytest.fail("trained again"))
    monkeypatch.setattr(Cloner, "_patches", lambda *_: {})
    again = cloner.learn(enrolled(), slices(), "en")
    assert [each.what for each in again] == [each.what for each in candidates]


def test_too_little_speech_is_said(base, tmp_path):
    with pytest.raises(AudioFileError, match="too few"):
        Cloner(base, listen, tmp_path).learn(enrolled(), slices(2), "en")


def test_other_recordings_and_models_are_other_runs(base):
    other = replace(base.bundle, manifest=structs.replace(base.bundle.manifest, graphs={}))
    names = {
        work_name(enrolled(), learnt, LENGTHS, bundle)
        for learnt in (slices(6), slices(5))
        for bundle in (base.bundle, other)
    }
    assert len(names) == 4


def test_every_seventh_is_held_out():
    train, valid = split(list("abcdefghijklmn"))
    assert valid == ["g", "n"]
    assert len(train) == 12
    assert split(["a", "b"]) == (["a"], ["b"])


def test_keeping_less_removes_what_was_kept(tmp_path):
    voice = Voice("me", np.full(256, 1 / 16, np.float32), 5.0)
    patch = GraphPatch.between(b"abc", b"abd")
    scores = {"before": Score({}, 0), "after": Score({}, 1)}
    full = Candidate("sound", voice, lambda: {"vocoder": patch})
    path = cli_clone.keep(full, scores, tmp_path)
    assert list(Voice.load(path).patches) == ["vocoder"]
    cli_clone.keep(Candidate("nothing", voice), scores, tmp_path)
    assert not list(learnt_folder(path).glob("*.patch"))
    assert not Voice.load(path).patches


def test_missing_weights_are_named(base):
    with pytest.raises(BundleError, match="does not hold nano's weights"):
        cli_clone.load_base(base.bundle, Path("/nowhere"))
