import pytest

from selftalk.stream.text.letter_to_sound import pronounce
from selftalk.stream.text.symbols import SYMBOLS_V1


@pytest.mark.parametrize(
    ("word", "symbols"),
    [("covid", "K OW1 V IH0 D"), ("zuckerberg", "Z AH1 K ER0 B ER0 G")],
)
def test_regular_words_come_out_regular(word, symbols):
    assert " ".join(pronounce(word)) == symbols


@pytest.mark.parametrize("word", ["a", "qxzzy", "é", "x" * 500])
def test_any_letters_end_and_give_known_symbols(word):
    symbols = pronounce(word)
    assert len(symbols) <= 32
    assert set(symbols) <= set(SYMBOLS_V1)
