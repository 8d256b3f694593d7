"""A voice is learnt by tiny modules, and speaks without torch as its modules say."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from selftalk.export import cli_clone
from selftalk.export.clone_check import Score
from selftalk.export.cloning import Base, Candidate, Cloner, Lengths, enrolled, split, work_name
from selftalk.export.nano import NanoModules
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.loop import Run
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.voice_task import PersonalVocoder
from selftalk.stream.bundle import Bundle
from selftalk.stream.errors import AudioFileError, BundleError
from selftalk.stream.graph_patch import GraphPatch
from selftalk.stream.nano_synthesizer import NanoSynthesizer
from selftalk.stream.studio.recording import Slice
from selftalk.stream.timbre import GRAPH as TIMBRE_GRAPH
from selftalk.stream.timbre import TIMBRE_SCALE
from selftalk.stream.voices import Voice, learnt_folder

TINY = NanoConfig(
    speaker=257, condition=8, text_width=16, text_blocks=1, text_layers=1, decoder_width=16,
    decoder_layers=2, vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=3,
    ahead_blocks=2, kernel=3,
)  # fmt: skip
BUNDLE = Path(__file__).parent.parent / "data" / "bundle_tiny"
RATE = 16_000
LENGTHS = Lengths(colour=2, sound=2, rhythm=2)


@pytest.fixture(scope="module")
def base():
    torch.manual_seed(0)
    modules = NanoModules(TINY, TextToTokens(TINY), NanoVocoder(TINY), Tokenizer(TINY, width=16))
    for module in (modules.text_to_tokens, modules.vocoder, modules.tokenizer):
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        module.eval()
    return Base(modules, Bundle.load(BUNDLE))


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


def embed(audio):
    return np.full(256, 1 / 16, np.float32)


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
    voice = enrolled("me", slices(), embed, {"receipt": "r"})
    return cloner.learn(voice, slices(), "en"), told, cloner


def test_candidates_go_from_most_to_nothing(learnt):
    candidates, told, _ = learnt
    assert [each.what for each in candidates[-3:]] == ["colour and sound", "colour", "nothing"]
    assert told[0] == (1, 6)
    assert told[3] == (4, 6)
    assert not candidates[-1].patches
    assert all(each.voice.about == {"receipt": "r"} for each in candidates)


def test_what_was_learnt_speaks_without_torch(learnt, base, tmp_path):
    sound = learnt[0][-3]
    assert sound.patches["vocoder"].result_sha256 != learnt[0][-2].patches["vocoder"].result_sha256
    path = cli_clone.keep(sound, {"before": Score(0.1, 0.5), "after": Score(0.1, 0.8)}, tmp_path)
    voice = Voice.load(path)
    assert voice.about["learnt"] == "colour and sound"
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
    again = cloner.learn(enrolled("me", slices(), embed, {}), slices(), "en")
    assert [each.what for each in again] == [each.what for each in candidates]


def test_the_place_of_a_person_is_kept_in_the_voice(base, tmp_path):
    graphs = {TIMBRE_GRAPH: None}
    bundle = SimpleNamespace(manifest=SimpleNamespace(graphs=graphs))
    cloner = Cloner(Base(base.modules, bundle), listen, tmp_path)
    model = PersonalVocoder(base.modules.vocoder, 128)
    with torch.no_grad():
        model.shift += TIMBRE_SCALE
    voice = Voice("me", np.full(256, 1 / 16, np.float32), 5.0)
    moved = cloner._coloured(voice, np.zeros(128, np.float32), model)
    np.testing.assert_allclose(moved.timbre, 1)


def test_too_little_speech_is_said(base, tmp_path):
    voice = enrolled("me", slices(2), embed, {})
    with pytest.raises(AudioFileError, match="too few"):
        Cloner(base, listen, tmp_path).learn(voice, slices(2), "en")


def test_other_recordings_are_another_run():
    voice = enrolled("me", slices(), embed, {})
    names = {work_name(voice, each, LENGTHS) for each in (slices(6), slices(5))}
    assert len(names) == 2


def test_every_seventh_is_held_out():
    train, valid = split(list("abcdefghijklmn"))
    assert valid == ["g", "n"]
    assert len(train) == 12
    assert split(["a", "b"]) == (["a"], ["b"])


def test_keeping_less_removes_what_was_kept(tmp_path):
    voice = Voice("me", np.full(256, 1 / 16, np.float32), 5.0)
    patch = GraphPatch.between(b"abc", b"abd")
    scores = {"before": Score(0, 0), "after": Score(0, 1)}
    full = Candidate("colour and sound", voice, {"vocoder": patch})
    path = cli_clone.keep(full, scores, tmp_path)
    assert list(Voice.load(path).patches) == ["vocoder"]
    cli_clone.keep(Candidate("nothing", voice), scores, tmp_path)
    assert not list(learnt_folder(path).glob("*.patch"))
    assert not Voice.load(path).patches


def test_missing_weights_are_named(base):
    with pytest.raises(BundleError, match="does not hold nano's weights"):
        cli_clone.load_base(base.bundle, Path("/nowhere"))
