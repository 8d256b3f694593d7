"""Synthesizer: text in a voice → chunks of speech, the first of them at once.

    text ─phonemize─▶ symbols ─prefill─▶ plan ─step, step, …─▶ tokens ─push─▶ chunks

Token decoder and vocoder work at the same time, one thread each: while a chunk is vocoded, the
tokens of the next are drawn. The first chunk is short, later ones grow. Knows nothing about
conversations or devices.
"""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from selftalk.stream.alignment import FRAMES_PER_TOKEN
from selftalk.stream.audio import AudioChunk, concat
from selftalk.stream.bundle import Bundle
from selftalk.stream.errors import TextError
from selftalk.stream.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.sampling import Sampler, SamplingConfig
from selftalk.stream.semantic import DEFAULT_SAMPLING, Plan, SemanticDecoder
from selftalk.stream.speech import Marks, PhoneTime, SpeechChunk, WordTime
from selftalk.stream.stop import StopFlag
from selftalk.stream.text import phonemize
from selftalk.stream.text.language_guess import guess_language
from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import SYMBOLS_V2, symbol_ids
from selftalk.stream.vocoder import Speaker, Vocoder
from selftalk.stream.voices import Voice, find_voice

SILENCE = "SP"
SILENCE_ID = SYMBOLS_V2.index(SILENCE)
PITCH_CENTRE, PITCH_SPREAD = float(np.log(170.0)), 0.35  # of mean log pitch among speakers

AUTO = "auto"
SPEAKER_SIZE = 256
WARM_UP_WORDS = {"en": "hello", "zh": "你好", "ja": "はい", "ko": "네", "yue": "你好"}


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """What can be chosen for an utterance."""

    language: str = AUTO
    """A code, or "auto": guessed from each text."""
    speed: float = 1.0
    pitch_semitones: float = 0.0
    seed: int = 0
    sampling: SamplingConfig = field(default_factory=lambda: DEFAULT_SAMPLING)
    chunk_tokens: tuple[int, ...] = (6, 10, 16, 25)
    """Lengths of the first chunks in tokens of 40 ms; the last one repeats."""


class Synthesizer:
    """Text and voice → speech; may be shared by threads, one utterance each at a time."""

    def __init__(
        self,
        bundle: Bundle,
        options: SynthesisOptions | None = None,
        *,
        decoder_run: RunOptions = ON_ONE_CORE,
        vocoder_run: RunOptions = ON_ONE_CORE,
    ) -> None:
        self.bundle = bundle
        self.options = options or SynthesisOptions()
        self._semantic = SemanticDecoder(bundle, decoder_run)
        self._vocoder = Vocoder(bundle, vocoder_run)

    @property
    def sample_rate_hz(self) -> int:
        """The rate of every chunk."""
        return self.bundle.manifest.sample_rate_hz

    def voice(self, name: str) -> Voice:
        """Load a voice by name.

        Raises:
            VoiceError: there is no voice of this name.
        """
        return find_voice(name, self.bundle.voices_folder)

    def stream(
        self,
        text: str,
        voice: Voice,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
        options: SynthesisOptions | None = None,
    ) -> Iterator[SpeechChunk]:
        """Yield the speech of a sentence chunk by chunk; nothing when it holds nothing to say.

        Args:
            text: one sentence, or a clause of it.
            voice: whose voice.
            stop: looked at before every token; when set, the stream ends.
            marks: told the names of `metrics.SYNTHESIS_MARKS` when they are reached.
            options: in place of the synthesizer's own.

        Raises:
            TextError: the voice model does not speak the language.
        """
        options = options or self.options
        language = self._language_of(text, options)
        tell = marks or _nobody
        phonemes = phonemize(text, language)
        if not any(index >= 0 for index in phonemes.word_index):
            return
        tell("phonemes_ready")
        speaker = speaker_of(voice, options.pitch_semitones)
        plan = self._semantic.prefill(symbols_of(phonemes), speaker.vector, options.speed)
        tell("prefill")
        yield from self._speak(plan, phonemes, speaker, options, stop or StopFlag(), tell)

    def synthesize(
        self, text: str, voice: Voice, options: SynthesisOptions | None = None
    ) -> AudioChunk:
        """The whole utterance at once."""
        chunks = self.stream(text, voice, options=options)
        return concat((chunk.audio for chunk in chunks), self.sample_rate_hz)

    def warm_up(self) -> None:
        """Speak a word to nobody, so that the first sentence does not pay for loading."""
        voice = Voice("warm-up", np.zeros(SPEAKER_SIZE, np.float32), PITCH_CENTRE)
        for language in self.bundle.manifest.languages[:1]:
            options = replace(self.options, language=language)
            for _ in self.stream(WARM_UP_WORDS[language], voice, options=options):
                pass

    def _language_of(self, text: str, options: SynthesisOptions) -> str:
        manifest = self.bundle.manifest
        language = options.language
        if language == AUTO:
            language = guess_language(text, default=manifest.languages[0])
        if language not in manifest.languages:
            raise TextError(
                f"voice model '{manifest.name}' does not speak '{language}';"
                f" it speaks {', '.join(manifest.languages)}"
            )
        return language

    def _speak(
        self,
        plan: Plan,
        phonemes: Phonemes,
        speaker: Speaker,
        options: SynthesisOptions,
        stop: StopFlag,
        tell: Marks,
    ) -> Iterator[SpeechChunk]:
        sampler = Sampler(options.sampling, options.seed)
        words = word_times(phonemes, plan)
        vocoder = self._vocoder.stream(speaker, options.seed)
        symbols = plan.symbols[plan.alignment.frame_symbol]
        tokens = self._semantic.tokens(plan, sampler, stop)
        token, sample = 0, 0
        for piece in ahead(pieces_of(tokens, options.chunk_tokens), stop):
            if token == 0:
                tell("first_semantic_token")
            frames = slice(FRAMES_PER_TOKEN * token, FRAMES_PER_TOKEN * (token + len(piece)))
            samples = vocoder.push(np.array(piece, np.int64), symbols[frames])
            token += len(piece)
            if token == plan.alignment.tokens:
                samples = np.concatenate([samples, vocoder.flush()])
            if stop.is_set:
                return
            sample += len(samples)
            said, words = split_words(words, sample)
            yield SpeechChunk(AudioChunk(limited(samples), self.sample_rate_hz), said)


def symbols_of(phonemes: Phonemes) -> np.ndarray:
    """Ids of the symbols with silence before and after: (N + 2,)."""
    ids = symbol_ids(phonemes.symbols)
    return np.concatenate([[SILENCE_ID], ids, [SILENCE_ID]]).astype(np.int64)


def speaker_of(voice: Voice, pitch_semitones: float = 0.0) -> Speaker:
    """A voice as the networks see it, raised or lowered if wished."""
    pitch = voice.mean_log_pitch + pitch_semitones * np.log(2) / 12
    vector = np.append(voice.speaker, (pitch - PITCH_CENTRE) / PITCH_SPREAD)
    return Speaker(vector.astype(np.float32), pitch)


def word_times(phonemes: Phonemes, plan: Plan) -> tuple[WordTime, ...]:
    """When each word and each of its phonemes is heard, from the planned durations."""
    ends = plan.alignment.ends_samples  # of silence, then of each symbol
    phones: dict[int, list[PhoneTime]] = {}
    for position, word in enumerate(phonemes.word_index):
        if word >= 0:
            start, end = int(ends[position]), int(ends[position + 1])
            phones.setdefault(word, []).append(PhoneTime(phonemes.symbols[position], start, end))
    return tuple(
        WordTime(
            phonemes.words[word], spoken[0].start_samples, spoken[-1].end_samples, tuple(spoken)
        )
        for word, spoken in sorted(phones.items())
    )


def split_words(
    words: tuple[WordTime, ...], heard_samples: int
) -> tuple[tuple[WordTime, ...], tuple[WordTime, ...]]:
    """Words that begin before a sample, and the others."""
    count = sum(word.start_samples < heard_samples for word in words)
    return words[:count], words[count:]


def pieces_of(tokens: Iterator[int], lengths: tuple[int, ...]) -> Iterator[list[int]]:
    """Group tokens into pieces of the given lengths, the last length again and again."""
    index, piece = 0, []
    for token in tokens:
        piece.append(token)
        if len(piece) == lengths[min(index, len(lengths) - 1)]:
            yield piece
            index, piece = index + 1, []
    if piece:
        yield piece


def limited(samples: np.ndarray) -> np.ndarray:
    """Bend samples beyond 0.8 softly towards 1, the others untouched; needs no look-ahead."""
    knee = 0.8
    over = np.abs(samples) > knee
    if not over.any():
        return samples.astype(np.float32, copy=False)
    room = 1 - knee
    bent = knee + room * np.tanh((np.abs(samples) - knee) / room)
    return np.where(over, np.sign(samples) * bent, samples).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


def ahead(pieces: Iterator[list[int]], stop: StopFlag) -> Iterator[list[int]]:
    """Draw pieces in a thread of their own, so that the next is under way while one is used.

    Two pieces wait at most: more would only be wasted by a barge-in.
    """
    waiting: queue.Queue[list[int] | _End] = queue.Queue(maxsize=2)
    given_up = threading.Event()

    def put(item: list[int] | _End) -> bool:
        while not given_up.is_set():
            try:
                waiting.put(item, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def draw() -> None:
        error: BaseException | None = None
        try:
            for piece in pieces:
                if stop.is_set or not put(piece):
                    break
        except BaseException as caught:  # handed to the consumer, who raises it
            error = caught
        put(_End(error))

    thread = threading.Thread(target=draw, name="tokens", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        given_up.set()
        thread.join()


def _nobody(mark: str) -> None:
    del mark
