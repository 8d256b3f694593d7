"""Whisper: speech recognition in 99 languages, run by CTranslate2.

Whisper was made to hear 30 seconds at a time. Here its encoder hears the utterance and a little
silence: for three seconds of speech that costs a quarter. The decoder can then lose its end and
loop, or be unsure, most of all of one or two words; such a piece is heard again with the full
window and a pause before it.

The language is always told to the model: letting it guess doubles the cost and errs on short
speech. Chinese is written in simplified characters, whatever the model writes.
Knows nothing about turns and when to decode.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from selftalk.stream.errors import RecognizerError, WeightsError
from selftalk.stream.listening.log_mel import HOP_SAMPLES, log_mel
from selftalk.stream.listening.pieces import split_at_pauses
from selftalk.stream.listening.recognizer import (
    SAMPLE_RATE_HZ,
    Transcript,
    base_language,
    speech_samples,
)
from selftalk.stream.listening.repetition import looping_tokens, without_loops
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.stop import StopFlag
from selftalk.stream.text.traditional_zh import simplified

WINDOW_SECONDS = 30.0
LONGEST_PIECE_SECONDS = 28.0
SLACK_SECONDS = 2.0
"""Silence after the speech, by which the decoder knows the end."""
SHORTEST_SAMPLES = SAMPLE_RATE_HZ // 10
TOKENS_PER_SECOND = 14
"""More than the fastest speaker of a language whose characters are three tokens each."""
SPARE_TOKENS = 16
PAUSE_SECONDS = 0.25
NO_SPEECH_PROBABILITY = 0.5
"""Noise is mostly above; of short words of real speech one in twenty."""
SURE_CONFIDENCE = 0.6
"""From here on the words count more than the model's doubt that anybody spoke."""
LEAST_CONFIDENCE = 0.15
"""What is imagined in noise stays below, unless it is doubted anyway; real words hardly ever do."""
LANGUAGE_ALIASES = {"yue": "zh"}
"""Languages this model has no token for, and the one it writes them in."""


class Heard(NamedTuple):
    """What one decode gave."""

    tokens: list[int]
    confidence: float
    """Geometric mean of the tokens' probabilities."""
    no_speech_probability: float
    complete: bool
    """Whether it ended by itself, without a loop and before the limit."""


class Whisper:
    """The recognizer; not for several threads at once."""

    suits_partials = False

    def __init__(self, model: Any, vocabulary: Sequence[str], language: str) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._first_special = vocabulary.index("<|endoftext|>")
        self._language = self._known(language)

    @classmethod
    def load(cls, folder: Path, language: str = "en", threads: int = 1) -> "Whisper":
        """Open a CTranslate2 folder.

        Raises:
            RecognizerError: CTranslate2 is not installed, or the language is unknown.
            WeightsError: the folder holds no such model.
        """
        try:
            import ctranslate2
        except ImportError as error:
            raise RecognizerError(
                "whisper needs CTranslate2, which `pip install selftalk[local]` brings"
            ) from error
        try:
            model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads
            )
        except (RuntimeError, ValueError) as error:
            raise WeightsError(f"'{folder}' is not a Whisper model of CTranslate2") from error
        return cls(model, read_vocabulary(folder / "vocabulary.txt"), language)

    def transcribe(
        self, chunk: AudioChunk, language: str | None = None, stop: StopFlag | None = None
    ) -> Transcript:
        """Recognise speech of any length; see `Recognizer`."""
        told = self._language if language is None else self._known(language)
        texts, confidences = [], []
        for piece in split_at_pauses(speech_samples(chunk), SAMPLE_RATE_HZ, LONGEST_PIECE_SECONDS):
            (stop or StopFlag()).raise_if_set()
            if len(piece) < SHORTEST_SAMPLES:
                continue
            heard = self._hear(piece, told)
            if not _is_nobody(heard):
                texts.append(self._text(heard.tokens))
                confidences.append(heard.confidence)
        joined = " ".join(filter(None, texts))
        text = simplified(joined) if told == "zh" else joined
        return Transcript(text, language or self._language, _geometric_mean(confidences))

    def _hear(self, samples: Float32Array, language: str) -> Heard:
        """With a short window first; with the full one when that gave no end, or unsure words."""
        seconds = len(samples) / SAMPLE_RATE_HZ
        heard = self._decode(samples, seconds + SLACK_SECONDS, language)
        sure = heard.confidence >= SURE_CONFIDENCE
        if heard.complete and (sure or heard.no_speech_probability > NO_SPEECH_PROBABILITY):
            return heard
        after_pause = np.pad(samples, (int(PAUSE_SECONDS * SAMPLE_RATE_HZ), 0))
        again = self._decode(after_pause, WINDOW_SECONDS, language)
        return again if not heard.complete or again.confidence > heard.confidence else heard

    def _decode(self, samples: Float32Array, window_seconds: float, language: str) -> Heard:
        import ctranslate2

        limit = SPARE_TOKENS + TOKENS_PER_SECOND * len(samples) // SAMPLE_RATE_HZ
        features = ctranslate2.StorageView.from_array(_features(samples, window_seconds)[None])
        prompt = ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]
        result = self._model.generate(
            features,
            [prompt],
            beam_size=1,
            max_length=limit + len(prompt),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = list(result.sequences_ids[0])
        complete = len(tokens) < limit and not _loops(tokens)
        return Heard(
            tokens if complete else without_loops(tokens),
            float(np.exp(result.scores[0])),
            float(result.no_speech_prob),
            complete,
        )

    def _text(self, tokens: Sequence[int]) -> str:
        pieces = [self._vocabulary[token] for token in tokens if token < self._first_special]
        alphabet = _byte_alphabet()
        content = bytes(alphabet[character] for character in "".join(pieces))
        return " ".join(content.decode("utf-8", errors="ignore").split())

    def _known(self, language: str) -> str:
        base = base_language(language)
        told = LANGUAGE_ALIASES.get(base, base)
        if f"<|{told}|>" not in self._vocabulary:
            raise RecognizerError(f"whisper does not know the language '{language}'")
        return told


def read_vocabulary(path: Path) -> list[str]:
    """One token a line, in the byte alphabet of GPT-2.

    Raises:
        WeightsError: the file is missing.
    """
    if not path.is_file():
        raise WeightsError(f"vocabulary file '{path}' does not exist")
    return path.read_text("utf-8").removesuffix("\n").split("\n")


def _features(samples: Float32Array, window_seconds: float) -> Float32Array:
    """Log-mel of the speech and silence up to the window: (80, frames), frames even."""
    window = round(min(window_seconds, WINDOW_SECONDS) * SAMPLE_RATE_HZ)
    window -= window % (2 * HOP_SAMPLES)  # the encoder halves the frames
    padded = np.pad(samples, (0, max(0, window - len(samples))))
    return np.ascontiguousarray(log_mel(padded[:window]))


@lru_cache(maxsize=1)
def _byte_alphabet() -> dict[str, int]:
    """GPT-2 writes each byte as one visible character: those that have none get later ones."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {
        chr(256 + place): byte for place, byte in enumerate(hidden)
    }


def _loops(tokens: Sequence[int]) -> bool:
    return any(looping_tokens(tokens[:end]) for end in range(1, len(tokens) + 1))


def _is_nobody(heard: Heard) -> bool:
    doubted = heard.no_speech_probability > NO_SPEECH_PROBABILITY
    return heard.confidence < (SURE_CONFIDENCE if doubted else LEAST_CONFIDENCE)


def _geometric_mean(confidences: list[float]) -> float:
    return float(np.exp(np.mean(np.log(confidences)))) if confidences else 1.0
