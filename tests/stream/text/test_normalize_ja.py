import pytest

from selftalk.stream.text.normalize_ja import normalize


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("2024-05-17", "2024年5月17日"),
        ("10:30", "10時30分"),
        ("9:00", "9時"),
        ("¥1,200", "1,200円"),
        ("$3.50", "3.50ドル"),
        ("1/2", "2分の1"),
        ("3〜5人", "3から5人"),
        ("外は-5°C", "外はマイナス5度"),
        ("50%", "50パーセント"),
        ("090-12-3456", "ゼロキューゼロ イチニー サンヨンゴーロク"),
        ("はい。。。", "はい…"),
        ("え？！", "え?"),
        ("「はい」", "はい"),
    ],
)
def test_written_becomes_readable(text, spoken):
    assert "".join(piece.spoken for piece in normalize(text)) == spoken
