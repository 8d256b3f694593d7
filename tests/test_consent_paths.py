"""Every way to make a voice speak asks for a receipt that holds: else one sentence, no sound."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fakes_http import http, serving
from fakes_server import RawClient, make_context, running
from fakes_trust import agreed
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize, SynthesizeVoice

from selftalk.stream.cli import main
from selftalk.stream.errors import ConsentError
from selftalk.stream.nano.content import Content
from selftalk.stream.nano.conversion import LiveConverter, convert
from selftalk.stream.server import wyoming
from selftalk.stream.server.app import build_api_v2_app, build_app
from selftalk.stream.sound.audio import AudioChunk, write_wav
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.synthesis.voices import Voice, list_voices, voices_folder
from selftalk.stream.trust.signing import trust_folder

ROOT = Path(__file__).parent.parent
TINY = ROOT / "tests" / "data" / "bundle_tiny"
SPEAKER = np.full(256, 1 / 16, np.float32)
ME = Voice("me", SPEAKER, 5.0)
STOCK = Voice("default", SPEAKER, 5.0, {"origin": "stock"})
REFUSED = re.compile(r"voice 'me' may not speak: [^\n]+")
LATE = datetime(2026, 1, 1, tzinfo=UTC)


def edited(voice):
    voice = agreed(voice)
    path = trust_folder() / "receipts" / f"{voice.about['receipt']}.json"
    path.write_bytes(path.read_bytes().replace(b'"person":"Ada"', b'"person":"Eve"'))
    return voice


SPOILT = {
    "never given": (lambda: ME, "without a receipt of consent"),
    "missing": (lambda: replace(ME, about={"receipt": "0" * 32}), "cannot be read"),
    "expired": (lambda: agreed(ME, expires_at=LATE), "expired on 2026-01-01"),
    "edited": (lambda: edited(ME), "was changed"),
}


# --- the ways: each returns what the caller is told ----------------------------------------------


def told_by_main(capsys, *arguments):
    assert main(list(map(str, arguments))) == 2
    printed = capsys.readouterr()
    assert not printed.out
    return printed.err.removeprefix("selftalk: ").removesuffix("\n")


def cli_say(home, capsys, voice):
    out = home / "out.wav"
    told = told_by_main(capsys, "say", "Hi.", "--voice", "me", "--bundle", TINY, "-o", out)
    assert not out.exists()
    return told


def cli_say_in_a_style(home, capsys, voice):
    out = home / "out.wav"
    return told_by_main(capsys, "say", "Hi.", "--voice", "me:tired", "--bundle", TINY, "-o", out)


def cli_read(home, capsys, voice):
    text, out = home / "text.txt", home / "out.wav"
    text.write_text("Good morning.")
    told = told_by_main(capsys, "read", text, "--voice", "me", "--bundle", TINY, "-o", out)
    assert not out.exists()
    return told


def cli_convert(home, capsys, voice):
    recording, out = home / "in.wav", home / "out.wav"
    write_wav(recording, AudioChunk(np.zeros(16_000, np.float32), 16_000))
    told = told_by_main(capsys, "convert", recording, "--voice", "me", "--bundle", TINY, "-o", out)
    assert not out.exists()
    return told


def cli_convert_live(home, capsys, voice):
    return told_by_main(capsys, "convert", "--live", "--voice", "me", "--bundle", TINY)


def cli_talk(home, capsys, voice):
    question, reply = home / "question.wav", home / "reply.wav"
    write_wav(question, AudioChunk(np.zeros(16_000, np.float32), 16_000))
    files = ("--mic", question, "--speaker", reply, "--fast", "--responder", "mirror")
    bundle = f"voice.bundle={json.dumps(str(TINY))}"
    told = told_by_main(capsys, "talk", "--voice", "me", *files, "--set", bundle)
    assert not reply.exists()
    return told.splitlines()[-1].removeprefix("selftalk: ")


def cli_serve(home, capsys, voice):
    told = told_by_main(
        capsys, "serve", "--voice", "me", "--set", f"voice.bundle={json.dumps(str(TINY))}"
    )
    return told.splitlines()[-1].removeprefix("selftalk: ")


def cli_clone(home, capsys, voice):
    pytest.importorskip("torch")
    return told_by_main(capsys, "clone", "me", "--bundle", TINY)


def python_by_name(home, capsys, voice):
    with pytest.raises(ConsentError) as refusal:
        open_synthesizer(Bundle.load(TINY)).voice("me")
    return str(refusal.value)


def python_synthesize(home, capsys, voice):
    with pytest.raises(ConsentError) as refusal:
        open_synthesizer(Bundle.load(TINY)).synthesize("Hi.", voice)
    return str(refusal.value)


def python_stream(home, capsys, voice):
    with pytest.raises(ConsentError) as refusal:
        open_synthesizer(Bundle.load(TINY)).stream("Hi.", voice)
    return str(refusal.value)


def python_convert(home, capsys, voice):
    content = Content(np.zeros(2, np.int64), None)
    with pytest.raises(ConsentError) as refusal:
        next(convert(Bundle.load(TINY), content, voice))
    return str(refusal.value)


def python_convert_live(home, capsys, voice):
    with pytest.raises(ConsentError) as refusal:
        LiveConverter(Bundle.load(TINY), None, voice)
    return str(refusal.value)


def shared(default=STOCK):
    """What a server's connections share, around the real synthesizer."""
    synthesizer = open_synthesizer(Bundle.load(TINY))
    context = make_context(synthesizer=synthesizer)
    context.stages = replace(context.stages, voice=default)
    context.voice_named = lambda name: STOCK if name == "default" else synthesizer.voice(name)
    context.voice_names = lambda: ["default", *list_voices(synthesizer.bundle.voices_folder)]
    return context


def http_speech(home, capsys, voice):
    with serving(build_app(shared())) as url:
        answer = http.post(f"{url}/v1/audio/speech", json={"input": "Hi.", "voice": "me"})
    assert answer.status_code >= 400
    return answer.json()["error"]["message"]


def http_api_v2(home, capsys, voice):
    order = {"text": "Hi.", "text_lang": "en", "ref_audio_path": "me", "prompt_lang": "en"}
    with serving(build_api_v2_app(shared())) as url:
        answer = http.post(f"{url}/tts", json=order)
    assert answer.status_code >= 400
    return answer.text


def http_api_v2_chosen_before(home, capsys, voice):
    with serving(build_api_v2_app(shared())) as url:
        http.get(f"{url}/set_refer_audio", params={"refer_audio_path": "me"})
        answer = http.post(f"{url}/tts", json={"text": "Hi.", "text_lang": "en"})
    assert answer.status_code >= 400
    return answer.text


def wyoming_synthesize(home, capsys, voice):
    async def ask():
        server = await wyoming.start(shared(), "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            async with AsyncTcpClient("127.0.0.1", port) as client:
                order = Synthesize("Hi.", voice=SynthesizeVoice(name="me"))
                await client.write_event(order.event())
                return await asyncio.wait_for(client.read_event(), 20)
        finally:
            server.close()
            await server.wait_closed()

    event = asyncio.run(ask())
    assert event.type == "error"
    return event.data["text"]


def realtime(ask):
    """What a realtime server says to a message."""
    with running(shared()) as server, RawClient(server.ws_url) as client:
        client.until("session.created")
        ask(client)
        return client.until("error", timeout=20)["error"]["message"]


def type_in(client):
    content = [{"type": "input_text", "text": "hello"}]
    item = {"type": "message", "role": "user", "content": content}
    client.send("conversation.item.create", item=item)


def realtime_session(home, capsys, voice):
    chosen = {"type": "realtime", "audio": {"output": {"voice": "me"}}}
    return realtime(lambda client: client.send("session.update", session=chosen))


def realtime_reply(home, capsys, voice, **more):
    def ask(client):
        type_in(client)
        output = {"audio": {"output": {"voice": "me"}}}
        client.send("response.create", response=output | more)

    return realtime(ask)


def realtime_side_reply(home, capsys, voice):
    return realtime_reply(home, capsys, voice, conversation="none")


def realtime_when_consent_ended(home, capsys, voice):
    with running(shared(voice)) as server, RawClient(server.ws_url) as client:
        client.until("session.created")
        type_in(client)
        client.send("response.create")
        response = client.until("response.done", timeout=20)["response"]
        assert not any("audio.delta" in event["type"] for event in client.seen)
    assert response["status"] == "failed"
    return response["status_details"]["error"]["message"]


WAYS = (
    cli_say, cli_say_in_a_style, cli_read, cli_convert, cli_convert_live, cli_talk, cli_serve,
    cli_clone,
    python_by_name, python_synthesize, python_stream, python_convert, python_convert_live,
    http_speech, http_api_v2, http_api_v2_chosen_before, wyoming_synthesize,
    realtime_session, realtime_reply, realtime_side_reply, realtime_when_consent_ended,
)  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    voices_folder().mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("spoilt", SPOILT)
def test_no_way_to_speak_without_consent(home, capsys, way, spoilt):
    make, reason = SPOILT[spoilt]
    voice = make()
    voice.save(voices_folder() / "me.voice")
    told = way(home, capsys, voice)
    assert REFUSED.search(told), told
    assert reason in told
    assert "\n" not in told.strip()


def test_raw_networks_are_opened_behind_the_door_only():
    """Whoever adds a way to speak that goes around `open_synthesizer` has to come by here."""
    raw = re.compile(
        r"(?<!class )\b(NanoSynthesizer|SovitsSynthesizer|Vocoder|SovitsVocoder|PersonalParts)"
        r"\(\s*\w"
    )
    behind = {
        "synthesis/synthesizer.py",  # opens one, to be labelled
        "nano/synthesizer.py", "nano/personal.py", "sovits/synthesizer.py",  # parts of it
        "nano/workers.py", "sovits/workers.py", "sovits/margins.py",  # time it; nothing is heard
        "nano/conversion.py",  # asks by itself, see above
    }  # fmt: skip
    stream = ROOT / "stream"
    found = {
        path.relative_to(stream).as_posix()
        for path in stream.rglob("*.py")
        if raw.search(path.read_text())
    }
    assert found == behind
