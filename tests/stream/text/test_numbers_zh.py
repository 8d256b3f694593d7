import pytest

from selftalk.stream.text import numbers_zh as numbers


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        (0, "零"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (102, "一百零二"),
        (110, "一百一十"),
        (200, "两百"),
        (1010, "一千零一十"),
        (2024, "两千零二十四"),
        (2200, "两千二百"),
        (20_000, "两万"),
        (22_000, "两万两千"),
        (120_000, "十二万"),
        (10_086, "一万零八十六"),
        (100_000_000, "一亿"),
        (1_400_000_000, "十四亿"),
        (100_000_001, "一亿零一"),
        (-5, "负五"),
    ],
)
def test_cardinal(number, spoken):
    assert numbers.cardinal(number) == spoken


def test_decimal_and_digits():
    assert numbers.decimal("-3.14") == "负三点一四"
    assert numbers.decimal("1,024") == "一千零二十四"
    assert numbers.decimal("9" * 30) == "九" * 30
    assert numbers.digits("2024") == "二零二四"
    assert numbers.digits("110", yao=True) == "幺幺零"
