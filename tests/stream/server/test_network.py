import asyncio

import numpy as np
import pytest

from selftalk.stream.protocol.settings import ALaw, MuLaw, Pcm
from selftalk.stream.server.network import NetworkSink, NetworkSource
from selftalk.stream.server.wire_audio import WireDecoder, WireEncoder
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.io import SAMPLE_RATE_HZ

CHUNK = AudioChunk(np.zeros(1000, np.float32), 1000)  # a second


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class TestSink:
    def make(self):
        self.clock, self.complete, self.underruns = Clock(), [], []
        return NetworkSink(
            self.clock, complete=self.complete.append, underrun=lambda: self.underruns.append(1)
        )

    def test_counts_as_a_clock_does_and_never_beyond_what_was_given(self):
        sink = self.make()
        asyncio.run(sink.play(CHUNK, 1))
        for now, played in [(0.0, 0), (0.4, 400), (5.0, 1000)]:
            self.clock.now = now
            assert sink.played_samples(1) == played
            assert sink.queued_samples(1) == 1000 - played

    def test_a_reply_is_heard_when_the_one_before_it_is_over(self):
        sink = self.make()
        asyncio.run(sink.play(CHUNK, 1))
        asyncio.run(sink.play(CHUNK, 2))
        self.clock.now = 1.5
        assert (sink.played_samples(1), sink.played_samples(2)) == (1000, 500)

    def test_silence_in_the_middle_is_counted_as_an_underrun(self):
        sink = self.make()
        asyncio.run(sink.play(CHUNK, 1))
        self.clock.now = 3.0
        asyncio.run(sink.play(CHUNK, 1))
        self.clock.now = 3.5
        assert (sink.played_samples(1), len(self.underruns)) == (1500, 1)

    def test_what_was_cleared_is_refused(self):
        sink = self.make()
        asyncio.run(sink.play(CHUNK, 1))
        self.clock.now = 0.3
        assert sink.clear(1) == 300
        assert not asyncio.run(sink.play(CHUNK, 1))
        assert not asyncio.run(sink.finish(1))
        self.clock.now = 0.9
        assert sink.played_samples(1) == 300

    def test_the_client_knows_better(self):
        sink = self.make()
        asyncio.run(sink.play(CHUNK, 1))
        self.clock.now = 0.5
        sink.cut_at(1, 320)
        assert sink.clear(1) == 320

    def test_all_is_told_before_it_is_heard(self):
        async def scenario():
            sink = self.make()
            await sink.play(CHUNK, 1)
            finishing = asyncio.create_task(sink.finish(1))
            await asyncio.sleep(0)
            assert (self.complete, finishing.done()) == ([1], False)
            sink.cut_at(1, 100)
            assert await finishing

        asyncio.run(scenario())


def test_a_source_gives_chunks_of_20_ms_until_it_is_closed():
    async def scenario():
        source = NetworkSource()
        source.push(np.arange(1000, dtype=np.float32))
        assert source.queued_seconds == 3 * 0.02
        chunks = source.chunks()
        first = await anext(chunks)
        source.discard()
        source.close()
        return first, [chunk async for chunk in chunks]

    first, rest = asyncio.run(scenario())
    assert list(first.samples) == list(range(320))
    assert rest == []


class TestHandedOver:
    async def hand_over(self, source, hear):
        task = asyncio.create_task(source.hand_over(hear))
        await asyncio.sleep(0)
        return task

    def test_a_chunk_is_heard_in_the_moment_it_comes(self):
        async def scenario():
            source, heard = NetworkSource(), []
            task = await self.hand_over(source, heard.append)
            source.push(np.arange(500, dtype=np.float32))
            assert [list(chunk.samples) for chunk in heard] == [list(range(320))]
            source.close()
            await task
            source.push(np.zeros(320, np.float32))
            assert len(heard) == 1

        asyncio.run(scenario())

    def test_of_much_at_once_every_chunk_is_heard_in_order_while_others_have_turns(self):
        async def scenario():
            source, heard = NetworkSource(), []
            task = await self.hand_over(source, lambda chunk: heard.append(chunk.samples[0]))
            source.push(np.repeat(np.arange(100, dtype=np.float32), 320))
            assert not heard
            source.push(np.full(320, 100, np.float32))  # waits behind the others
            assert not heard
            await asyncio.sleep(0)
            assert 0 < len(heard) < 101
            await source.drained()
            assert heard == list(range(101))
            source.close()
            await task

        asyncio.run(scenario())

    def test_a_failure_of_the_listener_is_not_the_clients(self):
        def hear(_chunk):
            raise RuntimeError("deaf")

        async def scenario():
            source = NetworkSource()
            task = await self.hand_over(source, hear)
            source.push(np.zeros(320, np.float32))
            with pytest.raises(RuntimeError, match="deaf"):
                await task

        asyncio.run(scenario())


def test_a_full_source_has_room_when_all_was_listened_to_and_others_had_turns_meanwhile():
    async def scenario():
        source = NetworkSource()
        source.push(np.zeros(5 * SAMPLE_RATE_HZ, np.float32))
        assert source.full
        heard = 0

        async def listen():
            nonlocal heard
            async for _ in source.chunks():
                heard += 1

        draining = asyncio.create_task(source.drained())
        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        assert (source.full, draining.done()) == (True, False)
        assert 0 < heard < 250
        await draining
        assert (heard, source.full) == (250, False)
        source.close()
        await listening

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [1, 7, 480, 9600])
@pytest.mark.parametrize("audio_format", [Pcm(), MuLaw(), ALaw()])
def test_bytes_may_be_cut_anywhere(audio_format, size):
    encoded = np.random.default_rng(0).integers(0, 255, 4800, np.uint8).tobytes()
    whole, pieces = WireDecoder(audio_format), WireDecoder(audio_format)
    expected = np.concatenate([whole.push(encoded), whole.flush()])
    found = [pieces.push(encoded[start : start + size]) for start in range(0, len(encoded), size)]
    joined = np.concatenate([*found, pieces.flush()])
    assert len(joined) == len(expected)
    assert np.allclose(joined, expected, atol=1e-6)


@pytest.mark.parametrize("audio_format", [Pcm(), MuLaw(), ALaw()])
def test_a_tone_survives_the_way_there_and_back(audio_format):
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)
    encoder, decoder = WireEncoder(audio_format, 16_000), WireDecoder(audio_format)
    encoded = encoder.push(tone) + encoder.flush()
    back = np.concatenate([decoder.push(encoded), decoder.flush()])
    assert len(back) == len(tone)
    error = back[500:-500] - tone[500:-500]
    assert np.sqrt(np.mean(error**2)) < 0.02
