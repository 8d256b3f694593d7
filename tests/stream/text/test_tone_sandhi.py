import pytest

from selftalk.stream.text.tone_sandhi import Word, apply


def spoken(*words):
    made = [Word(text, part, syllables.split()) for text, part, syllables in words]
    apply(made)
    return " ".join(syllable for word in made for syllable in word.syllables)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([("一", "m", "yi1"), ("个", "q", "ge4"), ("人", "n", "ren2")], "yi2 ge5 ren2"),
        ([("一", "m", "yi1"), ("天", "q", "tian1")], "yi4 tian1"),
        ([("第一", "m", "di4 yi1")], "di4 yi1"),
        ([("统一", "v", "tong3 yi1"), ("了", "ul", "le5")], "tong3 yi1 le5"),
        ([("看", "v", "kan4"), ("一", "m", "yi1"), ("看", "v", "kan4")], "kan4 yi5 kan4"),
        ([("不", "d", "bu4"), ("是", "v", "shi4")], "bu2 shi4"),
        ([("不", "d", "bu4"), ("好", "a", "hao3")], "bu4 hao3"),
        ([("是", "v", "shi4"), ("不", "d", "bu4"), ("是", "v", "shi4")], "shi4 bu5 shi4"),
        ([("看不见", "v", "kan4 bu4 jian4")], "kan4 bu5 jian4"),
        ([("你好", "l", "ni3 hao3")], "ni2 hao3"),
        ([("展览馆", "n", "zhan3 lan3 guan3")], "zhan2 lan2 guan3"),
        ([("小老虎", "n", "xiao3 lao3 hu3")], "xiao3 lao2 hu3"),
        ([("买", "v", "mai3"), ("水果", "n", "shui3 guo3")], "mai3 shui2 guo3"),
        ([("很", "d", "hen3"), ("北京", "ns", "bei3 jing1")], "hen2 bei3 jing1"),
        ([("朋友", "n", "peng2 you3")], "peng2 you5"),
        ([("妈妈", "n", "ma1 ma1")], "ma1 ma5"),
        ([("桌子", "n", "zhuo1 zi3")], "zhuo1 zi5"),
        ([("电子", "n", "dian4 zi3")], "dian4 zi3"),
        ([("走", "v", "zou3"), ("了", "ul", "liao3")], "zou3 le5"),
        ([("花儿", "n", "hua1 er2")], "hua1 er1"),
        ([("一点儿", "m", "yi1 dian3 er2")], "yi4 dian3 er3"),
        ([("女儿", "n", "nv3 er2")], "nv3 er2"),
    ],
)
def test_tones_as_spoken(words, expected):
    assert spoken(*words) == expected
