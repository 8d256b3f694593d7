"""TeacherScript: our symbols as the teacher's phonetic characters, and its times back as ours.

Kokoro reads the phonetic alphabet of misaki: English diphthongs as capitals (A I O W Y), one
stress mark before the stressed vowel; Mandarin as IPA with an arrow for the tone after the
vowel; words separated by spaces. Every symbol of ours owns a run of characters, so durations
fold back without loss. Knows nothing about audio or models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import TextError
from selftalk.stream.text.phonemes import Phonemes

Units = TypeVar("Units", np.int64, np.float32)

_ENGLISH = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AY": "I", "EH": "ɛ", "ER": "ɜɹ",
    "EY": "A", "IH": "ɪ", "IY": "i", "OW": "O", "OY": "Y", "UH": "ʊ", "UW": "u",
    "B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "ʤ",
    "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s",
    "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_UNSTRESSED = {"AH0": "ə", "ER0": "əɹ"}
_STRESS_MARKS = {"0": "", "1": "ˈ", "2": "ˌ"}
_FLAP = "T"

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ",
    "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
    "AA": "", "EE": "", "OO": "", "y": "j", "w": "w",
}  # fmt: skip
_FINALS = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0",
    "en": "ə0n", "eng": "ə0ŋ", "er": "ɚ0", "i": "i0", "i0": "ɨ0", "ir": "ɨ0", "ia": "ja0",
    "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0", "in": "i0n", "ing": "i0ŋ",
    "iong": "jʊ0ŋ", "iu": "jou0", "o": "wo0", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0",
    "ua": "wa0", "uai": "wai0", "uan": "wa0n", "uang": "wa0ŋ", "ui": "wei0", "un": "wə0n",
    "uo": "wo0", "v": "y0", "van": "ɥɛ0n", "ve": "ɥe0", "vn": "y0n", "E": "e0", "En": "ɛ0n",
}  # fmt: skip
_FINAL_AFTER = {("w", "o"): "o0", ("y", "o"): "ɔ0", ("OO", "o"): "ɔ0"}
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
# The glide that y and w stand for is already written in these finals.
_GLIDE_IN_FINAL = {"y": ("i", "in", "ing", "v", "van", "ve", "vn"), "w": ("u",)}

PUNCTUATION = {"!": "!", "?": "?", "…": "…", ",": ",", ".": ".", "-": "—"}

# Spoken without stress unless emphasised; a dictionary gives each its citation form.
_FUNCTION_WORDS = frozenset(
    # Also the pronouns with their short verbs: they lean on their neighbours as well.
    "a an and are as at be been but by can could did do does for from had has have he her him his "
    "i if in is it its me my of on or our she should so than that the their them then there they "
    "this to us was we were will with would you your am i'm i'll i've i'd it's you're you'll "
    "we're we'll they're that's he's she's".split()
)


@dataclass(frozen=True, slots=True)
class TeacherScript:
    """A line as the teacher reads it."""

    runs: tuple[str, ...]
    """For each symbol the characters it owns; a space belongs to the symbol before it."""

    @property
    def characters(self) -> str:
        """The whole line."""
        return "".join(self.runs)

    def fold(self, durations: npt.NDArray[Units]) -> npt.NDArray[Units]:
        """Fold the teacher's (N + 2,) durations onto our symbols.

        Returns:
            (symbols + 2,) units, rounded or not, with the same sum: the leading silence, every
            symbol, the trailing silence. A symbol the teacher does not write (the glottal onset
            of a Chinese vowel) takes the first unit of its successor where that has one to spare.
        """
        lengths = [1, *map(len, self.runs), 1]
        assert len(durations) == sum(lengths), (len(durations), lengths)
        ends = np.cumsum(lengths)
        total = np.concatenate([[0], np.cumsum(durations)])
        folded: npt.NDArray[Units] = total[ends] - total[ends - lengths]
        for index, run in enumerate(self.runs[:-1], start=1):
            if not run and folded[index + 1] > 1:
                folded[index] += 1
                folded[index + 1] -= 1
        return folded


def write_script(phonemes: Phonemes) -> TeacherScript:
    """Write a line in the teacher's alphabet, a space between words.

    Args:
        phonemes: GPT-SoVITS symbols (ARPAbet with stress, toned pinyin, punctuation) and the
            words they belong to; English function words lose their stress.

    Raises:
        TextError: the line holds nothing that the teacher can speak.
    """
    symbols = phonemes.symbols
    runs = [_run(index, phonemes) for index in range(len(symbols))]
    if not any(character.isalpha() for character in "".join(runs)):
        raise TextError("the line holds nothing that can be spoken")
    word_index = _joined_words(phonemes) if phonemes.language == "zh" else phonemes.word_index
    for index in range(1, len(runs)):
        starts_word = word_index[index] >= 0 and word_index[index] != word_index[index - 1]
        if starts_word and any(runs[:index]):
            runs[index - 1] += " "
    return TeacherScript(tuple(runs))


def _joined_words(phonemes: Phonemes) -> tuple[int, ...]:
    """The word index with Chinese characters gathered into words, as the teacher learnt them."""
    import jieba  # only here: English needs no dictionary of 5 MB

    word_of_character = [
        word
        for word, characters in enumerate(jieba.lcut("".join(phonemes.words)))
        for _ in characters
    ]
    first_character = [0]
    for written in phonemes.words:
        first_character.append(first_character[-1] + len(written))
    return tuple(
        word_of_character[first_character[index]] if index >= 0 else -1
        for index in phonemes.word_index
    )


def _run(index: int, phonemes: Phonemes) -> str:
    """The characters of one symbol; its neighbours decide glides, flaps and reductions."""
    symbols, word_index = phonemes.symbols, phonemes.word_index
    symbol = symbols[index]
    before = symbols[index - 1] if index else ""
    after = symbols[index + 1] if index + 1 < len(symbols) else ""
    if symbol in PUNCTUATION:
        return PUNCTUATION[symbol]
    if symbol in _INITIALS:
        return "" if after[:-1] in _GLIDE_IN_FINAL.get(symbol, ()) else _INITIALS[symbol]
    if symbol[:-1] in _FINALS:
        final = _FINAL_AFTER.get((before, symbol[:-1]), _FINALS[symbol[:-1]])
        return final.replace("0", _TONES[symbol[-1]])
    if symbol == "T" and _is_flapped(index, symbols, word_index):
        return _FLAP
    if symbol == "AH0" and _is_syllabic(index, symbols, word_index):
        return "ᵊ"
    word = phonemes.words[word_index[index]] if word_index[index] >= 0 else ""
    return _phone(symbol, stressed=word.lower() not in _FUNCTION_WORDS)


def _phone(symbol: str, *, stressed: bool) -> str:
    if symbol in _ENGLISH:
        return _ENGLISH[symbol]
    if symbol in _UNSTRESSED:
        return _UNSTRESSED[symbol]
    if symbol[:-1] in _ENGLISH:
        return (_STRESS_MARKS[symbol[-1]] if stressed else "") + _ENGLISH[symbol[:-1]]
    raise TextError(f"the teacher has no sound for the symbol '{symbol}'")


def _is_flapped(index: int, symbols: Sequence[str], word_index: Sequence[int]) -> bool:
    """American t between a vowel (or r) and an unstressed vowel of the same word: water."""
    if not 0 < index < len(symbols) - 1:
        return False
    one_word = word_index[index - 1] == word_index[index] == word_index[index + 1]
    before, after = symbols[index - 1], symbols[index + 1]
    return one_word and (before == "R" or before[-1].isdigit()) and after.endswith("0")


def _is_syllabic(index: int, symbols: Sequence[str], word_index: Sequence[int]) -> bool:
    """The vowel of an -le at the end of a word: little."""
    if not 0 < index < len(symbols) - 1 or symbols[index + 1] != "L":
        return False
    last = index + 2 == len(symbols) or word_index[index + 2] != word_index[index]
    one_word = word_index[index - 1] == word_index[index] == word_index[index + 1]
    return last and one_word and symbols[index - 1] in _ENGLISH
