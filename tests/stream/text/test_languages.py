import pytest

from selftalk.stream.text.languages import segment


def pieces(text, main):
    return [(piece.language, piece.text.strip()) for piece in segment(text, main)]


@pytest.mark.parametrize(
    ("main", "text", "expected"),
    [
        ("en", "Hello, world!", [("en", "Hello, world!")]),
        ("en", "I met 李明 today", [("en", "I met"), ("zh", "李明"), ("en", "today")]),
        ("en", "さくら or 音楽", [("ja", "さくら"), ("en", "or"), ("ja", "音楽")]),
        ("en", "say 안녕 now", [("en", "say"), ("ko", "안녕"), ("en", "now")]),
        ("zh", "用GPT-4o写。", [("zh", "用"), ("en", "GPT-4o"), ("zh", "写。")]),
        ("zh", "iPhone 15 很贵", [("en", "iPhone"), ("zh", "15 很贵")]),
        ("zh", "重5kg，-3°C", [("zh", "重5kg，-3°C")]),
        ("zh", "C++和C#", [("en", "C++"), ("zh", "和"), ("en", "C#")]),
        ("zh", "我是さくら", [("zh", "我是"), ("ja", "さくら")]),
        ("zh", "私は学生です", [("ja", "私は学生です")]),
        ("yue", "我部iPhone冇電", [("yue", "我部"), ("en", "iPhone"), ("yue", "冇電")]),
        ("ja", "AIとGitHub", [("ja", "AIと"), ("en", "GitHub")]),
        ("ko", "저는 AI를", [("ko", "저는"), ("en", "AI"), ("ko", "를")]),
        ("en", " \n ", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_its_language_changes(main, text, expected):
    assert pieces(text, main) == expected


@pytest.mark.parametrize("main", ["en", "zh", "ja", "ko", "yue"])
def test_nothing_but_space_is_lost(main):
    text = "We 说 5kg in 東京で、안녕 3D! さくら, C++ and don't."
    assert "".join(piece.text for piece in segment(text, main)).replace(" ", "") == text.replace(
        " ", ""
    )
