import pytest

from selftalk.stream.text.g2p_en import lexicon
from selftalk.stream.text.heteronyms_en import choose


def said(sentence, word):
    words = sentence.split()
    at = next(index for index, candidate in enumerate(words) if candidate.lower() == word)
    symbols = choose(words, at, lexicon())
    return " ".join(symbols) if symbols else None


@pytest.mark.parametrize(
    ("sentence", "word", "symbols"),
    [
        ("I read it yesterday", "read", "R EH1 D"),
        ("please read it", "read", "R IY1 D"),
        ("have you read it", "read", "R EH1 D"),
        ("a live show", "live", "L AY1 V"),
        ("we live here", "live", "L IH1 V"),
        ("their lives matter", "lives", "L AY1 V Z"),
        ("a lead pipe", "lead", "L EH1 D"),
        ("take the lead", "lead", "L IY1 D"),
        ("to record it", "record", "R AH0 K AO1 R D"),
        ("a record sale", "record", "R EH1 K ER0 D"),
        ("Close the door", "close", "K L OW1 Z"),
        ("so close to me", "close", "K L OW1 S"),
        ("the use of it", "use", "Y UW1 S"),
        ("they use it", "use", "Y UW1 Z"),
        ("I used to go", "used", "Y UW1 S T"),
        ("it was used to open", "used", "Y UW1 Z D"),
        ("wind up the clock", "wind", "W AY1 N D"),
        ("the wind blows", "wind", "W IH1 N D"),
        ("sea bass swim", "bass", "B AE1 S"),
        ("a bass guitar", "bass", "B EY1 S"),
        ("two separate rooms", "separate", "S EH1 P ER0 IH0 T"),
        ("to separate them", "separate", "S EH1 P ER0 EY2 T"),
        ("a Polish girl", "polish", "P OW1 L IH0 SH"),
        ("to polish it", "polish", "P AA1 L IH0 SH"),
        ("an ordinary word", "ordinary", None),
    ],
)
def test_neighbours_decide(sentence, word, symbols):
    assert said(sentence, word) == symbols
