"""LabelledSynthesizer: any synthesizer whose voices were agreed to and whose speech is marked.

`open_synthesizer` gives no other, so every path to speech passes here: the command line, a server,
Python. Knows nothing about how speech is made.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from selftalk.stream.sound.audio import AudioChunk, concat
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.speech import Marks, SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.trust import audit
from selftalk.stream.trust.labels import Labeller, LabelsConfig
from selftalk.stream.trust.permission import may_speak


class LabelledSynthesizer:
    """Asks for permission, writes the log, marks the sound; the rest is the inner one's."""

    def __init__(self, inner: Synthesizer, labels: LabelsConfig) -> None:
        self.inner, self.labels = inner, labels
        Labeller(inner.sample_rate_hz, labels)  # a rate that cannot be marked is told now

    @property
    def bundle(self) -> Bundle:
        """The voice model."""
        return self.inner.bundle

    @property
    def options(self) -> SynthesisOptions:
        """For utterances that come without their own."""
        return self.inner.options

    @options.setter
    def options(self, options: SynthesisOptions) -> None:
        self.inner.options = options

    @property
    def sample_rate_hz(self) -> int:
        """The rate of every chunk."""
        return self.inner.sample_rate_hz

    def voice(self, name: str) -> Voice:
        """Load a voice by name; see `find_voice`."""
        return self.inner.voice(name)

    def warm_up(self) -> None:
        """Let the models run once; nothing is heard, so nothing is asked or logged."""
        self.inner.warm_up()
        labeller = Labeller(self.sample_rate_hz, self.labels)
        labeller.push(np.zeros(self.sample_rate_hz // 10, np.float32))

    def stream(
        self,
        text: str,
        voice: Voice,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
        options: SynthesisOptions | None = None,
    ) -> Iterator[SpeechChunk]:
        """Yield the marked speech of a sentence chunk by chunk; see `Synthesizer.stream`.

        Raises:
            TextError: the voice model does not speak the language.
            ConsentError: the voice is a person's, and no receipt of consent holds.
            LabelError: the log cannot be written; nothing is spoken that it does not know of.
        """
        may_speak(voice.name, voice.about, voice.speaker)
        self._log(text, voice)
        if voice.tempo != 1:
            options = options or self.options
            options = replace(options, speed=options.speed * voice.tempo)
        spoken = self.inner.stream(text, voice, stop=stop, marks=marks, options=options)
        return self._marked(spoken, stop or StopFlag())

    def synthesize(
        self, text: str, voice: Voice, options: SynthesisOptions | None = None
    ) -> AudioChunk:
        """The whole utterance at once."""
        chunks = self.stream(text, voice, options=replace(options or self.options, exact=True))
        return concat((chunk.audio for chunk in chunks), self.sample_rate_hz)

    def _marked(self, spoken: Iterator[SpeechChunk], stop: StopFlag) -> Iterator[SpeechChunk]:
        labeller = Labeller(self.sample_rate_hz, self.labels)
        waiting: tuple[WordTime, ...] = ()
        for chunk in spoken:
            samples, words = labeller.push(chunk.audio.samples), waiting + chunk.words
            if len(samples):
                yield SpeechChunk(AudioChunk(samples, self.sample_rate_hz), words)
            waiting = () if len(samples) else words
        rest = labeller.flush()
        if not stop.is_set and (len(rest) or waiting):
            yield SpeechChunk(AudioChunk(rest, self.sample_rate_hz), waiting)

    def _log(self, text: str, voice: Voice) -> None:
        """Note that a person's voice speaks, or that speech is not marked; no word of the text."""
        receipt, left_out = voice.about.get("receipt"), ",".join(self.labels.left_out)
        if receipt or left_out:
            facts = {"receipt": receipt or "", "left_out": left_out}
            noted = {name: fact for name, fact in facts.items() if fact}
            audit.append("spoken", voice=voice.name, characters=len(text), **noted)
