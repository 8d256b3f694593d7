"""NanoSynthesizer: text → chunks of speech by our own small model.

    text ─phonemize─▶ symbols ─prefill─▶ plan ─step, step, …─▶ tokens ─push─▶ chunks

Token decoder and vocoder work at the same time, one thread each: while a chunk is vocoded, the
tokens of the next are drawn. The first chunk is short, later ones grow. Knows nothing about
conversations or devices.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.nano.alignment import FRAMES_PER_TOKEN, frame_text
from selftalk.stream.nano.personal import Parts, PersonalParts
from selftalk.stream.nano.semantic import DEFAULT_SAMPLING, Plan
from selftalk.stream.nano.timbre import EMBEDDING_SIZE, PITCH_CENTRE, SpeakerSpace
from selftalk.stream.nano.vocoder import Speaker
from selftalk.stream.sound.audio import AudioChunk, concat
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.chunks import ahead, held_back, pieces_of
from selftalk.stream.synthesis.finishing import Sound, finished
from selftalk.stream.synthesis.sampling import Sampler
from selftalk.stream.synthesis.schedule import ChunkPlan, Schedule, plan_chunks
from selftalk.stream.synthesis.silence import EdgeSilence, pause_ms
from selftalk.stream.synthesis.speech import Marks, PhoneTime, SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, language_of, tell_nobody
from selftalk.stream.synthesis.voices import Voice, find_voice
from selftalk.stream.text import phonemize
from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import PUNCTUATION, SYMBOLS_V2, symbol_ids

SILENCE, FULL_STOP = "SP", "."
SILENCE_ID = SYMBOLS_V2.index(SILENCE)
PAUSE_IDS = symbol_ids((SILENCE, *PUNCTUATION))

WARM_UP_WORDS = {"en": "hello", "zh": "你好", "ja": "はい", "ko": "네", "yue": "你好"}


class NanoSynthesizer:
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
        self._schedule = schedule
        self._speakers = SpeakerSpace(bundle)
        self._parts = PersonalParts(bundle, decoder_run, vocoder_run)

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
        """See `Synthesizer.stream`."""
        options = options or self.options
        language = language_of(text, self.bundle, options)
        tell = marks or tell_nobody
        phonemes = phonemize(text, language)
        if not any(index >= 0 for index in phonemes.word_index):
            return
        tell("phonemes_ready")
        speaker = self._speakers.speaker(voice, options.pitch_semitones)
        parts = self._parts.of(voice)
        plan = parts.semantic.prefill(symbols_of(phonemes), speaker.vector, options.speed)
        tell("prefill")
        edge = EdgeSilence(self.sample_rate_hz, pause_ms(text, options.speed))
        chunks = plan_chunks(options.chunk_tokens, self._schedule)
        sounds = self._sounds(parts, plan, chunks, speaker, options, stop or StopFlag(), tell)
        speech = finished(sounds, edge, word_times(phonemes, plan), self.sample_rate_hz)
        yield from held_back(speech, chunks.prebuffer_chunks)

    def synthesize(
        self, text: str, voice: Voice, options: SynthesisOptions | None = None
    ) -> AudioChunk:
        """The whole utterance at once."""
        chunks = self.stream(text, voice, options=options)
        return concat((chunk.audio for chunk in chunks), self.sample_rate_hz)

    def warm_up(self) -> None:
        """Speak a word to nobody, so that the first sentence does not pay for loading."""
        voice = Voice("nobody", np.full(EMBEDDING_SIZE, 1 / 16, np.float32), PITCH_CENTRE)
        known = self.bundle.manifest.languages
        for language in [self.options.language] if self.options.language in known else known[:1]:
            options = replace(self.options, language=language)
            for _ in self.stream(WARM_UP_WORDS[language], voice, options=options):
                pass

    def _sounds(
        self,
        parts: Parts,
        plan: Plan,
        chunks: ChunkPlan,
        speaker: Speaker,
        options: SynthesisOptions,
        stop: StopFlag,
        tell: Marks,
    ) -> Iterator[Sound]:
        sampler = Sampler(options.sampling or DEFAULT_SAMPLING, options.seed)
        vocoder = parts.vocoder.stream(speaker, options.seed)
        text = frame_text(plan.symbols, plan.alignment)
        tokens = parts.semantic.tokens(plan, sampler, stop)
        token = 0
        quiet = quiet_cuts(plan, parts.vocoder.lookahead_tokens)
        for piece in ahead(pieces_of(tokens, chunks, quiet), stop):
            if token == 0:
                tell("first_semantic_token")
            frames = slice(FRAMES_PER_TOKEN * token, FRAMES_PER_TOKEN * (token + len(piece)))
            samples = vocoder.push(np.array(piece, np.int64), text[frames])
            token += len(piece)
            over = token == plan.alignment.tokens
            if over:
                samples = np.concatenate([samples, vocoder.flush()])
            if stop.is_set:
                return
            yield samples, over


def symbols_of(phonemes: Phonemes) -> np.ndarray:
    """Ids of the symbols with silence before and after: (N + 2,), or one more.

    A text that ends without a mark gets a full stop: without one the last sound, which may be the
    only one, is cut short.
    """
    ended = phonemes.symbols[-1:] and phonemes.symbols[-1] in PUNCTUATION
    ids = symbol_ids(phonemes.symbols if ended else (*phonemes.symbols, FULL_STOP))
    return np.concatenate([[SILENCE_ID], ids, [SILENCE_ID]]).astype(np.int64)


def quiet_cuts(plan: Plan, lookahead_tokens: int) -> list[bool]:
    """For each token, whether a chunk that ends with it can be heard as far as into a pause."""
    paused: list[bool] = np.isin(plan.symbols, PAUSE_IDS)[plan.alignment.token_symbol].tolist()
    return [False] * lookahead_tokens + paused


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
