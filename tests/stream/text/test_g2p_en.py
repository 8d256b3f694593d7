import pytest

from selftalk.stream.text.g2p_en import speak, word_symbols
from selftalk.stream.text.phonemes import Spoken


@pytest.mark.parametrize(
    ("word", "symbols"),
    [
        ("hello", "HH AH0 L OW1"),
        ("NASA", "N AE1 S AH0"),
        ("FBI", "EH1 F B IY1 AY1"),
        ("GPUs", "JH IY1 P IY1 Y UW1 Z"),
        ("css", "S IY1 EH1 S EH1 S"),
        ("it", "IH1 T"),
        ("IT", "AY1 T IY1"),
        ("VERY", "V EH1 R IY0"),
        ("boss's", "B AO1 S IH0 Z"),
        ("users'", "Y UW1 Z ER0 Z"),
        ("rebooted", "R IY0 B UW1 T IH0 D"),
        ("chatbots", "CH AE1 T B AA2 T S"),
        ("OpenAI", "OW1 P AH0 N EY1 AY1"),
        ("café", "K AH0 F EY1"),
        ("résumé", "R EH1 Z AH0 M EY2"),
        ("W", "D AH1 B AH0 L Y UW0"),
    ],
)
def test_words(word, symbols):
    assert " ".join(word_symbols(word)) == symbols


def test_a_word_that_no_dictionary_knows_is_still_said():
    assert len(word_symbols("Zorblaxian")) > 5


def test_the_before_a_vowel():
    assert speak("the end") == [Spoken("the", ("DH", "IY0")), Spoken("end", ("EH1", "N", "D"))]
    assert speak("the start")[0] == Spoken("the", ("DH", "AH0"))


def test_every_entry_of_the_lexicon_is_made_of_official_symbols():
    from selftalk.stream.text.g2p_en import lexicon
    from selftalk.stream.text.symbols import SYMBOLS_V1

    known = set(SYMBOLS_V1)
    assert len(lexicon()) > 130_000
    assert {symbol for symbols in lexicon().values() for symbol in symbols} <= known
