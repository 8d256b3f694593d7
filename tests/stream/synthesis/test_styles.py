"""A voice in a style: by name wherever voices are named, as recorded or else by rule."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream.errors import ConsentError, VoiceError
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.styles import BY_RULE, FASTEST, Shade, split_name
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.synthesis.voices import Voice, find_voice, voices_folder

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"


def direction(seed):
    vector = np.random.default_rng(seed).standard_normal(256).astype(np.float32)
    return vector / np.linalg.norm(vector)


LIVELY = (direction(0) + 0.5 * direction(1)) / np.linalg.norm(direction(0) + 0.5 * direction(1))
ME = Voice("me", direction(0), 5.0, shades={"lively": Shade(LIVELY, 5.2, 1.1)})


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    voices_folder().mkdir(parents=True)


def kept(voice):
    voice.save(voices_folder() / f"{voice.name}.voice")
    return voice


def test_a_style_follows_the_name():
    assert split_name("me") == ("me", "neutral")
    assert split_name("me:tired") == ("me", "tired")


@pytest.mark.parametrize("name", ["me:", "me:angry", "me:lively:tired"])
def test_an_unknown_style_is_told(name):
    with pytest.raises(VoiceError, match="unknown style; known: neutral, lively, tired"):
        find_voice(name, TINY)


def test_a_recorded_style_is_kept_in_the_file(tmp_path):
    kept(agreed(ME))
    usual, lively = find_voice("me", TINY), find_voice("me:lively", TINY)
    assert (usual.name, lively.name) == ("me", "me")
    assert (usual.mean_log_pitch, usual.tempo) == (5.0, 1.0)
    np.testing.assert_array_equal(lively.speaker, LIVELY)
    assert lively.mean_log_pitch == pytest.approx(5.2)
    assert lively.tempo == pytest.approx(1.1)


def test_a_style_that_was_never_shown_follows_the_rule():
    kept(agreed(ME))
    tired, usual = find_voice("me:tired", TINY), find_voice("me:neutral", TINY)
    semitones, tempo = BY_RULE["tired"]
    assert 12 * (tired.mean_log_pitch - usual.mean_log_pitch) / np.log(2) == pytest.approx(
        semitones, abs=1e-4
    )
    assert tired.tempo == tempo
    np.testing.assert_array_equal(tired.speaker, usual.speaker)


def test_what_was_learnt_stays():
    learnt = replace(ME, timbre=np.ones(128, np.float32), patches={"vocoder": Path("x")})
    lively = learnt.in_style("lively")
    assert lively.timbre is learnt.timbre
    assert lively.patches == learnt.patches


def test_no_tempo_is_believed_that_a_few_slices_make_up():
    assert Shade(LIVELY, 5.0, 3.0).tempo == FASTEST


def test_a_style_cannot_bring_in_another_person():
    stranger = replace(ME, shades={"lively": Shade(direction(9), 5.0)})
    kept(agreed(stranger))
    assert find_voice("me", TINY).name == "me"
    with pytest.raises(ConsentError, match="that of another speaker"):
        find_voice("me:lively", TINY)


def test_nano_speaks_in_the_style():
    """The style changes what the networks are told, and how long the words last."""
    kept(agreed(ME))
    synthesizer = open_synthesizer(Bundle.load(TINY))
    voices = {style: synthesizer.voice(f"me:{style}") for style in ("neutral", "lively", "tired")}
    space = SpeakerSpace(synthesizer.bundle)
    pitches = {style: space.speaker(voice).vector[-1] for style, voice in voices.items()}
    assert pitches["tired"] < pitches["neutral"] < pitches["lively"]
    seconds = {
        style: synthesizer.synthesize("Good morning to everybody.", voice).duration_seconds
        for style, voice in voices.items()
    }
    assert seconds["lively"] < seconds["neutral"] < seconds["tired"]


def test_one_style_follows_another_from_the_usual_voice():
    lively = replace(ME, shades={}).in_style("lively")
    tired = lively.in_style("tired")
    assert tired.mean_log_pitch == pytest.approx(ME.mean_log_pitch - 1.5 * np.log(2) / 12)
    assert lively.in_style("neutral").mean_log_pitch == ME.mean_log_pitch
