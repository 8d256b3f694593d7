import pytest

from selftalk.stream.text.g2p_ko import _CODAS, _ONSETS, _VOWELS, read, speak


def said(text):
    """What is heard, written in Hangul again."""
    heard = ""
    word = 0
    for syllable in read(text.split(" ")):
        heard += " " * (syllable.word - word)
        word = syllable.word
        onset, vowel = _ONSETS.index(syllable.onset), _VOWELS.index(syllable.vowel)
        heard += chr(ord("가") + (onset * 21 + vowel) * 28 + _CODAS.index(syllable.coda))
    return heard


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("국물", "궁물"),
        ("합니다", "함니다"),
        ("독립", "동닙"),
        ("심리", "심니"),
        ("신라", "실라"),
        ("설날", "설랄"),
        ("같이", "가치"),
        ("굳이", "구지"),
        ("닫혀", "다처"),
        ("붙여", "부처"),
        ("좋아", "조아"),
        ("좋고", "조코"),
        ("놓는", "논는"),
        ("많아", "마나"),
        ("않는", "안는"),
        ("뚫네", "뚤레"),
        ("입학", "이팍"),
        ("앉히다", "안치다"),
        ("밝히다", "발키다"),
        ("못 해", "모 태"),
        ("밥 먹어", "밤 머거"),
        ("학교", "학꾜"),
        ("읽고", "일꼬"),
        ("닭과", "닥꽈"),
        ("밟다", "밥따"),
        ("넓다", "널따"),
        ("여덟도", "여덜도"),
        ("값이", "갑씨"),
        ("앉아", "안자"),
        ("할 수", "할 쑤"),
        ("갈게요", "갈께요"),
        ("신고", "신꼬"),
        ("감기", "감기"),
        ("꽃잎", "꼰닙"),
        ("맛없다", "마덥따"),
        ("서울역", "서울력"),
        ("희망", "히망"),
        ("의사", "의사"),
        ("가져", "가저"),
        ("부엌에", "부어케"),
    ],
)
def test_sounds(written, heard):
    assert said(written) == heard


def test_letters_spaces_and_silent_onsets_as_in_the_official_symbols():
    assert [spoken.symbols for spoken in speak("왜 의")] == [
        ("ㅇ", "ㅗ", "ㅐ"),
        ("空",),
        ("ㅇ", "ㅡ", "ㅣ"),
    ]


def test_lone_letters_are_said():
    assert [spoken.symbols for spoken in speak("ㅋㅋ ㅠ")] == [
        ("ㅋ", "ㅡ", "ㅋ", "ㅡ"),
        ("空",),
        ("ㅇ", "ㅣ", "ㅜ"),
    ]
