import pytest

pytest.importorskip("jieba")
pytest.importorskip("pypinyin")

from selftalk.stream.text.g2p_zh import read, speak


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("银行行长", "yin2 hang2 hang2 zhang3"),
        ("重新长大", "chong2 xin1 zhang3 da4"),
        ("长短", "chang2 duan3"),
        ("我得去", "wo2 dei3 qu4"),
        ("跑得快", "pao3 de5 kuai4"),
        ("得了奖", "de2 le5 jiang3"),
        ("慢慢地走", "man4 man4 de5 zou3"),
        ("还书", "huan2 shu1"),
        ("还在", "hai2 zai4"),
        ("受不了", "shou4 bu5 liao3"),
        ("我姓单", "wo3 xing4 shan4"),
        ("銀行行長", "yin2 hang2 hang2 zhang3"),
        ("漂漂亮亮", "piao4 piao4 liang4 liang4"),
        ("啊", "a1"),
        ("", ""),
    ],
)
def test_readings(text, syllables):
    assert " ".join(read(text)) == syllables


def test_one_pair_of_symbols_per_character_and_one_word_per_number():
    assert speak("有12个。") == [
        ("有", ("y", "ou3"), "有"),
        ("12", ("sh", "ir2", "EE", "er4"), "十二"),
        ("个", ("g", "e5"), "个"),
        ("", (".",), "."),
    ]


def test_a_rare_character_without_a_reading_is_left_out():
    assert speak("好㐂") == [("好", ("h", "ao3"), "好"), ("㐂", (), "")]
