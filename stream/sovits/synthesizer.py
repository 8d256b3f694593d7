"""SovitsSynthesizer: text → chunks of speech by an imported GPT-SoVITS voice.

    text ─phonemize─▶ phones ─prefill─▶ ─step, step, …─▶ tokens ─push─▶ chunks

Tokens are drawn in a thread of their own while earlier ones become sound. Knows nothing about
conversations or devices.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from selftalk.stream.errors import VoiceError
from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.sound.audio import AudioChunk, Float32Array, concat
from selftalk.stream.sound.resample import Resampler
from selftalk.stream.sovits.full_stops import FEWEST_PHONES, completed
from selftalk.stream.sovits.reference import model_of, phone_ids
from selftalk.stream.sovits.semantic import (
    DEFAULT_SAMPLING,
    SemanticDecoder,
    Utterance,
    longest_speech,
)
from selftalk.stream.sovits.text_features import TextFeatures, stacked_rows
from selftalk.stream.sovits.vocoder import (
    USEFUL_LOOKAHEAD_TOKENS,
    SentenceVocoder,
    SovitsVocoder,
)
from selftalk.stream.sovits.word_clock import WordClock
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.chunks import Window, ahead, held_back, limited, windows_of
from selftalk.stream.synthesis.reference import Int64Array, Reference
from selftalk.stream.synthesis.sampling import Sampler
from selftalk.stream.synthesis.schedule import (
    TOKEN_RATE_HZ,
    ChunkPlan,
    Costs,
    FixedPlan,
    Machine,
    PatientPlan,
    Schedule,
    at_speed,
    solve,
)
from selftalk.stream.synthesis.silence import EdgeSilence, pause_ms
from selftalk.stream.synthesis.speech import Marks, PhoneTime, SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, language_of, tell_nobody
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, Voice, find_voice
from selftalk.stream.text import phonemize
from selftalk.stream.text.phonemes import Phonemes

FIRST_TOKENS = 10
TWICE_AS_FAST = Machine(
    best=Costs(0.0072, 0.032, 0.008, 0.00016), worst=Costs(0.009, 0.04, 0.01, 0.0002)
)
"""As it speaks, a machine that was not measured is taken to be. What lasts there lasts on any that
is faster in all its work by one factor."""
EXACT_CHUNK_TOKENS = (10, 25)
WARM_UP_TOKENS = 12
SHOWN_CHARACTERS = 60


class SovitsSynthesizer:
    """Text and voice → speech; may be shared by threads, one utterance each at a time."""

    def __init__(
        self,
        bundle: Bundle,
        options: SynthesisOptions | None = None,
        *,
        decoder_run: RunOptions = ON_ONE_CORE,
        vocoder_run: RunOptions = ON_ONE_CORE,
        schedule: Schedule | None = None,
    ) -> None:
        self.bundle = bundle
        self.options = options or SynthesisOptions()
        self._semantic = SemanticDecoder(bundle, decoder_run)
        self.features = TextFeatures(bundle, decoder_run)
        self._vocoder = SovitsVocoder(bundle, vocoder_run)
        self._machine = schedule.machine if schedule else usual_machine(self._vocoder)
        self._unmeasured = schedule is None

    @property
    def sample_rate_hz(self) -> int:
        """The rate of every chunk."""
        return self.bundle.manifest.sample_rate_hz

    def voice(self, name: str) -> Voice:
        """Load a voice by name; the only voice of a bundle is its default.

        Raises:
            VoiceError: there is no voice of this name, or it was not made for this model.
        """
        folder = self.bundle.voices_folder
        own = sorted(path.stem for path in folder.glob("*.voice"))
        if name == DEFAULT_VOICE and name not in own:
            if len(own) != 1:
                raise VoiceError(self._which_voice(own))
            name = own[0]
        voice = find_voice(name, folder)
        reference_of(voice, self.bundle)
        return voice

    def stream(
        self,
        text: str,
        voice: Voice,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
        options: SynthesisOptions | None = None,
    ) -> Iterator[SpeechChunk]:
        """See `Synthesizer.stream`.

        Raises:
            VoiceError: also where the voice was not made for this model.
        """
        options = options or self.options
        phonemes = phonemize(text, language_of(text, self.bundle, options))
        if not any(index >= 0 for index in phonemes.word_index):
            return
        tell = marks or tell_nobody
        tell("phonemes_ready")
        speech = Sentence(self, text, phonemes, reference_of(voice, self.bundle), options)
        yield from speech.chunks(stop or StopFlag(), tell)

    def synthesize(
        self, text: str, voice: Voice, options: SynthesisOptions | None = None
    ) -> AudioChunk:
        """The whole utterance at once."""
        chunks = self.stream(text, voice, options=replace(options or self.options, exact=True))
        return concat((chunk.audio for chunk in chunks), self.sample_rate_hz)

    def warm_up(self) -> None:
        """Speak a little to nobody, so that the first sentence does not pay for loading."""
        style = np.zeros(int(self.bundle.manifest.numbers["style_width"]), np.float32)
        phones = np.zeros(FEWEST_PHONES, np.int64)
        utterance = self._semantic.prefill(phones, phones[:0])
        tokens = self._semantic.tokens(utterance, Sampler(DEFAULT_SAMPLING, 0), WARM_UP_TOKENS)
        vocoder = self._vocoder.stream(phones, style)
        vocoder.push(np.array(list(tokens), np.int64))
        phonemize("", self.bundle.manifest.languages[0])
        self._plan(self.options)

    def begin(
        self,
        phones: Int64Array,
        bert: Float32Array | None,
        reference: Reference,
        options: SynthesisOptions,
        speed: float,
    ) -> tuple[Utterance, SentenceVocoder]:
        """Read a sentence: what says its tokens, and what makes them sound.

        Args:
            phones: (N,) of the sentence.
            bert: (N, W) features of it; None stands for zeros.
            reference: whose voice it is.
            options: how it is said.
            speed: of the sound that is made, 1 as the voice has it.
        """
        utterance = self._semantic.prefill(
            np.concatenate([reference.phones, phones]),
            reference.prompt,
            stacked_rows(
                [(len(reference.phones), reference.bert), (len(phones), bert)],
                int(self.bundle.manifest.numbers["bert_width"]),
            ),
        )
        vocoder = self._vocoder.stream(phones, reference.style, seed=options.seed, speed=speed)
        return utterance, vocoder

    def windows(
        self, utterance: Utterance, phones: int, options: SynthesisOptions, stop: StopFlag
    ) -> tuple[Iterator[Window], ChunkPlan]:
        """The tokens of a sentence as they are to be spoken, and the plan of that."""
        sampler = Sampler(options.sampling or DEFAULT_SAMPLING, options.seed)
        tokens = self._semantic.tokens(utterance, sampler, longest_speech(phones), stop)
        plan = self._plan(options)
        return ahead(windows_of(tokens, plan), stop), plan

    def _plan(self, options: SynthesisOptions) -> ChunkPlan:
        lengths = options.chunk_tokens
        if options.exact:
            return PatientPlan(lengths or EXACT_CHUNK_TOKENS)
        pitch = pitch_factor(options)
        # Of frames that are pressed together, a window needs as many after it as ever.
        ahead = math.ceil(self._vocoder.lookahead_tokens * options.speed / pitch)
        if lengths is not None:
            return FixedPlan(lengths, ahead)
        machine = at_speed(self._machine, options.speed, pitch)
        first = max(FIRST_TOKENS, ahead + 1) if self._unmeasured else None
        return schedule_of(replace(machine, lookahead_tokens=ahead), first).begin()

    def _which_voice(self, own: list[str]) -> str:
        name = self.bundle.manifest.name
        if own:
            return f"voice model '{name}' has several voices; name one of {', '.join(own)}"
        return (
            f"voice model '{name}' has no voice yet: `selftalk reference CLIP.wav` makes one of a"
            " recording of 3 to 10 s"
        )


class Sentence:
    """One sentence on its way to sound."""

    def __init__(
        self,
        synthesizer: SovitsSynthesizer,
        text: str,
        phonemes: Phonemes,
        reference: Reference,
        options: SynthesisOptions,
    ) -> None:
        self._synthesizer = synthesizer
        self._text = text
        self._reference = reference
        self._options = options
        rate_hz = synthesizer.sample_rate_hz
        # A higher voice is a slower one, played faster.
        faster = pitch_factor(options)
        self._speed = options.speed / faster
        self._resampler = Resampler(round(rate_hz * faster), rate_hz)
        spoken = completed(phonemes)
        symbols = spoken.symbols
        self._phones = phone_ids(synthesizer.bundle, symbols)
        self._bert = synthesizer.features.rows(spoken)
        hop_samples = synthesizer.bundle.manifest.numbers["hop_samples"]
        before = len(symbols) - len(phonemes.symbols) - (symbols[-1] != phonemes.symbols[-1])
        self._clock = WordClock(phonemes, before, hop_samples / options.speed)
        self._edge = EdgeSilence(rate_hz, pause_ms(text, options.speed))
        self._heard = 0

    def chunks(self, stop: StopFlag, tell: Marks) -> Iterator[SpeechChunk]:
        """Speak it."""
        utterance, vocoder = self._synthesizer.begin(
            self._phones, self._bert, self._reference, self._options, self._speed
        )
        tell("prefill")
        windows, plan = self._synthesizer.windows(utterance, len(self._phones), self._options, stop)
        yield from held_back(self._spoken(windows, vocoder, stop, tell), plan.prebuffer_chunks)
        if utterance.said >= longest_speech(len(self._phones)):
            logging.getLogger("selftalk").warning(
                "the voice model found no end to a sentence, so it was ended after %.0f s; another"
                " seed, or a shorter sentence, may help: '%s'",
                utterance.said / TOKEN_RATE_HZ,
                self._text[:SHOWN_CHARACTERS],
            )

    def _spoken(
        self, windows: Iterator[Window], vocoder: SentenceVocoder, stop: StopFlag, tell: Marks
    ) -> Iterator[SpeechChunk]:
        for index, window in enumerate(windows):
            if index == 0:
                tell("first_semantic_token")
            speak = vocoder.push if window.left is None else vocoder.flush
            samples = speak(np.array(window.tokens, np.int64), window.spoken_tokens)
            samples = self._resampler.push(samples)
            if stop.is_set:
                return
            over = window.left == 0
            if over:
                samples = np.concatenate([samples, self._resampler.flush()])
            yield from self._chunk(samples, vocoder, over=over)

    def _chunk(
        self, samples: np.ndarray, vocoder: SentenceVocoder, *, over: bool
    ) -> Iterator[SpeechChunk]:
        self._heard += len(samples)
        ready = self._edge.push(limited(samples))
        if over:
            ready = np.concatenate([ready, self._edge.flush()])
        words = self._clock.take(vocoder.alignment, self._heard, over=over)
        earlier = self._edge.trimmed_samples
        said = tuple(sooner(word, earlier) for word in words)
        if len(ready) or said:
            yield SpeechChunk(AudioChunk(ready, self._synthesizer.sample_rate_hz), said)


def usual_machine(vocoder: SovitsVocoder) -> Machine:
    """A machine that was not measured."""
    return replace(
        TWICE_AS_FAST,
        lookahead_tokens=vocoder.lookahead_tokens,
        useful_lookahead_tokens=USEFUL_LOOKAHEAD_TOKENS,
    )


schedule_of = lru_cache(maxsize=64)(solve)
"""Solved once for each speed and pitch."""


def pitch_factor(options: SynthesisOptions) -> float:
    """How many times higher the voice is."""
    return float(2 ** (options.pitch_semitones / 12))


def reference_of(voice: Voice, bundle: Bundle) -> Reference:
    """The reference of a voice, if it is one for this model.

    Raises:
        VoiceError: it is not.
    """
    name = bundle.manifest.name
    if voice.reference is None:
        raise VoiceError(
            f"voice '{voice.name}' was not made for the voice model '{name}';"
            " `selftalk reference` makes one that is"
        )
    if voice.reference.model != model_of(bundle):
        raise VoiceError(f"voice '{voice.name}' was made for another model than '{name}'")
    return voice.reference


def sooner(word: WordTime, samples: int) -> WordTime:
    """The times of a word when so many samples before it are left out."""

    def at(sample: int) -> int:
        return max(0, sample - samples)

    phones = tuple(
        PhoneTime(one.symbol, at(one.start_samples), at(one.end_samples)) for one in word.phones
    )
    return replace(
        word, start_samples=at(word.start_samples), end_samples=at(word.end_samples), phones=phones
    )
