import asyncio
import time
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from fakes_http import CHUNK_SAMPLES, VOICE_HZ, VOICES, ToneSynthesizer, make_context, noise
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeVoice,
)

from selftalk.stream.errors import DeviceError
from selftalk.stream.server import wyoming
from selftalk.stream.server.wyoming_events import (
    MOST_PAYLOAD_BYTES,
    WyomingError,
    encode_event,
    read_event,
)
from selftalk.stream.sound.audio import to_int16
from selftalk.stream.thread_stream import live_generations

TEXT = "One two three four five. Six seven eight nine ten."
SPEECH = noise(-1.0, 1.5, -2.0, 0.8, -1.0)


@pytest.fixture
def synthesizer():
    return ToneSynthesizer()


@pytest.fixture
def context(synthesizer):
    made = make_context(synthesizer)
    synthesizer.bundle.manifest.languages = ("en", "zh")
    return made


@asynccontextmanager
async def connected(context):
    """A client of the `wyoming` package, connected to a server."""
    server = await wyoming.start(context, "127.0.0.1", 0)
    try:
        async with AsyncTcpClient("127.0.0.1", server.sockets[0].getsockname()[1]) as client:
            yield client
    finally:
        server.close()
        await server.wait_closed()


async def say(client, *events):
    for event in events:
        await client.write_event(event.event())


async def until(client, last):
    """All events up to the first of a type."""
    found = []
    async with asyncio.timeout(20):
        while not found or found[-1].type != last:
            event = await client.read_event()
            assert event is not None, [one.type for one in found]
            found.append(event)
    return found


async def eventually(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def sound_of(events):
    chunks = [AudioChunk.from_event(one) for one in events if AudioChunk.is_type(one.type)]
    assert {(one.rate, one.width, one.channels) for one in chunks} == {(VOICE_HZ, 2, 1)}
    return np.frombuffer(b"".join(one.audio for one in chunks), "<i2")


def chunks_of(samples, rate_hz=16_000):
    pcm = to_int16(samples).tobytes()
    return [
        AudioStart(rate_hz, 2, 1),
        *(AudioChunk(rate_hz, 2, 1, pcm[at : at + 2048]) for at in range(0, len(pcm), 2048)),
        AudioStop(),
    ]


# --- what Home Assistant does --------------------------------------------------------------------


def test_it_describes_itself(context):
    async def describe():
        async with connected(context) as client:
            await say(client, Describe(), Ping("a"))
            return [await client.read_event(), await client.read_event()]

    described, pong = asyncio.run(describe())
    info = Info.from_event(described)
    (tts,), (asr,) = info.tts, info.asr
    assert [voice.name for voice in tts.voices] == list(VOICES)
    assert tts.voices[0].languages == ["en", "zh"]
    assert asr.models[0].languages == ["en"]
    assert tts.supports_synthesize_streaming
    assert asr.supports_transcript_streaming
    assert Pong.from_event(pong).text == "a"


def test_a_text_is_spoken(context, synthesizer):
    async def speak():
        async with connected(context) as client:
            await say(client, Synthesize(TEXT, SynthesizeVoice(name="friend")))
            return await until(client, "audio-stop")

    events = asyncio.run(speak())
    assert AudioStart.from_event(events[0]).rate == VOICE_HZ
    assert len(sound_of(events)) == 10 * CHUNK_SAMPLES
    assert synthesizer.calls[0][1].name == "friend"


def test_text_that_streams_in_is_spoken_before_its_end(context, synthesizer):
    async def speak():
        async with connected(context) as client:
            await say(client, SynthesizeStart(SynthesizeVoice(name="me")))
            await say(client, SynthesizeChunk("One two three fo"), SynthesizeChunk("ur five. Six"))
            first = await until(client, "audio-chunk")
            await say(client, SynthesizeChunk(" seven eight nine ten."), Synthesize(TEXT))
            await say(client, SynthesizeStop())
            return first + await until(client, "synthesize-stopped")

    events = asyncio.run(speak())
    assert len(sound_of(events)) == 10 * CHUNK_SAMPLES
    assert [one.type for one in events].count("audio-start") == 1
    assert [one.type for one in events][-2:] == ["audio-stop", "synthesize-stopped"]
    assert [text for text, _, _ in synthesizer.calls] == TEXT.replace(". ", ".\n").split("\n")


def test_a_language_chooses_when_no_voice_is_named(context, synthesizer):
    async def speak():
        async with connected(context) as client:
            await say(client, Synthesize("Hello.", SynthesizeVoice(language="zh-CN")))
            return await until(client, "audio-stop")

    asyncio.run(speak())
    assert synthesizer.calls[0][2].language == "zh"


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_speech_is_written_down(context, rate_hz):
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(2 * rate_hz) / rate_hz)
    samples = np.pad(tone, rate_hz).astype(np.float32)

    async def hear():
        async with connected(context) as client:
            await say(client, Transcribe(language="en"), *chunks_of(samples, rate_hz))
            return await until(client, "transcript-stop")

    events = asyncio.run(hear())
    said = [Transcript.from_event(one) for one in events if Transcript.is_type(one.type)]
    assert [(one.text, one.language) for one in said] == [("2.0 seconds", "en")]


def test_what_was_said_before_a_pause_is_told_before_the_end(context):
    start, *chunks, stop = chunks_of(SPEECH)

    async def hear():
        async with connected(context) as client:
            await say(client, start, *chunks)
            early = await until(client, "transcript-chunk")
            await say(client, stop)
            return early + await until(client, "transcript-stop")

    events = asyncio.run(hear())
    parts = [TranscriptChunk.from_event(one).text for one in events if "chunk" in one.type]
    assert events[0].type == "transcript-start"
    assert "".join(parts) == Transcript.from_event(events[-2]).text == "1.5 seconds 0.8 seconds"


def test_several_utterances_on_one_connection(context):
    async def both():
        async with connected(context) as client:
            lengths = []
            for _ in range(2):
                await say(client, Transcribe(), *chunks_of(noise(1.0)))
                lengths.append(len(await until(client, "transcript-stop")))
                await say(client, Synthesize("Hello."))
                await until(client, "audio-stop")
            return lengths

    first, second = asyncio.run(both())
    assert first == second


# --- ends ----------------------------------------------------------------------------------------


def test_a_client_that_leaves_ends_the_generation(context, synthesizer):
    synthesizer.seconds_per_chunk = 0.01

    async def leave():
        async with connected(context) as client:
            await say(client, Synthesize("word " * 2000))
            await until(client, "audio-chunk")
            await client.disconnect()
            await eventually(lambda: not synthesizer.running and not context.admission.active)
            await eventually(lambda: live_generations() == 0)

    asyncio.run(leave())
    assert synthesizer.steps < 400


def test_a_new_text_ends_the_one_before(context, synthesizer):
    synthesizer.seconds_per_chunk = 0.01

    async def change():
        async with connected(context) as client:
            await say(client, Synthesize("word " * 2000))
            await until(client, "audio-chunk")
            await say(client, Synthesize("Hello."))
            await until(client, "audio-stop")

    asyncio.run(change())
    assert synthesizer.steps < 400


def test_a_client_that_reads_nothing_is_cut_off(synthesizer):
    context = make_context(synthesizer, stalled_reader_seconds=0.2)
    synthesizer._said = lambda *_: big_chunk()

    async def stall():
        async with connected(context) as client:
            client._reader._transport.pause_reading()
            started = time.monotonic()
            await say(client, Synthesize("word " * 2000))
            await eventually(lambda: synthesizer.steps > 0)
            await eventually(lambda: not synthesizer.running and not context.admission.active)
            return time.monotonic() - started

    assert asyncio.run(stall()) < 8
    assert synthesizer.steps < 2000


def big_chunk():
    from selftalk.stream.sound.audio import AudioChunk as Chunk
    from selftalk.stream.synthesis.speech import SpeechChunk

    return SpeechChunk(Chunk(np.zeros(VOICE_HZ * 10, np.float32), VOICE_HZ))


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([Synthesize("Hello.", SynthesizeVoice(name="../../etc/passwd"))], "unknown voice"),
        ([Synthesize("…")], "nothing that can be spoken"),
        ([Synthesize("a" * 20_001)], "longer than 20000"),
        ([SynthesizeStart(), *[SynthesizeChunk("a" * 9000)] * 3], "longer than 20000"),
        ([Synthesize("Hello.", SynthesizeVoice(language="ko"))], "does not speak 'ko'"),
        ([Transcribe(language="fr"), *chunks_of(SPEECH)], "does not know 'fr'"),
        ([AudioStart(1, 2, 1)], "usual sample rates"),
        ([AudioChunk(16_000, 4, 1, bytes(8))], "16 bit"),
        ([AudioChunk(16_000, 2, 99, bytes(8))], "channels"),
        ([AudioChunk(16_000, 2, 1, bytes(3))], "cut in the middle"),
        ([AudioStart(8_000, 2, 1), AudioChunk(16_000, 2, 1, bytes(2))], "changed"),
    ],
)
def test_what_goes_wrong_is_told_and_the_line_cut(context, events, words):
    async def fail():
        async with connected(context) as client:
            await say(client, *events)
            found = await until(client, "error")
            async with asyncio.timeout(5):
                with suppress(ConnectionResetError):  # cut while we still sent
                    assert await client.read_event() is None
            return found[-1].data["text"]

    assert words in asyncio.run(fail())


def test_a_failure_of_the_inside_stays_inside(context, synthesizer):
    synthesizer.fails_at = 1

    async def fail():
        async with connected(context) as client:
            await say(client, Synthesize(TEXT))
            return (await until(client, "error"))[-1].data["text"]

    assert "secret" not in asyncio.run(fail())


def test_a_full_server_says_so(context):
    context.admission.capacity = 1

    async def refused():
        with context.admission.admitted("somebody"):
            async with connected(context) as client:
                await say(client, Synthesize(TEXT))
                return (await until(client, "error"))[-1].data["text"]

    assert "busy" in asyncio.run(refused())


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n" + encode_event("describe"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
        b'{"type":"describe"',
        b"[]\n",
        b"null\n",
        b'{"type":3}\n',
        b'{"type":"describe","data":[]}\n',
        b'{"type":"describe","data_length":-1}\n',
        b'{"type":"describe","data_length":99999999999}\n',
        b'{"type":"describe","payload_length":1e99}\n',
        b'{"type":"describe","data_length":2}\n[]',
        b'{"type":"\xff"}\n',
        b"[" * 60_000 + b"\n",
        b"x" * 100_000 + b"\n",
        b"\n",
    ],
)
def test_whoever_speaks_something_else_gets_no_answer(context, sent):
    async def talk():
        async with connected(context) as client:
            client._writer.write(sent)
            if client._writer.can_write_eof():
                client._writer.write_eof()
            async with asyncio.timeout(5):
                try:
                    return await client._reader.read()
                except ConnectionResetError:
                    return b""

    assert asyncio.run(talk()) == b""


def test_unknown_events_are_passed_over(context):
    async def pass_over():
        async with connected(context) as client:
            client._writer.write(encode_event("run-satellite", {"a": 1}, b"sound"))
            await say(client, SynthesizeChunk("lost"), SynthesizeStop(), AudioStop(), Ping("b"))
            return await until(client, "pong")

    assert len(asyncio.run(pass_over())) == 1


def test_a_port_that_is_taken_is_one_sentence(context):
    async def twice():
        server = await wyoming.start(context, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(DeviceError, match=f"127.0.0.1:{port}: is it in use"):
                await wyoming.start(context, "127.0.0.1", port)

    asyncio.run(twice())


# --- events --------------------------------------------------------------------------------------


def read(*pieces):
    async def feed():
        reader = asyncio.StreamReader(limit=1 << 16)
        for piece in pieces:
            reader.feed_data(piece)
        reader.feed_eof()
        return [await read_event(reader), await read_event(reader)]

    return asyncio.run(feed())


def test_an_event_survives_the_line_cut_anywhere():
    encoded = encode_event("audio-chunk", {"rate": 16_000, "text": "héllo"}, b"\x00\n\xff")
    for at in range(len(encoded) + 1):
        event, end = read(encoded[:at], encoded[at:])
        assert (event.type, event.payload) == ("audio-chunk", b"\x00\n\xff")
        assert event.data == {"rate": 16_000, "text": "héllo"}
        assert end is None


def test_a_part_of_an_event_is_none():
    encoded = encode_event("audio-chunk", {"rate": 16_000}, b"sound")
    for at in range(len(encoded)):
        assert read(encoded[:at])[0] is None


def test_data_of_both_places_are_joined():
    event, _ = read(b'{"type":"a","data":{"x":1,"y":1},"data_length":7}\n{"y":2}')
    assert event.data == {"x": 1, "y": 2}


def test_large_payloads_are_refused_before_they_come():
    with pytest.raises(WyomingError):
        read(b'{"type":"a","payload_length":%d}\n' % (MOST_PAYLOAD_BYTES + 1))
