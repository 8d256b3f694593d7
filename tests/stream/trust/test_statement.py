from itertools import combinations

import pytest

from selftalk.stream.errors import ConsentError, MisheardError
from selftalk.stream.trust.statement import WORDS, check_transcript, draw_answer, sentence_of
from selftalk.stream.trust.syllables_zh import difference, syllables

SAID = ("seven", "two", "nine", "four")
CHOSEN = ("雨伞", "火车", "巧克力", "月亮")
EN = sentence_of("Ada Lovelace", "my diary", SAID, "en")
ZH = sentence_of("王小明", "朗读日记", CHOSEN, "zh")


def check(heard):
    return check_transcript(heard, EN, SAID, "en")


def check_zh(heard):
    return check_transcript(heard, ZH, CHOSEN, "zh")


def test_the_sentences_hold_name_purpose_and_random_words():
    assert EN == (
        "My name is Ada Lovelace, and I agree that my voice is copied for my diary."
        " My numbers are seven, two, nine, four."
    )
    assert (
        ZH == "我叫王小明，我同意复制我的声音，用于朗读日记。我的词语是雨伞、火车、巧克力、月亮。"
    )


@pytest.mark.parametrize(
    "heard",
    [
        EN,
        EN.lower().replace(".", "").replace(",", ""),
        EN.replace("seven, two, nine, four", "7 2 9 4"),
        EN.replace("seven, two, nine, four", "7294"),
        EN.replace("seven, two, nine, four", "7-2-9-4"),
        EN.replace("seven, two, nine, four", "7, too, 9, for"),
        EN.replace("Ada Lovelace", "Adda Lovelays").replace("diary", "dairy"),
    ],
)
def test_what_recognisers_write_is_understood(heard):
    assert check(heard) <= 0.25


@pytest.mark.parametrize(
    "heard",
    [
        ZH,
        ZH.replace("，", ",").replace("、", ""),
        ZH.replace("声", "聲").replace("语", "語"),
        ZH.replace("小明", "晓明").replace("同意", "统一"),
        ZH.replace("雨伞", "与散").replace("月亮", "越亮"),
        # Each syllable nearly right, no character so: as recognisers write a mumbling speaker.
        "我教王晓名沃同伊夫之我的省引,用于郎都日计,我得慈喻死与散货车巧科利月两",
    ],
)
def test_chinese_counts_as_it_sounds(heard):
    assert check_zh(heard) <= 0.25


@pytest.mark.parametrize(
    "said", ["7295", "729", "72 94 4", "2794", "seven two nine", "one, two", "", "7294 and so on"]
)
def test_other_digits_are_refused(said):
    heard = EN.replace("seven, two, nine, four", said)
    with pytest.raises(MisheardError, match="«seven two nine four» were not understood"):
        check(heard)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("language", WORDS)
def test_one_other_word_of_the_list_is_refused(language, place):
    """Said perfectly, whichever it is."""
    answer = CHOSEN if language == "zh" else SAID
    sentence = sentence_of("王小明", "my diary", answer, language)
    for word in set(WORDS[language]) - set(answer):
        said = (*answer[:place], word, *answer[place + 1 :])
        heard = sentence_of("王小明", "my diary", said, language)
        with pytest.raises(MisheardError, match="were not understood"):
            check_transcript(heard, sentence, answer, language)


@pytest.mark.parametrize(
    "said",
    ["雨伞、火车、月亮", "火车、雨伞、巧克力、月亮", "雨伞", "", "雨伞、火车、巧克力、月亮，不对"],
)
def test_chinese_words_missing_or_in_another_order_are_refused(said):
    with pytest.raises(MisheardError, match="were not understood"):
        check_zh(ZH.replace("、".join(CHOSEN), said))


def test_the_chinese_words_sound_unlike_each_other():
    sounds = [syllables(word) for word in WORDS["zh"]]
    assert len(sounds) == len(set(WORDS["zh"])) == 32
    assert min(difference(a, b) for a, b in combinations(sounds, 2)) >= 1.5


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
    with pytest.raises(MisheardError, match="something else than the sentence"):
        check(heard)


@pytest.mark.parametrize(
    "said", ["", "我不同意，", "今天天气很好，我们一起去公园散步吧，你说好不好。"]
)
def test_other_chinese_words_are_refused(said):
    with pytest.raises(MisheardError, match="something else than the sentence"):
        check_zh(said + "、".join(CHOSEN))


def test_numbers_elsewhere_are_no_digits():
    heard = EN.replace("seven, two, nine, four", "") + " seven two nine four"
    assert check(heard.replace("for my", "four my")) < 0.1


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
        sentence_of(person, purpose, SAID, language)


@pytest.mark.parametrize("language", WORDS)
def test_four_different_words_are_drawn_and_change(language):
    drawn = {draw_answer(language) for _ in range(50)}
    assert len(drawn) > 40
    assert all(len(set(answer)) == 4 for answer in drawn)
    assert all(set(answer) <= set(WORDS[language]) for answer in drawn)
