"""Moonshine: English speech recognition whose cost grows with the utterance.

An encoder graph hears the whole utterance, a decoder graph with a key/value cache writes it
token by token. That fits partial transcripts: a second of speech costs a thirtieth of a second.
When the same utterance is decoded again, a little longer, the tokens found before serve as a
draft: the decoder checks them all in one step and goes on from the first one it disagrees with.
The result is the same as without a draft.

Knows nothing about turns and when to decode.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import RecognizerError, WeightsError
from selftalk.stream.graphs.onnx import Session, input_shapes, open_session, run_session
from selftalk.stream.listening.pieces import split_at_pauses
from selftalk.stream.listening.recognizer import (
    SAMPLE_RATE_HZ,
    Transcript,
    base_language,
    speech_samples,
)
from selftalk.stream.listening.repetition import looping_tokens
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.stop import StopFlag

BEGIN, END = 1, 2
LONGEST_PIECE_SECONDS = 30.0
"""The cost of attention grows with the square, and training saw nothing much longer."""
SHORTEST_SAMPLES = SAMPLE_RATE_HZ // 10
"""Less is a click, and the encoder's filters do not fit into it."""
TOKENS_PER_SECOND = 8
"""Faster than anybody speaks; together with `SPARE_TOKENS` it ends a runaway decode."""
SPARE_TOKENS = 8
PAST, PRESENT = "past_key_values.", "present."

IMAGINED = frozenset(
    ("you", "thank you", "thank you for watching", "thanks for watching", "transcript emily beynon")
)
BREATHS = frozenset(("ah", "eh", "hm", "hmm", "huh", "mm", "oh", "uh", "um"))
"""What the model writes for noise; with this confidence or less, nobody said it."""
IMAGINED_CONFIDENCE = 0.8
LEAST_CONFIDENCE = 0.35
"""Noise that is no word at all stays below; speech that was heard twice hardly ever does."""
SURE_CONFIDENCE = 0.75
"""With less, an utterance is heard again with a pause around it: what was cut out close to its
first and last sound is often mistaken, and is understood then."""
PAUSE_SECONDS = 0.25

NOTES = str.maketrans("", "", "♪🎵")

Cache = dict[str, npt.NDArray[Any]]


class Decoded(NamedTuple):
    """Tokens of one piece with the probability of each."""

    tokens: list[int]
    probabilities: list[float]

    @property
    def confidence(self) -> float:
        """Geometric mean of the probabilities; of no tokens, 1."""
        return _geometric_mean(self.probabilities)


class Moonshine:
    """The recognizer; not for several threads at once."""

    suits_partials = True

    def __init__(self, encoder: Session, decoder: Session, vocabulary: Sequence[bytes]) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._empty_cache = _empty_cache(decoder)
        self._draft: list[int] = []

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> "Moonshine":
        """Open the three files of a folder.

        Raises:
            WeightsError: a file is missing or damaged.
        """
        return cls(
            open_session(folder / "encoder_model.ort", threads),
            open_session(folder / "decoder_model_merged.ort", threads),
            read_vocabulary(folder / "tokenizer.bin"),
        )

    def transcribe(
        self, chunk: AudioChunk, language: str | None = None, stop: StopFlag | None = None
    ) -> Transcript:
        """Recognise English speech of any length; see `Recognizer`."""
        if language is not None and base_language(language) != "en":
            raise RecognizerError(f"moonshine understands English only, not '{language}'")
        decoded = [
            self._transcribe_piece(piece, stop or StopFlag())
            for piece in split_at_pauses(
                speech_samples(chunk), SAMPLE_RATE_HZ, LONGEST_PIECE_SECONDS
            )
        ]
        texts = [self._text(piece) for piece in decoded]
        probabilities = [p for piece in decoded for p in piece.probabilities]
        return Transcript(" ".join(filter(None, texts)), "en", _geometric_mean(probabilities))

    def _transcribe_piece(self, samples: Float32Array, stop: StopFlag) -> Decoded:
        if len(samples) < SHORTEST_SAMPLES:
            return Decoded([], [])
        heard = self._hear(samples, stop)
        if not heard.tokens or heard.confidence >= SURE_CONFIDENCE:
            return heard
        again = self._hear(np.pad(samples, int(PAUSE_SECONDS * SAMPLE_RATE_HZ)), stop)
        could_be_noise = _could_be_noise(text_of(again.tokens, self._vocabulary))
        return heard if could_be_noise or again.confidence <= heard.confidence else again

    def _hear(self, samples: Float32Array, stop: StopFlag) -> Decoded:
        stop.raise_if_set()
        mask = np.ones((1, len(samples)), np.int64)
        heard = run_session(self._encoder, {"input_values": samples[None], "attention_mask": mask})
        fixed = {
            "encoder_hidden_states": heard["last_hidden_state"],  # (1, S, D)
            "encoder_attention_mask": mask,  # (1, T): the decoder thins it out itself
        }
        limit = SPARE_TOKENS + TOKENS_PER_SECOND * len(samples) // SAMPLE_RATE_HZ
        decoded = self._decode(fixed, limit, stop)
        self._draft = decoded.tokens
        return decoded

    def _decode(self, fixed: Cache, limit: int, stop: StopFlag) -> Decoded:
        """Write greedily until the end token, the limit or a loop."""
        draft = self._draft[:limit]
        logits, cache = self._step([BEGIN, *draft], fixed, self._empty_cache)
        agreed = _agreed_length(draft, logits)
        cache = _shortened(cache, 1 + agreed)
        tokens = draft[:agreed]
        probabilities = [_probability(logits[i], token) for i, token in enumerate(tokens)]
        last = logits[agreed]
        while len(tokens) < limit and (token := int(last.argmax())) != END:
            stop.raise_if_set()
            tokens.append(token)
            probabilities.append(_probability(last, token))
            surplus = looping_tokens(tokens)
            if surplus:
                del tokens[-surplus:], probabilities[-surplus:]
                break
            logits, cache = self._step([token], fixed, cache)
            last = logits[0]
        return Decoded(tokens, probabilities)

    def _step(self, tokens: list[int], fixed: Cache, cache: Cache) -> tuple[Float32Array, Cache]:
        """Add tokens: logits (tokens, V) of what follows each, and the longer cache."""
        first = cache is self._empty_cache
        inputs = {
            "input_ids": np.array([tokens], np.int64),
            "use_cache_branch": np.array([not first]),
        }
        outputs = run_session(self._decoder, {**inputs, **fixed, **cache})
        grown = {
            name.replace(PRESENT, PAST): value
            for name, value in outputs.items()
            # Keys of what was heard are made in the first step and only passed through later.
            if name.startswith(PRESENT) and (first or ".decoder." in name)
        }
        return outputs["logits"][0], {**cache, **grown}

    def _text(self, decoded: Decoded) -> str:
        text = text_of(decoded.tokens, self._vocabulary)
        confidence = decoded.confidence
        doubted = confidence <= IMAGINED_CONFIDENCE and _could_be_noise(text)
        return "" if doubted or confidence < LEAST_CONFIDENCE else text


def _could_be_noise(text: str) -> bool:
    words = re.findall(r"\w+", text.lower())
    return " ".join(words) in IMAGINED or BREATHS.issuperset(words)


def read_vocabulary(path: Path) -> list[bytes]:
    """Read `tokenizer.bin`: for each token its length (one byte, or two from 128 on) and bytes.

    Raises:
        WeightsError: the file is missing or ends within a token.
    """
    if not path.is_file():
        raise WeightsError(f"tokenizer file '{path}' does not exist")
    content = path.read_bytes()
    vocabulary, position = [], 0
    while position < len(content):
        length, position = content[position], position + 1
        if length >= 128 and position < len(content):  # the low seven bits, then the others
            length, position = length - 128 + 128 * content[position], position + 1
        if position + length > len(content):
            raise WeightsError(f"tokenizer file '{path}' ends within a token")
        vocabulary.append(content[position : position + length])
        position += length
    return vocabulary


def text_of(tokens: Sequence[int], vocabulary: Sequence[bytes]) -> str:
    """Join tokens to text; notes and broken characters, which nobody said, are left out."""
    joined = b"".join(vocabulary[token] for token in tokens if token < len(vocabulary))
    text = joined.decode("utf-8", errors="ignore").replace("▁", " ").translate(NOTES)
    return " ".join(text.split())


def _empty_cache(decoder: Session) -> Cache:
    shapes = input_shapes(decoder)
    return {
        name: np.zeros((1, shape[1], 0, shape[3]), np.float32)  # (B, H, 0, D)
        for name, shape in shapes.items()
        if name.startswith(PAST)
    }


def _shortened(cache: Cache, length: int) -> Cache:
    """Forget the tokens after `length`; what was heard stays whole."""
    return {
        name: value[:, :, :length] if ".decoder." in name else value
        for name, value in cache.items()
    }


def _agreed_length(draft: list[int], logits: Float32Array) -> int:
    """How many tokens of the draft greedy decoding would have written as well."""
    best = logits.argmax(axis=-1)
    for index, token in enumerate(draft):
        if best[index] != token:
            return index
    return len(draft)


def _probability(logits: Float32Array, token: int) -> float:
    return float(1 / np.exp(logits - logits[token]).sum())


def _geometric_mean(probabilities: list[float]) -> float:
    if not probabilities:
        return 1.0
    return float(np.exp(np.mean(np.log(np.maximum(probabilities, 1e-9)))))
