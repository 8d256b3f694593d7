"""Conversion: what one person said, as another voice would have said it.

    convert         a recording, once it is over
    LiveConverter   somebody who is speaking: push / flush, marked as synthetic

Content and melody are the recording's; the colour and the mean pitch are the voice's. Knows
nothing about text.
"""

from collections.abc import Iterator

import numpy as np

from selftalk.stream.graphs.graph import ON_ONE_CORE
from selftalk.stream.listening.whisper_encoder import SAMPLE_RATE_HZ
from selftalk.stream.nano.alignment import unknown_text
from selftalk.stream.nano.content import FRAMES_PER_TOKEN, TOKEN_SAMPLES, Content, ContentEncoder
from selftalk.stream.nano.live_content import LiveContent
from selftalk.stream.nano.personal import PersonalParts
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.nano.vocoder import Int64Array, Vocoder, VocoderStream
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import LiveResampler
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.chunks import limited
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.trust.labels import DEFAULT_LABELS, Labeller, LabelsConfig
from selftalk.stream.trust.permission import may_speak

CHUNK_TOKENS = 25
LABEL_SECONDS = 0.02
"""Held back by the watermark."""


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
        VoiceError: what was learnt of it cannot be used.
    """
    may_speak(voice.name, voice.about, voice.speaker)
    vocoder = vocoder_of(bundle, voice)
    stream = vocoder.stream(SpeakerSpace(bundle).speaker(voice, pitch_semitones), seed)
    for start in range(0, len(content.tokens), CHUNK_TOKENS):
        tokens = content.tokens[start : start + CHUNK_TOKENS]
        yield AudioChunk(_said(stream, tokens), vocoder.sample_rate_hz)
    yield AudioChunk(limited(stream.flush()), vocoder.sample_rate_hz)


class LiveConverter:
    """Somebody's speech in another voice, half a second later."""

    def __init__(
        self,
        bundle: Bundle,
        encoder: ContentEncoder,
        voice: Voice,
        *,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
        pitch_semitones: float = 0.0,
        seed: int = 0,
        labels: LabelsConfig = DEFAULT_LABELS,
    ) -> None:
        """Begin a stream.

        Args:
            bundle: of nano.
            encoder: of the same bundle; may be shared.
            voice: whose voice is heard.
            sample_rate_hz: of what will be pushed.
            pitch_semitones: raises or lowers the voice.
            seed: of the noise in breath and fricatives.
            labels: how the sound is marked.

        Raises:
            ConsentError: the voice is a person's, and no receipt of consent holds.
            VoiceError: what was learnt of it cannot be used.
        """
        may_speak(voice.name, voice.about, voice.speaker)
        vocoder = vocoder_of(bundle, voice)
        self.sample_rate_hz = vocoder.sample_rate_hz
        self._input = LiveResampler(sample_rate_hz, SAMPLE_RATE_HZ)
        self._content = LiveContent(encoder)
        self._vocoder = vocoder.stream(SpeakerSpace(bundle).speaker(voice, pitch_semitones), seed)
        self._labeller = Labeller(vocoder.sample_rate_hz, labels)
        waiting = self._content.delay_samples + vocoder.lookahead_tokens * TOKEN_SAMPLES
        self.delay_seconds = waiting / SAMPLE_RATE_HZ + LABEL_SECONDS
        """How much later a sound is heard at most, beside the time that computing takes."""

    def push(self, samples: Float32Array) -> AudioChunk:
        """Add (N,) samples; return what can be said by now, as much as was heard in the end."""
        return self._marked(_said(self._vocoder, self._content.push(self._input.push(samples))))

    def flush(self) -> AudioChunk:
        """The rest; the stream is over."""
        tokens = np.append(self._content.push(self._input.flush()), self._content.flush())
        rest = [_said(self._vocoder, tokens), limited(self._vocoder.flush())]
        last = self._marked(np.concatenate(rest)).samples
        ended = np.concatenate([last, self._labeller.flush()])
        return AudioChunk(ended, self.sample_rate_hz)

    def _marked(self, samples: Float32Array) -> AudioChunk:
        return AudioChunk(self._labeller.push(samples), self.sample_rate_hz)


def vocoder_of(bundle: Bundle, voice: Voice) -> Vocoder:
    """What makes the sound of a voice, with what was learnt from its recordings.

    Raises:
        VoiceError: what was learnt is damaged, or belongs to another version of the bundle.
    """
    return PersonalParts(bundle, ON_ONE_CORE, ON_ONE_CORE).of(voice).vocoder


def _said(stream: VocoderStream, tokens: Int64Array) -> Float32Array:
    """The next sound of tokens of which no text is known."""
    return limited(stream.push(tokens, unknown_text(FRAMES_PER_TOKEN * len(tokens))))
