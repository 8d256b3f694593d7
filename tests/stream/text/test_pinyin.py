import pytest

from selftalk.stream.text.pinyin import syllable_symbols


@pytest.mark.parametrize(
    ("syllable", "symbols"),
    [
        ("zhang3", ("zh", "ang3")),
        ("zhi1", ("zh", "ir1")),
        ("zi4", ("z", "i04")),
        ("ri4", ("r", "ir4")),
        ("ju1", ("j", "v1")),
        ("quan2", ("q", "van2")),
        ("xue2", ("x", "ve2")),
        ("yun2", ("y", "vn2")),
        ("yan2", ("y", "En2")),
        ("ye4", ("y", "E4")),
        ("yi1", ("y", "i1")),
        ("you3", ("y", "ou3")),
        ("lv4", ("l", "v4")),
        ("nüe4", ("n", "ve4")),
        ("wu3", ("w", "u3")),
        ("weng1", ("w", "eng1")),
        ("a1", ("AA", "a1")),
        ("er2", ("EE", "er2")),
        ("ou1", ("OO", "ou1")),
        ("ng2", ("EE", "en2")),
        ("de5", ("d", "e5")),
    ],
)
def test_syllables(syllable, symbols):
    assert syllable_symbols(syllable) == symbols


@pytest.mark.parametrize("text", ["", "zhang", "zhang6", "hello1", "Zh3", "b5", "?5"])
def test_what_is_no_syllable_is_nothing(text):
    assert syllable_symbols(text) is None


def test_every_reading_of_the_character_dictionary_has_symbols():
    constants = pytest.importorskip("pypinyin.constants")
    from pypinyin.contrib.tone_convert import to_tone3

    readings = {one for some in constants.PINYIN_DICT.values() for one in some.split(",")}
    toned = [to_tone3(one, neutral_tone_with_five=True, v_to_u=False) for one in readings]
    assert [one for one in toned if syllable_symbols(one) is None] == []
