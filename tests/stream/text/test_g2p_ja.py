import pytest

pytest.importorskip("pyopenjtalk")

from selftalk.stream.text.g2p_ja import speak


def said(text):
    return " ".join(symbol for spoken in speak(text) for symbol in spoken.symbols)


def test_pitch_tells_chopsticks_from_a_bridge_and_an_edge():
    assert said("箸を") == "h a ] sh i o"
    assert said("橋を") == "h a [ sh i ] o"
    assert said("端を") == "h a [ sh i o"


def test_accent_phrases_are_divided_as_in_the_official_sequences():
    assert said("雨が降る。") == "a ] m e g a UNK f u ] r u ."


def test_voiceless_vowels_are_written_voiced_and_rare_consonants_in_parts():
    assert said("です") == "d e ] s u"
    assert said("フュージョン").split()[:2] == ["f", "y"]


def test_a_written_number_is_one_word_however_many_morphemes_it_has():
    words = [spoken.word for spoken in speak("2024年です")]
    assert words == ["2024", "年", "です"]
