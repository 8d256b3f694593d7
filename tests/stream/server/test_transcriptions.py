import contextlib
import io
import json
import struct

import httpx
import numpy as np
import openai
import pytest
import soundfile
from fakes_http import ToneSynthesizer, eventually, http, make_context, noise, serving

from selftalk.stream.server.app import build_app
from selftalk.stream.server.encoder import WavFileEncoder
from selftalk.stream.thread_stream import live_generations

SAID = "1.5 seconds 0.8 seconds"


def wav_file(samples, rate_hz):
    encoder = WavFileEncoder(rate_hz, rate_hz)
    return encoder.push(samples) + encoder.flush()


@pytest.fixture(scope="module")
def recording():
    return wav_file(noise(-1.0, 1.5, -2.0, 0.8, -1.0), 16_000)


@pytest.fixture(scope="module")
def context():
    return make_context(ToneSynthesizer(), max_body_bytes=1 << 20)


@pytest.fixture(scope="module")
def url(context):
    with serving(build_app(context)) as address:
        yield address


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as one:
        yield one


def post(url, sound, **fields):
    return http.post(
        f"{url}/v1/audio/transcriptions",
        files={"file": ("speech.wav", sound)},
        data={"model": "m", **fields},
    )


# --- the openai package, as its users call it ----------------------------------------------------


def test_openai_client_reads_the_text(client, recording):
    heard = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", recording))
    assert heard.text == SAID
    assert heard.usage.type == "duration"
    assert heard.usage.seconds == pytest.approx(6.3, abs=0.01)


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3"])
def test_openai_client_sends_files_of_many_kinds(client, kind, tmp_path):
    path = tmp_path / f"speech.{kind}"
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(1.5 * 44_100) / 44_100)
    soundfile.write(path, np.pad(tone, 44_100), 44_100)
    with path.open("rb") as file:
        text = client.audio.transcriptions.create(
            model="whisper-1", file=file, language="en", response_format="text"
        )
    assert float(text.split()[0]) == pytest.approx(1.5, abs=0.11)


def test_openai_client_reads_segments(client, recording):
    heard = client.audio.transcriptions.create(
        model="m",
        file=("a.wav", recording),
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )
    assert (heard.language, heard.duration) == ("en", pytest.approx(6.3, abs=0.01))
    assert [segment.text for segment in heard.segments] == ["1.5 seconds", "0.8 seconds"]
    first = heard.segments[0]
    assert first.start == pytest.approx(1.0, abs=0.5)
    assert first.end == pytest.approx(2.5, abs=0.2)
    assert first.avg_logprob == pytest.approx(-0.105, abs=0.001)  # log 0.9


def test_openai_client_reads_events(client, recording):
    events = list(
        client.audio.transcriptions.create(model="m", file=("a.wav", recording), stream=True)
    )
    assert [event.type for event in events] == [
        "transcript.text.delta",
        "transcript.text.delta",
        "transcript.text.done",
    ]
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == SAID


# --- formats -------------------------------------------------------------------------------------


def test_subtitles(url, recording):
    srt = post(url, recording, response_format="srt").text
    vtt = post(url, recording, response_format="vtt").text
    number, times, text = srt.split("\n")[:3]
    assert (number, text) == ("1", "1.5 seconds")
    assert times.startswith("00:00:00,") or times.startswith("00:00:01,")
    assert vtt == "WEBVTT\n\n" + "".join(
        "\n".join(block.split("\n")[1:]).replace(",", ".") + "\n\n"
        for block in srt.split("\n\n")
        if block
    )


def test_silence_is_an_empty_text(url):
    response = post(url, wav_file(noise(-2.0), 16_000))
    assert response.json()["text"] == ""


def test_a_language_is_told_to_the_recogniser(url, recording):
    response = post(url, recording, language="zh-CN", response_format="verbose_json")
    assert response.json()["language"] == "zh"


def test_what_has_no_effect_is_said(url, recording):
    response = post(url, recording, prompt="names", temperature="0")
    assert response.headers["x-selftalk-ignored"] == "prompt, temperature"


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "diarized_json"}, "response_format"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities"),
        ({"language": "klingon"}, "language"),
        ({"language": "fr"}, "language"),
    ],
)
def test_wrong_fields_are_named(url, recording, fields, param):
    response = post(url, recording, **fields)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def header(rate_hz, channels=1, sound_bytes=64_000):
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, 2 * rate_hz, 2 * channels, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + sound_bytes) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", sound_bytes) + bytes(sound_bytes)
    )  # fmt: skip


def endless_flac():
    """Hours of silence in a few kilobytes."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 8000, 1, format="FLAC") as file:
        for _ in range(130):
            file.write(noise(-60.0, rate_hz=8000))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (b"", "empty"),
        (b"not audio at all", "not readable audio"),
        (header(1), "usual sample rates"),
        (header(191_999), "usual sample rates"),
        (header(16_000, channels=64), "channels"),
        (endless_flac(), "longer than 2 h"),
        (b"\x1aE\xdf\xa3" + bytes(100), "WAV, FLAC, OGG and MP3"),
    ],
    ids=["empty", "noise", "1 Hz", "odd rate", "many channels", "hours", "webm"],
)
def test_sounds_that_cost_too_much_are_refused(url, sound, words):
    response = post(url, sound)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


def test_a_form_without_a_file_and_no_form_at_all(url):
    form = http.post(f"{url}/v1/audio/transcriptions", data={"model": "m"})
    assert form.json()["error"]["param"] == "file"
    body = http.post(f"{url}/v1/audio/transcriptions", json={"model": "m"})
    broken = http.post(
        f"{url}/v1/audio/transcriptions",
        content=b"--x\r\nnonsense",
        headers={"content-type": "multipart/form-data"},
    )
    for response in (form, body, broken):
        assert response.status_code == 400
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_large_files_many_fields_and_large_fields_are_refused(url, recording):
    with contextlib.suppress(httpx.TransportError):  # who is still sending may miss the answer
        assert post(url, bytes(2 << 20)).status_code == 413
    assert post(url, recording, **{f"x{n}": "y" for n in range(40)}).status_code == 400
    assert post(url, recording, prompt="y" * 100_000).status_code == 400


def test_a_client_that_leaves_ends_the_work(context, url):
    long = wav_file(noise(*[0.4, -1.6] * 8, rate_hz=16_000), 16_000)
    with http.stream(
        "POST", f"{url}/v1/audio/transcriptions",
        files={"file": ("a.wav", long)}, data={"model": "m", "stream": "true"},
    ) as response:  # fmt: skip
        first = next(response.iter_lines())
        assert json.loads(first[6:])["type"] == "transcript.text.delta"
    assert eventually(lambda: context.admission.active == 0 and live_generations() == 0)
