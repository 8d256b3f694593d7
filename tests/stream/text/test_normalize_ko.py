import pytest

from selftalk.stream.text.normalize_ko import cardinal, native, normalize


def read(text):
    return " ".join(piece.spoken for piece in normalize(text))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("2024년 6월 10일", "이천이십사년 유월 십일"),
        ("10월", "시월"),
        ("2024-05-17", "이천이십사년 오월 십칠일"),
        ("10:30", "열 시 삼십 분"),
        ("3시", "세시"),
        ("15시", "십오시"),
        ("2시간", "두시간"),
        ("3개", "세개"),
        ("3개월", "삼개월"),
        ("20살", "스무살"),
        ("1번", "일번"),
        ("3번째", "세번째"),
        ("3~5명", "삼에서 오명"),
        ("₩12,500", "만이천오백 원"),
        ("50%", "오십 퍼센트"),
        ("-5°C", "영하 오 도"),
        ("3.14", "삼 점 일사"),
        ("010-1234-5678", "공일공 일이삼사 오육칠팔"),
        ("60km/h", "시속 육십 킬로미터"),
        ("네?!", "네 ?"),
    ],
)
def test_written_becomes_spoken(text, spoken):
    assert read(text) == spoken


def test_numerals():
    assert [cardinal(number) for number in (0, 10, 111, 10_000, 100_000_000)] == [
        "영", "십", "백십일", "만", "일억",
    ]  # fmt: skip
    assert [native(number) for number in (1, 20, 21, 99)] == ["한", "스무", "스물한", "아흔아홉"]
