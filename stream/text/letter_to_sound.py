"""How an English word that no dictionary knows is most likely said: a small recurrent network.

One GRU reads the letters, a second writes ARPAbet symbols until it says stop. The weights are those
of g2p_en (Apache-2.0), as int8 rows with one scale each. Knows nothing about sentences.
"""

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from selftalk.stream.text.symbols import ARPABET_CONSONANTS, ARPABET_VOWELS

Float32Array = npt.NDArray[np.float32]

_LETTERS = {letter: index for index, letter in enumerate("abcdefghijklmnopqrstuvwxyz", start=3)}
_END_OF_WORD, _UNKNOWN_LETTER = 2, 1
_START, _STOP = 2, 3
_SYMBOLS = (
    *("", "", "", ""),
    *sorted(
        {
            *ARPABET_CONSONANTS,
            *(vowel + stress for vowel in ARPABET_VOWELS for stress in "012"),
            "UW",
        }
    ),
)
_LONGEST_SYMBOLS = 32
_LONGEST_LETTERS = 32


class _Gru:
    """One gated recurrent unit with its input table: (V, D) embeddings, D hidden values."""

    def __init__(self, weights: dict[str, Float32Array], prefix: str) -> None:
        recurrent = {name: weights[f"{prefix}_{name}"] for name in ("w_hh", "b_hh")}
        # The input side never changes, so it is one lookup per symbol: (V, 3 D).
        self._inputs = weights[f"{prefix}_emb"] @ weights[f"{prefix}_w_ih"].T
        self._inputs += weights[f"{prefix}_b_ih"]
        self._recurrent, self._bias = recurrent["w_hh"].T, recurrent["b_hh"]

    def step(self, symbol: int, hidden: Float32Array) -> Float32Array:
        """hidden: (D,) → (D,)."""
        width = len(hidden)
        given = self._inputs[symbol]
        recalled = hidden @ self._recurrent + self._bias
        gates = 1 / (1 + np.exp(-(given[: 2 * width] + recalled[: 2 * width])))
        reset, update = gates[:width], gates[width:]
        fresh = np.tanh(given[2 * width :] + reset * recalled[2 * width :])
        result: Float32Array = (1 - update) * fresh + update * hidden
        return result


@cache
def _network() -> tuple[_Gru, _Gru, Float32Array, Float32Array]:
    with files("selftalk.stream.text").joinpath("letter_to_sound.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        weights = {
            name: stored[name].astype(np.float32) * stored[f"{name}.scale"]
            for name in stored.files
            if not name.endswith(".scale")
        }
    return _Gru(weights, "enc"), _Gru(weights, "dec"), weights["fc_w"].T, weights["fc_b"]


def pronounce(word: str) -> tuple[str, ...]:
    """ARPAbet symbols of a word in lower-case letters; the most likely ones, letter by letter."""
    reader, writer, output, bias = _network()
    hidden = np.zeros(output.shape[0], np.float32)
    for letter in word[:_LONGEST_LETTERS]:
        hidden = reader.step(_LETTERS.get(letter, _UNKNOWN_LETTER), hidden)
    hidden = reader.step(_END_OF_WORD, hidden)
    symbols: list[str] = []
    symbol = _START
    while len(symbols) < _LONGEST_SYMBOLS:
        hidden = writer.step(symbol, hidden)
        symbol = int(np.argmax(hidden @ output + bias))
        if symbol == _STOP:
            break
        symbols.append(_SYMBOLS[symbol])
    return tuple("UW1" if symbol == "UW" else symbol for symbol in symbols if symbol)
