"""Conversion: what one person said, as another voice would have said it.

Content and melody are the recording's; the colour and the mean pitch are the voice's. Knows
nothing about text.
"""

from collections.abc import Iterator

from selftalk.stream.alignment import unknown_text
from selftalk.stream.audio import AudioChunk
from selftalk.stream.bundle import Bundle
from selftalk.stream.chunks import limited
from selftalk.stream.content import FRAMES_PER_TOKEN, Content
from selftalk.stream.timbre import SpeakerSpace
from selftalk.stream.trust.permission import may_speak
from selftalk.stream.vocoder import Vocoder
from selftalk.stream.voices import Voice

CHUNK_TOKENS = 25


def convert(
    bundle: Bundle, content: Content, voice: Voice, *, pitch_semitones: float = 0.0, seed: int = 0
) -> Iterator[AudioChunk]:
    """Yield the recording's content in a voice, a second at a time.

    Args:
        bundle: of nano.
        content: of a recording.
        voice: whose voice it gets.
        pitch_semitones: raises or lowers it.
        seed: of the noise in breath and fricatives.

    Raises:
        ConsentError: the voice is a person's, and no receipt of consent holds.
    """
    may_speak(voice.name, voice.about, voice.speaker)
    vocoder = Vocoder(bundle)
    stream = vocoder.stream(SpeakerSpace(bundle).speaker(voice, pitch_semitones), seed)
    for start in range(0, len(content.tokens), CHUNK_TOKENS):
        tokens = content.tokens[start : start + CHUNK_TOKENS]
        text = unknown_text(FRAMES_PER_TOKEN * len(tokens))
        yield AudioChunk(limited(stream.push(tokens, text)), vocoder.sample_rate_hz)
    yield AudioChunk(limited(stream.flush()), vocoder.sample_rate_hz)
