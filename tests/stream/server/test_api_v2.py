import io
import json
import socket
import sys
import threading
import wave
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from fakes_http import (
    CHUNK_SAMPLES,
    VOICE_HZ,
    ToneSynthesizer,
    eventually,
    http,
    make_context,
    serving,
    voice_named,
)

from selftalk.stream.errors import BundleError, VoiceError
from selftalk.stream.server.api_v2_order import read_order
from selftalk.stream.server.app import build_api_v2_app
from selftalk.stream.server.shelf import Shelf, installed_bundles, named
from selftalk.stream.synthesis.sampling import SamplingConfig
from selftalk.stream.synthesis.synthesizer import SynthesisOptions

TEXT = "One two three four five. Six seven eight nine ten."
SECONDS = 10 * CHUNK_SAMPLES / VOICE_HZ
# As programs made for GPT-SoVITS send it: everything, numbers as text.
USUAL = {
    "text": TEXT, "text_lang": "en", "ref_audio_path": "me.wav", "prompt_lang": "en",
    "prompt_text": "What I said.", "text_split_method": "cut5", "batch_size": "1",
    "media_type": "wav", "streaming_mode": "false", "top_k": 15, "top_p": 1, "temperature": 1,
    "speed_factor": "1.0", "seed": -1, "parallel_infer": True, "repetition_penalty": 1.35,
}  # fmt: skip
JUNK = (
    "../me", "..\\me", "/etc/passwd", "C:\\Windows\\win.ini", "me/../../../etc/shadow",
    "%2e%2e%2fetc%2fpasswd", "file:///etc/passwd", "me\0.wav", "con", "me.wav.", "\\\\host\\share",
    "voices/.hidden", "." * 4000, "a" * 5000, "～", "me\n", "$(touch x)", "; touch x", "",
)  # fmt: skip


class OtherModel(ToneSynthesizer):
    def voice(self, name):
        if name != "default":
            raise VoiceError(f"unknown voice '{name}'; known: default")
        return "the voice of another model"


@pytest.fixture
def synthesizer():
    return ToneSynthesizer()


@pytest.fixture
def other(tmp_path):
    model = OtherModel()
    model.bundle.voices_folder = tmp_path
    (tmp_path / "default.voice").touch()
    return model


@pytest.fixture
def context(synthesizer, other, tmp_path):
    one = make_context(synthesizer)
    one.extra["bundles"] = lambda: {"iris": tmp_path, "broken": tmp_path / "no"}

    def open_bundle(folder):
        if folder != tmp_path:
            raise BundleError("bundle 'broken' is damaged")
        return other

    one.extra["open_bundle"] = open_bundle
    return one


@pytest.fixture
def url(context):
    with serving(build_api_v2_app(context)) as address:
        yield address


def get(url, path="/tts", **changes):
    return http.get(f"{url}{path}", params={**USUAL, **changes})


def post(url, **changes):
    return http.post(f"{url}/tts", json={**USUAL, **changes})


# --- /tts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [get, post])
def test_a_whole_wav_file_knows_its_length(url, ask):
    response = ask(url)
    assert response.headers["content-type"] == "audio/wav"
    assert int(response.headers["content-length"]) == len(response.content)
    with wave.open(io.BytesIO(response.content)) as file:
        assert file.getframerate() == 32_000
        assert file.getnframes() / 32_000 == pytest.approx(SECONDS, abs=0.001)


@pytest.mark.parametrize("ask", [get, post])
@pytest.mark.parametrize("mode", [1, 2, 3, "3", True, "true", "True"])
def test_every_streaming_mode_streams(url, synthesizer, ask, mode):
    synthesizer.seconds_per_chunk = 0.01
    response = ask(url, streaming_mode=mode)
    assert "content-length" not in response.headers
    assert len(response.content) == 44 + 2 * 32_000 * SECONDS
    assert response.content[:4] == b"RIFF"


@pytest.mark.parametrize("mode", [0, False, "false", "0"])
def test_no_streaming_mode_sends_it_whole(url, mode):
    assert "content-length" in post(url, streaming_mode=mode).headers


def test_sound_arrives_while_it_is_spoken(url, synthesizer):
    synthesizer.seconds_per_chunk = 0.02
    asked = {**USUAL, "text": "word " * 50, "streaming_mode": "true"}
    with http.stream("GET", f"{url}/tts", params=asked) as response:
        pieces = response.iter_bytes()
        next(pieces)
        assert synthesizer.steps < 40
        assert len(b"".join(pieces)) > 40 * CHUNK_SAMPLES


def test_a_look_at_the_headers_speaks_nothing(url, synthesizer):
    assert http.head(f"{url}/tts", params=USUAL).headers["content-type"] == "audio/wav"
    assert not synthesizer.calls


@pytest.mark.parametrize("streaming_mode", [0, 3])
@pytest.mark.parametrize("media_type", ["raw", "ogg", "flac", "mp3"])
def test_media_types(url, media_type, streaming_mode):
    response = post(url, media_type=media_type, streaming_mode=streaming_mode)
    assert response.headers["content-type"] == f"audio/{media_type}"
    if media_type == "raw":
        seconds = len(response.content) / 2 / 32_000
    else:
        samples, rate_hz = soundfile.read(io.BytesIO(response.content))
        assert rate_hz == 32_000
        seconds = len(samples) / rate_hz
    assert seconds == pytest.approx(SECONDS, abs=0.15)


def test_raw_sound_is_the_tone_at_32_khz(url):
    sound = np.frombuffer(post(url, media_type="raw").content, "<i2")[:3200]
    assert np.argmax(np.abs(np.fft.rfft(sound))) * 10 == pytest.approx(440, abs=10)


def test_parameters_reach_the_synthesizer(url, synthesizer):
    post(url, text_lang="all_zh", speed_factor=2, seed=5, temperature=0.7, top_k="7")
    _, voice, options = synthesizer.calls[0]
    assert voice.name == "me"
    assert (options.language, options.speed, options.seed) == ("zh", 2, 5)
    assert options.sampling == SamplingConfig(top_k=7, temperature=0.7)


def test_the_interval_is_silence_between_the_pieces(url):
    long = len(post(url, fragment_interval=0.5).content)
    usual = len(post(url, fragment_interval=0.3).content)
    assert long - usual == 2 * 2 * 16_000  # two sentences, two bytes a sample


def test_what_has_no_effect_is_said(url):
    response = post(url, batch_size=4, how_powerful="very", sample_steps=8)
    assert response.headers["x-selftalk-ignored"] == "batch_size, how_powerful, sample_steps"
    assert "x-selftalk-ignored" not in post(url).headers


@pytest.mark.parametrize("ask", [get, post])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": ""}, "text is required"),
        ({"text": None}, "text is required"),
        ({"text": "…"}, "nothing that can be spoken"),
        ({"text_lang": ""}, "text_lang is required"),
        ({"text_lang": "klingon"}, "auto_yue"),
        ({"text_lang": "ko"}, "does not speak 'ko'"),
        ({"prompt_lang": "fr"}, "prompt_lang"),
        ({"media_type": "aac"}, "use wav, raw, ogg"),
        ({"media_type": "midi"}, "supported: wav"),
        ({"text_split_method": "cut9"}, "cut0"),
        ({"streaming_mode": 4}, "0, 1, 2, 3"),
        ({"streaming_mode": "yes"}, "0, 1, 2, 3"),
        ({"speed_factor": 9}, "<= 2"),
        ({"top_k": "many"}, "top_k"),
        ({"seed": -2}, ">= -1"),
        ({"aux_ref_audio_paths": ["a.wav"]}, "one speaker"),
        ({"ref_audio_path": "nobody.wav"}, "known: default, friend, me"),
    ],
)
def test_wrong_parameters_are_answered_clearly(url, ask, changes, words):
    response = ask(url, **changes)
    assert response.status_code == 400
    told = response.json()
    assert words in told["message"] + told.get("Exception", "")


def test_limits(url):
    assert post(url, text="a" * 20_001).status_code == 400
    assert post(url, text="a" * 300_000).status_code == 413
    for body in (b"", b"[]", b"{", b'{"text": "\xff"}', b"[" * 100_000):
        assert http.post(f"{url}/tts", content=body).status_code == 400


@pytest.mark.parametrize("streaming_mode", [0, 3])
def test_a_client_that_leaves_ends_the_generation(url, synthesizer, context, streaming_mode):
    synthesizer.seconds_per_chunk = 0.01
    asked = {**USUAL, "text": "word " * 800, "streaming_mode": streaming_mode}
    content = json.dumps(asked).encode()
    head = b"POST /tts HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(content)
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as connection:
        connection.sendall(head + content)
        assert eventually(lambda: synthesizer.steps > 3)
        if streaming_mode:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert eventually(lambda: not synthesizer.running and context.admission.active == 0)
    assert synthesizer.steps < 400


# --- voices and models ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["me", "Me.WAV", "D:\\voices\\me.wav", "/srv/refs/me.flac"])
def test_a_voice_is_meant_by_the_name_at_the_end_of_a_path(url, synthesizer, path):
    assert post(url, ref_audio_path=path).status_code == 200
    assert synthesizer.calls[-1][1].name == "me"


@pytest.mark.parametrize("path", ["me:lively", "Me.WAV:lively", "D:\\voices\\me.wav:lively"])
def test_a_style_may_follow_the_name(url, context, path):
    asked = []
    context.voice_named = lambda name: asked.append(name) or voice_named("me")
    assert post(url, ref_audio_path=path).status_code == 200
    assert get(url, "/set_refer_audio", refer_audio_path=path).status_code == 200
    assert post(url, ref_audio_path="").headers["x-selftalk-voice"] == "me:lively"
    assert asked == ["me:lively"] * 2
    for wrong in ("me:angry", "nobody:lively", "../me:lively"):
        assert post(url, ref_audio_path=wrong).status_code == 400


def test_the_reference_chosen_before_counts_where_none_is_named(url, synthesizer):
    assert post(url, ref_audio_path="").headers["x-selftalk-voice"] == "default"
    assert get(url, "/set_refer_audio", refer_audio_path="friend.wav").json() == {
        "message": "success"
    }
    post(url, ref_audio_path="")
    assert [voice.name for _, voice, _ in synthesizer.calls[::2]] == ["default", "friend"]


def test_models_are_chosen_by_name(url, synthesizer, other):
    for path, weights in (
        ("/set_gpt_weights", "GPT_weights_v2/IRIS-e15.ckpt"),
        ("/set_sovits_weights", "SoVITS_weights_v2/iris_e8_s160.pth"),
    ):
        assert get(url, path, weights_path=weights).json() == {"message": "success"}
    response = post(url, ref_audio_path="default")
    assert response.headers["x-selftalk-model"] == "iris"
    assert (len(other.calls), len(synthesizer.calls)) == (2, 0)
    assert post(url, ref_audio_path="me").status_code == 400  # a voice of the first model only
    assert get(url, "/set_gpt_weights", weights_path="tone.ckpt").status_code == 200
    assert post(url, ref_audio_path="me").status_code == 200


@pytest.mark.parametrize(
    ("weights", "words"), [("nobody.ckpt", "known: broken, iris, tone"), ("broken", "damaged")]
)
def test_models_that_cannot_be_had(url, weights, words):
    response = get(url, "/set_gpt_weights", weights_path=weights)
    assert response.status_code == 400
    assert response.json()["message"] == "change gpt weight failed"
    assert words in response.json()["Exception"]
    assert post(url).status_code == 200  # the model before is still there


def test_nobody_ends_the_server_from_outside(url):
    for command in ("restart", "exit"):
        assert http.get(f"{url}/control", params={"command": command}).status_code == 403
        assert http.post(f"{url}/control", json={"command": command}).status_code == 403
    assert post(url).status_code == 200


def test_paths_open_nothing(url, opened):
    for path in JUNK:
        answers = (
            post(url, ref_audio_path=path or "nobody"),
            get(url, "/set_gpt_weights", weights_path=path),
            get(url, "/set_sovits_weights", weights_path=path),
            get(url, "/set_refer_audio", refer_audio_path=path),
        )
        assert {answer.status_code for answer in answers} == {400}, path
    assert not opened


@pytest.fixture
def opened(url):
    """What files are opened meanwhile, by any thread but that of the test."""
    post(url, ref_audio_path="me")  # what is imported late is imported now
    get(url, "/set_gpt_weights", weights_path="nobody")
    paths, watching, listening = [], threading.current_thread(), [True]

    def hear(event, arguments):
        if event == "open" and listening and threading.current_thread() is not watching:
            paths.append(arguments[0])

    sys.addaudithook(hear)  # there is no way to take it back, only to stop listening
    yield paths
    listening.clear()


def test_the_watch_over_files_sees_one(opened, tmp_path):
    thread = threading.Thread(target=(tmp_path / "seen").touch)
    thread.start()
    thread.join()
    assert opened == [str(tmp_path / "seen")]


# --- the parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("me", "me"), ("ME.wav", "me"), ("a/b/me.wav", "me"), ("me-e15.ckpt", "me"),
        ("me_e8_s200.pth", "me"), ("v2.1", "v2.1"), ("v2.1.wav", "v2.1"), ("../me", None),
        ("a\\..\\me.wav", None), ("me\n", None), ("", None), (".", None), ("you", None),
    ],
)  # fmt: skip
def test_names(reference, name):
    assert named(reference, ["me", "v2.1"]) == name


def test_defaults_of_gpt_sovits_are_no_wish():
    order = read_order(USUAL)
    usual = SynthesisOptions(sampling=SamplingConfig(temperature=0.6), speed=1.5)
    assert order.options(usual).sampling == usual.sampling
    assert order.pause_seconds == 0
    seeds = {order.options(usual).seed for _ in range(10)}
    assert len(seeds) == 10


def test_installed_bundles_are_folders_with_a_manifest(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    for place in ("bundles/a", "bundles/unfinished"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "bundles/a/bundle.json").touch()
    assert installed_bundles() == {"a": tmp_path / "bundles/a"}


def test_a_model_is_opened_once():
    opened = []

    def open_bundle(folder):
        opened.append(folder)
        return OtherModel()

    shelf = Shelf(ToneSynthesizer(), lambda: {"iris": "folder"}, open_bundle)
    for name in ("iris", "iris.pth", "tone", "tone"):
        shelf.choose(name)
    assert opened == ["folder"]
    assert shelf.is_own
