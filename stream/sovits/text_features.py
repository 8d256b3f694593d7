"""TextFeatures: what Chinese characters mean where they stand, a row for each phone.

Every stretch of Mandarin is read by BERT on its own; phones of a character share its row. All other
languages have zeros, as in the official models' training. Knows nothing about voices.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.graph import ON_ONE_CORE, Graph, RunOptions
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.reference import Int64Array
from selftalk.stream.text.phonemes import Phonemes

GRAPH = "bert"
VOCABULARY = "bert.txt"
UNKNOWN, BEGIN, END = "[UNK]", "[CLS]", "[SEP]"
LONGEST_CHARACTERS = 510
"""BERT knows 512 places, two of which are taken by the marks of begin and end."""

WITHOUT_BERT = (
    "Chinese is read without BERT, which costs some of its melody: fetch the folder"
    " chinese-roberta-wwm-ext-large of GPT-SoVITS's pretrained models, and export again with"
    " --bert FOLDER"
)

Encode = Callable[[Int64Array], Float32Array]
"""Ids (T,) → rows (T, W)."""


class TextFeatures:
    """Reads texts with the BERT of a bundle; without one says so once, and gives no rows.

    BERT is opened with the first Chinese: other languages need neither its time nor its memory.
    """

    def __init__(self, bundle: Bundle, run: RunOptions = ON_ONE_CORE) -> None:
        self._bundle, self._run = bundle, run
        self._opening = Lock()
        self._graph: Graph | None = None
        self._vocabulary: Mapping[str, int] = {}
        self._said = False

    def rows(self, phonemes: Phonemes) -> Float32Array | None:
        """Features (N, W) of a text; None stands for zeros."""
        if not phonemes.characters:
            return None
        if GRAPH in self._bundle.manifest.graphs:
            self._open()
            return feature_rows(phonemes, self._vocabulary, self._encode)
        if not self._said:
            self._said = True
            logging.getLogger("selftalk").warning(WITHOUT_BERT)
        return None

    def _open(self) -> None:
        with self._opening:
            if self._graph is None:
                self._vocabulary = read_vocabulary(self._bundle.file_path(VOCABULARY))
                self._graph = Graph(self._bundle.graph_path(GRAPH), self._run)

    def _encode(self, ids: Int64Array) -> Float32Array:
        assert self._graph is not None
        rows: Float32Array = self._graph.run(characters=ids[None])["rows"][0]
        return rows


def feature_rows(
    phonemes: Phonemes, vocabulary: Mapping[str, int], encode: Encode
) -> Float32Array | None:
    """Features (N, W) of a text; None where it holds no Chinese."""
    if not phonemes.characters:
        return None
    rows = [
        encode(character_ids(part, vocabulary))[1:-1]
        for stretch in phonemes.characters
        for part in parts_of(stretch)
    ]
    nothing = np.zeros((1, rows[0].shape[1]), np.float32)
    return np.concatenate([*rows, nothing])[list(phonemes.character_index)]


def parts_of(stretch: str) -> list[str]:
    """A stretch of Chinese in parts that BERT has places for."""
    starts = range(0, len(stretch), LONGEST_CHARACTERS)
    return [stretch[start : start + LONGEST_CHARACTERS] for start in starts]


def character_ids(text: str, vocabulary: Mapping[str, int]) -> Int64Array:
    """Ids (T + 2,) of the characters of a text, between the marks of begin and end.

    BERT's tokenizer takes every Chinese character and every mark for a word of its own.
    """
    unknown = vocabulary[UNKNOWN]
    ids = [vocabulary.get(char, unknown) for char in text]
    return np.array([vocabulary[BEGIN], *ids, vocabulary[END]], np.int64)


def stacked_rows(
    parts: Sequence[tuple[int, Float32Array | None]], width: int
) -> Float32Array | None:
    """Rows of texts that follow one another: phones of each, and its features if it has any."""
    if all(rows is None for _, rows in parts):
        return None
    return np.concatenate(
        [np.zeros((count, width), np.float32) if rows is None else rows for count, rows in parts]
    )


def read_vocabulary(path: Path) -> dict[str, int]:
    """Ids by word, from BERT's `vocab.txt` (a word in a line) or its `tokenizer.json`.

    Raises:
        BundleError: it is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            words = json.loads(text)["model"]["vocab"]
            found = {str(word): int(index) for word, index in words.items()}
        else:
            found = {word: index for index, word in enumerate(text.split("\n")) if word}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"'{path}' holds no vocabulary of BERT: {error}") from error
    if missing := {UNKNOWN, BEGIN, END} - found.keys():
        raise BundleError(f"'{path}' holds no vocabulary of BERT: it lacks {sorted(missing)[0]}")
    return found


def vocabulary_text(vocabulary: Mapping[str, int]) -> str:
    """A vocabulary as `vocab.txt` has it: a word in a line, in the order of the ids."""
    lines = [""] * (1 + max(vocabulary.values()))
    for word, index in vocabulary.items():
        lines[index] = word
    return "\n".join(lines) + "\n"
