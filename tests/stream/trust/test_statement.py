import pytest

from selftalk.stream.errors import ConsentError
from selftalk.stream.trust.statement import check_transcript, draw_digits, sentence_of

EN = sentence_of("Ada Lovelace", "my diary", "7294", "en")
ZH = sentence_of("王小明", "朗读日记", "7294", "zh")


def test_the_sentences_hold_name_purpose_and_digits():
    assert EN == (
        "My name is Ada Lovelace, and I agree that my voice is copied for my diary."
        " My numbers are seven, two, nine, four."
    )
    assert "王小明" in ZH
    assert "朗读日记" in ZH
    assert "七、二、九、四" in ZH


@pytest.mark.parametrize(
    ("sentence", "heard"),
    [
        (EN, EN),
        (EN, EN.lower().replace(".", "").replace(",", "")),
        (EN, EN.replace("seven, two, nine, four", "7 2 9 4")),
        (EN, EN.replace("seven, two, nine, four", "7294")),
        (EN, EN.replace("seven, two, nine, four", "7, too, 9, for")),
        (EN, EN.replace("Ada Lovelace", "Adda Lovelays").replace("diary", "dairy")),
        (ZH, ZH.replace("七、二、九、四", "7294")),
        (ZH, ZH.replace("七、二、九、四", "七 二 九 四")),
        (ZH, ZH.replace("七、二、九、四", "７２９４").replace("数", "數").replace("声", "聲")),
        (ZH, ZH.replace("小明", "晓明")),
    ],
)
def test_what_recognisers_write_is_understood(sentence, heard):
    assert check_transcript(heard, sentence, "7294") <= 0.25


@pytest.mark.parametrize(
    "said", ["7295", "729", "72 94 4", "2794", "seven two nine", "one, two", "", "7294 and so on"]
)
def test_other_digits_are_refused(said):
    heard = EN.replace("seven, two, nine, four", said)
    with pytest.raises(ConsentError, match="the digits 7 2 9 4 were not understood"):
        check_transcript(heard, EN, "7294")


@pytest.mark.parametrize(
    "heard",
    [
        "7 2 9 4",
        "I never agreed to anything at all, my numbers are 7 2 9 4",
        "My name is Ada. 7294",
        EN.replace("my diary", "selling insurance on the telephone to everybody in the whole town"),
    ],
)
def test_other_words_are_refused(heard):
    with pytest.raises(ConsentError, match="something else than the sentence"):
        check_transcript(heard, EN, "7294")


def test_numbers_elsewhere_are_no_digits():
    heard = EN.replace("seven, two, nine, four", "") + " seven two nine four"
    assert check_transcript(heard.replace("for my", "four my"), EN, "7294") < 0.1


@pytest.mark.parametrize(
    ("person", "purpose", "language", "reason"),
    [
        ("", "a test", "en", "consent needs the name"),
        ("Ada", " ", "en", "consent needs the purpose"),
        ("R2D2", "a test", "en", "without digits"),
        ("Ada", "a test", "fr", "no sentence of consent in 'fr'; choose from en, zh"),
    ],
)
def test_what_cannot_be_a_sentence(person, purpose, language, reason):
    with pytest.raises(ConsentError, match=reason):
        sentence_of(person, purpose, "7294", language)


def test_digits_are_four_different_ones_and_change():
    drawn = {draw_digits() for _ in range(50)}
    assert len(drawn) > 40
    assert all(len(digits) == len(set(digits)) == 4 and digits.isdigit() for digits in drawn)
