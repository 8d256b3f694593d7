import pytest

from selftalk.stream.text.normalize_en import normalize


def read(text):
    return " ".join(" ".join(words) for _, words in normalize(text))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Dr. Smith", "doctor Smith"),
        ("Main St.", "Main street ."),
        ("St. Mary", "saint Mary"),
        ("at 5 p.m. Then", "at five P M . Then"),
        ("e.g. this", "for example this"),
        ("No. 5", "number five"),
        ("No. That", "No . That"),
        ("Henry VIII", "Henry the eighth"),
        ("Chapter IV", "Chapter four"),
        ("I am", "I am"),
        ("A plan A.", "a plan A ."),
        ("AT&T", "AT and T"),
        ("GPT-4o", "GPT four o"),
        ("C++ or C#", "C plus plus or C sharp"),
        ("an A+ and B- here", "an A plus and B minus here"),
        ("Node.js", "node dot J S"),
        ("see main.py.", "see main dot pie ."),
        ("a@b.com", "a at b dot com"),
        ("x^2", "x squared"),
        ("#5", "number five"),
        ("#tag", "hashtag tag"),
        ("# Title", "Title"),
        ("a -> b", "a to b"),
        ("**bold** and `code`", "bold and code"),
        ("ok...", "ok …"),
        ("what?!", "what ?"),
        ("yes - no", "yes - no"),
        ("a; b: c", "a , b , c"),
        ("IT IS HERE", "it is here"),
        ("pls & thx", "please and thanks"),
    ],
)
def test_written_becomes_spoken(text, spoken):
    assert read(text) == spoken


def test_every_written_word_keeps_its_own_spoken_words():
    assert normalize("It is $3.50 now.") == [
        ("It", ("It",)),
        ("is", ("is",)),
        ("$3.50", ("three", "dollars", "and", "fifty", "cents")),
        ("now", ("now",)),
        ("", (".",)),
    ]
