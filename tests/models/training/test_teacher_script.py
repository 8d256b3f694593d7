import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from selftalk.models.training.teacher_script import PUNCTUATION, TeacherScript, write_script
from selftalk.stream.errors import TextError
from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import (
    ARPABET_CONSONANTS,
    ARPABET_VOWELS,
    CHINESE_FINALS,
    CHINESE_INITIALS,
)

# The teacher's alphabet, as far as English and Mandarin need it.
ALPHABET = set(";:,.!?—… AIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæɔɕðʤəɚɛɜɡɥɨɤɪŋɹɻʂʃʧʊʌʒθꭧʦʨʰˈˌ↓→↗↘")


@pytest.fixture(autouse=True)
def small_dictionary(monkeypatch):
    """Chinese words without loading a dictionary for a second."""
    fake = SimpleNamespace(lcut=lambda text: re.findall("我们|银行|.", text))
    monkeypatch.setitem(sys.modules, "jieba", fake)


def english(*words: str) -> Phonemes:
    """'hello:HH AH0 L OW1' or a punctuation mark."""
    return phonemes("en", words)


def chinese(*words: str) -> Phonemes:
    return phonemes("zh", words)


def phonemes(language: str, words: tuple[str, ...]) -> Phonemes:
    symbols: list[str] = []
    index: list[int] = []
    written: list[str] = []
    for word in words:
        spelling, _, sounds = word.partition(":")
        if sounds:
            written.append(spelling)
        for symbol in (sounds or spelling).split():
            symbols.append(symbol)
            index.append(len(written) - 1 if sounds else -1)
    return Phonemes(tuple(symbols), tuple(index), tuple(written), language)


def test_english_as_misaki_writes_it():
    line = english("hello:HH AH0 L OW1", ",", "bird:B ER1 D", "cage:K EY1 JH", ".")
    assert write_script(line).characters == "həlˈO, bˈɜɹd kˈAʤ."


def test_a_space_belongs_to_the_symbol_before_it():
    assert write_script(english("I:AY1", "see:S IY1")).runs == ("I ", "s", "ˈi")


@pytest.mark.parametrize(
    ("word", "characters"),
    [
        ("water:W AO1 T ER0", "wˈɔTəɹ"),
        ("party:P AA1 R T IY0", "pˈɑɹTi"),
        ("attack:AH0 T AE1 K", "ətˈæk"),
        ("stay:S T EY1", "stˈA"),
    ],
)
def test_t_is_flapped_before_an_unstressed_vowel_only(word, characters):
    assert write_script(english(word)).characters == characters


def test_no_flap_across_words():
    assert write_script(english("at:AE1 T", "all:AO1 L")).characters == "æt ˈɔl"


def test_syllabic_l_only_at_the_end_of_its_own_word():
    assert write_script(english("little:L IH1 T AH0 L")).characters == "lˈɪTᵊl"
    line = english("the:DH AH0", "left:L EH1 F T")
    assert write_script(line).characters == "ðə lˈɛft"


def test_function_words_lose_their_stress():
    line = english("You:Y UW1", "can:K AE1 N", "win:W IH1 N")
    assert write_script(line).characters == "ju kæn wˈɪn"


@pytest.mark.parametrize(
    ("syllable", "characters"),
    [
        ("y i1", "i→"),
        ("y a2", "ja↗"),
        ("y van2", "ɥɛ↗n"),
        ("y En4", "jɛ↘n"),
        ("w u3", "u↓"),
        ("w o3", "wo↓"),
        ("b o1", "pwo→"),
        ("OO o5", "ɔ"),
        ("y o5", "jɔ"),
        ("zh ir4", "ꭧɨ↘"),
        ("z i05", "ʦɨ"),
        ("EE er4", "ɚ↘"),
        ("AA an1", "a→n"),
        ("x iong2", "ɕjʊ↗ŋ"),
    ],
)
def test_mandarin_as_misaki_writes_it(syllable, characters):
    assert write_script(chinese(f"字:{syllable}")).characters == characters


def test_chinese_characters_are_gathered_into_words():
    line = chinese("我:w o3", "们:m en5", "去:q v4", "银:y in2", "行:h ang2", ".")
    assert write_script(line).characters == "wo↓mən ʨʰy↘ i↗nxa↗ŋ."


def test_every_symbol_of_both_languages_is_in_the_alphabet():
    syllables = [f"字:{initial} a1" for initial in CHINESE_INITIALS]
    syllables += [f"字:d {final}{tone}" for final in CHINESE_FINALS for tone in "12345"]
    vowels = [f"{vowel}{stress}" for vowel in ARPABET_VOWELS for stress in "012"]
    lines = [chinese(syllable) for syllable in syllables]
    lines += [english(f"x:{symbol}") for symbol in (*ARPABET_CONSONANTS, *vowels)]
    lines += [english("ah:AA1", mark) for mark in PUNCTUATION]
    for line in lines:
        assert set(write_script(line).characters) <= ALPHABET, line


def test_a_foreign_symbol_is_refused_by_name():
    with pytest.raises(TextError, match="'ㄱ'"):
        write_script(english("x:ㄱ"))


def test_a_line_of_punctuation_cannot_be_spoken():
    with pytest.raises(TextError, match="nothing"):
        write_script(english(".", "!"))


def test_durations_fold_onto_the_owners_and_keep_their_sum():
    script = TeacherScript(("h", "ˈO ", ", "))
    folded = script.fold(np.array([9, 1, 2, 3, 4, 5, 6, 7]))
    assert folded.tolist() == [9, 1, 2 + 3 + 4, 5 + 6, 7]


def test_an_unwritten_onset_takes_a_unit_where_one_can_be_spared():
    assert TeacherScript(("", "i→")).fold(np.array([5, 2, 1, 4])).tolist() == [5, 1, 2, 4]
    assert TeacherScript(("", "a")).fold(np.array([5, 1, 4])).tolist() == [5, 0, 1, 4]


def test_an_unwritten_last_symbol_takes_nothing_from_the_silence():
    assert TeacherScript(("a", "")).fold(np.array([5, 3, 4])).tolist() == [5, 3, 0, 4]
